"""What came of a study: the winner, how it did on what it was not chosen on, and how much of it is luck. As a dict, as text, as a settings file.

Rules:

* The winner is the trial with the best objective over the folds the search saw; of equals the earlier one.
* Walk-forward: for each fold from the second on, the best trial over the folds before it, and what it made of that fold. Where the fold
  belongs to the test nothing of the search has seen it; of the earlier ones the search has, the choice has not.
* A settings file that is there is never overwritten.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from market_maker import _settings_base as base
from market_maker.utils import errors

from . import tune_score
from .tune_plan import Plan
from .tune_score import CONVINCING, Fold
from .tune_study import AS_THEY_ARE, Study, Trial


def best(plan: Plan, trials: Sequence[Trial], folds: range | None = None) -> Trial | None:
    """The best of the trials over these folds (default: all that the search saw)."""
    chosen = None
    for trial in trials:
        if trial.values is None:
            continue
        rank = tune_score.rank(plan.objective, [trial.folds[fold] for fold in folds or plan.train])
        if rank > -math.inf and (chosen is None or rank > chosen[0]):
            chosen = rank, trial
    return None if chosen is None else chosen[1]


def to_test(plan: Plan, trials: Sequence[Trial]) -> list[Trial]:
    """The trials whose results on the unseen folds are reported."""
    winner = best(plan, trials)
    return [] if winner is None else [winner]


def result(study: Study) -> dict[str, Any]:
    """Everything there is to say, ready for JSON; `winner` is None where no trial could be judged."""
    plan, trials = study.plan, study.over()
    winner = best(plan, trials)
    complete = [trial for trial in trials if trial.values is not None]
    found = {
        "study": study.name, "symbol": plan.job.symbol, "source": plan.source, "objective": plan.objective, "seed": plan.seed, "batch": plan.batch,
        "folds": len(plan.folds), "tests": plan.tests, "trials": len(trials), "states": dict(Counter(trial.state for trial in trials)),
        "reasons": dict(Counter(trial.reason for trial in trials if trial.reason)), "winner": None, "as_they_are": None, "walk_forward": [],
        "deflated": None, "pareto": [_point(complete[place]) for place in tune_score.front([_where(trial) for trial in complete])],
    }  # fmt: skip
    if (known := study.tested(AS_THEY_ARE)) is not None:
        found["as_they_are"] = _both(plan, known[: len(plan.train)], known[len(plan.train):])
    if winner is not None:
        tested = study.tested(winner.index)
        found["winner"] = {"trial": winner.index, "settings": winner.params, "all_settings": plan.settings(winner.params),
                           **_both(plan, winner.folds, tested)}
        sharpes = [one for trial in complete if (one := tune_score.score(trial.folds)["sharpe"]) is not None]
        found["deflated"] = tune_score.deflated(tune_score.score(winner.folds), sharpes)
        found["walk_forward"] = _walk_forward(plan, complete, winner, tested)
    return found


def _both(plan: Plan, train: Sequence[Fold], test: Sequence[Fold] | None) -> dict[str, Any]:
    return {"train": tune_score.score(train), "test": tune_score.score(test) if test else None}


def _walk_forward(plan: Plan, trials: Sequence[Trial], winner: Trial, tested: Sequence[Fold] | None) -> list[dict[str, Any]]:
    steps = []
    for fold in plan.train[1:]:
        chosen = best(plan, trials, range(fold))
        if chosen is not None:
            steps.append(_step(fold, chosen, chosen.folds[:fold], chosen.folds[fold], False))
    for place, fold in enumerate(plan.unseen if tested else ()):
        steps.append(_step(fold, winner, winner.folds, tested[place], True))
    return steps


def _step(fold: int, chosen: Trial, before: Sequence[Fold], then: Fold, is_unseen: bool) -> dict[str, Any]:
    return {"fold": fold + 1, "trial": chosen.index, "is_unseen": is_unseen, "before": tune_score.score(before)["profit"],
            "then": then.profit_percent, "drawdown": then.drawdown_percent, "fills": then.fills}


def _where(trial: Trial) -> tuple[float, float]:
    found = tune_score.score(trial.folds)
    return found["profit"], found["drawdown"]


def _point(trial: Trial) -> dict[str, Any]:
    profit, drawdown = _where(trial)
    return {"trial": trial.index, "profit": profit, "drawdown": drawdown, "settings": trial.params}


#
# Text
#
def lines(found: dict[str, Any]) -> list[str]:
    """The result for people."""
    states = found["states"]
    text = [f"Study {found['study']}: {found['trials']} trials ({', '.join(f'{states[name]} {name}' for name in sorted(states))}), "
            f"objective {found['objective']}, seed {found['seed']}, batches of {found['batch']}.",
            f"Market: {found['source']}; {found['folds'] - found['tests']} folds searched, {found['tests']} kept for the test."]
    if found["source"].startswith("lively"):
        text += wrapped("Note: the lively market pays every wide ladder. What is found there is a demonstration, and nothing else.")
    text += [f"  {count} x {reason}" for reason, count in sorted(found["reasons"].items(), key=lambda pair: (-pair[1], pair[0]))]
    winner = found["winner"]
    if winner is None:
        return text + ["", "No trial could be judged: nothing is written. Widen the space, or let the folds last longer."]
    text += ["", f"Winner: trial {winner['trial']}"] + [f"  {name} = {base.show(value)}" for name, value in winner["settings"].items()]
    text += ["", *_table(found), "", *_steps(found), ""]
    return text + [line for sentence in (*verdicts(found), luck(found)) for line in wrapped(sentence)]


def verdicts(found: dict[str, Any]) -> list[str]:
    """What speaks against the winner on the folds it was not chosen on, as sentences."""
    test, before = found["winner"]["test"], (found["as_they_are"] or {}).get("test")
    if test is None:
        return ["WARNING. What the winner makes of the folds kept for the test is not known: its runs there broke."]
    said = []
    if test["profit"] <= 0:
        said.append("WARNING. The winner earns nothing on the folds it was not chosen on.")
    if before is not None and test["profit"] <= before["profit"]:
        said.append("WARNING. There it does no better than the settings as they are.")
    return said


def luck(found: dict[str, Any]) -> str:
    """What the deflated Sharpe ratio says, in words."""
    known = found["deflated"]
    if known is None:
        return "Overfitting: no deflated Sharpe ratio can be given (it takes two trials with one, and 30 changes of equity)."
    text = (f"Overfitting: of {known['trials']} worthless trials the best would show a Sharpe ratio of {known['expected_by_luck']:+.3f} per interval; "
            f"the winner shows {known['sharpe']:+.3f} over {known['changes']} intervals (skew {known['skew']:.1f}, kurtosis {known['kurtosis']:.1f}). "
            f"Deflated Sharpe ratio: {known['probability']:.2f}, the chance that it is more than luck")
    if known["probability"] < CONVINCING:
        return f"WARNING. {text}; below {CONVINCING}, so take the winner for a lucky one until more data say otherwise."
    return text + "."


def _table(found: dict[str, Any]) -> list[str]:
    """Winner and settings as they are, on both kinds of folds."""
    rows = [["", "profit", "drawdown", "Sharpe/interval", "fills", "requests/min"]]
    for who, name in (("winner", "winner"), ("as they are", "as_they_are")):
        for part, words in (("train", "searched"), ("test", "unseen")):
            score = (found[name] or {}).get(part)
            if score is not None:
                sharpe = "-" if score["sharpe"] is None else f"{score['sharpe']:+.3f}"
                rows.append([f"{who}, {words} folds", f"{score['profit']:+.4f} %", f"{score['drawdown']:.4f} %", sharpe, str(score["fills"]),
                             f"{score['requests']:.1f}"])
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return ["  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
            for row in rows]


def _steps(found: dict[str, Any]) -> list[str]:
    text = ["Walk-forward (the best over the folds before, then on the fold itself; profit a fold):"]
    for step in found["walk_forward"]:
        text.append(f"  fold {step['fold']}: trial {step['trial']:3d}  {step['before']:+9.4f} % before, {step['then']:+9.4f} % then"
                    f"{'   (unseen by the search)' if step['is_unseen'] else ''}")
    return text


def wrapped(text: str, width: int = 120) -> list[str]:
    """The text in lines of at most `width`."""
    made = [""]
    for word in text.split():
        if made[-1] and len(made[-1]) + 1 + len(word) > width:
            made.append("")
        made[-1] += (" " if made[-1] else "") + word
    return made


#
# The settings file
#
def settings_text(found: dict[str, Any], command: str) -> str:
    """A settings file with the winner: what differs from the defaults, and where it comes from."""
    winner = found["winner"]
    test, train = winner["test"], winner["train"]
    comment = [f"Settings found by: {command}",
               f"Study {found['study']}, trial {winner['trial']} of {found['trials']}, objective {found['objective']}, seed {found['seed']}, "
               f"batches of {found['batch']}.",
               f"Market: {found['source']}.",
               f"On the folds it was chosen on: profit {train['profit']:+.4f} % a fold, drawdown {train['drawdown']:.4f} %, {train['fills']} fills."]
    if test is not None:
        comment.append(f"On folds the search never saw: profit {test['profit']:+.4f} % a fold, drawdown {test['drawdown']:.4f} %, "
                       f"{test['fills']} fills.")
    before = (found["as_they_are"] or {}).get("test")
    if before is not None:
        comment.append(f"The settings before, there: profit {before['profit']:+.4f} % a fold, drawdown {before['drawdown']:.4f} %.")
    comment += [*verdicts(found), luck(found), "Run it with: marketmaker --settings THIS_FILE. What is not named here has its default."]
    text = [f"# {line}".rstrip() for sentence in comment for line in wrapped(sentence, 116)]
    text += ["", f"SYMBOL = {base.show(found['symbol'])}"]
    text += [f"{name} = {base.show(value)}" for name, value in winner["all_settings"].items()]
    return "\n".join(text) + "\n"


def write_new(path: str, text: str) -> None:
    """Write a file that must not be there yet. Raises MarketMakerError."""
    try:
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise errors.MarketMakerError(f"{path} is there already and was left as it is.") from None
    except OSError as error:
        raise errors.MarketMakerError(f"{path} could not be written: {error.strerror}.") from None
