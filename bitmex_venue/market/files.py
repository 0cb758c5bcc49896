"""Opening a market file: plain or gzipped, one-minute bars or a recorded stream. Says in one line what is wrong with
it."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from enum import Enum

from .base import BadMarketFile

GZIP_MAGIC = b"\x1f\x8b"


class Kind(Enum):
    BARS = "one-minute bars"
    STREAM = "a recorded realtime stream"


def numbered_lines(path: str) -> Iterator[tuple[int, str]]:
    """(number, text with its line end) of every line. Raises BadMarketFile when the file cannot be read."""
    number = 0
    try:
        with open(path, "rb") as raw:
            packed = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
            raw.seek(0)
            stream = gzip.open(raw) if packed else raw
            for number, text in enumerate(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""), 1):
                yield number, text
    except FileNotFoundError:
        raise BadMarketFile(f"{path}: no such file") from None
    except OSError as error:
        raise BadMarketFile(f"{path}: cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadMarketFile(f"{path}:{number + 1}: damaged: {error}") from None


def kind_of(path: str) -> Kind:
    """What the file is, by its first line that is not empty. Raises BadMarketFile when it is neither."""
    for number, text in numbered_lines(path):
        line = text.strip()
        if line.startswith("{"):
            return Kind.STREAM
        if "open" in line.split(",") and "close" in line.split(","):
            return Kind.BARS
        if line:
            raise BadMarketFile(
                f"{path}:{number}: neither one-minute bars (CSV with the columns open, high, low, close) "
                "nor a recorded stream (a JSON object a line)"
            )
    raise BadMarketFile(f"{path}: empty")
