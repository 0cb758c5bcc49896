"""Opening a market file: plain or gzipped; one-minute bars, a recorded stream or a CSV of trades, quotes or book
changes. Says in one line what is wrong with it.

Rules:
* Memory is bounded: a file is read block by block, however far a block of it unpacks.
* A file that was cut off or is damaged from some place on is an error, or, for a caller who brings `on_damage`, an end:
  what was whole before is used. Several gzip members after each other are one file.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from .base import BadMarketFile
from .headers import csv_format

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
BOM = b"\xef\xbb\xbf"
BLOCK = 1 << 20
LONGEST_LINE = 64 << 20  # a book of a hundred thousand levels is one line of about 10 MB
CUT = "cut off; what was whole before is used"

OnDamage = Callable[[str], None]


class Kind(Enum):
    BARS = "one-minute bars"
    STREAM = "a recorded realtime stream"
    CSV = "a CSV of trades, quotes or book changes"


def blocks(path: str, size: int = BLOCK, on_damage: OnDamage | None = None) -> Iterator[bytes]:
    """The bytes of a file, unpacked, in pieces of at most `size`. Raises BadMarketFile when it cannot be read; where it
    ends before its time, `on_damage(what)` is called instead when there is one."""
    try:
        with open(path, "rb") as raw:
            magic = raw.read(len(ZSTD_MAGIC))
            raw.seek(0)
            if magic == ZSTD_MAGIC:
                raise BadMarketFile(f"{path}: packed with zstd, which is not read here: unpack it first (zstd -d)")
            if magic.startswith(GZIP_MAGIC):
                yield from _unpacked(raw, size)
            else:
                yield from iter(lambda: raw.read(size), b"")
    except FileNotFoundError:
        raise BadMarketFile(f"{path}: no such file") from None
    except OSError as error:
        raise BadMarketFile(f"{path}: cannot be read: {error.strerror or error}") from None
    except zlib.error as error:
        _damaged(path, f"damaged: {error}", on_damage)
    except EOFError:
        _damaged(path, f"damaged: {CUT}" if on_damage else "damaged: cut off", on_damage)


def _unpacked(raw: Any, size: int) -> Iterator[bytes]:
    """The members of a gzip file after each other. Raises EOFError where the last is not whole, zlib.error for nonsense."""
    member, packed = zlib.decompressobj(31), b""
    begun = False
    while True:
        packed = packed or raw.read(size)
        if not packed:
            break
        if not begun:
            packed = packed.lstrip(b"\0")  # padding between members
            begun = bool(packed)
            continue
        block = member.decompress(packed, size)
        packed = member.unconsumed_tail
        if block:
            yield block
        if member.eof:
            packed = member.unused_data
            member, begun = zlib.decompressobj(31), False
    if begun:
        raise EOFError


def _damaged(path: str, what: str, on_damage: OnDamage | None) -> None:
    if on_damage is None:
        raise BadMarketFile(f"{path}: {what}")
    on_damage(what)


def byte_lines(path: str, on_damage: OnDamage | None = None) -> Iterator[bytes]:
    """Every line with its end; the last may have none. Raises BadMarketFile as `blocks` does, and for an endless line."""
    rest = b""
    pieces: list[bytes] = []  # of a line longer than a block
    for block in blocks(path, on_damage=on_damage):
        head, newline, tail = block.partition(b"\n")
        if not newline:
            pieces.append(block)
            if sum(map(len, pieces)) > LONGEST_LINE:
                raise BadMarketFile(f"{path}: damaged: a line of more than {LONGEST_LINE >> 20} MB")
            continue
        yield b"".join((rest, *pieces, head, newline))
        pieces.clear()
        lines = tail.split(b"\n")
        rest = lines.pop()
        for line in lines:
            yield line + b"\n"
    rest = b"".join((rest, *pieces))
    if rest:
        yield rest


def numbered_lines(path: str, on_damage: OnDamage | None = None) -> Iterator[tuple[int, str]]:
    """(number, text with its line end) of every line. Raises BadMarketFile when the file cannot be read."""
    number = 0
    try:
        for number, line in enumerate(byte_lines(path, on_damage), 1):
            yield number, (line.removeprefix(BOM) if number == 1 else line).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadMarketFile(f"{path}:{number}: damaged: {error}") from None


def kind_of(path: str) -> Kind:
    """What the file is, by its first line that is not empty. Raises BadMarketFile when it is none of them."""
    for number, text in numbered_lines(path, on_damage=lambda what: None):
        line = text.strip()
        if line.startswith("{"):
            return Kind.STREAM
        if csv_format(line) is not None:
            return Kind.CSV
        if "open" in line.split(",") and "close" in line.split(","):
            return Kind.BARS
        if line:
            raise BadMarketFile(
                f"{path}:{number}: neither one-minute bars (CSV with the columns open, high, low, close) nor a recorded stream "
                "(a JSON object a line) nor trades or quotes of BitMEX's archive or of Tardis (CSV with a header)"
            )
    raise BadMarketFile(f"{path}: empty")
