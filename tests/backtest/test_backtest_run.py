"""A back-test of the bot as it is: one answer a job, a run like any other, money conserved."""

from __future__ import annotations

import ast
import os
import pickle
import sqlite3

import pytest
from running import ROOT

from market_maker import market_maker as bot
from market_maker.backtest import stage
from market_maker.backtest.job import setting
from market_maker.backtest.run import Job, run, run_many
from market_maker.journal_reading import open_run
from market_maker.utils import errors

SHORT = Job(minutes=4, seed=7, settings={"EVENT_DRIVEN": False})


@pytest.fixture(scope="module")
def short():
    return run(SHORT)


def test_the_same_job_gives_the_same_run_to_the_byte(short):
    assert run(SHORT).image == short.image
    assert short.run.count("fill") > 0 and short.run.count("decision") >= 4 * 60 / 5


def test_another_seed_gives_another_market(short):
    assert run(Job(**{**vars(SHORT), "seed": 8})).image != short.image


def test_several_processes_give_what_one_gives_in_the_order_of_the_jobs(short):
    results = list(run_many([SHORT, Job(minutes=1, seed=3)], processes=2))
    assert results[0].image == short.image
    assert results[1].run.about["seed"] == 3 and results[1].run.about["ended"] - results[1].run.about["started"] < 70


def test_a_result_can_be_sent_to_another_process_and_read_there(short):
    short.run.count("fill")
    sent = pickle.loads(pickle.dumps(short))
    assert list(sent.run.fills()) == list(short.run.fills())


def test_a_run_tells_what_it_was_and_what_our_orders_did_to_the_market(short):
    about = short.run.about
    assert about["kind"] == "backtest" and about["symbol"] == "XBTUSD" and about["seed"] == 7 and about["exit_code"] == 0
    assert about["market"].startswith("lively: ") and "0.05 s there" in about["market"]
    assert about["market_effect"] == short.market_effect and "match within the book" in short.market_effect
    assert about["settings"]["EVENT_DRIVEN"] is False and not {"API_KEY", "API_SECRET"} & set(about["settings"])
    assert short.is_whole and short.requests > 0


def test_what_was_earned_is_what_the_fills_say(short):
    about, fills = short.run.about, list(short.run.fills())
    last = list(short.run.accounts())[-1]
    held = sum(fill.size if fill.side == "Buy" else -fill.size for fill in fills)
    assert last.position == held
    realised_and_not = -sum(fill.cost for fill in fills) - sum(fill.fee for fill in fills)
    mark = last.mark_price
    assert abs(about["end_balance"] - about["start_balance"] - realised_and_not - held * -1e8 / mark) < 5000  # the mark at the very end


def test_money_is_conserved_at_the_venue(monkeypatch):
    audits = []

    class Watched(stage.Stage):
        def run(self):
            super().run()
            audits.append(self.venue.exchange.audit())

    monkeypatch.setattr("market_maker.backtest.run.Stage", Watched)
    run(Job(minutes=2, seed=5))
    assert audits and audits[0].ok


def test_a_run_in_a_folder_is_found_like_any_other(tmp_path):
    result = run(Job(minutes=1, seed=2, runs_dir=str(tmp_path / "runs")))
    found = open_run("last", str(tmp_path / "runs"))
    assert found.path == result.path and found.state() == "over"
    assert found.about == run(Job(minutes=1, seed=2)).run.about


def test_settings_go_through_the_usual_machinery():
    with pytest.raises(errors.SettingsError, match="ORDER_PAIRS = 0 must be"):
        run(Job(settings={"ORDER_PAIRS": 0}))
    with pytest.raises(errors.SettingsError, match="NO_SUCH"):
        run(Job(settings={"NO_SUCH": 1}))
    assert setting("ORDER_PAIRS=2") == ("ORDER_PAIRS", 2) and setting("EVENT_DRIVEN=no") == ("EVENT_DRIVEN", False)
    for text in ("ORDER_PAIRS", "ORDER_PAIRS=x", "NO_SUCH=1"):
        with pytest.raises(errors.SettingsError):
            setting(text)


def test_a_setting_changes_what_the_bot_does():
    two = run(Job(**{**vars(SHORT), "settings": {"EVENT_DRIVEN": False, "ORDER_PAIRS": 2}}))
    first = [event for event in two.run.order_events() if event.what == "create"][:4]
    assert len({event.decision for event in first}) == 1 and sorted(event.side for event in first) == ["Buy", "Buy", "Sell", "Sell"]


