"""Faults of realtime messages, seen by a session in process."""

import json

import pytest
from wire_kit import NOW, SECOND, Client, venue

from bitmex_venue.inprocess import VenueFeed

MS = 1_000_000


class Ear:
    """A client and what its socket says: (table, action) in order; anything that is no message of a table as it came."""

    def __init__(self, *topics, profile="classic"):
        self.client = Client(venue(profile), step=0)
        self.venue = self.client.venue
        self.arm, self.counts = self.venue.faults.arm, self.venue.faults.counts
        self.socket = self.client.listen(*topics)
        self.hear()

    def texts(self):
        return self.socket.session.take_outgoing()

    def hear(self):
        out = []
        for text in self.texts():
            try:
                message = json.loads(text)
                out.append((message["table"], message["action"]))
            except (ValueError, KeyError):
                out.append(text)
        return out

    def pass_ms(self, ms):
        self.venue.advance(self.venue.now + ms * MS)

    def trade(self, price=6000):
        return self.client.place(5, price)


ALL = [("order", "insert"), ("order", "update"), ("quote", "insert")]


def test_without_faults_a_session_has_no_line_and_with_them_only_until_they_end():
    ear = Ear("order", "quote:XBTUSD")
    assert ear.socket.session.line is None
    armed = ear.arm("duplicate_messages", probability=0)
    assert ear.socket.session.line is not None
    ear.trade()
    assert ear.hear() == ALL
    ear.venue.faults.disarm(armed)
    assert ear.socket.session.line is None


def test_a_stalled_table_is_silent_and_then_says_everything_in_order():
    ear = Ear("order", "quote:XBTUSD")
    ear.arm("stall_table", table="order", for_s=5)
    ear.trade()
    assert ear.hear() == [("quote", "insert")]
    ear.pass_ms(5000)
    assert ear.hear() == [("order", "insert"), ("order", "update")]
    assert ear.counts["stall_table"] == 2 and ear.socket.session.line is None
    ear.trade(6001)
    assert ear.hear() == ALL


def test_what_a_stalled_table_loses_is_lost():
    ear = Ear("order", "quote:XBTUSD")
    armed = ear.arm("stall_table", lose=True)
    ear.trade()
    ear.venue.faults.disarm(armed)
    assert ear.hear() == [] and ear.counts["stall_table"] == 3


def test_all_tables_stall_but_not_the_pong():
    ear = Ear("order", "quote:XBTUSD")
    ear.arm("stall_table")
    ear.trade()
    ear.socket.session.receive("ping")
    assert ear.hear() == ["pong"]
    ear.venue.faults.disarm_all()
    assert ear.hear() == ALL


def test_two_stalls_that_overlap_keep_the_order_of_a_table():
    ear = Ear("order")
    first = ear.arm("stall_table", table="order", times=50)
    ear.trade()
    second = ear.arm("stall_table")
    ear.venue.faults.disarm(first)
    ear.trade(6001)
    ear.venue.faults.disarm(second)
    rows = [json.loads(text)["data"][0].get("price") for text in ear.texts()]
    assert rows == [6000, None, 6001, None]


def test_delayed_messages_come_late_and_in_order_and_others_overtake_them():
    ear = Ear("order", "quote:XBTUSD")
    ear.arm("delay_messages", table="order", delay_ms=300, times=1)
    ear.trade()
    assert ear.hear() == [("quote", "insert")] and ear.counts["delay_messages"] == 1
    ear.pass_ms(299)
    assert ear.hear() == []
    ear.pass_ms(1)
    assert ear.hear() == [("order", "insert"), ("order", "update")]
    assert ear.socket.session.line is None


def test_a_feed_hears_delayed_messages_when_their_time_has_come():
    made, told = venue(), []

    class Listener:
        def on_open(self): ...

        def on_message(self, text):
            told.append(text)

        def on_close(self, reason, status=None):
            told.append(reason)

    feed = VenueFeed(made)
    made.faults.arm("delay_messages", delay_ms=300)
    feed.start("ws://venue/realtime?subscribe=quote:XBTUSD", None, Listener())
    assert not any('"table"' in text for text in told)
    made.advance(NOW + 300 * MS)
    assert any('"partial"' in text for text in told)


def test_a_feed_is_told_of_a_refused_connection_and_of_a_broken_one():
    made, told = venue(), []

    class Listener:
        def on_open(self):
            told.append("open")

        def on_message(self, text): ...

        def on_close(self, reason, status=None):
            told.append((reason, status))

    feed = VenueFeed(made)
    made.faults.arm("refuse_connections", times=1)
    feed.start("ws://venue/realtime", None, Listener())
    made.faults.arm("unauthorized", times=1)
    feed.start("ws://venue/realtime", None, Listener())
    feed.start("ws://venue/realtime", None, Listener())
    made.faults.arm("drop_socket")
    made.advance(NOW)
    assert told == [("the connection was refused", 0), ("the venue refused the socket with HTTP 401", 401), "open", ("the line broke", None)]


def test_duplicated_messages_come_twice():
    ear = Ear("order", "quote:XBTUSD")
    ear.arm("duplicate_messages", table="order", times=1)
    ear.trade()
    assert ear.hear() == [ALL[0], *ALL] and ear.counts["duplicate_messages"] == 1


