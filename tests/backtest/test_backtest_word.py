"""`marketmaker backtest` as it is typed: what it prints, what it leaves, what it refuses."""

from __future__ import annotations

import json
import os
import signal

import pytest

from market_maker import cli
from market_maker import market_maker as bot
from market_maker.backtest import word
from market_maker.backtest.run import Job, run

POLLS = ("--set", "EVENT_DRIVEN=False", "--minutes", "2", "--seed", "7")


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*arguments):
    return cli.main(["backtest", *arguments])


def test_it_prints_a_summary_and_leaves_a_run(at_home, capsys):
    assert typed("XBTUSD", *POLLS) == 0
    told = capsys.readouterr()
    for word_of_it in ("XBTUSD, 2018-08-16", "effect of our orders", "fills", "profit", "fees", "funding", "position", "requests", "EVENT_DRIVEN = False"):
        assert word_of_it in told.out
    assert told.err == ""
    (folder,) = os.listdir(at_home / "runs")
    assert os.path.join("runs", folder) in told.out.splitlines()[-1]
    assert cli.main(["runs"]) == 0 and folder in capsys.readouterr().out


def test_json_is_one_document_with_the_figures_of_the_run(at_home, capsys):
    assert typed(*POLLS, "--json") == 0
    made = json.loads(capsys.readouterr().out)
    alone = run(Job(minutes=2, seed=7, settings={"EVENT_DRIVEN": False}))
    assert made["fills"] == alone.run.count("fill") and made["whole"] is True and made["symbol"] == "XBTUSD"
    assert made["profit"] == alone.run.about["end_balance"] - alone.run.about["start_balance"]
    assert made["fees"] == sum(fill.fee for fill in alone.run.fills()) and made["set"] == {"EVENT_DRIVEN": False}


def test_a_setting_can_be_varied_a_run_each(at_home, capsys):
    assert typed(*POLLS, "--vary", "ORDER_PAIRS=1,3", "--vary", "INTERVAL=0.002,0.004", "--json", "--processes", "2") == 0
    made = json.loads(capsys.readouterr().out)
    assert [(one["set"]["INTERVAL"], one["set"]["ORDER_PAIRS"]) for one in made] == [(0.002, 1), (0.004, 1), (0.002, 3), (0.004, 3)]
    assert len(os.listdir(at_home / "runs")) == 4


def test_an_empty_runs_dir_keeps_nothing(at_home, capsys):
    assert typed(*POLLS, "--set", "RUNS_DIR=") == 0
    assert os.listdir(at_home) == [] and "  run  " not in capsys.readouterr().out


def test_settings_py_of_the_folder_is_used(at_home, capsys):
    (at_home / "settings.py").write_text("ORDER_PAIRS = 1\nEVENT_DRIVEN = False\n")
    assert typed("--minutes", "1", "--market", "calm", "--json") == 0
    assert json.loads(capsys.readouterr().out)["creates"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--set", "ORDER_PAIR=1"), ("--set", "INTERVAL=-1"), ("--vary", "ORDER_PAIRS=1,x"), ("--minutes", "x"), ("--from", "today"),
        ("--processes", "0"), ("--matcher", "best"), ("--latency", "-1"), ("--data", "no/such/file"), ("--market", "no/such/file"),
        ("--settings", "no_such.py"), ("--strategy", "nothing"), ("--no-such-option",), ("NOSUCH",), ("--profile", "ancient"),
        ("--runs-dir", "settings.py/runs"),
    ],
)  # fmt: skip
def test_every_complaint_is_one_line_and_exit_code_2(at_home, capsys, arguments):
    (at_home / "settings.py").write_text("")
    assert typed(*arguments) == 2
    told = capsys.readouterr()
    assert told.out == "" and len(told.err.splitlines()) == 1 and told.err.startswith("marketmaker: ")


def test_ctrl_c_keeps_what_was_done_and_says_so(at_home, capsys, monkeypatch):
    place_orders, calls = bot.OrderManager.place_orders, []

    def interrupted(manager):
        calls.append(manager)
        if len(calls) == 20:
            os.kill(os.getpid(), signal.SIGINT)
        return place_orders(manager)

    monkeypatch.setattr(bot.OrderManager, "place_orders", interrupted)
    assert typed(*POLLS) == word.INTERRUPTED
    told = capsys.readouterr()
    assert "Stopped before its end (SIGINT)" in told.out and told.err == ""
    assert cli.main(["runs"]) == 0 and "2018-08-16" in capsys.readouterr().out


def test_stopped_before_anything_happened_it_leaves_nothing(at_home, capsys, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("market_maker.backtest.stage.BitMEX", stop)
    typed(*POLLS)
    assert os.listdir(at_home / "runs") == [] and len(capsys.readouterr().err.splitlines()) == 1


def test_help_shows_an_example(capsys):
    assert typed("--help") == 0
    assert "marketmaker backtest XBTUSD --data" in capsys.readouterr().out
