"""Which CSV files of other people hold market data, told by their header. Pure, and without any package.

A format is the columns that are read of it; further columns (BitMEX's later `trdType`) and another order of them are fine.
"""

from __future__ import annotations

from typing import NamedTuple


class CsvFormat(NamedTuple):
    """`name` for people; `what` is trades, quotes or levels; `clock` the column with the time; `columns` all that are read."""

    name: str
    what: str
    clock: str
    columns: tuple[str, ...]


FORMATS = (
    CsvFormat("trades of BitMEX's archive", "trades", "timestamp",
              ("timestamp", "symbol", "side", "size", "price")),
    CsvFormat("quotes of BitMEX's archive", "quotes", "timestamp",
              ("timestamp", "symbol", "bidSize", "bidPrice", "askPrice", "askSize")),
    CsvFormat("trades of Tardis", "trades", "local_timestamp",
              ("exchange", "symbol", "timestamp", "local_timestamp", "side", "price", "amount", "id")),
    CsvFormat("quotes of Tardis", "quotes", "local_timestamp",
              ("exchange", "symbol", "timestamp", "local_timestamp", "ask_amount", "ask_price", "bid_price", "bid_amount")),
    CsvFormat("book changes of Tardis", "levels", "local_timestamp",
              ("exchange", "symbol", "timestamp", "local_timestamp", "is_snapshot", "side", "price", "amount")),
)  # fmt: skip


def cells_of(header: str) -> list[str]:
    """The names in a header line."""
    return [cell.strip().strip('"') for cell in header.strip().split(",")]


def csv_format(header: str) -> CsvFormat | None:
    """The format whose columns all are in this header line, None where there is none."""
    cells = set(cells_of(header))
    return next((form for form in FORMATS if cells.issuperset(form.columns)), None)