def test_reordered_messages_let_another_table_overtake_them():
    ear = Ear("order", "position", "margin", "quote:XBTUSD")
    ear.trade()
    plain = ear.hear()
    ear.arm("reorder_messages", table="position", times=1)
    ear.trade(6001)
    mixed = ear.hear()
    at = plain.index(("position", "insert"))
    assert ("position", "update") in mixed and mixed.index(("position", "update")) == at + 1
    assert sorted(table for table, _ in plain) == sorted(table for table, _ in mixed)
    assert ear.counts["reorder_messages"] == 1


def test_a_message_that_nothing_overtakes_comes_after_a_while():
    ear = Ear("order")
    ear.arm("reorder_messages", table="order", within_ms=400, times=1)
    order = ear.trade()
    assert ear.hear() == [("order", "insert"), ("order", "update")]  # the next of its own table pushes it out
    ear.arm("reorder_messages", table="order", within_ms=400, times=1)
    ear.client.ok("DELETE", "order", {"orderID": order["orderID"]})
    assert ear.hear() == []
    ear.pass_ms(400)
    assert ear.hear() == [("order", "update")]


def test_a_second_partial_comes_unasked_at_once_or_after_a_message():
    ear = Ear("order", "quote:XBTUSD")
    ear.trade()
    ear.hear()
    ear.arm("second_partial", table="order")
    (text,) = ear.texts()
    assert json.loads(text)["action"] == "partial" and len(json.loads(text)["data"]) == 1
    assert ear.counts["second_partial"] == 1 and ear.venue.faults.armed() == []
    ear.arm("second_partial", table="order", at_once=False, times=1)
    ear.trade(6001)
    assert ear.hear() == [*ALL, ("order", "partial")]
    ear.trade(6002)
    assert ear.hear() == ALL and ear.counts["second_partial"] == 2


@pytest.mark.parametrize("topic, action", [("order", "update"), ("quote:XBTUSD", "insert"), ("instrument:XBTUSD", "update")])
def test_an_update_may_come_before_the_partial(topic, action):
    ear = Ear()
    table = topic.partition(":")[0]
    ear.arm("update_before_partial", table=table, times=1)
    ear.socket.session.receive(json.dumps({"op": "subscribe", "args": topic}))
    assert ear.hear()[1:] == [(table, action), (table, "partial")]
    assert ear.counts["update_before_partial"] == 1 and ear.venue.faults.armed() == []
    ear.socket.session.receive(json.dumps({"op": "subscribe", "args": "margin"}))
    assert ear.hear()[1:] == [("margin", "partial")]


@pytest.mark.parametrize("instead", [False, True])
def test_a_malformed_frame_comes_before_a_message_or_in_its_place(instead):
    ear = Ear("order")
    ear.arm("malformed_json", times=1, instead=instead)
    ear.trade()
    first, *rest = ear.texts()
    with pytest.raises(ValueError):
        json.loads(first)
    assert [json.loads(text)["action"] for text in rest] == ["insert", "update"][instead:]
    assert ear.counts["malformed_json"] == 1


def test_a_socket_is_dropped_at_once_or_in_place_of_a_message():
    ear = Ear("order")
    ear.arm("drop_socket", code=1011)
    assert ear.socket.session.closed == "the line broke" and ear.socket.session.close_code == 1011
    assert ear.counts["drop_socket"] == 1 and ear.venue.faults.armed() == []
    ear = Ear("order", "quote:XBTUSD")
    ear.arm("drop_socket", at_once=False, table="quote", times=1)
    ear.trade()
    assert ear.hear() == ALL[:2] and ear.socket.session.closed == "the line broke"


def test_only_the_sockets_that_are_meant_are_dropped():
    ear = Ear("order")
    other = ear.client.listen("quote:XBTUSD", auth=False)
    ear.arm("drop_socket", account=ear.venue.account_id)
    assert ear.socket.session.closed and other.session.closed is None
    ear.arm("drop_socket", table="trade")
    assert other.session.closed is None
    ear.arm("drop_socket", table="quote")
    assert other.session.closed


def test_a_half_open_socket_hears_and_says_nothing_until_it_breaks():
    ear = Ear("order")
    ear.arm("half_open_socket", for_s=30)
    ear.trade()
    ear.socket.session.receive("ping")
    assert ear.hear() == [] and ear.socket.session.closed is None
    ear.venue.advance(NOW + 30 * SECOND)
    assert ear.socket.session.closed == "the line broke" and ear.counts["half_open_socket"] == 1


def test_a_half_open_socket_may_begin_with_a_message():
    ear = Ear("order")
    armed = ear.arm("half_open_socket", at_once=False, times=1)
    ear.trade()
    assert ear.hear() == [] and ear.socket.session.half_open
    ear.venue.faults.disarm(armed)
    assert ear.socket.session.closed


def test_a_socket_that_comes_while_a_fault_is_armed_has_it_too():
    ear = Ear()
    ear.arm("duplicate_messages", table="order")
    late = ear.client.listen("order")
    actions = [json.loads(text).get("action") for text in late.session.take_outgoing()]
    assert actions == [None, None, "partial", "partial"]
