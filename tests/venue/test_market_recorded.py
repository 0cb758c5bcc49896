"""Reading recorded streams (pure), and replaying them on the real engine with its external matcher."""

import gzip
import json
import logging
from pathlib import Path

import pytest

from bitmex_venue.engine.commands import BUY, SELL, Deposit, OpenAccount, Place
from bitmex_venue.engine.events import TradeEvent
from bitmex_venue.engine.exchange import Exchange
from bitmex_venue.engine.instruments import specs
from bitmex_venue.market import BadMarketFile, create
from bitmex_venue.market.base import SECOND
from bitmex_venue.market.recorded import Message, RecordedBook, messages

START = 1_700_000_000 * SECOND
CLIENT = 100_000
RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data"
STREAM = RECORDED / "cryptofeed" / "bitmex_ws_2021-07-22_first16s.jsonl"

here = pytest.mark.skipif(not STREAM.is_file(), reason="the recorded data are not here")


def row(id, side=None, size=None, price=None, symbol="XBTUSD"):
    cells = {"symbol": symbol, "id": id, "side": side, "size": size, "price": price}
    return {name: value for name, value in cells.items() if value is not None}


def l2(action, *rows, table="orderBookL2"):
    return {"table": table, "action": action, "data": list(rows)}


def trade(side, size, price, symbol="XBTUSD", action="insert"):
    return {"table": "trade", "action": action, "data": [{"symbol": symbol, "side": side, "size": size, "price": price}]}


def quote(bid, bid_size, ask, ask_size):
    cells = {"symbol": "XBTUSD", "bidPrice": bid, "bidSize": bid_size, "askPrice": ask, "askSize": ask_size}
    return {"table": "quote", "action": "insert", "data": [cells]}


PARTIAL = l2("partial", row(1, "Buy", 5000, 100.0), row(2, "Buy", 7000, 99.5), row(3, "Sell", 4000, 100.5))


def apply(book, message):
    rows = message["data"]
    return book.apply(Message(0, 1, message["table"], message["action"], rows), rows)


def classic_book():
    return RecordedBook(0.5, 1)


def lines(*records):
    return [(number, json.dumps(record) + "\n") for number, record in enumerate(records, 1)]


def timed(t, message):
    return {"t": t, "dir": "in", "msg": message}


def write(folder, *records, name="stream.jsonl", end=""):
    text = "".join(json.dumps(record) + "\n" for record in records) + end
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return str(path)


# ---- pure


def test_updates_and_deletes_without_a_price_find_their_level_by_id():
    book = classic_book()
    assert apply(book, PARTIAL) == {(BUY, 200): 5000, (BUY, 199): 7000, (SELL, 201): 4000}
    assert apply(book, l2("update", row(1, "Buy", 5500))) == {(BUY, 200): 5500}
    assert apply(book, l2("delete", row(1, "Buy"))) == {(BUY, 200): 0}
    assert apply(book, l2("insert", row(4, "Sell", 300, 101))) == {(SELL, 202): 300}
    assert book.mid == 100.0


def test_a_second_partial_replaces_everything_and_what_goes_comes_first():
    book = classic_book()
    apply(book, PARTIAL)
    changes = apply(book, l2("partial", row(9, "Buy", 100, 103.0), row(2, "Buy", 7000, 99.5)))
    assert list(changes.items()) == [((BUY, 200), 0), ((SELL, 201), 0), ((BUY, 199), 7000), ((BUY, 206), 100)]


def test_two_ids_at_one_price_add_up():
    book = classic_book()
    apply(book, PARTIAL)
    assert apply(book, l2("insert", row(7, "Buy", 1000, 100.0))) == {(BUY, 200): 6000}
    assert apply(book, l2("delete", row(1, "Buy"))) == {(BUY, 200): 1000}


def test_an_update_with_a_new_price_moves_the_level():
    book = classic_book()
    apply(book, PARTIAL)
    assert apply(book, l2("update", row(1, "Buy", 50, 98.0))) == {(BUY, 200): 0, (BUY, 196): 50}


