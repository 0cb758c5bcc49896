"""Recorded market data of every format, as columns: what back-tests and replays read.

    data = open_data(["trade/20240115.csv.gz", "quote/20240115.csv.gz"], "XBTUSD")
    for batch in data.batches():            # numpy columns, in the order of time
        batch.time, batch.kind, batch.side, batch.price, batch.size
    data.problems                           # what was wrong with which rows

Formats, told by the content: our recordings and other streams of realtime messages (JSON lines), BitMEX's public archives of
trades and quotes, Tardis' trades, quotes and incremental_book_L2; plain or gzipped. docs/data.md says how each is read.
Needs numpy and polars (the extra [lab]); nothing else of the venue imports this package before such a file is given.
"""

from ..base import BadMarketFile
from ..problems import Problem, Problems
from .batch import CLEAR, LEVEL, TOUCH, TRADE, Batch
from .data import Data, open_data

__all__ = ["CLEAR", "LEVEL", "TOUCH", "TRADE", "BadMarketFile", "Batch", "Data", "Problem", "Problems", "open_data"]
