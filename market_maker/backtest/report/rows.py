"""The table of figures: what is shown of a run, in which order and words; for the terminal, the page and comparisons alike.

ROWS holds (group, label, meaning, text of a run's figures). The meanings are those of docs/report.md, in a sentence.
"""

from collections import namedtuple

from market_maker.backtest.report.texts import DASH, bps, length, money, number, percent, plural, share

DAY_S = 86400
Row = namedtuple("Row", "group label meaning text")


def _split(name):
    return lambda found: money((found["split"] or {}).get(name), found["currency"])


def _part(name):
    return lambda found: money((found["inventory_parts"] or {}).get(name), found["currency"])


def _markout(seconds):
    def text(found):
        made = found["markouts"][seconds]
        return f"{bps(made['bps'], made['bps_error'])} ({plural(made['count'], 'fill')})" if made["count"] else DASH

    return text


def _drawdown(found):
    fall = found["drawdown"]
    return DASH if fall["money"] is None else f"{money(fall['money'], found['currency'], False)} ({percent(fall['percent'], 2, False)})"


def sharpe(found):
    """('1.2 ± 0.8', 'a year (720 changes of 1 h)'), or (dash, why there is none). Annualising less than a day would be a fantasy."""
    made = found["sharpe"]
    if made["value"] is None:
        return DASH, made["reason"]
    changes, interval = plural(made["samples"], "change"), length(made["interval_s"])
    if found["seconds"] >= DAY_S:
        return f"{number(made['value'], 1)} ± {number(made['error'], 1)}", f"a year ({changes} of {interval})"
    error = made["error"] * made["per_interval"] / made["value"] if made["value"] else None
    return f"{number(made['per_interval'], 2)} ± {number(error, 2)}", f"per {interval}, not annualised ({changes})"


def _requests(found):
    made = found["requests"]
    return f"{number(made['total'])} ({number(made['per_minute'], 1)} a minute, at most {number(made['peak_per_minute'])})"


def _distance(side):
    return lambda found: bps(found["touch"][side]["distance_bps"]).lstrip("+")


def _quoted(side):
    return lambda found: f"{share(found['touch'][side]['quoted'])}, {share(found['touch'][side]['at_touch'])}"


def _profit(found):
    return f"{money(found['profit'], found['currency'])} ({percent(found['profit_percent'], 3)})"


def _contracts(found):
    return f"{number(found['contracts'])} ({money(found['turnover'], found['currency'], False)})"


ROWS = (
    Row(
        "Profit",
        "Profit",
        "Margin balance at the end less that at the start less what was paid in; open positions count at the mark price.",
        _profit,
    ),
    Row("Profit", "Spread captured", "What each fill got against the mid just before it, added up.", _split("spread")),
    Row("Profit", "Inventory", "What the moves of the market did to the position held between the fills.", _split("inventory")),
    Row("Profit", "Fees", "Paid to the venue for trading; a plus sign is a rebate.", _split("fees")),
    Row("Profit", "Funding", "Received from, or paid to, the other side of the perpetual.", _split("funding")),
    Row(
        "Inventory, in parts",
        "Moves of the mid",
        "The position held between two fills, times the move of the mid between them.",
        _part("moves"),
    ),
    Row(
        "Inventory, in parts", "Mark against mid", "Balances count positions at the mark price, which is not quite the mid.", _part("mark")
    ),
    Row("Inventory, in parts", "Rounding of the venue", "It books whole units per lot.", _part("rounding")),
    Row(
        "Inventory, in parts",
        "Not accounted for",
        "What the journal cannot explain; zero when it holds all that happened.",
        _part("unexplained"),
    ),
    Row("Risk", "Greatest drawdown", "The deepest fall of the margin balance below the highest before it.", _drawdown),
    Row(
        "Risk",
        "Sharpe ratio",
        "Mean over deviation of the changes of the balance, with one standard error; annualised from a day on.",
        lambda found: " ".join(sharpe(found)).replace(DASH, "not shown:"),
    ),
    Row("Risk", "Position at the end", "Contracts held.", lambda found: number(found["position"]["end"])),
    Row(
        "Risk",
        "Position, lowest and highest",
        "Contracts held.",
        lambda found: f"{number(found['position']['lowest'])} … {number(found['position']['highest'])}",
    ),
    Row(
        "Risk",
        "Size of the position, mean",
        "Mean over time of the contracts held, long or short.",
        lambda found: number(found["position"]["mean_size"]),
    ),
    Row("Trading", "Fills", "Trades of our orders.", lambda found: number(found["fills"])),
    Row("Trading", "Contracts traded", "And what they were worth.", _contracts),
    Row(
        "Trading",
        "Filled as maker",
        "Share of the contracts that rested in the book before they traded.",
        lambda found: share(found["maker_share"]),
    ),
    Row(
        "Trading",
        "Fill ratio",
        "Orders that were filled, at least in part, of those that were accepted.",
        lambda found: f"{share(found['fill_ratio'])} of {plural(found['orders']['offered'], 'order')}",
    ),
    Row("Trading", "Orders refused", "By the venue.", lambda found: number(found["orders"]["refused"])),
    Row(
        "After a fill", "Captured at the fill", "How far from the mid a fill was, in our favour; mean and one standard error.", _markout(0)
    ),
    Row("After a fill", "Mark-out after 1 s", "What was left of that against the mid of a second later.", _markout(1)),
    Row("After a fill", "Mark-out after 10 s", "The same, ten seconds later.", _markout(10)),
    Row("After a fill", "Mark-out after 60 s", "The same, a minute later: below zero, those who traded with us knew better.", _markout(60)),
    Row(
        "Quoting",
        "Time at the touch",
        "Share of time with our best bid or best ask at the best price of the book, or better.",
        lambda found: share(found["time_at_touch"]),
    ),
    Row("Quoting", "Buying: quoted, at the touch", "Shares of time.", _quoted("buy")),
    Row("Quoting", "Selling: quoted, at the touch", "Shares of time.", _quoted("sell")),
    Row("Quoting", "Distance of the best bid", "Mean distance from the touch while there was one.", _distance("buy")),
    Row("Quoting", "Distance of the best ask", "Mean distance from the touch while there was one.", _distance("sell")),
    Row("Quoting", "Requests about orders", "Those that create, amend or cancel; several orders may go in one.", _requests),
    Row(
        "Quoting",
        "Creates, amends, cancels",
        "Orders asked for, changed and taken back.",
        lambda found: ", ".join(number(found["requests"][name]) for name in ("creates", "amends", "cancels")),
    ),
)
