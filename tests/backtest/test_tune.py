"""`marketmaker tune`: from the command line to settings that the bot runs with."""

import json
import os
import re
import tomllib

import pytest
import tune_kit
from running import ROOT

from market_maker import cli
from market_maker import settings as settings_module
from market_maker.backtest import tune, tune_report, tune_space
from market_maker.backtest.tune_trial import evaluate

COMMAND = ["--space", "space.toml", "--trials", "12", "--minutes", "1", "--seed", "3"]


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    """A folder in memory to work in; runs are stand-ins that are quick."""
    with tune_kit.folder() as path:
        monkeypatch.chdir(path)
        real = tune.main
        monkeypatch.setattr(tune, "main", lambda argv: real(argv, tune_kit.evaluate))
        yield path
        monkeypatch.undo()


def run(*more):
    return cli.main(["tune", *COMMAND, *more])


def found(capsys, *more):
    assert run("--json", *more) == 0
    return json.loads(capsys.readouterr().out)


def test_the_winner_s_settings_are_a_file_that_the_bot_reads(folder, capsys):
    result = found(capsys, "--out", "mine.py", "--set", "ORDER_START_SIZE=300")
    settings = settings_module.load(path="mine.py", environ={})
    for name, value in result["winner"]["settings"].items():
        assert getattr(settings, name) == value
    assert settings.ORDER_START_SIZE == 300 and settings.SYMBOL == "XBTUSD"
    text = (folder / "mine.py").read_text()
    named = re.findall(r"^([A-Z_]+) = ", text, re.M)
    assert set(named) <= {"SYMBOL", "ORDER_START_SIZE", *result["winner"]["settings"]} and "MIN_SPREAD" not in named  # what differs from the defaults
    for what in ("--seed 3", f"trial {result['winner']['trial']} of 12", "On folds the search never saw: profit", "Deflated Sharpe ratio"):
        assert what in " ".join(line.lstrip("# ") for line in text.splitlines()), what


def test_a_settings_file_that_is_there_is_never_overwritten(folder, capsys):
    (folder / "mine.py").write_text("mine = 1\n")
    assert run("--out", "mine.py") == 2
    assert "it is there already, and nothing is overwritten" in capsys.readouterr().err and (folder / "mine.py").read_text() == "mine = 1\n"
    assert not (folder / "tune.db").exists()


def test_without_out_a_name_of_its_own_is_found_and_the_same_result_is_not_written_twice(folder, capsys):
    first = found(capsys)["files"]["settings"]
    assert found(capsys)["files"]["settings"] == first and first.startswith("tuned")
    (folder / first).write_text("mine = 1\n")
    assert found(capsys)["files"]["settings"] == first.replace(".py", "-2.py") and (folder / first).read_text() == "mine = 1\n"


def test_the_report_tells_winner_test_walk_forward_and_luck(capsys):
    assert run() == 0
    said = capsys.readouterr().out
    for what in ("12 trials (", "3 folds searched, 1 kept for the test", "Winner: trial", "winner, unseen folds", "as they are, unseen folds",
                 "(unseen by the search)", "Deflated Sharpe ratio:", "Settings: tuned", "Picture:  tuned", "x ValueError: eight breaks"):
        assert what in said, what
    assert max(map(len, said.splitlines())) <= 130


def test_the_figures_of_the_test_are_of_folds_the_winner_was_not_chosen_on(capsys):
    result = found(capsys)
    steps = result["walk_forward"]
    assert [step["fold"] for step in steps] == [2, 3, 4] and [step["is_unseen"] for step in steps] == [False, False, True]
    assert steps[-1]["then"] == pytest.approx(result["winner"]["test"]["profit"]) != pytest.approx(result["winner"]["train"]["profit"])
    assert result["winner"]["train"]["changes"] == 120 and result["winner"]["test"]["changes"] == 40
    assert result["as_they_are"]["train"]["changes"] == 120 and 0 <= result["deflated"]["probability"] <= 1


def test_a_lucky_winner_is_warned_of():
    known = {"probability": 0.6, "sharpe": 0.1, "expected_by_luck": 0.09, "trials": 50, "changes": 400, "skew": 0.0, "kurtosis": 3.0}
    assert tune_report.luck({"deflated": known}).startswith("WARNING. Overfitting: of 50 worthless trials the best would show")
    assert not tune_report.luck({"deflated": dict(known, probability=0.97)}).startswith("WARNING")
    assert "no deflated Sharpe ratio can be given" in tune_report.luck({"deflated": None})


def test_the_picture_is_drawn_beside_the_settings_or_where_it_was_asked_for(folder, capsys):
    files = found(capsys)["files"]
    assert (folder / files["picture"]).read_bytes().startswith(b"\x89PNG") and files["picture"] == files["settings"].replace(".py", ".png")
    assert found(capsys, "--picture", "pareto.svg", "--objective", "pareto")["files"]["picture"] == "pareto.svg"
    assert (folder / "pareto.svg").read_text().count("<svg") == 1


