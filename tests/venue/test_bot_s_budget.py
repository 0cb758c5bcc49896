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
