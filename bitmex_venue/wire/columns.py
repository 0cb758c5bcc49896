"""The tables of the wire: their columns in order, types, keys and who may see them.

A column is written `name:type`. A trailing `!` marks one of the classic profile only, a `+` one of the modern profile
only; the type `text` is `string` in classic and an empty word in modern, `link` a symbol that became an empty word.
Sources: recorded partials of 2020, 2021, 2024 and 2025, and for the position and margin of the classic era the official
description of December 2019 and recorded rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..profiles import Profile

ORDER = """
orderID:guid clOrdID:text clOrdLinkID:link account:long symbol:symbol strategy:symbol+ side:symbol simpleOrderQty:float!
orderQty:long price:float displayQty:long stopPx:float pegOffsetValue:float pegPriceType:symbol currency:symbol
settlCurrency:symbol ordType:symbol timeInForce:symbol execInst:symbol contingencyType:symbol exDestination:symbol!
ordStatus:symbol triggered:symbol workingIndicator:boolean ordRejReason:link simpleLeavesQty:float! leavesQty:long
simpleCumQty:float! cumQty:long avgPx:float multiLegReportingType:symbol! text:text transactTime:timestamp
timestamp:timestamp"""

EXECUTION = """
execID:guid orderID:guid clOrdID:text clOrdLinkID:link account:long symbol:symbol strategy:symbol+ side:symbol
lastQty:long lastPx:float underlyingLastPx:float! lastMkt:symbol! lastLiquidityInd:symbol simpleOrderQty:float!
orderQty:long price:float displayQty:long stopPx:float pegOffsetValue:float pegPriceType:symbol currency:symbol
settlCurrency:symbol execType:symbol ordType:symbol timeInForce:symbol execInst:symbol contingencyType:symbol
exDestination:symbol! ordStatus:symbol triggered:symbol workingIndicator:boolean ordRejReason:link
simpleLeavesQty:float! leavesQty:long simpleCumQty:float! cumQty:long avgPx:float commission:float
brokerCommission:float+ feeType:symbol+ tradePublishIndicator:symbol multiLegReportingType:symbol! text:text
trdMatchID:guid execCost:long execComm:long brokerExecComm:long+ homeNotional:float foreignNotional:float
transactTime:timestamp timestamp:timestamp realisedPnl:long+ trdType:symbol+"""

POSITION = """
account:long symbol:symbol strategy:symbol+ currency:symbol underlying:symbol quoteCurrency:symbol commission:float
initMarginReq:float maintMarginReq:float riskLimit:long leverage:float crossMargin:boolean deleveragePercentile:float
rebalancedPnl:long prevRealisedPnl:long prevUnrealisedPnl:long prevClosePrice:float! openingTimestamp:timestamp!
openingQty:long openingCost:long! openingComm:long! openOrderBuyQty:long openOrderBuyCost:long openOrderBuyPremium:long
openOrderSellQty:long openOrderSellCost:long openOrderSellPremium:long execBuyQty:long! execBuyCost:long!
execSellQty:long! execSellCost:long! execQty:long! execCost:long! execComm:long! currentTimestamp:timestamp!
currentQty:long currentCost:long currentComm:long realisedCost:long unrealisedCost:long grossOpenCost:long!
grossOpenPremium:long grossExecCost:long! isOpen:boolean markPrice:float markValue:long riskValue:long
homeNotional:float foreignNotional:float posState:symbol posCost:long posCost2:long! posCross:long posInit:long!
posComm:long posLoss:long posMargin:long posMaint:long posInit:long+ posAllowance:long! taxableMargin:long! initMargin:long
maintMargin:long sessionMargin:long! targetExcessMargin:long! varMargin:long! realisedGrossPnl:long! realisedTax:long!
realisedPnl:long unrealisedGrossPnl:long! longBankrupt:long! shortBankrupt:long! taxBase:long! indicativeTaxRate:float!
indicativeTax:long! unrealisedTax:long! unrealisedPnl:long unrealisedPnlPcnt:float unrealisedRoePcnt:float
simpleQty:float! simpleCost:float! simpleValue:float! simplePnl:float! simplePnlPcnt:float! avgCostPrice:float
avgEntryPrice:float breakEvenPrice:float marginCallPrice:float liquidationPrice:float bankruptPrice:float
timestamp:timestamp lastPrice:float! lastValue:long!"""

MARGIN = """
account:long currency:symbol riskLimit:long prevState:symbol! state:symbol action:symbol! amount:long pendingCredit:long!
pendingDebit:long! confirmedDebit:long! prevRealisedPnl:long prevUnrealisedPnl:long! grossComm:long grossOpenCost:long
grossOpenPremium:long grossExecCost:long grossMarkValue:long riskValue:long taxableMargin:long! initMargin:long
maintMargin:long sessionMargin:long! targetExcessMargin:long varMargin:long! realisedPnl:long unrealisedPnl:long
indicativeTax:long! unrealisedProfit:long! syntheticMargin:long! walletBalance:long marginBalance:long
marginBalancePcnt:float! marginLeverage:float marginUsedPcnt:float excessMargin:long excessMarginPcnt:float!
availableMargin:long withdrawableMargin:long systemWithdrawableMargin:long+
makerFeeDiscount:float+ takerFeeDiscount:float+ timestamp:timestamp
grossLastValue:long! commission:float! foreignMarginBalance:long+ foreignRequirement:long+"""

INSTRUMENT = """
symbol:symbol rootSymbol:symbol state:symbol typ:symbol listing:timestamp front:timestamp expiry:timestamp
settle:timestamp listedSettle:timestamp+ relistInterval:timespan inverseLeg:symbol! sellLeg:symbol! buyLeg:symbol!
optionStrikePcnt:float! optionStrikeRound:float! optionStrikePrice:float! optionMultiplier:float!
positionCurrency:symbol underlying:symbol quoteCurrency:symbol underlyingSymbol:symbol reference:symbol
referenceSymbol:symbol calcInterval:timespan publishInterval:timespan publishTime:timespan maxOrderQty:long
maxPrice:float minPrice:float+ lotSize:long tickSize:float multiplier:long settlCurrency:symbol
underlyingToPositionMultiplier:long underlyingToSettleMultiplier:long quoteToSettleMultiplier:long isQuanto:boolean
isInverse:boolean initMargin:float maintMargin:float riskLimit:long riskStep:long limit:float capped:boolean!
taxed:boolean deleverage:boolean makerFee:float takerFee:float settlementFee:float insuranceFee:float!
fundingBaseSymbol:symbol fundingQuoteSymbol:symbol fundingPremiumSymbol:symbol fundingTimestamp:timestamp
fundingInterval:timespan fundingRate:float indicativeFundingRate:float rebalanceTimestamp:timestamp
rebalanceInterval:timespan openingTimestamp:timestamp! closingTimestamp:timestamp! sessionInterval:timespan!
prevClosePrice:float limitDownPrice:float limitUpPrice:float bankruptLimitDownPrice:float! bankruptLimitUpPrice:float!
prevTotalVolume:long totalVolume:long volume:long volume24h:long prevTotalTurnover:long totalTurnover:long turnover:long
turnover24h:long homeNotional24h:float foreignNotional24h:float prevPrice24h:float vwap:float highPrice:float
lowPrice:float lastPrice:float lastPriceProtected:float lastTickDirection:symbol lastChangePcnt:float bidPrice:float
midPrice:float askPrice:float impactBidPrice:float impactMidPrice:float impactAskPrice:float hasLiquidity:boolean
openInterest:long openValue:long fairMethod:symbol fairBasisRate:float fairBasis:float fairPrice:float markMethod:symbol
markPrice:float indicativeTaxRate:float! indicativeSettlePrice:float optionUnderlyingPrice:float! settledPriceAdjustmentRate:float+
settledPrice:float instantPnl:boolean+ minTick:float+ fundingBaseRate:float+
fundingQuoteRate:float+ timestamp:timestamp"""

QUOTE = "timestamp:timestamp symbol:symbol bidSize:long bidPrice:float askPrice:float askSize:long"
TRADE = """
timestamp:timestamp symbol:symbol side:symbol size:long price:float tickDirection:symbol trdMatchID:guid grossValue:long
homeNotional:float foreignNotional:float trdType:symbol+"""
TRADE_BIN = """
timestamp:timestamp symbol:symbol open:float high:float low:float close:float trades:long volume:long vwap:float
lastSize:long turnover:long homeNotional:float foreignNotional:float"""
BOOK = "symbol:symbol id:long side:symbol size:long price:float timestamp:timestamp+ transactTime:timestamp+"
BOOK10 = "symbol:symbol bids: asks: timestamp:timestamp"
FUNDING = "timestamp:timestamp symbol:symbol fundingInterval:timespan fundingRate:float fundingRateDaily:float"
SETTLEMENT = """
timestamp:timestamp symbol:symbol settlementType:symbol settledPrice:float optionStrikePrice:float
optionUnderlyingPrice:float bankrupt:long taxBase:long taxRate:float"""
INSURANCE = "currency:symbol timestamp:timestamp walletBalance:long"
LIQUIDATION = "orderID:guid symbol:symbol side:symbol price:float leavesQty:long"
WALLET = """
account:long currency:symbol prevDeposited:long! prevWithdrawn:long! prevTransferIn:long! prevTransferOut:long!
prevAmount:long! prevTimestamp:timestamp! deltaDeposited:long! deltaWithdrawn:long! deltaTransferIn:long!
deltaTransferOut:long! deltaAmount:long! deposited:long withdrawn:long transferIn:long transferOut:long amount:long
pendingCredit:long pendingDebit:long confirmedDebit:long timestamp:timestamp addr:symbol! script:symbol!
withdrawalLock:symbols!"""
TRANSACT = """
transactID:guid account:long currency:symbol transactType:symbol amount:long fee:long transactStatus:symbol
address:symbol tx:symbol text:text transactTime:timestamp walletBalance:long marginBalance:long! timestamp:timestamp"""
AFFILIATE = "account:long currency:symbol prevPayout:long prevTurnover:long prevComm:long timestamp:timestamp"


class Table(NamedTuple):
    """One table in one profile."""

    name: str
    types: dict[str, str]
    keys: tuple[str, ...]
    foreign_keys: dict[str, str]
    attributes: dict[str, str]
    private: bool
    by_symbol: bool  # may be subscribed for one symbol

    def image(self, profile: Profile, filter: dict[str, Any], rows: Any) -> dict[str, Any]:
        """The partial message with these rows."""
        out: dict[str, Any] = {
            "table": self.name,
            "action": "partial",
            "keys": list(self.keys),
            "types": self.types,
        }
        if profile.schema_extras:
            out["foreignKeys"] = self.foreign_keys
            out["attributes"] = self.attributes
        out["filter"] = filter
        out["data"] = rows
        return out


_STREAM = {"timestamp": "sorted", "symbol": "grouped"}
_SIDES = {"symbol": "instrument", "side": "side"}
NEW_TABLES = frozenset(("orderBookL2_100",))  # 2026
DEPTHS: dict[str, int] = {"orderBookL2": 0, "orderBookL2_25": 25, "orderBookL2_100": 100}
BIN_SIZES: dict[str, int] = {"1m": 60, "5m": 300, "1h": 3600, "1d": 86400}  # seconds

# name: (columns, keys, foreign keys, attributes, private, by symbol)
_TABLES: dict[str, tuple[str, tuple[str, ...], dict[str, str], dict[str, str], bool, bool]] = {
    "instrument": (INSTRUMENT, ("symbol",), {}, {"symbol": "unique"}, False, True),
    "quote": (QUOTE, (), {"symbol": "instrument"}, _STREAM, False, True),
    "trade": (TRADE, (), _SIDES, _STREAM, False, True),
    "orderBookL2": (BOOK, ("symbol", "id", "side"), _SIDES, {"symbol": "parted", "id": "sorted"}, False, True),
    "orderBookL2_25": (BOOK, ("symbol", "id", "side"), _SIDES, {"symbol": "parted", "id": "sorted"}, False, True),
    "orderBookL2_100": (BOOK, ("symbol", "id", "side"), _SIDES, {"symbol": "parted", "id": "sorted"}, False, True),
    "orderBook10": (BOOK10, ("symbol",), {"symbol": "instrument"}, {"symbol": "sorted"}, False, True),
    "funding": (FUNDING, ("timestamp", "symbol"), {"symbol": "instrument"}, _STREAM, False, True),
    "settlement": (SETTLEMENT, ("timestamp", "symbol"), {"symbol": "instrument"}, _STREAM, False, True),
    "insurance": (INSURANCE, ("currency", "timestamp"), {}, {"currency": "grouped", "timestamp": "sorted"}, False, False),
    "liquidation": (LIQUIDATION, ("orderID",), _SIDES, {"orderID": "unique"}, False, True),
    "order": (
        ORDER,
        ("orderID",),
        {"symbol": "instrument", "side": "side", "ordStatus": "ordStatus"},
        {"orderID": "grouped", "account": "grouped", "ordStatus": "grouped", "workingIndicator": "grouped"},
        True,
        True,
    ),
    "execution": (
        EXECUTION,
        (),
        {"symbol": "instrument", "side": "side", "ordStatus": "ordStatus"},
        {"execID": "grouped", "account": "grouped", "execType": "grouped", "transactTime": "sorted"},
        True,
        True,
    ),
    "position": (
        POSITION,
        (),
        {"symbol": "instrument"},
        {"account": "sorted", "symbol": "grouped", "currency": "grouped", "underlying": "grouped"},
        True,
        True,
    ),
    "margin": (MARGIN, ("account", "currency"), {}, {"account": "sorted", "currency": "grouped"}, True, False),
    "wallet": (WALLET, ("account", "currency"), {}, {"account": "sorted", "currency": "grouped"}, True, False),
    "transact": (TRANSACT, ("transactID",), {}, {"transactID": "unique", "transactTime": "sorted"}, True, False),
    "affiliate": (AFFILIATE, ("account", "currency"), {}, {"account": "sorted", "currency": "grouped"}, True, False),
}
for _size in BIN_SIZES:
    _TABLES["quoteBin" + _size] = (QUOTE, (), {"symbol": "instrument"}, _STREAM, False, True)
    _TABLES["tradeBin" + _size] = (TRADE_BIN, (), {"symbol": "instrument"}, _STREAM, False, True)

PRIVATE: frozenset[str] = frozenset(name for name, spec in _TABLES.items() if spec[4])
NULL_TEXT = frozenset(("symbol", "string", "", "guid"))


def _types(text: str, profile: Profile) -> dict[str, str]:
    out = {}
    for word in text.split():
        if word.endswith("!"):
            if profile.sparse:
                continue
            word = word[:-1]
        elif word.endswith("+"):
            if not profile.sparse:
                continue
            word = word[:-1]
        name, _, kind = word.partition(":")
        if kind == "text":
            kind = profile.text_type
        elif kind == "link":
            kind = "" if profile.sparse else "symbol"
        out[name] = kind
    return out


def tables(profile: Profile) -> dict[str, Table]:
    """Every table of a profile by name."""
    out = {}
    for name, (text, keys, foreign, attributes, private, by_symbol) in _TABLES.items():
        if name in NEW_TABLES and not profile.sparse:
            continue
        if name == "position":
            keys = profile.position_keys
        elif name == "execution":
            keys = profile.execution_keys
        out[name] = Table(name, _types(text, profile), keys, foreign, attributes, private, by_symbol)
    return out


def blank(table: Table) -> dict[str, str | None]:
    """A row in which every column is there and empty: "" for words, null for the rest."""
    return {name: ("" if kind in NULL_TEXT else None) for name, kind in table.types.items()}
