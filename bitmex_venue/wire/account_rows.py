"""Rows of positions, margins, wallets and their ledger, made from the engine's images.

Rules (bitmex-api.md 4.4, 4.5, 5.6)
* Money is whole; costs of open orders of inverse contracts are negative on both sides (the image knows).
* `changed` gives an update row: keys, what is different from the row before, and what the venue repeats every time.

Known differences: columns of the 2016 to 2020 era that went with the hourly session (opening*, exec*, session*) carry the state
since the start of the position instead, or 0; `simple*` are null, as they have been since October 2018.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from typing import Any

from .columns import TRANSACT
from .encode import SECOND, iso
from .tables import Row, Rows

ACCOUNT_RISK_LIMIT = 1_000_000_000_000
POSITION_REPEATS = ("currentQty", "markPrice", "liquidationPrice")
HOUR = 3600 * SECOND
TRANSACT_COLUMNS = tuple(word.partition(":")[0] for word in TRANSACT.replace("!", "").split())


def position(rows: Rows, image: Any, time: int) -> Row:
    """The whole row of a position as `image` tells; `time` is when it last changed."""
    spec, e8 = image.spec, rows.e8
    row = rows.zeroed("position")
    classic = not rows.profile.sparse
    margin = image.margin
    home, foreign = rows.notionals(image.symbol, image.current_qty, image.mark_value)
    mark = e8(image.mark_e8) if image.mark_e8 else None
    row.update(
        account=image.account_id,
        symbol=image.symbol,
        currency=image.currency,
        underlying=spec.underlying,
        quoteCurrency=spec.quote_currency,
        commission=e8(spec.taker_fee_e8),
        initMarginReq=e8(image.init_req_e8),
        maintMarginReq=e8(image.maint_req_e8),
        riskLimit=image.risk_limit,
        leverage=rows.number(float(image.leverage)),
        crossMargin=image.cross_margin,
        deleveragePercentile=rows.number(1.0) if image.is_open else None,
        rebalancedPnl=image.rebalanced_pnl,
        prevRealisedPnl=image.prev_realised_pnl,
        openOrderBuyQty=image.open_order_buy_qty,
        openOrderBuyCost=image.open_order_buy_cost,
        openOrderSellQty=image.open_order_sell_qty,
        openOrderSellCost=image.open_order_sell_cost,
        currentQty=image.current_qty,
        currentCost=image.current_cost,
        currentComm=image.current_comm,
        realisedCost=image.realised_cost,
        unrealisedCost=image.unrealised_cost,
        isOpen=image.is_open,
        markPrice=mark,
        markValue=image.mark_value,
        riskValue=image.risk_value,
        homeNotional=home,
        foreignNotional=foreign,
        posCost=image.pos_cost,
        posCross=margin.cross,
        posInit=margin.init,
        posComm=margin.comm,
        posLoss=max(0, margin.init + margin.comm + margin.cross - margin.margin),
        posMargin=margin.margin,
        posMaint=margin.maint,
        initMargin=image.init_margin,
        maintMargin=margin.maint_margin,
        realisedPnl=image.realised_pnl,
        unrealisedPnl=image.unrealised_pnl,
        unrealisedPnlPcnt=rows.number(image.unrealised_pnl_pcnt),
        unrealisedRoePcnt=rows.number(image.unrealised_roe_pcnt),
        avgCostPrice=e8(image.avg_entry_price_e8),
        avgEntryPrice=e8(image.avg_entry_price_e8),
        breakEvenPrice=e8(image.break_even_price_e8),
        marginCallPrice=_reached(rows, image, image.liquidation_price_e8),
        liquidationPrice=_reached(rows, image, image.liquidation_price_e8),
        bankruptPrice=_reached(rows, image, image.bankrupt_price_e8),
        timestamp=iso(time),
    )
    if rows.profile.strategy:
        row["strategy"] = "OneWay"
    if classic:
        row.update(
            openingTimestamp=iso(time // HOUR * HOUR),
            currentTimestamp=iso(time),
            execQty=image.current_qty,
            execCost=image.current_cost,
            execComm=image.current_comm,
            grossOpenCost=image.gross_open_cost,
            grossExecCost=abs(image.pos_cost),
            posCost2=image.pos_cost,
            realisedGrossPnl=-image.realised_cost,
            unrealisedGrossPnl=image.unrealised_pnl,
            indicativeTaxRate=0,
            lastPrice=mark,
            lastValue=image.mark_value,
        )
    return rows.finish(row)


def _reached(rows: Rows, image: Any, price_e8: int | None) -> Any:
    """A price of liquidation or bankruptcy; for one beyond all prices what the era showed (recorded in 2019 and 2026)."""
    beyond = price_e8 is not None and price_e8 >= image.spec.max_price_e8
    return rows.number(float(rows.profile.no_price)) if beyond else rows.e8(price_e8)


def margin(rows: Rows, image: Any, time: int) -> Row:
    """The whole margin row of one currency."""
    row = rows.blank("margin")
    for name, kind in rows.tables["margin"].types.items():
        if kind == "long" and name not in ("syntheticMargin", "systemWithdrawableMargin"):
            row[name] = 0
    row.update(
        account=image.account_id,
        currency=image.currency,
        riskLimit=ACCOUNT_RISK_LIMIT,
        amount=image.amount,
        prevRealisedPnl=image.prev_realised_pnl,
        grossComm=image.gross_comm,
        grossOpenCost=image.gross_open_cost,
        grossMarkValue=image.gross_mark_value,
        riskValue=image.risk_value,
        initMargin=image.init_margin,
        maintMargin=image.maint_margin,
        realisedPnl=image.realised_pnl,
        unrealisedPnl=image.unrealised_pnl,
        walletBalance=image.wallet_balance,
        marginBalance=image.margin_balance,
        marginLeverage=rows.number(image.margin_leverage),
        marginUsedPcnt=rows.number(image.margin_used_pcnt),
        excessMargin=image.excess_margin,
        availableMargin=image.available_margin,
        withdrawableMargin=image.withdrawable_margin,
        timestamp=iso(time),
    )
    if not rows.profile.sparse:
        row.update(
            pendingDebit=image.pending_debit, marginBalancePcnt=1, excessMarginPcnt=1, grossLastValue=image.gross_mark_value
        )  # fmt: skip
    return rows.finish(row)


def wallet(rows: Rows, image: Any, time: int) -> Row:
    """The wallet row of one currency."""
    row = rows.blank("wallet")
    for name, kind in rows.tables["wallet"].types.items():
        if kind == "long":
            row[name] = 0
    row.update(
        account=image.account_id,
        currency=image.currency,
        deposited=image.deposited,
        withdrawn=image.withdrawn,
        amount=image.amount,
        pendingDebit=image.pending_debit,
        timestamp=iso(time),
    )
    if not rows.profile.sparse:
        row.update(
            deltaDeposited=image.deposited,
            deltaWithdrawn=image.withdrawn,
            deltaAmount=image.amount,
            withdrawalLock=[],
        )
    return rows.finish(row)


def transact_id(event: Any) -> str:
    """The id of a ledger line: the same whenever it is rendered."""
    if getattr(event, "transact_id", ""):
        return event.transact_id
    return str(uuid.UUID(bytes=hashlib.md5(repr(event).encode("utf-8")).digest()))


def transact(rows: Rows, event: Any) -> Row:
    """A line of the ledger, as `transact` rows and `GET /user/walletHistory` show it."""
    row = rows.blank("transact")
    deposit = event.kind in ("Deposit", "Transfer")
    row.update(
        transactID=transact_id(event),
        account=event.account_id,
        currency=event.currency,
        transactType=event.kind,
        amount=event.amount,
        fee=None if deposit else event.fee,
        transactStatus=event.status,
        address=event.address,
        tx="" if deposit or event.status != "Completed" else transact_id((event, "tx")),
        text=event.text,
        transactTime=iso(event.asked or event.time),
        walletBalance=event.balance,
        timestamp=iso(event.time),
    )
    return rows.finish(row)


def pending(rows: Rows, image: Any, kind: str, symbol: str, amount: int, balance: int) -> Row:
    """A line that is not in the ledger yet: profit realised since the last sweep, or unrealised (classic)."""
    row = rows.blank("transact")
    row.update(
        transactID="00000000-0000-0000-0000-000000000000",
        account=image.account_id,
        currency=image.currency,
        transactType=kind,
        amount=amount,
        fee=0,
        transactStatus="Pending",
        address=symbol,
        walletBalance=balance,
        marginBalance=balance + amount if kind == "UnrealisedPNL" else None,
    )
    return row


def changed(before: Row, after: Row, keys: Iterable[str], repeats: Iterable[str] = ()) -> Row | None:
    """What is to be sent after a change, or None when nothing but the time differs. A column that went is null."""
    new: list[tuple[str, Any]] = [
        (name, value) for name, value in after.items() if name != "timestamp" and before.get(name) != value
    ]
    gone = [name for name in before if name not in after]
    if all(name == "currentTimestamp" for name, _ in new) and not gone:
        return None
    row: Row = {name: after[name] for name in keys if name in after}
    row.update(new)
    row.update((name, None) for name in gone)
    for name in repeats:
        if name in after:
            row[name] = after[name]
    row["timestamp"] = after["timestamp"]
    return row
