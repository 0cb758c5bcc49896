"""The search: the same whoever does it, however often it is interrupted, and it knows nothing of what it is judged by."""

import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time

import optuna
import pytest
import tune_kit
from running import ROOT, wait_until

from market_maker import settings as settings_module
from market_maker.backtest import tune, tune_claims, tune_crew, tune_plan, tune_report, tune_space
from market_maker.backtest.job import Job
from market_maker.backtest.tune_plan import Plan
from market_maker.backtest.tune_study import AS_THEY_ARE, Study
from market_maker.backtest.tune_trial import Outcome
from market_maker.utils import errors

TRIALS = 14
ARGUMENTS = ["--space", "space.toml", "--seed", "3", "--minutes", "1", "--objective", "profit", "--trials", str(TRIALS)]


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    with tune_kit.folder() as path:
        monkeypatch.chdir(path)
        yield path
        monkeypatch.undo()


@pytest.fixture(scope="module")
def alone():
    """The trials of the plan as one process finds them that is not disturbed."""
    with tune_kit.folder() as path, pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        return search()


def plan(**more):
    values = tune_plan.that_matter(settings_module.load(environ={}).as_dict())
    job = Job(settings=values, minutes=1.0)
    return Plan(job, tune_plan.seeds(job, 4), 1, tune_space.read("space.toml"), values, **{"objective": "profit", "seed": 3, **more})


def search(crew=None, trials=TRIALS, storage="sqlite:///one.db", **more):
    """The trials of a study: (index, settings, values, state)."""
    study = Study(plan(**more), storage)
    with crew or tune_crew.Here(tune_kit.evaluate) as workers:
        study.search(trials, workers)
    return told(study)


def resumed():
    """The same study as `start` works at, gone on with in this process."""
    asked = tune._parser().parse_args(ARGUMENTS)
    study = Study(tune.plan_of(asked), asked.storage)
    study.search(TRIALS, tune_crew.Here(tune_kit.evaluate))
    return told(study)


def told(study):
    return [(trial.index, trial.params, trial.values, trial.state, trial.reason) for trial in study.over()]


def start(how, *more, **environment):
    """`marketmaker tune` in a process of its own, with a stand-in for the runs."""
    command = [sys.executable, tune_kit.__file__, how, *ARGUMENTS, *more]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": ROOT, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_a_search_finds_what_is_best_and_keeps_the_reasons_of_what_was_not_tried_to_the_end():
    found = search(trials=24)
    best = max((trial for trial in found if trial[2]), key=lambda trial: trial[2])
    assert 0.0012 < best[1]["INTERVAL"] < 0.0032 and 2 <= best[1]["ORDER_PAIRS"] <= 6
    states = {trial[4]: trial[3] for trial in found}
    assert states["nine is too many"] == "pruned" and states["ValueError: eight breaks"] == "failed" and states["no order was filled"] == "pruned"
    assert [trial[0] for trial in found] == list(range(24))


def test_the_first_trial_is_the_settings_as_they_are_where_the_space_holds_them(folder):
    assert search(trials=1)[0][1] == {"INTERVAL": 0.005, "MAINTAIN_SPREADS": True, "ORDER_PAIRS": 6}
    (folder / "space.toml").write_text("INTERVAL = {low = 0.01, high = 0.02}\n")
    assert search(trials=1)[0][1]["INTERVAL"] > 0.01


def test_the_result_depends_on_seed_and_batch_alone(alone):
    assert search() == alone
    assert search(storage="sqlite:///two.db", seed=4, trials=2) != alone[:2] and search(storage="sqlite:///three.db", batch=13) != alone


def test_several_processes_find_the_same_as_one(alone):
    assert search(tune_crew.Processes(tune_kit.evaluate, 2)) == alone


def test_two_workers_on_loopback_find_the_same_as_one_process(alone):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None) as cluster:
        crew = tune_crew.Cluster(tune_kit.evaluate, cluster.scheduler_address)
        assert search(crew) == alone


def test_several_machines_can_work_at_one_study_and_find_the_same(alone):
    others = []

    def work():
        others.append(search(storage="sqlite:///shared.db"))
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert others == [alone] * 3
    name, = optuna.get_all_study_names("sqlite:///shared.db")
    assert all(trial.state.is_finished() for trial in optuna.load_study(study_name=name, storage="sqlite:///shared.db").trials)


def test_a_study_that_was_killed_goes_on_and_ends_as_if_it_had_not_been(alone):
    """kill -9 in the middle of a batch: the trial that was running runs again."""
    killed = start("evaluate_and_die", KILL_AT="6")
    assert wait_until(lambda: killed.poll() is not None, 120) and killed.returncode == -signal.SIGKILL, killed.stdout.read()
    name, = optuna.get_all_study_names("sqlite:///tune.db")
    left = optuna.load_study(study_name=name, storage="sqlite:///tune.db").trials
    assert [trial.state.name for trial in left][6:8] == ["RUNNING", "WAITING"]
    assert resumed() == alone


def test_a_trial_that_kills_its_process_again_and_again_is_given_up():
    asked = tune._parser().parse_args(ARGUMENTS)
    study = Study(tune.plan_of(asked), asked.storage)
    study._draw(range(4))
    gone = {"name": "x", "host": platform.node(), "pid": 2**22 + 1, "at": time.time(), "tries": tune_claims.TRIES}
    study._storage.set_trial_state_values(study._trial_id(study._known()[1]), optuna.trial.TrialState.RUNNING)
    study._storage.set_trial_user_attr(study._trial_id(study._known()[1]), tune_claims.WORKER, gone)
    study.search(4, tune_crew.Here(tune_kit.evaluate))
    assert told(study)[1][3:] == ("failed", "the process that ran it died 5 times") and len(told(study)) == 4


