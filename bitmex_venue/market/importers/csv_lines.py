"""The lines of a CSV file as text cells, a chunk at a time: nothing is judged here but the number of cells in a line.

Rules:
* A chunk is cut behind a line's end, so that where it is cut changes nothing.
* There is no quoting: no format read here has any, and a stray quotation mark must not swallow the lines after it.
* Lines that do not name the symbol are passed over without a look into them, but for their number of cells.
* Empty lines count as lines and as nothing else.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from ..base import BadMarketFile
from ..files import BOM, LONGEST_LINE, OnDamage, blocks
from ..headers import CsvFormat, cells_of, csv_format
from ..problems import Problems

BLOCK = 4 << 20  # bytes: about 30,000 rows of an archive; larger ones are hardly faster and take more memory
NEVER = "\x01"  # separates nothing: a line is one cell


class Chunk(NamedTuple):
    """Lines that name the symbol: their cells as text columns by name, and their numbers in `line`."""

    cells: pl.DataFrame
    path: str


def header_of(path: str) -> tuple[CsvFormat, list[str]]:
    """The format of a CSV file and the names of its columns. Raises BadMarketFile."""
    for block in whole_lines(path, 1 << 16, lambda what: None):
        for text in block.removeprefix(BOM).decode("utf-8", "replace").splitlines():
            form = csv_format(text)
            if form is not None:
                return form, cells_of(text)
            if text.strip():
                break
        break
    raise BadMarketFile(f"{path}: no header of a format that is read here")


def whole_lines(path: str, size: int, on_damage: OnDamage) -> Iterator[bytes]:
    """The file in pieces of at least one line and about `size` bytes, each ending with a line's end. Of a file that was cut off, the
    line in which it was is left out."""
    damaged: list[str] = []
    rest = b""
    for block in blocks(path, size, damaged.append):
        cut = block.rfind(b"\n") + 1
        if cut:
            yield rest + block[:cut]
            rest = block[cut:]
        else:
            rest += block
            if len(rest) > LONGEST_LINE:
                damaged.append(f"damaged: a line of more than {LONGEST_LINE >> 20} MB; what was before is used")
                break
    if damaged:
        on_damage(damaged[0])
    elif rest:
        yield rest + b"\n"


def chunks(path: str, symbol: str | None, problems: Problems, size: int = BLOCK) -> Iterator[Chunk]:
    """The lines of `symbol` (None: of all), chunk by chunk; lines with a wrong number of cells and the end of a damaged file go into `problems`."""
    form, names = header_of(path)
    wanted = {name: names.index(name) for name in (*form.columns, "trdType") if name in names}
    for table in _tables(path, size, problems):
        table = _right_length(table, len(names), path, problems)
        if symbol is None:
            yield Chunk(_cells(table, wanted), path)
        else:
            ours = table.filter(pl.col("line").str.contains(symbol, literal=True))
            yield Chunk(_cells(ours, wanted).filter(pl.col("symbol") == symbol), path)


def symbols_in(path: str) -> list[str]:
    """The symbols of a file, without indices; reads all of it."""
    _, names = header_of(path)
    place, found = names.index("symbol"), set()
    for table in _tables(path, BLOCK, Problems()):
        found.update(table["line"].str.split_exact(",", place + 1).struct.field(f"field_{place}").unique().to_list())
    return sorted(name for name in found if name and not name.startswith("."))


def _tables(path: str, size: int, problems: Problems) -> Iterator[pl.DataFrame]:
    """Lines that are not empty, without the header, in the column `line`, with their `number`."""
    number, is_header = 1, True
    for block in whole_lines(path, size, lambda what: problems.add("damaged", path, 0, what)):
        table = pl.read_csv(io.BytesIO(block.removeprefix(BOM) if number == 1 else block), has_header=False, schema={"line": pl.String},
                            separator=NEVER, quote_char=None, truncate_ragged_lines=True, encoding="utf8-lossy")  # fmt: skip
        numbers = pl.int_range(number, number + table.height, dtype=pl.Int64, eager=True).alias("number")
        number += table.height
        table = table.with_columns(numbers).filter(pl.col("line").str.strip_chars() != "")
        if is_header and table.height:
            table, is_header = table.slice(1), False
        yield table


def _right_length(table: pl.DataFrame, width: int, path: str, problems: Problems) -> pl.DataFrame:
    right = table["line"].str.count_matches(",", literal=True) == width - 1
    if right.all():
        return table
    wrong = table.filter(~right)
    line, number = wrong.row(0)
    problems.add("columns", path, number, f"{line.count(',') + 1} columns instead of {width}", wrong.height)
    return table.filter(right)


def _cells(table: pl.DataFrame, wanted: dict[str, int]) -> pl.DataFrame:
    split = table["line"].str.split_exact(",", max(wanted.values())).struct.unnest()
    cells = split.select(pl.col(f"field_{place}").alias(name) for name, place in wanted.items())
    return cells.with_columns(table["number"].alias("line"))
