"""Market files as other people write them, made for a test."""

import gzip
import json
from datetime import datetime, timezone

SECOND = 1_000_000_000
DAY = 1_705_276_800 * SECOND  # 2024-01-15
ARCHIVE_TRADES = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"
ARCHIVE_QUOTES = "timestamp,symbol,bidSize,bidPrice,askPrice,askSize"
TARDIS_TRADES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
TARDIS_QUOTES = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount"
TARDIS_LEVELS = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount"


def stamp(ns):
    """A time as the archives print it."""
    moment = datetime.fromtimestamp(ns // SECOND, timezone.utc)
    return moment.strftime("%Y-%m-%dD%H:%M:%S") + f".{ns % SECOND:09d}"


def archive_trade(ns, side="Buy", size=100, price="42000.5", symbol="XBTUSD"):
    return f"{stamp(ns)},{symbol},{side},{size},{price},PlusTick,00000000-006d-1000-0000-000c2a3b7d21,238095,0.00238095,100"


def archive_quote(ns, bid="42000", ask="42000.5", bid_size=900, ask_size=800, symbol="XBTUSD"):
    return f"{stamp(ns)},{symbol},{bid_size},{bid},{ask},{ask_size}"


def tardis_trade(ns, side="buy", price="42000.5", amount=100, symbol="XBTUSD", id="7d21"):
    return f"bitmex,{symbol},{ns // 1000 - 5000},{ns // 1000},{id},{side},{price},{amount}"


def tardis_quote(ns, bid="42000", ask="42000.5", bid_size=900, ask_size=800, symbol="XBTUSD"):
    return f"bitmex,{symbol},{ns // 1000 - 5000},{ns // 1000},{ask_size},{ask},{bid},{bid_size}"


def tardis_level(ns, snapshot, side, price, amount, symbol="XBTUSD"):
    return f"bitmex,{symbol},{ns // 1000 - 5000},{ns // 1000},{'true' if snapshot else 'false'},{side},{price},{amount}"


def timed(ns, message):
    """A line of a recording."""
    return json.dumps({"t": ns / SECOND, "dir": "in", "msg": message})


def write(folder, name, *lines, end="\n"):
    """A file of these lines, gzipped when its name says so; its path."""
    data = ("\n".join(lines) + end).encode()
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(path)
