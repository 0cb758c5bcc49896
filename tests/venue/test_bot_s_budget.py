"""A run without other users of the account never sees a 429, however tight RELIST_INTERVAL is."""
from __future__ import annotations

import pytest
from chaos.desk import Desk


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