def test_nothing_counts_before_the_partial_and_unknown_ids_harm_nothing():
    book = classic_book()
    assert apply(book, l2("insert", row(4, "Sell", 300, 101))) == {}
    apply(book, PARTIAL)
    assert apply(book, l2("delete", row(77, "Buy"))) == {} == apply(book, l2("update", row(78, "Sell", 5)))


def test_a_book_has_one_source_and_quotes_serve_only_without_one():
    book = classic_book()
    assert apply(book, quote(100.0, 900, 100.5, 800)) == {(BUY, 200): 900, (SELL, 201): 800}
    assert apply(book, quote(100.5, 700, 101.0, 600)) == {
        (BUY, 200): 0, (SELL, 201): 0, (BUY, 201): 700, (SELL, 202): 600,
    }  # fmt: skip
    apply(book, PARTIAL)
    assert apply(book, quote(50.0, 900, 50.5, 800)) == {}
    assert apply(book, l2("partial", row(1, "Buy", 1, 3.0), table="orderBookL2_25")) == {}


def test_prices_go_to_the_tick_away_from_the_touch_and_sizes_to_whole_lots():
    coarse = RecordedBook(0.5, 100)
    message = l2("partial", row(1, "Buy", 250, 94889.2), row(2, "Buy", 30, 94889.0), row(3, "Sell", 199, 94889.3))
    assert apply(coarse, message) == {(BUY, 189778): 200, (SELL, 189779): 100}
    fine = RecordedBook(0.1, 1)
    assert fine.ticks(BUY, 94889.2) == fine.ticks(SELL, 94889.2) == 948892


def test_the_clock_is_the_recorders_or_that_of_the_rows_and_never_goes_back():
    stamped = quote(1, 1, 2, 2)
    stamped["data"][0]["timestamp"] = "2021-07-22T22:36:00.250Z"
    plain = list(messages(iter(lines(stamped, PARTIAL)), "f"))
    assert [m.time for m in plain] == [1626993360_250000000] * 2
    recorder = list(messages(iter(lines(timed(5.5, PARTIAL), timed(4.0, PARTIAL), timed(6, PARTIAL))), "f"))
    assert [m.time for m in recorder] == [5_500_000_000, 5_500_000_000, 6_000_000_000]


def test_what_was_sent_and_what_is_no_table_is_passed_over():
    read = list(
        messages(
            iter(
                lines(
                    {"t": 1, "dir": "open", "url": "wss://..."},
                    {"t": 1, "dir": "out", "msg": PARTIAL},
                    timed(1, {"info": "Welcome"}),
                    {"success": True, "subscribe": "trade"},
                    timed(2, trade("Buy", 1, 2)),
                )
            ),
            "f",
        )
    )
    assert [(m.line, m.table) for m in read] == [(5, "trade")]


def test_a_line_that_is_no_json_is_an_error_with_its_number_unless_the_file_was_cut_off_there():
    cut = lines(PARTIAL) + [(2, '{"table": "tra')]
    assert len(list(messages(iter(cut), "f"))) == 1
    for broken in ('{"table": "tra\n', "[1, 2]\n", '{"table": "trade", "action": "insert", "data": 3}\n'):
        with pytest.raises(BadMarketFile, match="^f:2: "):
            list(messages(iter(lines(PARTIAL) + [(2, broken)]), "f"))


# ---- on the engine


def play(path, profile="classic"):
    market = create(path, 1, profile)
    exchange = Exchange(specs(profile), START, seed=1, matcher=market.matcher)
    market.begin(exchange, START)
    exchange.execute(START, OpenAccount(CLIENT))
    exchange.execute(START, Deposit(CLIENT, "XBt", 10**10))
    return market, exchange


def script(*more):
    return [timed(10.0, {"info": "Welcome"}), timed(11.0, trade("Buy", 1, 100.5)), timed(12.0, PARTIAL), *more]