def test_where_nothing_can_be_judged_it_says_so_and_writes_nothing(folder, capsys):
    (folder / "space.toml").write_text("INTERVAL = {low = 0.016, high = 0.02}\n")
    assert run() == 1
    said = capsys.readouterr().out
    assert "12 x no order was filled" in said and "No trial could be judged" in said and not (folder / "tuned").exists()


@pytest.mark.parametrize("more, said", [
    (["--space", "none.toml"], "cannot be read"), (["--folds", "1"], "at least two folds"), (["--folds", "3", "--tests", "3"], "at least two folds"),
    (["--trials", "0"], "0 is no whole number above 0"), (["--objective", "luck"], "invalid choice"), (["--storage", "nonsense"], "cannot be used"),
    (["--set", "INTERVALL=1"], "did you mean INTERVAL?"), (["--data", "no-such.csv"], "no-such.csv"), (["--market", "bars.csv"], "one path of the price"),
    (["--market", "lively", "calm"], "one name"), (["--loud"], "See marketmaker tune --help."), (["--picture", "x.jpg"], "must end in .png or .svg"),
    (["--market", "nowhere"], "one path of the price")])
def test_wrong_usage_is_said_before_anything_runs(folder, more, said, capsys):
    assert run(*more) == 2
    out, error = capsys.readouterr()
    assert said in error and out == "" and "Traceback" not in error and not (folder / "tuned").exists()


def test_recorded_data_are_cut_into_parts_of_equal_length_in_the_order_of_time(folder, capsys):
    """A minute and a half of quotes, of which --from leaves out the first ten seconds."""
    rows = [f"2018-08-16D12:{second // 60:02d}:{second % 60:02d}.000000000,XBTUSD,100,6358.5,6359,100" for second in range(0, 91, 10)]
    (folder / "quote.csv").write_text("timestamp,symbol,bidSize,bidPrice,askPrice,askSize\n" + "\n".join(rows) + "\n")
    asked = ["--data", "quote.csv", "--from", "2018-08-16T12:00:10", "--folds", "4", "--tests", "2"]
    plan = tune.plan_of(tune._parser().parse_args(COMMAND + asked))
    begin = 1534420810.0
    assert [(fold.begin - begin, fold.end - begin) for fold in plan.folds] == [(0, 20), (20, 40), (40, 60), (60, 80)]
    assert list(plan.train) == [0, 1] and list(plan.unseen) == [2, 3] and plan.source == "quote.csv, 80.0 seconds in 4 parts"
    result = found(capsys, *asked)
    assert result["winner"]["train"]["changes"] == result["winner"]["test"]["changes"] == 80


def test_a_winner_that_fails_the_test_is_warned_of():
    def said(test, before):
        return tune_report.verdicts({"winner": {"test": test and {"profit": test}}, "as_they_are": {"test": {"profit": before}}})
    assert said(0.2, 0.1) == [] and len(said(0.2, 0.3)) == 1 and len(said(-0.1, 0.3)) == 2
    assert said(-0.1, -0.3) == ["WARNING. The winner earns nothing on the folds it was not chosen on."]
    assert "is not known" in said(None, 0.1)[0]


def test_a_file_of_bars_is_needed_for_each_fold(folder, capsys):
    for name in ("one.csv", "two.csv", "three.csv"):
        (folder / name).write_text("timestamp,open,high,low,close\n")
    result = found(capsys, "--market", "one.csv", "two.csv", "three.csv")
    assert result["folds"] == 3 and "bars of one.csv, two.csv, three.csv" in result["source"]


def test_a_real_run_of_the_bot_is_judged_like_any_other(monkeypatch, capsys, folder):
    """Two trials over minutes of the lively market, with the bot itself."""
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    (folder / "space.toml").write_text("INTERVAL = [0.002]\nMIN_SPREAD = {low = 0.001, high = 0.002}\n")
    asked = ["--space", "space.toml", "--trials", "2", "--minutes", "1", "--folds", "2", "--objective", "profit", "--json"]
    assert tune.main(asked, evaluate) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["states"] == {"complete": 2} and result["winner"]["train"]["fills"] > 0 and result["winner"]["test"]["requests"] > 0


def test_help_has_an_example(capsys):
    assert cli.main(["tune", "--help"]) == 0
    assert tune.EXAMPLE in capsys.readouterr().out


def test_what_the_page_about_it_shows_is_understood(monkeypatch, folder):
    with open(os.path.join(ROOT, "docs", "tune.md"), encoding="utf-8") as file:
        page = file.read()
    spaces = re.findall(r"```toml\n(.*?)```", page, re.S)
    assert len(spaces) == 2 and all(tune_space.parse(tomllib.loads(text), "space.toml") for text in spaces)
    commands = re.findall(r"^(?:    |\$ )marketmaker tune (.*?)(?:  +\(.*)?$", page, re.M)
    assert len(commands) == 4 and all(tune._parser().parse_args(command.split()).trials for command in commands)
    for picture in re.findall(r"\]\((?!https?:)([^)]+)\)", page):
        assert os.path.exists(os.path.join(ROOT, "docs", picture)), picture
