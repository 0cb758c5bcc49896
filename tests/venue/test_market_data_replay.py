"""Archives and CSV files of trades, quotes and books as the market, on the real engine with its external matcher."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numpy")
pytest.importorskip("polars")

from bitmex_venue.engine.commands import BUY, SELL, Deposit, OpenAccount, Place
from bitmex_venue.engine.events import TradeEvent
from bitmex_venue.engine.exchange import Exchange
from bitmex_venue.engine.instruments import specs
from bitmex_venue.market import BadMarketFile, create
from bitmex_venue.market.ahead import read_ahead
from bitmex_venue.market.data_replay import DataReplay
from bitmex_venue.market.importers import CLEAR, LEVEL, TRADE, open_data
from market_files import (
    ARCHIVE_QUOTES,
    ARCHIVE_TRADES,
    DAY,
    SECOND,
    TARDIS_LEVELS,
    TARDIS_TRADES,
    archive_quote,
    archive_trade,
    tardis_level,
    tardis_trade,
    write,
)
from running import wait_until

ROOT = Path(__file__).resolve().parents[2]
STREAM = ROOT.parent / "shared" / "data" / "cryptofeed" / "bitmex_ws_2021-07-22_first16s.jsonl"
START = 1_700_000_000 * SECOND
CLIENT = 100_000


def play(paths, profile="classic", market=None, **options):
    market = market or create(paths, 1, profile, **options)
    exchange = Exchange(specs(profile), START, seed=1, matcher=market.matcher)
    market.begin(exchange, START)
    exchange.execute(START, OpenAccount(CLIENT))
    exchange.execute(START, Deposit(CLIENT, "XBt", 10**10))
    return market, exchange


def external(book, side):
    return {level.price: level.external for level in book.side(side).in_order() if level.external}


def touch(exchange, symbol="XBTUSD"):
    book = exchange.books[symbol]
    return book.best_bid, book.bid_size, book.best_ask, book.ask_size


def archive(folder, quotes, trades):
    return [
        write(folder, "quote.csv.gz", ARCHIVE_QUOTES, *(archive_quote(DAY + t, **cells) for t, cells in quotes)),
        write(folder, "trade.csv.gz", ARCHIVE_TRADES, *(archive_trade(DAY + t, *cells) for t, cells in trades)),
    ]


def test_quotes_make_a_book_of_one_level_a_side_and_trades_fill_what_waits_there(tmp_path):
    quotes = [(SECOND, {}), (3 * SECOND, {"bid": "41999.5", "bid_size": 70}), (5 * SECOND, {"ask": "42001", "bid": "", "bid_size": 0})]
    trades = [(0, ("Buy", 5, "42000.5")), (2 * SECOND, ("Sell", 1000, "42000"))]
    market, exchange = play(archive(tmp_path, quotes, trades))
    assert touch(exchange) == (84000, 900, 84001, 800)
    assert exchange.instruments["XBTUSD"].index_e8 == 42_000_25 * 10**6
    order = exchange.execute(START, Place(CLIENT, "XBTUSD", BUY, 100, 84000))
    assert market.next_time() == START + SECOND
    market.act(START + SECOND)
    assert order.cum_qty == 100  # 900 stood before it
    market.act(START + 2 * SECOND)
    assert touch(exchange) == (83999, 70, 84001, 800)
    market.act(START + 4 * SECOND)
    assert touch(exchange)[2:] == (84002, 800) and external(exchange.books["XBTUSD"], BUY) == {}


def test_a_trade_that_takes_all_of_the_touch_does_not_empty_the_side(tmp_path):
    market, exchange = play(archive(tmp_path, [(SECOND, {})], [(2 * SECOND, ("Sell", 5000, "42000"))]))
    order = exchange.execute(START, Place(CLIENT, "XBTUSD", BUY, 100, 84000))
    market.act(START + SECOND)
    assert order.cum_qty == 100 and touch(exchange) == (84000, 900, 84001, 800)


def test_trades_are_told_with_the_taker_s_side_and_what_was_before_the_first_quote_is_not_played(tmp_path):
    market, exchange = play(archive(tmp_path, [(SECOND, {})], [(0, ("Buy", 5, "42000.5")), (2 * SECOND, ("Sell", 30, "42000"))]))
    exchange.take_events()
    market.act(START + 60 * SECOND)
    trades = [event for event in exchange.take_events() if isinstance(event, TradeEvent)]
    assert [(t.side, t.size, t.price) for t in trades] == [(SELL, 30, 84000)]


def test_book_changes_are_played_and_a_snapshot_replaces_everything(tmp_path):
    first = [(True, "bid", "100", 5), (True, "bid", "99.5", 8), (True, "ask", "101", 6)]
    later = [(False, "bid", "100", 0), (False, "ask", "100.5", 4)], [(True, "bid", "98", 7), (True, "ask", "98.5", 1)]
    lines = [tardis_level(DAY, *level) for level in first]
    for second, levels in enumerate(later, 1):
        lines += [tardis_level(DAY + second * SECOND, *level) for level in levels]
    market, exchange = play(write(tmp_path, "book.csv", TARDIS_LEVELS, *lines))
    book = exchange.books["XBTUSD"]
    assert external(book, BUY) == {200: 5, 199: 8} and external(book, SELL) == {202: 6}
    market.act(START + SECOND)
    assert external(book, BUY) == {199: 8} and external(book, SELL) == {201: 4, 202: 6}
    market.act(START + 2 * SECOND)
    assert external(book, BUY) == {196: 7} and external(book, SELL) == {197: 1}


def test_prices_of_a_finer_tick_go_away_from_the_touch_and_add_up_and_it_is_said_once(tmp_path, caplog):
    levels = [(True, "bid", "100.1", 5), (True, "bid", "100.4", 8), (True, "ask", "100.6", 6), (False, "bid", "100.1", 0)]
    lines = [tardis_level(DAY + n // 3 * SECOND, *level) for n, level in enumerate(levels)]
    market, exchange = play(write(tmp_path, "book.csv", TARDIS_LEVELS, *lines))
    book = exchange.books["XBTUSD"]
    assert external(book, BUY) == {200: 13} and external(book, SELL) == {202: 6}
    market.act(START + SECOND)
    assert external(book, BUY) == {200: 8}
    said = [record.getMessage() for record in caplog.records if "is this the right profile" in record.getMessage()]
    assert len(said) == 1 and "XBTUSD such as 100.1 do not fit the tick of 0.5" in said[0]


def test_trades_alone_are_played_from_the_first_on_an_empty_book_and_it_is_said(tmp_path):
    path = write(tmp_path, "t.csv", TARDIS_TRADES, tardis_trade(DAY), tardis_trade(DAY + SECOND))
    market, exchange = play(path)
    assert "the book stays empty" in market.describe()
    market.act(START + SECOND)
    assert touch(exchange)[1::2] == (0, 0) and exchange.instruments["XBTUSD"].last_price == 84001


def test_the_end_is_said_once_with_the_bad_rows_and_the_market_stays_as_it_was(tmp_path, caplog):
    quotes = [(SECOND, {}), (2 * SECOND, {"bid": "x"}), (3 * SECOND, {"bid": "y"})]
    paths = archive(tmp_path, quotes, [(SECOND, ("Up", 1, "1")), (SECOND, ("Buy", 1, "42000.5"))])
    market, exchange = play(paths)
    with caplog.at_level(logging.WARNING):
        market.act(START + 9 * SECOND)
        market.act(START + 99 * SECOND)
    assert market.next_time() is None and market.failure is None and touch(exchange) == (84000, 900, 84001, 800)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3 and "is over, the market stays as it is" in said[0]
    assert any("quote.csv.gz:3: bidPrice 'x'" in line and "(and 1 more)" in line for line in said)
    assert any("trade.csv.gz:2: side 'Up'" in line for line in said)


def test_a_file_that_cannot_be_read_any_further_ends_the_replay_and_the_market_stays_as_it_was(tmp_path, caplog):
    days = [write(tmp_path, f"q{n}.csv", ARCHIVE_QUOTES, archive_quote(DAY + n * 86_400 * SECOND), archive_quote(DAY + n * 86_400 * SECOND + 1, "41000"))
            for n in range(3)]
    market, exchange = play(days)
    Path(days[2]).unlink()
    market.act(START + 3 * 86_400 * SECOND)
    assert market.next_time() is None and market.failure == f"{days[2]}: no such file"
    assert touch(exchange)[0] == 82000 and [record.levelname for record in caplog.records] == ["ERROR"]


def test_with_strict_a_bad_row_anywhere_is_refused_before_the_market_begins(tmp_path):
    paths = archive(tmp_path, [(n * SECOND, {}) for n in range(50)], [(49 * SECOND, ("Buy", 0, "1"))])
    with pytest.raises(BadMarketFile, match="trade.csv.gz:2: size '0'"):
        create(paths, 1, strict=True)


def test_another_symbol_is_chosen_and_one_that_is_not_there_or_not_listed_is_refused(tmp_path):
    path = write(tmp_path, "q.csv", ARCHIVE_QUOTES, archive_quote(DAY, "2000", "2000.05", symbol="ETHUSD"), archive_quote(DAY, "1", "2", symbol="DOGEUSD"))
    _, exchange = play(path, symbol="ETHUSD")
    assert touch(exchange, "ETHUSD") == (40000, 900, 40001, 800)
    with pytest.raises(BadMarketFile, match="nothing of XBTUSD in it; there is DOGEUSD, ETHUSD"):
        create(path, 1)
    with pytest.raises(BadMarketFile, match="does not list DOGEUSD, but XBTUSD"):
        play(path, symbol="DOGEUSD")


def test_named_markets_and_bars_do_not_go_together_with_files(tmp_path):
    path = write(tmp_path, "q.csv", ARCHIVE_QUOTES, archive_quote(DAY))
    with pytest.raises(BadMarketFile, match="lively is a market of its own"):
        create([path, "lively"], 1)
    bars = write(tmp_path, "bars.csv", "timestamp,open,high,low,close", "2024-01-15T00:01:00.000Z,1,2,1,2")
    with pytest.raises(BadMarketFile, match="one-minute bars"):
        create([path, bars], 1)


def test_without_the_lab_one_line_says_what_to_install(tmp_path):
    path = write(tmp_path, "q.csv", ARCHIVE_QUOTES, archive_quote(DAY))
    code = "import sys; sys.modules['numpy'] = None\nfrom bitmex_venue.__main__ import main\nsys.exit(main(['--market', sys.argv[1], '--port', '0']))"
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == f"bitmex_venue: {path}: to play it this Python lacks numpy: pip install '.[lab]' (Python 3.11 or newer)\n"


def test_reading_ahead_changes_nothing_and_errors_come_in_their_place(tmp_path):
    def failing():
        yield from range(20)
        raise BadMarketFile("here")

    assert list(read_ahead(iter(range(100)), 3)) == list(range(100))
    found = []
    with pytest.raises(BadMarketFile, match="here"):
        for item in read_ahead(failing(), 3):
            found.append(item)
    assert found == list(range(20))
    paths = archive(tmp_path, [(n * SECOND, {"bid_size": n + 1}) for n in range(50)], [(n * SECOND, ("Buy", n + 1, "42000.5")) for n in range(50)])
    told = []
    for ahead in (False, True):
        market, exchange = play(paths, ahead=ahead)
        market.act(START + 60 * SECOND)
        told.append([repr(event) for event in exchange.take_events()])
    assert told[0] == told[1] and len(told[0]) > 100


def test_reading_ahead_keeps_to_its_depth():
    taken = []
    items = read_ahead((taken.append(n) or n for n in range(1000)), 3)
    assert next(items) == 0
    assert wait_until(lambda: len(taken) == 5)  # one was taken, three are ready, one waits for a place
    assert next(items) == 1 and wait_until(lambda: len(taken) == 6)


@pytest.mark.skipif(not STREAM.is_file(), reason="the recorded data are not here")
@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_a_recorded_stream_gives_the_same_book_and_trades_as_columns(profile):
    outcomes = []
    for market in (create(str(STREAM), 1, profile), DataReplay([str(STREAM)], "XBTUSD", profile)):
        market, exchange = play(None, profile, market)
        market.act(START + 60 * SECOND)
        book = exchange.books["XBTUSD"]
        trades = [(t.side, t.size, t.price) for t in exchange.take_events() if isinstance(t, TradeEvent) and t.symbol == "XBTUSD"]
        outcomes.append((external(book, BUY), external(book, SELL), trades))
    assert outcomes[0] == outcomes[1] and len(outcomes[0][0]) > 1000 and outcomes[0][2]


@pytest.mark.skipif(not STREAM.is_file(), reason="the recorded data are not here")
def test_the_book_on_the_floor_is_the_one_the_columns_describe():
    levels, trades = {}, 0
    for batch in open_data([str(STREAM)], "XBTUSD").batches():
        for _, kind, side, price, size in zip(*(column.tolist() for column in batch), strict=True):
            if kind == CLEAR:
                levels = {}
            elif kind == LEVEL:
                levels[side, round(price * 2)] = int(size)
            trades += kind == TRADE
    market, exchange = play(None, market=DataReplay([str(STREAM)], "XBTUSD"))
    market.act(START + 60 * SECOND)
    for side in (BUY, SELL):
        wanted = {price: size for (s, price), size in levels.items() if s == side and size}
        assert external(exchange.books["XBTUSD"], side) == wanted
    assert trades == sum(json.loads(line)["msg"]["action"] == "insert" and sum(r["symbol"] == "XBTUSD" for r in json.loads(line)["msg"]["data"])
                         for line in STREAM.read_text().splitlines() if '"table": "trade"' in line or '"table":"trade"' in line)
