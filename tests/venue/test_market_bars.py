"""One-minute bars as the path of an index."""

import gzip
import logging
import math
import statistics
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from bitmex_venue.engine.exchange import Exchange
from bitmex_venue.engine.instruments import specs
from bitmex_venue.market import BadMarketFile, create
from bitmex_venue.market.bars import BarPath, read_bars, waypoints
from bitmex_venue.market.base import SECOND
from bitmex_venue.market.files import numbered_lines

START = 1_700_000_000 * SECOND
MINUTE = 60 * SECOND
RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "xbtusd_1m"
HEADER = "timestamp,symbol,open,high,low,close,trades\n"
ROWS = [
    "2021-07-01T00:00:00.000Z,XBTUSD,35000,35040,34990,35030,13\n",
    "2021-07-01T00:01:00.000Z,XBTUSD,35030,35030,34900,34910,13\n",
    "2021-07-01T00:02:00.000Z,XBTUSD,,,,,0\n",
    "2021-07-01T00:03:00.000Z,XBTUSD,34910,34920,34905,34910,2\n",
]


def write(folder, text, name="bars.csv"):
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return str(path)


def bars(path):
    return list(read_bars(numbered_lines(path), path))


def test_bars_are_read_plain_and_gzipped_and_minutes_without_prices_are_skipped(tmp_path):
    text = HEADER + "".join(ROWS)
    plain, packed = write(tmp_path, text), write(tmp_path, text, "bars.csv.gz")
    assert bars(plain) == bars(packed) and len(bars(plain)) == 3
    assert bars(plain)[1].low == 34900


@pytest.mark.parametrize(
    "row",
    ["x,XBTUSD,35000,abc,34990,35030,1\n", "x,XBTUSD,35000\n", "x,XBTUSD,35000,34000,35000,1,1\n", "x,X,1,inf,1,1,1\n"],
)
def test_a_bad_row_is_named_by_file_and_line_before_the_market_begins(tmp_path, row):
    path = write(tmp_path, HEADER + ROWS[0] + row)
    with pytest.raises(BadMarketFile) as caught:
        create(path, 1)
    assert str(caught.value).startswith(path + ":3: ") and "\n" not in str(caught.value)


def test_a_file_that_is_neither_or_missing_or_empty_or_damaged_says_so_in_one_line(tmp_path):
    packed = gzip.compress((HEADER + ROWS[0] * 5000).encode())[:-200]
    (tmp_path / "cut.csv.gz").write_bytes(packed)
    (tmp_path / "binary").write_bytes(bytes(range(128, 256)))
    wrong = {
        str(tmp_path / "nowhere.csv"): "no such file",
        str(tmp_path): "cannot be read",
        write(tmp_path, "hello\nworld\n", "prose.txt"): ":1: neither",
        write(tmp_path, "", "empty.csv"): "empty",
        write(tmp_path, HEADER, "header.csv"): "no bar in it",
        write(tmp_path, "open,close\n1,2\n", "two.csv"): "no column named high, low",
        str(tmp_path / "cut.csv.gz"): "damaged",
        str(tmp_path / "binary"): "damaged",
    }
    for path, complaint in wrong.items():
        with pytest.raises(BadMarketFile) as caught:
            create(path, 1)
        assert complaint in str(caught.value) and str(caught.value).startswith(path) and "\n" not in str(caught.value)
        assert isinstance(caught.value, ValueError)


def test_a_minute_goes_through_open_both_extremes_and_close(tmp_path):
    for bar in bars(write(tmp_path, HEADER + "".join(ROWS))):
        points = waypoints(bar, Random(1))
        prices = [price for _, price in points]
        assert prices[0] == bar.open and prices[-1] == bar.close and {bar.high, bar.low} <= set(prices)
        assert [at for at, _ in points] == sorted(at for at, _ in points)
        if bar.close > bar.open:
            assert prices[1] == bar.low


def test_the_path_starts_at_the_first_bar_keeps_to_the_bars_and_stands_still_after_the_last(tmp_path, caplog):
    read = bars(write(tmp_path, HEADER + "".join(ROWS)))
    path = BarPath(iter(read), Random(2), "bars.csv")
    assert path.at(START) == 35000
    with caplog.at_level(logging.INFO, "bitmex_venue.market"):
        for second in range(0, 300):
            price = path.at(START + second * SECOND)
            bar = read[min(second // 60, 2)]
            assert min(bar) <= price <= max(bar)
        assert path.at(START + 3600 * SECOND) == 34910
    assert [record.message for record in caplog.records] == [
        "The bars of bars.csv are over: the index stays at 34910.0."
    ]


def test_the_path_is_the_same_however_often_it_is_asked(tmp_path):
    read = bars(write(tmp_path, HEADER + "".join(ROWS)))
    often, seldom = BarPath(iter(read), Random(2), "a"), BarPath(iter(read), Random(2), "b")
    asked = [often.at(START + i * SECOND // 10) for i in range(1500)]
    assert [seldom.at(START + i * SECOND) for i in range(150)] == asked[::10]


def test_the_market_follows_the_bars(tmp_path):
    path = write(tmp_path, HEADER + "".join(ROWS))
    exchange = Exchange(specs("classic"), START, seed=1)
    market = create(path, 1)
    assert path in market.describe() and market.matcher is None
    market.begin(exchange, START)
    assert exchange.books["XBTUSD"].best_bid in range(69_990, 70_001)
    market.act(START + 2 * MINUTE - SECOND)
    assert abs(exchange.books["XBTUSD"].best_bid * 0.5 - 34910) < 15
    market.act(START + 10 * MINUTE)
    assert exchange.instruments["XBTUSD"].index_e8 == 34910 * 10**8
    assert exchange.instruments["XBTUSD"].trades > 20


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded data are not here")
def test_recorded_days_give_the_deviations_that_the_synthetic_markets_are_measured_by():
    days = {}
    for path in sorted(RECORDED.glob("*.csv.gz")):
        before = None
        for _, text in numbered_lines(str(path)):
            cells = text.split(",")
            if cells[0] != "timestamp" and cells[5]:
                close = float(cells[5])
                if before:
                    days.setdefault(cells[0][:10], []).append(math.log(close / before))
                before = close
    deviations = sorted(statistics.pstdev(returns) * 1e4 for returns in days.values())
    assert len(deviations) == 92
    assert deviations[46] == pytest.approx(9.54, abs=0.01)
    assert (deviations[23], deviations[69]) == pytest.approx((6.06, 18.2), abs=0.05)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded data are not here")
def test_an_hour_of_march_2020_plays_with_the_deviation_of_its_bars():
    path = str(RECORDED / "XBTUSD_tradeBin1m_2020-03.csv.gz")
    first = bars_of_first_hour(path)
    exchange = Exchange(specs("classic"), START, seed=1)
    market = create(path, 1)
    market.begin(exchange, START)
    closes = []
    for minute in range(1, 61):
        market.act(START + minute * MINUTE - 1)
        exchange.take_events()
        closes.append(exchange.instruments["XBTUSD"].last_price * 0.5)
    for played, bar in zip(closes, first, strict=True):
        assert played == pytest.approx(bar.close, rel=0.0008)
    returns = [math.log(b / a) for a, b in pairwise(closes)]
    recorded = [math.log(b.close / a.close) for a, b in pairwise(first)]
    assert statistics.pstdev(returns) == pytest.approx(statistics.pstdev(recorded), rel=0.25)


def bars_of_first_hour(path):
    reader = read_bars(numbered_lines(path), path)
    return [next(reader) for _ in range(60)]
