"""What a back-test made, in a few lines and as a document: figures of the run's journal, added up and no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from .run import Result

DIGITS = {"XBt": 8, "USDt": 6}


def as_dict(result: Result) -> dict[str, Any]:
    """Money in the smallest unit of the currency; fees positive where paid; times in Unix seconds."""
    run = result.run
    about = run.about
    fills, events = list(run.fills()), list(run.order_events())
    start, end = about.get("start_balance"), about.get("end_balance")
    held = [row.position for row in run.accounts() if row.position is not None]
    asked = [event.what for event in events if event.what in ("create", "amend", "cancel")]
    return {
        "path": result.path,
        "symbol": about.get("symbol"),
        "currency": about.get("currency"),
        "market": about.get("market"),
        "market_effect": result.market_effect,
        "seed": about.get("seed"),
        "set": dict(result.job.settings),
        "began": about.get("started"),
        "ended": about.get("ended"),
        "ended_by": result.ended,
        "whole": result.is_whole,
        "rows": result.rows,
        "bad_rows": result.bad,
        "problems": list(result.problems),
        "decisions": run.count("decision"),
        "requests": result.requests,
        "creates": asked.count("create"),
        "amends": asked.count("amend"),
        "cancels": asked.count("cancel"),
        "fills": len(fills),
        "maker_fills": sum(fill.liquidity == "maker" for fill in fills),
        "bought": sum(fill.size for fill in fills if fill.side == "Buy"),
        "sold": sum(fill.size for fill in fills if fill.side == "Sell"),
        "fees": sum(fill.fee or 0 for fill in fills),
        "funding": sum(row.fee or 0 for row in run.fundings()),
        "start_balance": start,
        "end_balance": end,
        "profit": end - start - (about.get("deposits") or 0) if None not in (start, end) else None,
        "position": held[-1] if held else 0,
        "lowest_position": min(held, default=0),
        "highest_position": max(held, default=0),
        "warnings": sum(row.level in ("WARNING", "ERROR", "CRITICAL") for row in run.notes()),
        "seconds": round(result.seconds, 2),
    }


def lines(result: Result) -> Iterator[str]:
    """The same for people."""
    made = as_dict(result)
    money = _money(made["currency"] or "XBt")
    span = (made["ended"] or 0) - (made["began"] or 0)
    yield f"{made['symbol']}, {_moment(made['began'])} to {_moment(made['ended'])} UTC: {_span(span)} of market in {made['seconds']:.1f} s"
    for number, piece in enumerate((made["market"] or "").split("; ")):
        yield ("  market    " if not number else "            ") + piece
    yield f"  effect of our orders on it: {made['market_effect']}"
    if made["set"]:
        yield "  set       " + ", ".join(f"{name} = {value!r}" for name, value in sorted(made["set"].items()))
    if made["rows"]:
        yield f"  data      {made['rows']:,} rows" + (f", and {made['bad_rows']:,} that could not be read" if made["bad_rows"] else "")
        for problem in made["problems"]:
            yield f"            {problem}"
    yield f"  fills     {made['fills']:,} ({made['maker_fills']:,} as maker): {made['bought']:,} contracts bought, {made['sold']:,} sold"
    yield f"  profit    {money(made['profit'], True)}, of which fees {money(-made['fees'], True)} and funding {money(-made['funding'], True)}"
    yield f"  position  {made['position']:+,} at the end; between {made['lowest_position']:+,} and {made['highest_position']:+,}"
    asked = f"{made['creates']:,} orders made, {made['amends']:,} amended, {made['cancels']:,} cancelled"
    yield f"  requests  {made['requests']:,} in {made['decisions']:,} decisions: {asked}"
    if made["warnings"]:
        yield f"  warnings  {made['warnings']:,}, kept with the run"
    if not made["whole"]:
        yield f"  Stopped before its end ({made['ended_by']}): this is what was done by then."
    if made["path"]:
        yield f"  run       {made['path']}"


def _money(currency: str) -> Any:
    digits = DIGITS.get(currency, 0)
    name = "XBT" if currency == "XBt" else currency.upper()

    def text(units: int | None, signed: bool = False) -> str:
        return "unknown" if units is None else f"{units / 10**digits:{'+' if signed else ''}.{digits}f} {name}"

    return text


def _moment(seconds: float | None) -> str:
    return "?" if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def _span(seconds: float) -> str:
    if seconds < 180:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400 else f"{seconds / 60:.0f} minutes"
