"""What the real bot asks of a venue that counts: never too much, the most important first, about what it said it would need."""
from __future__ import annotations

import math

import pytest
from chaos.desk import SYMBOL, Desk
from market_maker import afford, forecast
from market_maker.sending import Sender

MINUTE = 60 * 10**9


@pytest.mark.parametrize("profile, transport", [("classic", "auto"), ("classic", "single"), ("modern", "auto")])
def test_no_429_comes_in_ten_minutes_of_a_lively_market_with_a_tight_relist_interval(tmp_path, profile, transport):
    desk = Desk(tmp_path, 1, 0.0, profile=profile, transport=transport, RUN_FOR_S=600, RELIST_INTERVAL=0.00005, DEAD_MANS_SWITCH=20)
    assert desk.run() == 0
    budget = desk.bitmex.request_budget
    assert budget.refused == 0 and budget.skipped > 0
    assert desk.resting == []


def test_with_a_low_isolated_leverage_the_ladder_is_scaled_to_the_margin_it_asks_for_and_none_of_it_is_refused(tmp_path):
    desk = Desk(tmp_path, 1, 0.0, market_name="calm", ORDER_START_SIZE=1000, ORDER_STEP_SIZE=1000)
    desk.bitmex.isolate_margin("XBTUSD", 1)
    desk.bitmex.wakeup.clear()
    desk.clock.wait(desk.bitmex.wakeup, 5)  # until the position's row tells of it
    ends = desk.venue.now + 20 * 10**9
    desk.venue.on_advanced.append(lambda: desk.venue.now >= ends and desk.manager.request_stop())
    assert desk.run() == 0
    assert 0 < desk.most_a_side < 6 and not desk.adapter.refused


NARROW = {"RELIST_INTERVAL": 0.0005, "INTERVAL": 0.0001, "MIN_SPREAD": 0, "ORDER_PAIRS": 20}


def seconds_put_off(folder, monkeypatch, profile="modern", **settings):
    """Of a run with a ladder for which the budget is too small: for how long the amends it wanted had to wait for tokens, all together."""
    sent, since, waits = Sender._pay_for, {}, []

    def pay_for(self, existing, plan, touch, now):
        paid = sent(self, existing, plan, touch, now)
        late = {amend.order["orderID"] for amend in plan.amend} - {amend.order["orderID"] for amend in paid.amend}
        waits.extend(now - since.pop(name) for name in set(since) - late)
        since.update((name, now) for name in late - set(since))
        return paid
    monkeypatch.setattr(Sender, "_pay_for", pay_for)
    desk = Desk(folder, 1, 0.0, profile=profile, RUN_FOR_S=300, **settings)
    assert desk.run() == 0 and desk.bitmex.request_budget.refused == 0
    monkeypatch.undo()
    return sum(waits), desk.bitmex.fills_seen


def test_creates_do_not_spend_what_the_amends_of_the_next_move_need(tmp_path, monkeypatch):
    waited, fills = seconds_put_off(tmp_path, monkeypatch, **NARROW)
    monkeypatch.setattr(afford, "KEPT_FOR_AMENDS", 0)
    waited_without, _ = seconds_put_off(tmp_path, monkeypatch, **NARROW)
    assert waited < 0.75 * waited_without and fills > 100


def deviation_of(middles):
    moves = [math.log(later / earlier) for earlier, later in zip(middles, middles[1:])]
    return math.sqrt(sum(move * move for move in moves) / len(moves))


@pytest.mark.parametrize("profile", ["classic", "modern"])
@pytest.mark.parametrize("is_driven", [True, False])
def test_the_forecast_for_a_market_is_near_what_a_run_on_it_uses(tmp_path, profile, is_driven):
    desk = Desk(tmp_path, 2, 0.0, profile=profile, market_name="calm", RUN_FOR_S=1800, RELIST_INTERVAL=0.001, EVENT_DRIVEN=is_driven)
    middles, charged, charge, begun = [], [], desk.venue.limiter.charge, desk.venue.now

    def look():
        book = desk.venue.exchange.books[SYMBOL]
        if desk.venue.now >= begun + len(middles) * MINUTE:
            middles.append((book.best_bid + book.best_ask) / 2)

    def counted(now, account_id, remote, tokens=1, **more):
        charged.append(tokens)
        return charge(now, account_id, remote, tokens, **more)
    desk.venue.limiter.charge = counted
    desk.venue.on_advanced.append(look)
    assert desk.run() == 0
    chosen, row = desk.settings, desk.manager.instrument
    said = forecast.per_minute(deviation_of(middles), 2 * chosen.ORDER_PAIRS, chosen.RELIST_INTERVAL, row["tickSize"] / row["lastPrice"],
                               desk.bitmex.order_transport_used == "single", None if is_driven else chosen.LOOP_INTERVAL, 0)
    used = (sum(charged) - 20) / 30  # the start and the end take about 20
    assert 0.6 < used / said < 1.5, (used, said)


@pytest.mark.parametrize("profile, theirs", [("classic", 0.9), ("modern", 1.8)])
def test_what_another_process_of_the_account_uses_is_seen_in_the_headers_and_left_out_of_what_we_spend(tmp_path, profile, theirs):
    """`theirs` requests a second of the account's one or two are somebody else's."""
    desk = Desk(tmp_path, 1, 0.0, profile=profile, RUN_FOR_S=300, RELIST_INTERVAL=0.0002)
    budget, begun, spent = desk.bitmex.request_budget, desk.venue.now, 0

    def look():
        nonlocal spent
        while spent < theirs * (desk.venue.now - begun) / 1e9:
            spent += 1
            desk.venue.limiter.charge(desk.venue.now, desk.venue.account_id, "127.0.0.2")

    desk.venue.on_advanced.append(look)
    assert desk.run() == 0
    assert spent > 0.9 * theirs * 300 and desk.adapter.requests > 60 and budget.skipped > 0
    assert budget.refused <= 0.02 * desk.adapter.requests  # what they spend between two of our requests can only be guessed
