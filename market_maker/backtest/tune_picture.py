"""Draws the trials of a study as profit against drawdown, with the front of those that no other beats in both, the winner and what it
did on the folds the search never saw. Without a display."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from market_maker.utils import errors

from . import tune_report, tune_score
from .ladder_picture import BUY, FAINT, INK, SELL, STYLE, WARNING
from .tune_study import Trial

TRIAL, FRONT = "#6e9fc4", "#0969da"


def save(found: dict[str, Any], trials: Sequence[Trial], path: str) -> None:
    """Write the picture to `path` (.png or .svg); an existing one is replaced. Raises MarketMakerError when it cannot be written."""
    with matplotlib.rc_context(STYLE):
        try:
            draw(found, trials).savefig(path, dpi=120, facecolor="white", metadata={"Date": None} if path.lower().endswith(".svg") else None)
        except OSError as error:
            raise errors.MarketMakerError(f"{path} could not be written: {error.strerror or error}.") from None


def draw(found: dict[str, Any], trials: Sequence[Trial]) -> Figure:
    """The picture as a matplotlib Figure."""
    figure = Figure(figsize=(9, 6.2))
    axes = figure.add_axes((0.1, 0.2, 0.86, 0.62))
    scores = [tune_score.score(trial.folds) for trial in trials if trial.values is not None]
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=1)
    axes.scatter([score["drawdown"] for score in scores], [score["profit"] for score in scores], s=26, color=TRIAL, alpha=0.75,
                 label=f"{len(scores)} trials, searched folds", zorder=2)
    front = found["pareto"]
    axes.plot([point["drawdown"] for point in front], [point["profit"] for point in front], color=FRONT, linewidth=1.4, marker="o", markersize=5,
              label="beaten by none in both", zorder=3)
    _marked(axes, found["winner"], "winner", BUY)
    _marked(axes, found["as_they_are"], "settings as they are", SELL)
    axes.set_xlabel("drawdown, the largest of the folds, %")
    axes.set_ylabel("profit, mean of the folds, %")
    axes.margins(x=0.05, y=0.12)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    axes.grid(color=FAINT, alpha=0.2, zorder=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(0.09, 0.885), ncols=3, frameon=False, fontsize=8)
    figure.text(0.1, 0.945, f"Profit against drawdown, {found['symbol']}", fontsize=14, fontweight="bold", color=INK)
    figure.text(0.1, 0.905, f"study {found['study']}, objective {found['objective']}, {found['source']}", color=FAINT, fontsize=8)
    text = " ".join([*(tune_report.verdicts(found) if found["winner"] else ()), tune_report.luck(found)])
    for place, line in enumerate(tune_report.wrapped(text, 140)):
        figure.text(0.1, 0.095 - 0.027 * place, line, color=WARNING if "WARNING" in text else INK, fontsize=8)
    return figure


def _marked(axes: Any, both: dict[str, Any] | None, name: str, color: str) -> None:
    """A star where it stands on the searched folds, a hollow one on those the search never saw, and a line between."""
    if both is None:
        return
    train, test = both["train"], both["test"]
    axes.scatter([train["drawdown"]], [train["profit"]], s=170, marker="*", color=color, label=f"{name}, searched folds", zorder=5)
    if test is not None:
        axes.plot([train["drawdown"], test["drawdown"]], [train["profit"], test["profit"]], color=color, linewidth=0.8, linestyle=(0, (4, 3)),
                  zorder=4)
        axes.scatter([test["drawdown"]], [test["profit"]], s=170, marker="*", facecolor="white", edgecolor=color, linewidth=1.3,
                     label=f"{name}, unseen folds", zorder=5)