@pytest.mark.parametrize(
    "job, complaint",
    [
        (Job(symbol="NOSUCH"), "has no contract NOSUCH"),
        (Job(market="no/such/file.csv"), "no such file"),
        (Job(matcher="other"), "--matcher other: it is one of"),
        (Job(matcher="hft"), "needs recorded data"),
        (Job(minutes=0), "--minutes 0"),
        (Job(begin=2.0, end=1.0), "--from must be before --to"),
        (Job(latency="no/such/file"), "neither seconds nor a file"),
        (Job(strategy="no_such_module:Class"), "no_such_module"),
    ],
)
def test_a_bad_job_is_refused_in_one_line_and_leaves_no_folder(job, complaint, tmp_path):
    job = Job(**{**vars(job), "runs_dir": str(tmp_path / "runs")})
    with pytest.raises(errors.SettingsError, match=complaint) as caught:
        run(job)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_strategy_of_ones_own_is_run(tmp_path):
    result = run(Job(minutes=1, seed=2, strategy="market_maker.custom_strategy:CustomOrderManager"))
    assert len([event for event in result.run.order_events() if event.what == "create"]) >= 2


def test_latency_delays_what_the_bot_asks_for():
    def first(seconds):
        events = run(Job(minutes=1, seed=2, latency=seconds)).run.order_events()
        return next(event for event in events if event.what == "rests").at

    assert first(0.0) + 1 < first(0.5)


def test_measured_latencies_are_drawn_with_the_seed(tmp_path):
    sample = tmp_path / "latency.txt"
    sample.write_text("# seconds there, back\n0.010 0.020\n0.200,0.300\n\n0.05\n")
    jobs = [Job(minutes=1, seed=seed, latency=str(sample)) for seed in (1, 1)]
    assert run(jobs[0]).image == run(jobs[1]).image
    assert "one of 3 measured" in run(jobs[0]).run.about["market"]
    sample.write_text("0.1\nfast\n")
    with pytest.raises(errors.SettingsError, match="latency.txt:2: not a measured latency: fast"):
        run(jobs[0])


def test_nothing_of_the_bot_is_derived_from_or_replaced():
    """Live and back-test are the same code: no class of the bot has a subclass in the back-test's room."""
    ours = {"OrderManager", "ExchangeInterface", "BitMEX", "OwnOrders", "BitMEXWebsocket", "RestSession"}
    folder = os.path.join(ROOT, "market_maker", "backtest")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as source:
                classes = [node for node in ast.walk(ast.parse(source.read())) if isinstance(node, ast.ClassDef)]
            assert not ours & {ast.unparse(base).rpartition(".")[2] for one in classes for base in one.bases}, name


def test_a_run_leaves_the_process_as_it_was(short):
    import logging

    from market_maker.settings import settings as of_the_process

    before = logging.getLogger().handlers[:], logging.getLogger().level, of_the_process._settings
    run(Job(minutes=1))
    assert (logging.getLogger().handlers[:], logging.getLogger().level, of_the_process._settings) == before


def test_a_run_that_is_interrupted_keeps_what_was_done(monkeypatch, tmp_path):
    calls = []

    def stop(manager):
        calls.append(1)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return original(manager)

    original = bot.OrderManager.place_orders
    monkeypatch.setattr(bot.OrderManager, "place_orders", stop)
    result = run(Job(**{**vars(SHORT), "runs_dir": str(tmp_path)}))
    assert not result.is_whole and result.ended == "SIGINT"
    assert sqlite3.connect(os.path.join(result.path, "journal.sqlite")).execute("SELECT count(*) FROM decision").fetchone()[0] >= 20
    assert "everything is cancelled" in [row.outcome for row in result.run.decisions()][-1]


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_rows_straight_into_the_tables_leave_them_as_text_does(profile):
    """The realtime rows of a run, taken as they are and by way of their text, make equal tables and the same run."""
    seen = []
    for rows in (True, False):

        class Feed(stage.VenueFeed):
            def __init__(self, venue, rows=rows, real=rows):
                super().__init__(venue, real)

        class Watched(stage.Stage):
            def run(self):
                super().run()
                seen.append(self.client.ws.tables._tables)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stage, "VenueFeed", Feed)
            patch.setattr("market_maker.backtest.run.Stage", Watched)
            seen.append(run(Job(minutes=2, seed=11, profile=profile)).image)
    assert seen[1] == seen[3]
    with_rows, with_text = ({name: list(table.rows.items()) for name, table in tables.items()} for tables in (seen[0], seen[2]))
    assert set(with_rows) >= {"quote", "trade", "orderBookL2_25", "instrument", "order", "execution", "margin", "position"}
    assert with_rows == with_text
    assert repr(with_rows) == repr(with_text)  # types too: 1 is not 1.0, a list is no tuple


def test_a_wait_however_short_moves_simulated_time(short):
    """Otherwise a loop that waits for the rest of a nanosecond would wait for ever."""
    from bitmex_venue.inprocess import SimulatedClock
    from bitmex_venue.venue import Venue
    from market_maker.backtest.doors import Flag

    venue = Venue(now=10**18)
    before = venue.now
    SimulatedClock(venue).wait(Flag(), 1e-12)
    assert venue.now == before + 1
    SimulatedClock(venue).wait(Flag(), 0.0)
    assert venue.now == before + 1