def test_ctrl_c_ends_it_and_says_how_to_go_on(alone):
    stopped = start("evaluate_and_interrupt", KILL_AT="5")
    said = stopped.communicate(timeout=120)[0].decode()
    assert stopped.returncode == 130 and "Traceback" not in said
    assert "Stopped: 5 of 14 trials of study XBTUSD-" in said and "The same command goes on from there." in said
    assert resumed() == alone


def test_ctrl_c_does_not_wait_for_runs_that_are_under_way_in_other_processes(folder):
    stopped = start("evaluate_for_long", "--processes", "2", KILL_AT="2")
    assert wait_until(lambda: (folder / "begun").exists() or stopped.poll() is not None, 120)
    stopped.send_signal(signal.SIGINT)
    said = stopped.communicate(timeout=120)[0].decode()  # its output ends when the last of its processes has
    assert stopped.returncode == 130 and "Traceback" not in said and "of 14 trials" in said


def test_kill_9_leaves_no_process_behind(folder):
    killed = start("evaluate_for_long", "--processes", "2", KILL_AT="2")
    assert wait_until(lambda: (folder / "begun").exists() or killed.poll() is not None, 120)
    killed.kill()
    killed.communicate(timeout=120)  # its output ends when the last of its processes has
    assert killed.returncode == -signal.SIGKILL


def test_more_trials_can_be_asked_for_later(alone):
    search(trials=5)
    assert search(trials=TRIALS) == alone


def test_a_claim_counts_while_its_worker_lives_and_speaks(monkeypatch):
    alive = {"name": "x", "host": platform.node(), "pid": os.getpid(), "at": time.time()}
    assert not tune_claims.is_dead(alive) and tune_claims.is_dead(None)
    assert tune_claims.is_dead(dict(alive, at=alive["at"] - 100)) and not tune_claims.is_dead(dict(alive, host="elsewhere"))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert tune_claims.is_dead(dict(alive, pid=gone.pid))


def test_another_plan_is_another_study_and_the_same_name_is_refused():
    search(trials=1)
    assert plan(seed=4).name != plan().name == plan().name
    with pytest.raises(errors.SettingsError, match="was begun with other batch \\(4, now 5\\), seed \\(3, now 9\\), settings: take another name"):
        values = {**plan().base_values, "ORDER_START_SIZE": 7}
        Study(Plan(plan().job, plan().folds, 1, plan().space, values, "profit", 5, 9), "sqlite:///one.db", plan().name)


def test_a_storage_that_cannot_be_used_is_one_line_without_its_password():
    for url in ("nonsense", "sqlite:////no/such/folder/tune.db", "mysql://bob:tell-nobody@127.0.0.1:1/x"):
        with pytest.raises(errors.SettingsError) as caught:
            Study(plan(), url)
        assert "cannot be used" in str(caught.value) and "tell-nobody" not in str(caught.value) and "\n" not in str(caught.value)


def test_the_search_never_runs_a_fold_that_is_kept_for_the_test():
    ran = []

    def evaluate(task):
        ran.append(task.fold)
        return tune_kit.evaluate(task)
    study = Study(plan(), "sqlite:///one.db")
    study.search(6, tune_crew.Here(evaluate))
    assert set(ran) == {0, 1, 2}
    winner, = tune_report.to_test(study.plan, study.over())
    ran.clear()
    study.test([winner], tune_crew.Here(evaluate))
    study.test([winner], tune_crew.Here(evaluate))  # known, so not run again
    assert ran == [3, 0, 1, 2, 3]
    assert len(study.tested(winner.index)) == 1 and len(study.tested(AS_THEY_ARE)) == 4


def test_two_goals_are_searched_at_once_and_what_fails_is_told():
    found = search(trials=16, objective="pareto")
    assert all(len(trial[2]) == 2 for trial in found if trial[2]) and {trial[3] for trial in found} <= {"complete", "failed"}
    result = tune_report.result(Study(plan(objective="pareto"), "sqlite:///one.db"))
    assert len(result["pareto"]) > 1 and result["winner"]["trial"] in [point["trial"] for point in result["pareto"]]


def test_a_process_that_dies_is_a_trial_that_failed_and_the_others_go_on(monkeypatch, alone):
    monkeypatch.setenv("KILL_AT", "2")
    found = search(tune_crew.Processes(tune_kit.evaluate_and_die, 2), trials=4)
    assert found[2][3:] == ("failed", "the process that ran it died") and [trial[:4] for trial in found[:2]] == [trial[:4] for trial in alone[:2]]


def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr(tune_crew, "CONNECT_S", 0.2)
    with pytest.raises(errors.SettingsError, match="--scheduler tcp://127.0.0.1:9 cannot be reached"), tune_crew.Cluster(tune_kit.evaluate, "tcp://127.0.0.1:9"):
        pass


def test_what_breaks_in_a_run_is_an_outcome_with_a_reason():
    from market_maker.backtest import tune_trial
    from market_maker.backtest.tune_trial import Task

    for job, settings, kind, said in ((Job(), {"ORDER_PAIRS": 0}, "refused", "ORDER_PAIRS"), (Job(market="no-such.csv"), {}, "refused", "no-such.csv")):
        outcome = tune_trial.evaluate(Task(0, 0, job, settings))
        assert isinstance(outcome, Outcome) and outcome.kind == kind and said in outcome.reason and json.dumps(outcome.reason)
