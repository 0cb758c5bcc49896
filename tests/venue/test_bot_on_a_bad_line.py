"""The bot on a bad line, seen from the venue: what must never happen does not, and when the noise ends the two agree again."""
from __future__ import annotations

from random import Random

import pytest
from bitmex_venue.faults import BY_NAME
from bitmex_venue.misbehaviour.catalogue import FAULTS, FLAG, MESSAGE, REQUEST, read
from bitmex_venue.venue import Venue
from chaos import real_time
from chaos.armings import ARMINGS, LEFT_OUT
from chaos.desk import Desk
from chaos.outcome import MUST_BE_ZERO
from chaos.simulated import alone, mixed, play

NUMBER_OF_DRAWS = 200
LIMITS = {"CHECK_POSITION_LIMITS": True, "MIN_POSITION": -2500, "MAX_POSITION": 2500}
BUSY = {"RELIST_INTERVAL": 0.0003, "LOOP_INTERVAL": 1}
SEED = 1


def assert_harmless(trial):
    outcome = play(trial)
    assert outcome.faults > 0
    assert {name: getattr(outcome, name) for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)


@pytest.mark.parametrize("trial", [trial._replace(seconds=12) for trial in alone(SEED)], ids=lambda trial: trial.name)
def test_no_fault_by_itself_breaks_what_must_hold(trial):
    assert_harmless(trial)


@pytest.mark.parametrize("trial", [trial._replace(seconds=60) for trial in mixed(SEED, 3)], ids=lambda trial: trial.name)
def test_all_faults_together_break_nothing_either(trial):
    assert_harmless(trial)


def drawn(fault):
    """Each setting that part (a) may arm a fault with, and the values that it may have; None is the default."""
    spec, random, seen = Venue(seed=1).exchange.instruments["XBTUSD"].spec, Random(1), {}
    for arming in (arming for arming in ARMINGS if arming.fault == fault.name):
        for _ in range(NUMBER_OF_DRAWS):
            settings = arming.settings(random, spec)
            read(fault, settings)
            for param in fault.params:
                seen.setdefault(param.name, set()).add(settings.get(param.name, param.default))
    return seen


def manners(param):
    return {True, False} if param.kind == FLAG else set(param.choices)


def test_every_fault_that_the_venue_knows_is_armed_in_each_manner_or_left_out_with_a_reason():
    assert {arming.fault for arming in ARMINGS} | set(LEFT_OUT) == {fault.name for fault in FAULTS}
    for fault in FAULTS:
        if fault.name not in LEFT_OUT:
            assert {param.name: manners(param) - drawn(fault)[param.name] for param in fault.params if manners(param) - drawn(fault)[param.name]} == {}


def test_every_fault_of_the_line_is_in_the_script_that_both_bots_go_through():
    line = {fault.name for fault in FAULTS if fault.kind in (REQUEST, MESSAGE)}
    assert line - {fault for fault, _ in real_time.SCRIPT} == set(real_time.LEFT_OUT)
    longest = sum(max(real_time.HOLD_S, settings.get("for_s", 0)) + real_time.REST_S for _, settings in real_time.SCRIPT)
    assert longest + real_time.FIRST_S < 300
    for fault, settings in real_time.SCRIPT:
        read(BY_NAME[fault], settings)


@pytest.mark.parametrize("name", ["venue restart", "reconnect refused", "line breaks during the images"])
def test_a_bot_whose_connection_breaks_again_and_again_is_back_within_seconds_each_time(name):
    trial = next(trial for trial in alone(SEED) if trial.name == name)
    assert play(trial).bare < 5


WENT_WRONG = (  # what was seen then
    (8, "rate limited"),        # half a minute without quotes: a header that said 0 was taken for a neighbour who spends
    (9, "all tables lost"),     # a 429: ten orders came exactly a second after ten others
    (10, "headers say that nothing is left"),
)


@pytest.mark.parametrize("seed, name", WENT_WRONG)
def test_a_run_that_once_went_wrong_goes_well(seed, name):
    outcome = play(next(trial for trial in alone(seed) if trial.name == name))
    assert outcome.broken == [] and outcome.too_many == 0 and outcome.bare < 15


def test_on_a_bad_line_a_narrow_limit_holds_too(tmp_path):
    desk = Desk(tmp_path, 5, 0.3, RUN_FOR_S=60, CHECK_POSITION_LIMITS=True, MIN_POSITION=-150, MAX_POSITION=250, ORDER_PAIRS=3, **BUSY)
    assert desk.run() == 0
    assert desk.faults > 10 and desk.score.looks > 200
    assert desk.score.overshoot <= 0 and desk.most_a_side <= 3 and desk.resting == []


def test_the_same_seed_makes_the_same_run():
    trial = list(mixed(SEED + 7, 1))[0]._replace(seconds=10)
    assert play(trial) == play(trial)


def test_the_result_line_leaves_a_deposit_out(tmp_path):
    desk = Desk(tmp_path, 4, 0.0, market_name="empty", RUN_FOR_S=5)
    desk.deposit(5000)
    assert desk.bitmex.wallet_history_since_start() == 5000


def test_after_a_sudden_death_the_dead_mans_switch_takes_the_orders_off_the_book(tmp_path):
    desk = Desk(tmp_path, 6, 0.0, market_name="calm", RUN_FOR_S=5, DEAD_MANS_SWITCH=20)
    desk.manager.shut_down = lambda: None  # as kill -9 leaves it
    desk.run()
    left = len(desk.resting)
    desk.venue.advance(desk.venue.now + 21 * 10**9)
    assert (left, len(desk.resting)) == (12, 0)


def test_after_a_sudden_death_without_a_switch_the_next_start_takes_the_orders_off_the_book(tmp_path):
    desk = Desk(tmp_path, 6, 0.0, market_name="calm", RUN_FOR_S=5)
    desk.manager.shut_down = lambda: None
    desk.run()
    left = {order.cl_ord_id for order in desk.resting}
    desk.connect()
    assert desk.run() == 0
    assert len(left) == 12 and desk.most_a_side == 6 and desk.resting == []