@pytest.mark.parametrize("name", ["stream.jsonl", "stream.jsonl.gz"])
def test_the_first_book_is_there_at_once_and_the_rest_comes_at_its_own_distance_in_time(tmp_path, name):
    more = [timed(13.5, l2("update", row(1, "Buy", 6000))), timed(14.0, trade("Sell", 300, 100.0))]
    market, exchange = play(write(tmp_path, *script(*more), name=name))
    book = exchange.books["XBTUSD"]
    assert (book.best_bid, book.bid_size, book.best_ask, book.ask_size) == (200, 5000, 201, 4000)
    assert exchange.instruments["XBTUSD"].index_e8 == 100_25 * 10**6
    assert market.next_time() == START + 3 * SECOND // 2
    market.act(market.next_time())
    assert book.bid_size == 6000
    exchange.take_events()
    market.act(START + 2 * SECOND)
    trades = [event for event in exchange.take_events() if isinstance(event, TradeEvent)]
    assert [(t.side, t.size, t.price) for t in trades] == [(SELL, 300, 200)]


def test_at_the_end_the_market_stays_as_it_was_and_says_so_once(tmp_path, caplog):
    market, exchange = play(write(tmp_path, *script(timed(13.0, l2("delete", row(1, "Buy"))))))
    with caplog.at_level(logging.INFO, "bitmex_venue.market"):
        market.act(START + SECOND)
        market.act(START + 100 * SECOND)
    assert market.next_time() is None and market.failure is None
    assert exchange.books["XBTUSD"].best_bid == 199
    assert len(caplog.records) == 1 and "stays as it is" in caplog.text


def test_recorded_trades_fill_our_orders_after_the_size_that_stood_ahead(tmp_path):
    more = [timed(13.0, trade("Sell", 5000, 100.0)), timed(14.0, trade("Sell", 250, 100.0))]
    market, exchange = play(write(tmp_path, *script(*more)))
    order = exchange.execute(START, Place(CLIENT, "XBTUSD", BUY, 200, 200))
    market.act(START + SECOND)
    assert order.cum_qty == 0
    market.act(START + 2 * SECOND)
    assert order.cum_qty == 200


def test_a_row_sets_its_level_again_also_where_it_repeats_what_was_known(tmp_path):
    told = quote(100.0, 900, 100.5, 800)
    market, exchange = play(write(tmp_path, timed(11.0, told), timed(12.0, trade("Sell", 900, 100.0)), timed(13.0, told)))
    market.act(START + SECOND)
    assert exchange.books["XBTUSD"].bid_size == 0  # sold out, until a row says otherwise
    market.act(START + 2 * SECOND)
    assert exchange.books["XBTUSD"].bid_size == 900


def test_an_order_that_crosses_takes_what_is_shown(tmp_path):
    market, exchange = play(write(tmp_path, *script(timed(13.0, l2("update", row(3, "Sell", 900))))))
    order = exchange.execute(START, Place(CLIENT, "XBTUSD", BUY, 4500, 201))
    assert order.cum_qty == 4000 and order.leaves_qty == 500


def test_symbols_the_venue_does_not_list_are_passed_over(tmp_path):
    strange = l2("partial", row(1, "Buy", 5000, 100.0, symbol="DOGEUSD"))
    path = write(tmp_path, timed(1.0, strange), *script())
    _, exchange = play(path)
    assert exchange.books["XBTUSD"].best_bid == 200
    only = create(write(tmp_path, timed(1.0, strange), name="dog.jsonl"), 1)
    with pytest.raises(BadMarketFile, match="no book or quote of XBTUSD"):
        only.begin(Exchange(specs("classic"), START, matcher=only.matcher), START)


def test_the_recordings_own_index_is_used_where_there_is_one(tmp_path):
    index = {"table": "instrument", "action": "update", "data": [{"symbol": ".BXBT", "lastPrice": 101.25}]}
    settle = {"table": "instrument", "action": "update", "data": [{"symbol": "XBTUSD", "indicativeSettlePrice": 99}]}
    late = timed(16.0, l2("update", row(1, "Buy", 1)))
    market, exchange = play(write(tmp_path, *script(timed(13.0, index), timed(14.0, settle), late)))
    market.act(START + SECOND)
    assert exchange.instruments["XBTUSD"].index_e8 == 101_25 * 10**6
    market.act(START + 9 * SECOND)
    assert exchange.instruments["XBTUSD"].index_e8 == 99 * 10**8


