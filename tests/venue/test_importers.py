"""Recorded market data of every format become columns, in the order of time, and bad rows are counted and named."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numpy")
pytest.importorskip("polars")

from bitmex_venue.market.importers import CLEAR, LEVEL, TOUCH, TRADE, BadMarketFile, open_data, stream
from market_files import (
    ARCHIVE_QUOTES,
    ARCHIVE_TRADES,
    DAY,
    SECOND,
    TARDIS_LEVELS,
    TARDIS_QUOTES,
    TARDIS_TRADES,
    archive_quote,
    archive_trade,
    stamp,
    tardis_level,
    tardis_quote,
    tardis_trade,
    timed,
    write,
)

STREAM = Path(__file__).resolve().parents[3] / "shared" / "data" / "cryptofeed" / "bitmex_ws_2021-07-22_first16s.jsonl"
HOUR = 3600 * SECOND
BARS = "timestamp,symbol,open,high,low,close\n2024-01-15T00:01:00.000Z,XBTUSD,1,2,1,2\n"


def read(paths, symbol="XBTUSD", **options):
    """Every row as a tuple."""
    data = open_data([paths] if isinstance(paths, str) else paths, symbol, **options)
    return rows_of(data)


def rows_of(data):
    found = []
    for batch in data.batches():
        assert len({column.size for column in batch}) == 1
        found += zip(*(column.tolist() for column in batch), strict=True)
    assert [row[0] for row in found] == sorted(row[0] for row in found)
    return found


def problems_of(paths, **options):
    data = open_data([paths] if isinstance(paths, str) else paths, "XBTUSD", **options)
    rows_of(data)
    return {kind: (problem.count, problem.line) for kind, problem in data.problems.items()}


# ---- the formats


@pytest.mark.parametrize("name", ["20240115.csv", "20240115.csv.gz"])
def test_trades_of_the_archive_keep_nanoseconds_the_taker_s_side_and_exponents(tmp_path, name):
    path = write(
        tmp_path, name, ARCHIVE_TRADES,
        archive_trade(DAY + 1, symbol="ADAUSD"),
        archive_trade(DAY + 451986388, "Sell", 1700, "42000.5"),
        archive_trade(DAY + 451986388, "Buy", 3, "1.58e-05"),
    )  # fmt: skip
    assert read(path) == [
        (DAY + 451986388, TRADE, -1, 42000.5, 1700.0),
        (DAY + 451986388, TRADE, 1, 1.58e-05, 3.0),
    ]
    data = open_data([path], "XBTUSD")
    assert data.knows_only_touch and data.describe() == [f"{path}: trades of BitMEX's archive"]


def test_later_archives_have_a_further_column_and_trades_of_an_index_are_none(tmp_path):
    index = f"{stamp(DAY)},.BXBT,Buy,0,42001.1,PlusTick,00000000-0000-0000-0000-000000000000,,,,Referential"
    regular = archive_trade(DAY + 5) + ",Regular"
    strange = archive_trade(DAY + 6) + ",Referential"
    path = write(tmp_path, "t.csv", ARCHIVE_TRADES + ",trdType", index, regular, strange)
    assert [row[0] for row in read(path)] == [DAY + 5]
    assert problems_of(path) == {}


def test_a_quote_is_the_touch_of_both_sides_and_an_empty_side_is_told(tmp_path):
    path = write(tmp_path, "q.csv", ARCHIVE_QUOTES, archive_quote(DAY + 7), archive_quote(DAY + 9, bid="", bid_size=""))
    assert read(path) == [
        (DAY + 7, TOUCH, 1, 42000.0, 900.0), (DAY + 7, TOUCH, -1, 42000.5, 800.0),
        (DAY + 9, TOUCH, 1, 0.0, 0.0), (DAY + 9, TOUCH, -1, 42000.5, 800.0),
    ]  # fmt: skip
    assert open_data([path], "XBTUSD").knows_only_touch


def test_trades_and_quotes_of_tardis_run_by_the_collector_s_clock(tmp_path):
    trades = write(tmp_path, "t.csv.gz", TARDIS_TRADES, tardis_trade(DAY + 3000, "sell", "42000.5", 100))
    quotes = write(tmp_path, "q.csv.gz", TARDIS_QUOTES, tardis_quote(DAY + 2000))
    assert read([trades, quotes]) == [
        (DAY + 2000, TOUCH, 1, 42000.0, 900.0), (DAY + 2000, TOUCH, -1, 42000.5, 800.0), (DAY + 3000, TRADE, -1, 42000.5, 100.0),
    ]  # fmt: skip


def test_a_snapshot_after_changes_begins_with_a_clear(tmp_path):
    levels = [(True, "bid", "100", 5), (True, "ask", "101", 6), (False, "bid", "100", 0), (True, "bid", "99", 7), (False, "ask", "101", 1)]
    path = write(tmp_path, "b.csv", TARDIS_LEVELS, *(tardis_level(DAY + 1000 * n, *level) for n, level in enumerate(levels)))
    assert [row[1:] for row in read(path)] == [
        (CLEAR, 0, 0.0, 0.0), (LEVEL, 1, 100.0, 5.0), (LEVEL, -1, 101.0, 6.0), (LEVEL, 1, 100.0, 0.0),
        (CLEAR, 0, 0.0, 0.0), (LEVEL, 1, 99.0, 7.0), (LEVEL, -1, 101.0, 1.0),
    ]  # fmt: skip
    assert not open_data([path], "XBTUSD").knows_only_touch


def l2(action, *rows):
    names = ("id", "side", "size", "price")
    data = [dict({"symbol": "XBTUSD"}, **{n: c for n, c in zip(names, row, strict=True) if c is not None}) for row in rows]
    return {"table": "orderBookL2", "action": action, "data": data}


PARTIAL = l2("partial", (1, "Buy", 5000, 100.0), (2, "Sell", 4000, 100.5))
TRADES = {"table": "trade", "action": "insert", "data": [{"symbol": "XBTUSD", "side": "Sell", "size": 300, "price": 100.0}]}
QUOTE = {
    "table": "quote", "action": "insert",
    "data": [{"symbol": "XBTUSD", "bidPrice": 100.0, "bidSize": 1, "askPrice": 100.5, "askSize": 2}],
}  # fmt: skip


def test_a_recording_becomes_levels_by_price_and_a_partial_clears(tmp_path):
    path = write(
        tmp_path, "r.jsonl.gz", timed(DAY, QUOTE), timed(DAY, PARTIAL), timed(DAY + SECOND, TRADES),
        timed(DAY + 2 * SECOND, l2("update", (1, "Buy", 4700, None))), timed(DAY + 3 * SECOND, l2("delete", (2, "Sell", None, None))),
        timed(DAY + 4 * SECOND, l2("partial", (1, "Buy", 10, 99.5))),
    )  # fmt: skip
    assert [row[1:] for row in read(path)] == [
        (CLEAR, 0, 0.0, 0.0), (LEVEL, 1, 100.0, 5000.0), (LEVEL, -1, 100.5, 4000.0), (TRADE, -1, 100.0, 300.0),
        (LEVEL, 1, 100.0, 4700.0), (LEVEL, -1, 100.5, 0.0), (CLEAR, 0, 0.0, 0.0), (LEVEL, 1, 99.5, 10.0),
    ]  # fmt: skip


def test_a_recording_without_a_book_knows_the_touch(tmp_path):
    path = write(tmp_path, "r.jsonl", json.dumps(QUOTE), timed(DAY, TRADES))
    assert [row[:4] for row in read(path)] == [(DAY, TOUCH, 1, 100.0), (DAY, TOUCH, -1, 100.5), (DAY, TRADE, -1, 100.0)]
    assert open_data([path], "XBTUSD").knows_only_touch


def test_a_recording_is_of_a_book_or_of_touches_and_never_of_both(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "LOOKED_AT", 3)
    lines = [timed(DAY + n * SECOND, QUOTE) for n in range(5)]
    late = write(tmp_path, "late.jsonl", *lines, timed(DAY + 9 * SECOND, PARTIAL), timed(DAY + 10 * SECOND, QUOTE))
    assert {row[1] for row in read(late)} == {TOUCH} and open_data([late], "XBTUSD").knows_only_touch
    early = write(tmp_path, "early.jsonl", *lines[:1], timed(DAY + 9 * SECOND, PARTIAL), timed(DAY + 10 * SECOND, QUOTE))
    assert {row[1] for row in read(early)} == {CLEAR, LEVEL} and not open_data([early], "XBTUSD").knows_only_touch


def test_what_comes_before_the_first_timestamp_has_its_time(tmp_path):
    stamped = {**TRADES, "data": [{**TRADES["data"][0], "timestamp": "2024-01-15T00:00:02.500Z"}]}
    path = write(tmp_path, "raw.jsonl", json.dumps(PARTIAL), json.dumps(stamped))
    assert {row[0] for row in read(path)} == {DAY + 2_500_000_000}


@pytest.mark.skipif(not STREAM.is_file(), reason="the recorded data are not here")
def test_the_production_stream_of_2021_has_a_book_that_is_never_crossed_and_its_trades():
    wanted = 0
    for line in STREAM.read_text().splitlines():
        message = json.loads(line).get("msg")
        if isinstance(message, dict) and message.get("table") == "trade" and message["action"] == "insert":
            wanted += sum(row["symbol"] == "XBTUSD" for row in message["data"])
    rows = read(str(STREAM))
    book = {1: {}, -1: {}}
    time = 0
    for now, kind, side, price, size in rows:
        if now != time and book[1] and book[-1]:
            assert max(book[1]) < min(book[-1])
        time = now
        if kind == CLEAR:
            book = {1: {}, -1: {}}
        elif kind == LEVEL and size:
            book[side][price] = size
        elif kind == LEVEL:
            del book[side][price]
    assert sum(row[1] == TRADE for row in rows) == wanted > 0
    assert len(book[1]) > 1000 and problems_of(str(STREAM)) == {}


# ---- several files


def test_trades_come_before_quotes_of_the_same_time_and_days_follow_each_other(tmp_path):
    files = []
    for day in (1, 0):
        begin = DAY + day * 86_400 * SECOND
        files.append(write(tmp_path, f"quote{day}.csv.gz", ARCHIVE_QUOTES, archive_quote(begin), archive_quote(begin + 5)))
        files.append(write(tmp_path, f"trade{day}.csv.gz", ARCHIVE_TRADES, archive_trade(begin + 5), archive_trade(begin + 6)))
    rows = read(files)
    assert [row[1] for row in rows] == [TOUCH, TOUCH, TRADE, TOUCH, TOUCH, TRADE] * 2
    assert len(open_data(files, "XBTUSD").describe()) == 4


def test_where_there_is_a_book_quotes_are_left_out(tmp_path):
    quotes = write(tmp_path, "q.csv", TARDIS_QUOTES, tardis_quote(DAY), tardis_quote(DAY + 9000))
    levels = write(tmp_path, "b.csv", TARDIS_LEVELS, tardis_level(DAY + 1000, True, "bid", "100", 5))
    assert [row[1] for row in read([quotes, levels])] == [CLEAR, LEVEL]


def test_a_file_is_not_opened_before_its_time_has_come(tmp_path):
    days = [
        write(tmp_path, f"{day}.csv", ARCHIVE_TRADES, archive_trade(DAY + day * 86_400 * SECOND + 7)) for day in range(3)
    ]
    batches = open_data(days, "XBTUSD").batches()
    assert next(batches).time.tolist() == [DAY + 7]
    Path(days[2]).unlink()
    assert next(batches).time.tolist() == [DAY + 86_400 * SECOND + 7]
    with pytest.raises(BadMarketFile, match="no such file"):
        next(batches)


# ---- a span of time


def test_a_span_begins_with_the_book_as_it_stood_and_ends_before_its_end(tmp_path):
    levels = [(True, "bid", "100", 5), (True, "ask", "101", 6), (False, "bid", "100", 0), (False, "bid", "99", 7), (False, "ask", "101", 1)]
    path = write(tmp_path, "b.csv", TARDIS_LEVELS, *(tardis_level(DAY + 1000 * n, *level) for n, level in enumerate(levels)))
    begin = DAY + 3500
    rows = read(path, begin_ns=begin, end_ns=DAY + 4001)
    assert rows[0] == (begin, CLEAR, 0, 0.0, 0.0)
    assert sorted(rows[1:3]) == [(begin, LEVEL, -1, 101.0, 6.0), (begin, LEVEL, 1, 99.0, 7.0)]
    assert rows[3:] == [(DAY + 4000, LEVEL, -1, 101.0, 1.0)]
    assert len(read(path, end_ns=DAY + 4000)) == 5


def test_days_before_and_after_the_span_are_not_read(tmp_path):
    days = []
    for number in range(4):
        begin = DAY + number * 86_400 * SECOND
        days.append(write(tmp_path, f"q{number}.csv", ARCHIVE_QUOTES, archive_quote(begin + 5, bid_size=number + 1), archive_quote(begin + 9, "41000")))
        days.append(write(tmp_path, f"t{number}.csv", ARCHIVE_TRADES, archive_trade(begin + 7, size=number + 1)))
    data = open_data(days, "XBTUSD", DAY + 86_400 * SECOND + 6, DAY + 2 * 86_400 * SECOND)
    for path in days[:2] + days[4:]:
        Path(path).unlink()
    assert [(row[1], row[4]) for row in rows_of(data)] == [
        (TOUCH, 2.0), (TOUCH, 800.0), (TRADE, 2.0), (TOUCH, 900.0), (TOUCH, 800.0),
    ]  # fmt: skip


def test_a_span_begins_with_the_touch_as_it_stood(tmp_path):
    quotes = write(tmp_path, "q.csv", ARCHIVE_QUOTES, *(archive_quote(DAY + n, bid=str(41990 + n)) for n in range(9)))
    trades = write(tmp_path, "t.csv", ARCHIVE_TRADES, *(archive_trade(DAY + n) for n in range(9)))
    rows = read([quotes, trades], begin_ns=DAY + 5, end_ns=DAY + 6)
    assert sorted(rows[:2]) == [(DAY + 5, TOUCH, -1, 42000.5, 800.0), (DAY + 5, TOUCH, 1, 41994.0, 900.0)]
    assert [(row[0], row[1]) for row in rows[2:]] == [(DAY + 5, TRADE), (DAY + 5, TOUCH), (DAY + 5, TOUCH)]


# ---- what is wrong


def test_bad_rows_are_counted_by_kind_the_first_is_named_and_the_good_ones_stay(tmp_path):
    path = write(
        tmp_path, "t.csv", ARCHIVE_TRADES,
        archive_trade(DAY + 1),
        archive_trade(DAY + 2, side="Sideways"),
        archive_trade(DAY + 3, price="4200o"),
        archive_trade(DAY + 4, price="-1"),
        archive_trade(DAY + 5, size="0"),
        archive_trade(DAY + 6).replace("2024-01", "2024-13"),
        "garbage",
        "",
        archive_trade(DAY + 7)[:40],
        archive_trade(DAY + 8) + ",more",
        archive_trade(DAY + 9),
    )  # fmt: skip
    data = open_data([path], "XBTUSD")
    assert [row[0] for row in rows_of(data)] == [DAY + 1, DAY + 9]
    assert {kind: (p.count, p.line) for kind, p in data.problems.items()} == {
        "side": (1, 3), "price": (2, 4), "size": (1, 6), "time": (1, 7), "columns": (3, 8),
    }  # fmt: skip
    assert f"{path}:4: price '4200o' is no number above 0 (and 1 more)" in data.problems.lines()
    assert data.problems.count == 8


@pytest.mark.parametrize(
    "lines, what",
    [
        ([ARCHIVE_TRADES, archive_trade(DAY), archive_trade(DAY, price="x"), "garbage"], ":3: price 'x' is no number above 0"),
        ([ARCHIVE_QUOTES, archive_quote(DAY, bid="42001")], ":2: bidPrice '42001' is not below the ask"),
        ([TARDIS_LEVELS, tardis_level(DAY, True, "bid", "100", -1)], ":2: amount '-1' is no number from 0 up"),
        ([TARDIS_LEVELS, "bitmex,XBTUSD,1,x,true,bid,100,1"], ":2: local_timestamp 'x' is no time"),
        ([ARCHIVE_TRADES, archive_trade(DAY + 5 * SECOND), archive_trade(DAY)], ":3: more than 1 s before a row above it"),
        ([timed(DAY, TRADES), "{]", timed(DAY, TRADES)], ":2: not a JSON object"),
        ([timed(DAY, l2("insert", (1, "Up", 1, 1.0)))], None),
        ([timed(DAY, PARTIAL), timed(DAY, l2("insert", (8, "Up", 1, 1.0)))], ":2: a bad row of orderBookL2: KeyError('Up')"),
    ],
)
def test_with_strict_the_first_bad_row_is_an_error_that_names_file_and_line(tmp_path, lines, what):
    path = write(tmp_path, "x", *lines)
    with pytest.raises(BadMarketFile) as error:
        read(path, strict=True)
    assert str(error.value) == path + (what or ": no row of XBTUSD that can be used")


def test_rows_a_little_back_in_time_are_sorted_in_and_others_are_counted(tmp_path):
    times = [0, 2 * SECOND, 3 * SECOND // 2, 2 * SECOND, SECOND // 2, 3 * SECOND]
    path = write(tmp_path, "t.csv", ARCHIVE_TRADES, *(archive_trade(DAY + t, size=n + 1) for n, t in enumerate(times)))
    assert [row[4] for row in read(path)] == [1, 3, 2, 4, 6]
    assert problems_of(path) == {"order": (1, 6)}


def test_one_row_with_a_broken_clock_does_not_make_all_that_follow_too_late(tmp_path):
    good = [archive_trade(DAY + n * SECOND) for n in range(200)]
    for place in (0, 1, 100, 198):
        lines = list(good)
        lines[place] = archive_trade(DAY + 400 * 86_400 * SECOND)
        path = write(tmp_path, "t.csv", ARCHIVE_TRADES, *lines)
        assert len(read(path)) == 199 and problems_of(path) == {"order": (1, place + 2)}


def test_a_gap_of_days_is_no_broken_clock(tmp_path):
    path = write(tmp_path, "t.csv", TARDIS_TRADES, tardis_trade(DAY), tardis_trade(DAY + 9 * 86_400 * SECOND))
    assert len(read(path)) == 2 and problems_of(path) == {}


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.99])
def test_of_a_gzip_that_was_cut_off_what_was_whole_is_used_and_it_is_said(tmp_path, keep):
    lines = [archive_trade(DAY + n * 10_000_000, size=n * 7919 % 1000 + 1) for n in range(5000)]
    path = Path(write(tmp_path, "t.csv.gz", ARCHIVE_TRADES, *lines))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    data = open_data([str(path)], "XBTUSD")
    rows = rows_of(data)
    assert 100 < len(rows) < 5000
    assert [row[4] for row in rows] == [n * 7919 % 1000 + 1 for n in range(len(rows))]
    assert "cut off" in data.problems["damaged"].what
    with pytest.raises(BadMarketFile, match="cut off"):
        read(str(path), strict=True)


def test_a_recording_that_was_killed_in_mid_write_is_used_up_to_there(tmp_path):
    whole = gzip.compress((timed(DAY, PARTIAL) + "\n").encode()) + gzip.compress((timed(DAY + 5, TRADES) + "\n").encode())
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(whole + gzip.compress((timed(DAY + 9, TRADES) + "\n").encode())[:30])
    assert [row[1] for row in read(str(path))] == [CLEAR, LEVEL, LEVEL, TRADE]
    assert list(problems_of(str(path))) == ["damaged"]


def test_a_symbol_that_is_not_there_is_one_line_that_names_those_that_are(tmp_path):
    trades = write(tmp_path, "t.csv", ARCHIVE_TRADES, archive_trade(DAY, symbol="ETHUSD"), archive_trade(DAY, symbol="XBTUSDT"))
    stream = write(tmp_path, "s.jsonl", timed(DAY, PARTIAL))
    with pytest.raises(BadMarketFile, match=r"nothing of ADAUSD in it; there is ETHUSD, XBTUSD, XBTUSDT$"):
        read([trades, stream], "ADAUSD")
    assert problems_of([trades, stream]) == {"symbol": (1, 0)}


def test_bars_and_unknown_files_are_refused_with_what_to_do(tmp_path):
    (tmp_path / "bars.csv").write_text(BARS)
    with pytest.raises(BadMarketFile, match="one-minute bars .* marketmaker replay"):
        open_data([str(tmp_path / "bars.csv")], "XBTUSD")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BadMarketFile, match="x.csv:1: neither"):
        open_data([str(tmp_path / "x.csv")], "XBTUSD")
    (tmp_path / "x.zst").write_bytes(b"\x28\xb5\x2f\xfd1234")
    with pytest.raises(BadMarketFile, match="zstd -d"):
        open_data([str(tmp_path / "x.zst")], "XBTUSD")
    with pytest.raises(BadMarketFile, match="no such file"):
        open_data([str(tmp_path / "nothing")], "XBTUSD")
    with pytest.raises(BadMarketFile, match="no market file"):
        open_data([], "XBTUSD")


def test_reading_again_begins_anew(tmp_path):
    data = open_data([write(tmp_path, "t.csv", ARCHIVE_TRADES, archive_trade(DAY), archive_trade(DAY, size="x"))], "XBTUSD")
    assert rows_of(data) == rows_of(data) and data.problems.count == 1


# ---- wherever a chunk ends

prices = st.sampled_from(["42000.5", "1.58e-05", "-1", "", "x", "0", "nan", '"1', "7"])
sizes = st.sampled_from(["100", "0", "-3", "", "1e3", "x"])
times = st.integers(0, 5 * SECOND).map(lambda ns: DAY + ns) | st.just(DAY + 100 * 86_400 * SECOND)
symbols = st.sampled_from(["XBTUSD", "XBTUSD", "XBTUSDT", "ETHUSD"])
strange = st.sampled_from(["", "garbage", "a,b,c", ",,,,,,,,,", '"', "XBTUSD", "\u20ac,XBTUSD", "  "])
trade_lines = st.builds(archive_trade, times, st.sampled_from(["Buy", "Sell", ""]), sizes, prices, symbols)
quote_lines = st.builds(archive_quote, times, prices, prices, sizes, sizes, symbols)
level_lines = st.builds(tardis_level, times, st.booleans(), st.sampled_from(["bid", "ask", "x"]), prices, sizes, symbols)


def nanoseconds(text):
    moment = datetime.strptime(text[:19] + "+0000", "%Y-%m-%dD%H:%M:%S%z")
    return int(moment.timestamp()) * SECOND + int(text[20:])


def outcome(paths, block):
    data = open_data([paths] if isinstance(paths, str) else paths, "XBTUSD", block=block)
    try:
        return rows_of(data), dict(data.problems)
    except BadMarketFile as error:
        return str(error)


@pytest.mark.parametrize("header, lines", [(ARCHIVE_TRADES, trade_lines), (ARCHIVE_QUOTES, quote_lines), (TARDIS_LEVELS, level_lines)])
@settings(max_examples=60, deadline=None)
@given(draw=st.data(), block=st.integers(1, 700), end=st.sampled_from(["\n", "", "\n\n"]))
def test_where_a_chunk_ends_changes_nothing(tmp_path_factory, header, lines, draw, block, end):
    path = write(tmp_path_factory.mktemp("chunks"), "x.csv", header, *draw.draw(st.lists(lines | strange, max_size=30)), end=end)
    assert outcome(path, block) == outcome(path, 1 << 20)


@settings(max_examples=60, deadline=None)
@given(
    trades=st.lists(trade_lines, max_size=15), quotes=st.lists(quote_lines, max_size=15), levels=st.lists(level_lines, max_size=15),
    block=st.integers(1, 700),
)  # fmt: skip
def test_where_chunks_of_several_files_end_changes_nothing(tmp_path_factory, trades, quotes, levels, block):
    folder = tmp_path_factory.mktemp("several")
    good = archive_quote(DAY), archive_trade(DAY)
    paths = [write(folder, "q.csv", ARCHIVE_QUOTES, good[0], *quotes), write(folder, "t.csv", ARCHIVE_TRADES, good[1], *trades)]
    if levels:
        paths.append(write(folder, "b.csv", TARDIS_LEVELS, *levels))
    assert outcome(paths, block) == outcome(paths, 1 << 20)
    if not levels:
        alone = [row for path in paths[::-1] for row in outcome([path], None)[0]]
        assert outcome(paths, block)[0] == sorted(alone, key=lambda row: row[0])


message_lines = st.sampled_from([
    PARTIAL, TRADES, QUOTE, l2("update", (1, "Buy", 4700, None)), l2("insert", (3, "Buy", 10, 99.5), (4, "Up", 1, 1.0)), l2("delete", (2, "Sell", None, None)),
    {"table": "trade", "data": 3},
])  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.builds(timed, times, message_lines) | strange, max_size=30), block=st.integers(1, 20))
def test_how_many_rows_of_a_recording_are_read_at_once_changes_nothing(tmp_path_factory, lines, block):
    path = write(tmp_path_factory.mktemp("chunks"), "x.jsonl", timed(DAY, TRADES), *lines)
    assert outcome(path, block) == outcome(path, 1 << 20)


def is_above_zero(text):
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def placed(rows):
    """Which of the rows (time first) can be placed: the rules of `order`, said row by row."""
    kept, newest = [], 0
    for place, row in enumerate(rows):
        following = [other[0] for other in rows[place : place + 65]]
        if row[0] >= (newest or median(following)) + HOUR and min(following) < row[0] - HOUR:
            continue
        if row[0] >= newest - SECOND:
            kept.append(row)
        newest = max(newest, row[0])
    return sorted(kept, key=lambda row: row[0])


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(trade_lines | strange, max_size=40))
def test_good_rows_are_never_lost_with_bad_ones(tmp_path_factory, lines):
    lines = [archive_trade(DAY), *lines]
    path = write(tmp_path_factory.mktemp("rows"), "x.csv", ARCHIVE_TRADES, *lines)
    good = []
    for line in lines:
        cells = line.split(",")
        if len(cells) == 10 and cells[1] == "XBTUSD" and cells[2] and is_above_zero(cells[3]) and is_above_zero(cells[4]):
            good.append((nanoseconds(cells[0]), TRADE, 1 if cells[2] == "Buy" else -1, float(cells[4]), float(cells[3])))
    data = open_data([path], "XBTUSD")
    wanted = placed(good)
    assert rows_of(data) == wanted
    assert (data.problems["order"].count if "order" in data.problems else 0) == len(good) - len(wanted)
