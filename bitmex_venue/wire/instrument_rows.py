"""Rows of the instrument table.

Rules (bitmex-api.md 4.1, 5.7)
* A full row is the constants of the contract, its state, its last trade, the touch, the marks and 24 hours of volume.
* An update is one concern: symbol, the columns that the engine says have changed and what follows from them, timestamp; the
  hub takes away what listeners have already.
* Bid, ask, mid and impact prices, the 24 hours and open interest are told every 5 s; for the touch there is `quote`. The row that
  REST gives has them as they are now, and all else as it was told.

Known differences: the figures of the hourly session are those of 24 hours, save prevClosePrice, the mark at the last full
hour; impact prices are averages over 10 units of the settlement coin (10 XBT, 500,000 USDT), weighted by size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..engine import events as ev
from .encode import E8, SECOND, iso
from .tables import Row, Rows, timespan

HOUR = 3_600 * SECOND
YEAR = 365 * 24 * HOUR
IMPACT = {"XBt": 1_000_000_000, "USDt": 500_000_000_000}


def full(rows: Rows, exchange: Any, symbol: str, now: int) -> Row:
    """The whole row of an instrument or index at `now`."""
    inst = exchange.instruments[symbol]
    spec, e8 = inst.spec, rows.e8
    row = rows.blank("instrument")
    row.update(
        symbol=symbol,
        rootSymbol=spec.root_symbol,
        state="Unlisted" if spec.is_index else inst.state,
        typ=spec.typ,
        positionCurrency=spec.position_currency,
        underlying=spec.underlying,
        quoteCurrency=spec.quote_currency,
        underlyingSymbol=spec.underlying + ("T=" if spec.settl_currency == "USDt" else "="),
        reference="BMEX",
        referenceSymbol=spec.reference or symbol,
        tickSize=e8(spec.tick_e8),
        isQuanto=spec.is_quanto,
        isInverse=spec.is_inverse,
        taxed=not spec.is_index,
        deleverage=not spec.is_index,
        hasLiquidity=False,
        timestamp=iso(now),
    )
    if not rows.profile.sparse:
        row["capped"] = False
    else:
        row["instantPnl"] = not spec.is_index
    if spec.is_index:
        row.update(_index(rows, inst))
        return rows.finish(row)
    row.update(
        listing=iso(spec.listing),
        front=iso(spec.listing),
        maxOrderQty=spec.max_order_qty,
        maxPrice=e8(spec.max_price_e8),
        lotSize=spec.lot_size,
        multiplier=spec.multiplier,
        settlCurrency=spec.settl_currency,
        underlyingToPositionMultiplier=spec.underlying_to_position_multiplier,
        underlyingToSettleMultiplier=spec.underlying_to_settle_multiplier,
        quoteToSettleMultiplier=spec.quote_to_settle_multiplier,
        initMargin=e8(spec.init_margin_e8),
        maintMargin=e8(spec.maint_margin_e8),
        riskLimit=spec.risk_limit,
        riskStep=spec.risk_step,
        makerFee=e8(spec.maker_fee_e8),
        takerFee=e8(spec.taker_fee_e8),
        settlementFee=e8(spec.settlement_fee_e8),
        fairMethod="FundingRate" if spec.funding_interval else "ImpactMidPrice",
        fairBasisRate=e8(_basis_rate_e8(inst)),
        markMethod="FairPrice",
        indicativeSettlePrice=e8(inst.index_e8),
        settledPrice=e8(inst.settled_price_e8),
        prevClosePrice=e8(inst.prev_close_e8),
        openInterest=inst.open_interest,
        openValue=inst.open_value,
    )
    if spec.expiry is not None:
        row["expiry"] = row["settle"] = iso(spec.expiry)
    if spec.funding_interval:
        row.update(
            fundingBaseSymbol=f".{spec.underlying}BON8H",
            fundingQuoteSymbol=f".{spec.quote_currency}BON8H",
            fundingPremiumSymbol=f".{symbol}PI8H",
            fundingTimestamp=iso(inst.funding_timestamp) if inst.funding_timestamp else None,
            fundingInterval=timespan(spec.funding_interval),
            fundingRate=e8(inst.funding_rate_e8),
            indicativeFundingRate=e8(inst.indicative_funding_rate_e8),
        )
    if not rows.profile.sparse:
        row.update(**_session(now), sessionInterval=timespan(HOUR), insuranceFee=0)
        row["indicativeTaxRate"] = 0 if spec.funding_interval else None
    else:
        row["minTick"] = e8(spec.min_tick_e8)
        if spec.funding_interval:  # daily interest rates, as recorded in 2025
            row.update(fundingBaseRate=0.0003, fundingQuoteRate=0.0006)
    row.update(_marks(rows, inst))
    row.update(_last(rows, inst, inst.last_price, inst.last_tick_direction))
    row.update(_volumes(rows, inst))
    row.update(_touch(rows, inst, exchange.books[symbol]))
    return rows.finish(row)


def update(rows: Rows, exchange: Any, event: ev.InstrumentEvent) -> Row:
    """The update row of one event."""
    inst = exchange.instruments[event.symbol]
    row: Row = {"symbol": event.symbol}
    for ours, value in event.columns.items():
        row.update(_columns(rows, exchange, inst, ours, value, event.columns))
    row["timestamp"] = iso(event.time)
    return row


def _session(now: int) -> Row:
    """The hour that `now` is in."""
    return {"openingTimestamp": iso(now // HOUR * HOUR), "closingTimestamp": iso(now // HOUR * HOUR + HOUR)}


def _basis_rate_e8(inst: Any) -> int:
    """A perpetual's is its funding rate over a year (recorded 2021: 0.0001 is 0.1095), a future's what the engine says."""
    spec = inst.spec
    return inst.funding_rate_e8 * (YEAR // spec.funding_interval) if spec.funding_interval else inst.basis_rate_e8


def _columns(rows: Rows, exchange: Any, inst: Any, ours: str, value: Any, others: Mapping[str, Any]) -> Row:
    """The wire's columns for one of the engine's."""
    if inst.spec.is_index:
        return _index_price(rows, inst) if ours in ("last_price", "mark_e8", "index_e8") else {}
    if ours == "last_price":
        return _last(rows, inst, value, others.get("last_tick_direction", inst.last_tick_direction))
    if ours == "ask_price" and "bid_price" in others:
        return {}  # both are told at once
    if ours == "bid_price" or ours == "ask_price":
        return _touch(rows, inst, exchange.books[inst.spec.symbol])
    if ours == "open_interest":
        return {"openInterest": value, "openValue": inst.open_value}
    if ours == "volume_24h":
        return _volumes(rows, inst)
    if ours == "session":
        return {} if rows.profile.sparse else _session(value)
    if ours == "basis_rate_e8":
        return {"fairBasisRate": rows.e8(_basis_rate_e8(inst))}
    if ours == "funding_rate_e8":
        return {"fundingRate": rows.e8(value), "fairBasisRate": rows.e8(_basis_rate_e8(inst))}
    render = _PLAIN.get(ours)
    return render(rows, value) if render is not None else {}


_PLAIN: dict[str, Callable[[Rows, Any], Row]] = {
    "mark_e8": lambda rows, value: {"fairPrice": rows.e8(value), "markPrice": rows.e8(value)},
    "index_e8": lambda rows, value: {"indicativeSettlePrice": rows.e8(value)},
    "indicative_funding_rate_e8": lambda rows, value: {"indicativeFundingRate": rows.e8(value)},
    "funding_timestamp": lambda rows, value: {"fundingTimestamp": iso(value) if value else None},
    "prev_close_e8": lambda rows, value: {"prevClosePrice": rows.e8(value)},
    "basis_e8": lambda rows, value: {"fairBasis": rows.e8(value)},
    "state": lambda rows, value: {"state": value},
    "settled_price_e8": lambda rows, value: {"settledPrice": rows.e8(value)},
    # constants that a control door may change
    "maker_fee_e8": lambda rows, value: {"makerFee": rows.e8(value)},
    "taker_fee_e8": lambda rows, value: {"takerFee": rows.e8(value)},
    "lot_size": lambda rows, value: {"lotSize": value},
    "tick_e8": lambda rows, value: {"tickSize": rows.e8(value)},
    "expiry": lambda rows, value: {"expiry": iso(value), "settle": iso(value)},
    "init_margin_e8": lambda rows, value: {"initMargin": rows.e8(value)},
    "maint_margin_e8": lambda rows, value: {"maintMargin": rows.e8(value)},
    "risk_limit": lambda rows, value: {"riskLimit": value},
    "risk_step": lambda rows, value: {"riskStep": value},
}


def _index_price(rows: Rows, inst: Any) -> Row:
    price = rows.e8(inst.index_e8 if inst.index_e8 is not None else inst.mark_e8)
    before = rows.price(inst.spec.symbol, inst.window.prev_price)
    return {
        "prevPrice24h": before,
        "lastPrice": price,
        "lastTickDirection": inst.last_tick_direction,
        "lastChangePcnt": _change(rows, inst),
        "markPrice": price,
    }


def _index(rows: Rows, inst: Any) -> Row:
    return {
        "reference": "BMI",
        "publishInterval": timespan(5 * SECOND),
        "markMethod": "LastPrice",
        **_index_price(rows, inst),
    }


def _marks(rows: Rows, inst: Any) -> Row:
    return {"fairBasis": rows.e8(inst.basis_e8), "fairPrice": rows.e8(inst.mark_e8), "markPrice": rows.e8(inst.mark_e8)}


def _last(rows: Rows, inst: Any, ticks: int | None, direction: str) -> Row:
    price = rows.price(inst.spec.symbol, ticks)
    return {
        "lastPrice": price,
        "lastPriceProtected": price,
        "lastTickDirection": direction if ticks is not None else "",
        "lastChangePcnt": _change(rows, inst),
    }


def _change(rows: Rows, inst: Any) -> Any:
    """How far the last price is from the one a day ago."""
    now, before = inst.last_price, inst.window.prev_price
    return rows.number(round(now / before - 1, 4) + 0.0) if now and before else None


def _volumes(rows: Rows, inst: Any) -> Row:
    symbol, window = inst.spec.symbol, inst.window
    home, foreign = rows.notionals(symbol, window.volume, window.turnover)
    return {
        "prevTotalVolume": inst.volume - window.volume,
        "totalVolume": inst.volume,
        "volume": window.volume,
        "volume24h": window.volume,
        "prevTotalTurnover": inst.turnover - window.turnover,
        "totalTurnover": inst.turnover,
        "turnover": window.turnover,
        "turnover24h": window.turnover,
        "homeNotional24h": abs(home),
        "foreignNotional24h": abs(foreign),
        "prevPrice24h": rows.price(symbol, window.prev_price),
        "lastChangePcnt": _change(rows, inst),
        "vwap": rows.number(average(inst.spec, window.volume, window.turnover)),
        "highPrice": rows.price(symbol, window.high),
        "lowPrice": rows.price(symbol, window.low),
    }


def average(spec: Any, volume: int, turnover: int) -> float | None:
    """The price at which `volume` contracts are worth `turnover`, to four decimals."""
    if not volume or not turnover:
        return None
    if spec.is_inverse:
        return round(abs(spec.multiplier) * volume / turnover, 4)
    return round(turnover / (spec.multiplier * volume), 4)


def _touch(rows: Rows, inst: Any, book: Any) -> Row:
    spec = inst.spec
    bid, ask = book.best_bid, book.best_ask
    mid = rows.e8((bid + ask) * spec.tick_e8 // 2) if bid is not None and ask is not None else None
    impact_bid, impact_ask = _impact(inst, book, 1), _impact(inst, book, -1)
    impact_mid = None
    if impact_bid is not None and impact_ask is not None:
        impact_mid = rows.number(round((impact_bid + impact_ask) / 2, 4))
    return {
        "bidPrice": rows.price(spec.symbol, bid),
        "midPrice": mid,
        "askPrice": rows.price(spec.symbol, ask),
        "impactBidPrice": rows.number(impact_bid),
        "impactMidPrice": impact_mid,
        "impactAskPrice": rows.number(impact_ask),
        "hasLiquidity": impact_bid is not None and impact_ask is not None,
    }


def _impact(inst: Any, book: Any, side: int) -> float | None:
    """The average price of a market order of the impact size, None when the side is empty."""
    spec = inst.spec
    left = IMPACT.get(spec.settl_currency, IMPACT["XBt"])
    weighted = filled = 0
    for ticks, size in book.levels(side, 100):
        value = max(1, inst.value_at(ticks) * (size // spec.lot_size or 1))
        part = size if value <= left else max(1, size * left // value)
        weighted += ticks * part
        filled += part
        left -= value
        if left <= 0:
            break
    return round(weighted * spec.tick_e8 / filled / E8, 4) if filled else None