def script_with_bad_rows():
    bad = l2("insert", row(8, "Sideways", 1, 5.0), row(9, "Buy", 300, 100.5))
    return [*script(timed(13.0, bad)), timed(14.0, trade("Up", 1, 1.0)), timed(15.0, l2("update", row(2, "Buy", 70)))]


def test_bad_rows_are_left_out_counted_and_named_at_the_end_and_the_rest_is_played(tmp_path, caplog):
    path = write(tmp_path, *script_with_bad_rows())
    market, exchange = play(path)
    market.act(START + 60 * SECOND)
    assert market.next_time() is None and market.failure is None
    book = exchange.books["XBTUSD"]
    assert (book.best_bid, book.bid_size) == (201, 300) and book.side(BUY).levels[199].external == 70
    assert market.problems["row"].count == 2 and market.problems["row"].line == 4
    assert f"{path}:4: a bad row of orderBookL2" in caplog.text and "(and 1 more)" in caplog.text


def test_with_strict_a_bad_row_is_refused_before_the_market_begins(tmp_path):
    path = write(tmp_path, *script_with_bad_rows())
    with pytest.raises(BadMarketFile, match=f"^{path}:4: a bad row of orderBookL2"):
        create(path, 1, strict=True)
    create(write(tmp_path, *script(), name="good.jsonl"), 1, strict=True)


def test_a_recording_that_was_cut_off_is_played_up_to_there_and_it_is_said(tmp_path, caplog):
    more = [timed(13.0 + n, l2("update", row(1, "Buy", 6000 + n))) for n in range(400)]
    path = Path(write(tmp_path, *script(*more), name="cut.jsonl.gz"))
    path.write_bytes(path.read_bytes()[:-200])
    market, exchange = play(str(path))
    market.act(START + 1000 * SECOND)
    assert market.next_time() is None and 6000 < exchange.books["XBTUSD"].bid_size < 6399
    assert "cut off" in caplog.text


def test_a_stream_without_any_market_data_is_refused_at_once(tmp_path):
    for records in ([{"info": "Welcome"}], [timed(1, {"table": "chat", "action": "insert", "data": []})]):
        with pytest.raises(BadMarketFile, match="no book, quote or trade"):
            create(write(tmp_path, *records), 1)


@here
@pytest.mark.parametrize("profile, tick", [("classic", 0.5), ("modern", 0.1)])
def test_the_production_stream_of_2021_ends_with_the_book_its_rows_describe(profile, tick):
    market, exchange = play(str(STREAM), profile)
    while market.next_time() is not None:
        market.act(market.next_time())
    rows = {}
    for line in STREAM.read_text().splitlines():
        message = json.loads(line).get("msg")
        if not isinstance(message, dict) or message.get("table") != "orderBookL2":
            continue
        for cells in message["data"]:
            if cells["symbol"] == "XBTUSD":
                if message["action"] == "delete":
                    del rows[cells["id"]]
                else:
                    rows.setdefault(cells["id"], {}).update(cells)
    book = exchange.books["XBTUSD"]
    for side, name in ((BUY, "Buy"), (SELL, "Sell")):
        wanted = {round(r["price"] / tick): r["size"] for r in rows.values() if r["side"] == name}
        assert dict(book.levels(side)) == wanted
    assert exchange.instruments["XBTUSD"].trades == 5
    assert exchange.instruments["XBTUSD"].index_e8 == pytest.approx(32_183 * 10**8, rel=0.001)


@here
def test_a_ladder_on_the_recorded_stream_is_filled_and_money_is_conserved():
    market, exchange = play(str(STREAM))
    book = exchange.books["XBTUSD"]
    market.act(START + SECOND)
    inside = exchange.execute(START + SECOND, Place(CLIENT, "XBTUSD", SELL, 1000, book.best_ask))
    taker = exchange.execute(START + SECOND, Place(CLIENT, "XBTUSD", BUY, 700, book.best_ask))
    market.act(START + 60 * SECOND)
    assert taker.cum_qty == 700
    assert inside.cum_qty == 1000  # the price went up through it
    assert exchange.audit().ok
