"""The bot on a bad line, seen from the venue: what must never happen does not, and when the noise ends the two agree again."""
from __future__ import annotations

import pytest
from noise import Desk

LIMITS = {"CHECK_POSITION_LIMITS": True, "MIN_POSITION": -2500, "MAX_POSITION": 2500}
BUSY = {"RELIST_INTERVAL": 0.0003, "LOOP_INTERVAL": 1}


@pytest.mark.parametrize("seed, profile, transport", [(1, "classic", "auto"), (2, "modern", "auto"), (0, "classic", "single"), (11, "classic", "single")])
def test_on_a_bad_line_no_limit_is_passed_no_order_is_doubled_and_none_is_left(tmp_path, seed, profile, transport):
    desk = Desk(tmp_path, seed, 0.3, profile=profile, transport=transport, RUN_FOR_S=180, **LIMITS, **BUSY)
    assert desk.run() == 0
    assert desk.watcher.looks > 500 and sum(desk.adapter.counts.values()) - desk.adapter.counts[None] > 20
    assert desk.watcher.most_a_side == 6
    assert desk.watcher.overshoot <= 0
    assert desk.watcher.resting == []
    assert desk.venue.exchange.audit().ok


def test_a_narrow_limit_holds_too(tmp_path):
    desk = Desk(tmp_path, 5, 0.3, RUN_FOR_S=180, CHECK_POSITION_LIMITS=True, MIN_POSITION=-150, MAX_POSITION=250, ORDER_PAIRS=3, **BUSY)
    assert desk.run() == 0
    assert desk.watcher.overshoot <= 0 and desk.watcher.resting == []


def test_when_the_noise_ends_our_view_is_the_venues(tmp_path):
    desk = Desk(tmp_path, 3, 0.4, RUN_FOR_S=120, **LIMITS, **BUSY)
    seen = {}

    def look():
        if desk.clock.time() - begun > 60:
            desk.quieten()
        if desk.clock.time() - begun > 110 and not seen:
            ours = {row["clOrdID"]: row["leavesQty"] for row in desk.bitmex.open_orders()}
            seen["same"] = ours == {order.cl_ord_id: order.leaves_qty for order in desk.watcher.resting}
            seen["position"] = desk.bitmex.position()["currentQty"] == desk.venue.exchange.accounts[desk.venue.account_id].positions["XBTUSD"].current_qty
            seen["count"] = len(ours)
    begun = desk.clock.time()
    desk.venue.on_advanced.append(look)
    assert desk.run() == 0
    assert seen == {"same": True, "position": True, "count": 12}


def test_the_result_line_leaves_a_deposit_out(tmp_path, caplog):
    desk = Desk(tmp_path, 4, 0.0, market_name="empty", RUN_FOR_S=5)
    desk.deposit(5000)
    assert desk.bitmex.wallet_history_since_start() == 5000


def test_after_a_sudden_death_the_dead_mans_switch_takes_the_orders_off_the_book(tmp_path):
    desk = Desk(tmp_path, 6, 0.0, market_name="calm", RUN_FOR_S=5, DEAD_MANS_SWITCH=20)
    desk.manager.shut_down = lambda: None  # as kill -9 leaves it
    desk.run()
    left = len(desk.watcher.resting)
    desk.venue.advance(desk.venue.now + 21 * 10**9)
    assert (left, len(desk.watcher.resting)) == (12, 0)


def test_after_a_sudden_death_without_a_switch_the_next_start_takes_the_orders_off_the_book(tmp_path):
    desk = Desk(tmp_path, 6, 0.0, market_name="calm", RUN_FOR_S=5)
    desk.manager.shut_down = lambda: None
    desk.run()
    left = {order.cl_ord_id for order in desk.watcher.resting}
    desk.connect()
    assert desk.run() == 0
    assert len(left) == 12 and desk.watcher.most_a_side == 6 and desk.watcher.resting == []
