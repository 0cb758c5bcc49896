"""The venue's description of itself: a Swagger 2.0 document at /api/explorer/swagger.json, for clients that are made of one.

Rules
* Exactly the operations that the profile serves are in it, under the names that the official descriptions gave them, with
  the arguments that the venue reads.
* Rows are described by the venue's own tables. Their key columns are required, every other may be null or absent; the
  official files lack the word for that (`x-nullable`), which kept their users from validating replies.
* No host and no scheme: by the rules of Swagger that means the ones from which the document came.

Known difference: the official document of an era lists many operations that are not here (chat, statistics, referrals ...).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from .. import __version__, profiles
from . import columns as cols

PATH = "/api/explorer/swagger.json"
API_VERSION = "1.2.0"  # in every official description from 2016 to 2024
LIST = "symbol filter:JSON columns:JSON count:int32 start:int32 reverse:boolean startTime:date-time endTime:date-time"
BUCKETS = "binSize partial:boolean " + LIST
PLACE = (
    "symbol! side orderQty:int32 price:double displayQty:int32 stopPx:double clOrdID clOrdLinkID pegOffsetValue:double"
    " pegPriceType ordType timeInForce execInst contingencyType text"
)
AMEND = "orderID origClOrdID clOrdID orderQty:int32 leavesQty:int32 price:double stopPx:double pegOffsetValue:double text"

# (method, path): (name, what it answers, its arguments). An argument is `name:format`, a word of its own a string; `!` is required.
OPERATIONS: dict[tuple[str, str], tuple[str, str, str]] = {
    ("GET", "apiKey"): ("APIKey.get", "[APIKey]", "reverse:boolean"),
    ("GET", "execution"): ("Execution.get", "[Execution]", LIST),
    ("GET", "execution/tradeHistory"): ("Execution.getTradeHistory", "[Execution]", LIST),
    ("GET", "funding"): ("Funding.get", "[Funding]", LIST),
    ("GET", "instrument"): ("Instrument.get", "[Instrument]", LIST),
    ("GET", "instrument/active"): ("Instrument.getActive", "[Instrument]", ""),
    ("GET", "instrument/indices"): ("Instrument.getIndices", "[Instrument]", ""),
    ("GET", "instrument/activeAndIndices"): ("Instrument.getActiveAndIndices", "[Instrument]", ""),
    ("GET", "instrument/activeIntervals"): ("Instrument.getActiveIntervals", "InstrumentInterval", ""),
    ("GET", "insurance"): ("Insurance.get", "[Insurance]", LIST),
    ("GET", "liquidation"): ("Liquidation.get", "[Liquidation]", LIST),
    ("GET", "order"): ("Order.getOrders", "[Order]", LIST),
    ("POST", "order"): ("Order.new", "Order", PLACE),
    ("PUT", "order"): ("Order.amend", "Order", AMEND),
    ("DELETE", "order"): ("Order.cancel", "[Order]", "orderID:JSON clOrdID:JSON text"),
    ("DELETE", "order/all"): ("Order.cancelAll", "[Order]", "symbol filter:JSON text"),
    ("POST", "order/bulk"): ("Order.newBulk", "[Order]", "orders:JSON"),
    ("PUT", "order/bulk"): ("Order.amendBulk", "[Order]", "orders:JSON"),
    ("POST", "order/cancelAllAfter"): ("Order.cancelAllAfter", "object", "timeout:double!"),
    ("POST", "order/closePosition"): ("Order.closePosition", "Order", "symbol! price:double"),
    ("GET", "orderBook"): ("OrderBook.get", "[OrderBook]", "symbol! depth:int32"),
    ("GET", "orderBook/L2"): ("OrderBook.getL2", "[OrderBookL2]", "symbol! depth:int32"),
    ("GET", "position"): ("Position.get", "[Position]", "filter:JSON columns:JSON count:int32"),
    ("POST", "position/isolate"): ("Position.isolateMargin", "Position", "symbol! enabled:boolean"),
    ("POST", "position/leverage"): ("Position.updateLeverage", "Position", "symbol! leverage:double!"),
    ("POST", "position/riskLimit"): ("Position.updateRiskLimit", "Position", "symbol! riskLimit:int64!"),
    ("POST", "position/transferMargin"): ("Position.transferIsolatedMargin", "Position", "symbol! amount:int64!"),
    ("GET", "quote"): ("Quote.get", "[Quote]", LIST),
    ("GET", "quote/bucketed"): ("Quote.getBucketed", "[Quote]", BUCKETS),
    ("GET", "schema/websocketHelp"): ("Schema.websocketHelp", "object", ""),
    ("GET", "settlement"): ("Settlement.get", "[Settlement]", LIST),
    ("GET", "trade"): ("Trade.get", "[Trade]", LIST),
    ("GET", "trade/bucketed"): ("Trade.getBucketed", "[TradeBin]", BUCKETS),
    ("GET", "user"): ("User.get", "User", ""),
    ("GET", "user/commission"): ("User.getCommission", "object", ""),
    ("GET", "user/depositAddress"): ("User.getDepositAddress", "string", "currency network"),
    ("GET", "user/margin"): ("User.getMargin", "Margin", "currency"),
    ("GET", "user/wallet"): ("User.getWallet", "Wallet", "currency"),
    ("GET", "user/walletHistory"): ("User.getWalletHistory", "[Transaction]", "currency count:double start:double"),
    ("POST", "user/login"): ("User.login", "AccessToken", "email! password! token"),
    ("POST", "user/logout"): ("User.logout", "null", ""),
    ("POST", "user/requestWithdrawal"): (
        "User.requestWithdrawal",
        "Transaction",
        "otpToken currency! amount:int64! address fee:double text",
    ),
    ("POST", "user/cancelWithdrawal"): ("User.cancelWithdrawal", "Transaction", "token!"),
    ("GET", "wallet/assets"): ("Wallet.getAssetsConfig", "[AssetsConfig]", ""),
    ("GET", "wallet/networks"): ("Wallet.getNetworksConfig", "[NetworksConfig]", ""),
}

# definition: the table whose rows it describes
TABLES = {
    "Execution": "execution",
    "Funding": "funding",
    "Instrument": "instrument",
    "Insurance": "insurance",
    "Liquidation": "liquidation",
    "Margin": "margin",
    "Order": "order",
    "OrderBookL2": "orderBookL2",
    "Position": "position",
    "Quote": "quote",
    "Settlement": "settlement",
    "Trade": "trade",
    "TradeBin": "tradeBin1m",
    "Transaction": "transact",
    "Wallet": "wallet",
}
# What is not a table: its columns as in `columns`, the first one required.
OTHERS = {
    "AccessToken": "id:symbol ttl:float created:timestamp userId:float",
    "APIKey": """id:symbol secret:symbol name:symbol nonce:long cidr:symbol permissions:symbols enabled:boolean userId:long
        created:timestamp""",
    "AssetsConfig": """asset:symbol currency:symbol majorCurrency:symbol name:symbol currencyType:symbol scale:long
        enabled:boolean isMarginCurrency:boolean memoRequired:boolean networks:AssetsConfigNetworkItem""",
    "AssetsConfigNetworkItem": """asset:symbol tokenAddress:symbol depositEnabled:boolean withdrawalEnabled:boolean
        withdrawalFee:float minFee:float maxFee:float""",
    "InstrumentInterval": "intervals:symbols symbols:symbols",
    "NetworksConfig": """network:symbol name:symbol currency:symbol networkSymbol:symbol transactionExplorer:symbol
        tokenExplorer:symbol depositConfirmations:long enabled:boolean""",
    "OrderBook": "symbol:symbol level:long bidSize:long bidPrice:float askPrice:float askSize:long timestamp:timestamp",
    "User": """username:symbol id:long ownerId:long firstname:symbol lastname:symbol email:symbol phone:symbol
        created:timestamp lastUpdated:timestamp preferences:object TFAEnabled:symbol affiliateID:symbol pgpPubKey:symbol
        country:symbol geoipCountry:symbol geoipRegion:symbol typ:symbol isRestricted:boolean roles:symbols""",
}
STREAM_KEYS = ("timestamp", "symbol")  # of the tables without keys
JSON_TYPES: dict[str, dict[str, Any]] = {
    "long": {"type": "number", "format": "int64"},
    "float": {"type": "number", "format": "double"},
    "timestamp": {"type": "string", "format": "date-time"},
    "timespan": {"type": "string", "format": "date-time"},
    "guid": {"type": "string", "format": "guid"},
    "boolean": {"type": "boolean"},
    "symbols": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object"},
    "AssetsConfigNetworkItem": {"type": "array", "items": {"$ref": "#/definitions/AssetsConfigNetworkItem"}},
}
ERRORS = {400: "Parameter Error", 401: "Unauthorized", 403: "Access Denied", 404: "Not Found", 429: "Rate limit exceeded"}


@lru_cache(maxsize=8)
def document(profile: profiles.Profile, places: frozenset[tuple[str, str]]) -> dict[str, Any]:
    """The description of a venue of this profile that serves these (method, path under /api/v1)."""
    described = [place for place in OPERATIONS if place in places]
    paths: dict[str, Any] = {}
    for method, path in described:
        paths.setdefault("/" + path, {})[method.lower()] = _operation(method, *OPERATIONS[method, path])
    keys = ("apiKey", "api-key"), ("apiSignature", "api-signature"), ("apiExpires", "api-expires")
    return {
        "swagger": "2.0",
        "info": {"title": "BitMEX API", "version": API_VERSION, "description": f"A BitMEX venue of this machine, {__version__}."},
        "basePath": "/api/v1",
        "consumes": ["application/json", "application/x-www-form-urlencoded"],
        "produces": ["application/json"],
        "securityDefinitions": {name: {"type": "apiKey", "in": "header", "name": header} for name, header in keys},
        "security": [{name: [] for name, _ in keys}],
        "tags": [{"name": name} for name in dict.fromkeys(OPERATIONS[place][0].split(".")[0] for place in described)],
        "paths": paths,
        "definitions": _definitions(profile),
    }


def _operation(method: str, name: str, answer: str, arguments: str) -> dict[str, Any]:
    where = "query" if method == "GET" else "formData"
    responses = {str(code): {"description": text, "schema": _reference("Error")} for code, text in ERRORS.items()}
    return {
        "tags": [name.split(".")[0]],
        "operationId": name,
        "parameters": [_parameter(word, where) for word in arguments.split()],
        "responses": {"200": {"description": "Request was successful", "schema": _answer(answer)}, **responses},
    }


def _parameter(word: str, where: str) -> dict[str, Any]:
    name, _, format = word.rstrip("!").partition(":")
    out: dict[str, Any] = {"name": name, "in": where, "required": word.endswith("!"), "type": "string"}
    if format == "boolean":
        out["type"] = "boolean"
    elif format in ("int32", "int64", "double"):
        out.update(type="number", format=format)
    elif format:
        out["format"] = format
    return out


def _answer(word: str) -> dict[str, Any]:
    if word.startswith("["):
        return {"type": "array", "items": _reference(word.strip("[]"))}
    return {"type": word} if word in ("object", "string", "null") else _reference(word)


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": "#/definitions/" + name}


def _definitions(profile: profiles.Profile) -> dict[str, Any]:
    tables = cols.tables(profile)
    out = {}
    for name, table in TABLES.items():
        types = tables[table].types
        keys = tables[table].keys or [key for key in STREAM_KEYS if key in types]
        out[name] = _rows(types, keys)
    for name, text in OTHERS.items():
        types = dict(word.split(":") for word in text.split())
        out[name] = _rows(types, [next(iter(types))])
    words = {"message": {"type": "string"}, "name": {"type": "string"}}
    out["Error"] = {"type": "object", "required": ["error"], "properties": {"error": {"type": "object", "properties": words}}}
    return out


def _rows(types: dict[str, str], keys: Iterable[str]) -> dict[str, Any]:
    keys = list(keys)
    properties = {}
    for name, kind in types.items():
        properties[name] = dict(JSON_TYPES.get(kind, {"type": "string"}))
        if name not in keys:
            properties[name]["x-nullable"] = True
    return {"type": "object", "required": keys, "properties": properties}
