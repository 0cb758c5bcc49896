"""How fast recorded market data is read, and in how much memory (on Linux).

    python -m bench.data [--rows N]

Makes a file of each format in build/bench/data, of N lines (default 2,000,000; a recording has a twentieth), reads each in a process of its own and
prints lines per second of processor time and of wall time (gunzip included), and the peak of memory. Nothing is written to the repository.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

DAY = 1_705_276_800  # 2024-01-15
SYMBOLS = [f"S{number:02d}USD" for number in range(39)] + ["XBTUSD"]
SHARE = 0.3  # of the lines that are XBTUSD's
HOME = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build", "bench", "data")


def archive(rows: int, cells: Callable) -> Iterator[str]:
    """CSV text of an archive: symbol after symbol, each in the order of time."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(1)
    for symbol in SYMBOLS:
        count = int(rows * (SHARE if symbol == "XBTUSD" else (1 - SHARE) / (len(SYMBOLS) - 1)))
        times = pl.Series(np.sort(rng.integers(0, 86_399 * 10**9, count)) + DAY * 10**9).cast(pl.Datetime("ns"))
        ticks = 84_000 + np.cumsum(rng.integers(-1, 2, count))
        table = {"timestamp": times.dt.strftime("%Y-%m-%dD%H:%M:%S.%9f"), "symbol": [symbol] * count, **cells(rng, ticks)}
        yield pl.DataFrame(table).write_csv(include_header=symbol == SYMBOLS[0])


def trade_cells(rng, ticks) -> dict:
    import numpy as np

    count = len(ticks)
    return {
        "side": np.where(rng.integers(0, 2, count) == 0, "Buy", "Sell"), "size": rng.integers(1, 10**5, count), "price": ticks / 2,
        "tickDirection": ["PlusTick"] * count, "trdMatchID": ["00000000-006d-1000-0000-000c2a3b7d21"] * count,
        "grossValue": rng.integers(1, 10**9, count), "homeNotional": rng.random(count), "foreignNotional": rng.integers(1, 10**5, count),
    }  # fmt: skip


def quote_cells(rng, ticks) -> dict:
    count = len(ticks)
    return {
        "bidSize": rng.integers(1, 10**6, count), "bidPrice": ticks / 2, "askPrice": (ticks + 1) / 2,
        "askSize": rng.integers(1, 10**6, count),
    }  # fmt: skip


def tardis_levels(rows: int) -> Iterator[str]:
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(2)
    micros = np.sort(rng.integers(0, 86_399 * 10**6, rows)) + DAY * 10**6
    buys, away = rng.integers(0, 2, rows) == 0, rng.integers(0, 200, rows) / 2
    yield pl.DataFrame({
        "exchange": ["bitmex"] * rows, "symbol": ["XBTUSD"] * rows, "timestamp": micros - 5000, "local_timestamp": micros,
        "is_snapshot": np.where(np.arange(rows) < 400, "true", "false"), "side": np.where(buys, "bid", "ask"),
        "price": np.where(buys, 42_000 - away, 42_000.5 + away), "amount": rng.integers(0, 10**5, rows),
    }).write_csv()  # fmt: skip


def recording(rows: int) -> Iterator[str]:
    """A book of 1,000 levels, then an update of two of them a line."""
    level = {"symbol": "XBTUSD", "side": "Buy", "size": 5}
    book = [{**level, "id": n, "price": 42_000 - n / 2} for n in range(1000)]
    yield json.dumps({"t": DAY, "dir": "in", "msg": {"table": "orderBookL2", "action": "partial", "data": book}}) + "\n"
    for line in range(rows):
        changed = [{**level, "id": (line * 7 + n) % 1000, "size": line % 900 + 1} for n in range(2)]
        message = {"table": "orderBookL2", "action": "update", "data": changed}
        yield json.dumps({"t": DAY + line / 100, "dir": "in", "msg": message}) + "\n"


FILES: dict[str, Callable[[int], Iterator[str]]] = {
    "archive-trades.csv.gz": lambda rows: archive(rows, trade_cells),
    "archive-quotes.csv.gz": lambda rows: archive(rows, quote_cells),
    "tardis-incremental_book_L2.csv.gz": tardis_levels,
    "recording.jsonl.gz": lambda rows: recording(rows // 20),
}


def read(path: str) -> None:
    """In a process of its own: read the file, print what it took."""
    from bitmex_venue.market.importers import open_data

    wall, processor = time.perf_counter(), time.process_time()
    rows = sum(batch.time.size for batch in open_data([path], "XBTUSD").batches())
    took = {"rows": rows, "cpu": time.process_time() - processor, "wall": time.perf_counter() - wall}
    with open("/proc/self/status") as status:  # getrusage would tell the peak of the process that started this one
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps({**took, "peak_mb": peak / 1024}))


def main() -> None:
    options = argparse.ArgumentParser(prog="bench.data", description="Measure how recorded market data is read.")
    options.add_argument("--rows", type=int, default=2_000_000, help="lines of each file")
    options.add_argument("--read", help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.read:
        read(args.read)
        return
    os.makedirs(HOME, exist_ok=True)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}; gunzip is part of it\n")
    print("| file | lines | rows of XBTUSD | lines/s of processor time | lines/s | peak of memory |\n|---|---|---|---|---|---|")
    for name, make in FILES.items():
        path, lines = os.path.join(HOME, name), 0
        with gzip.open(path, "wt", compresslevel=5) as file:
            for text in make(args.rows):
                lines += text.count("\n")
                file.write(text)
        command = [sys.executable, "-m", "bench.data", "--read", path]
        took = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        print(f"| {name} | {lines:,} | {took['rows']:,} | {lines / took['cpu']:,.0f} | {lines / took['wall']:,.0f} | {took['peak_mb']:.0f} MB |")


if __name__ == "__main__":
    main()
