"""Draws the figures of `marketmaker preview` as a picture: the ladder, what the market running through it would do, what each pair earns.

Without a display: figures are drawn by Agg or as SVG, never on a screen. The same figures give the same picture.
"""
from __future__ import annotations

import textwrap
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from market_maker import contracts, forecast, status
from market_maker.utils import errors

BUY, SELL, INK, FAINT, WARNING = "#1f7a4d", "#b3402e", "#24292f", "#8c959f", "#9a6700"
STYLE = {"font.size": 9, "font.family": ["DejaVu Sans"], "svg.hashsalt": "preview", "axes.edgecolor": FAINT, "text.color": INK,
          "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}


def save(found: dict[str, Any], row: dict[str, Any], path: str) -> None:
    """Write the picture to `path`, whose ending says the kind; an existing file is replaced. Raises MarketMakerError when it cannot be written."""
    with matplotlib.rc_context(STYLE):
        figure = draw(found, row)
        try:
            figure.savefig(path, dpi=130, facecolor="white", metadata={"Date": None} if path.lower().endswith(".svg") else None)
        except OSError as error:
            raise errors.MarketMakerError(f"{path} could not be written: {error.strerror or error}.") from None


def draw(found: dict[str, Any], row: dict[str, Any]) -> Figure:
    """The picture as a matplotlib Figure."""
    figure = Figure(figsize=(12, 7.2))
    grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1), left=0.075, right=0.975, top=0.86, bottom=0.2, wspace=0.2, hspace=0.55)
    _ladder(figure.add_subplot(grid[:, 0]), found, row)
    _run_through(figure.add_subplot(grid[0, 1]), found, row)
    _round_trips(figure.add_subplot(grid[1, 1]), found)
    figure.text(0.075, 0.945, f"The ladder of {found['symbol']}", fontsize=16, fontweight="bold")
    figure.text(0.075, 0.912, _subtitle(found), color=FAINT)
    _foot(figure, found)
    return figure


def _ladder(axes, found, row) -> None:
    digits = row["tickLog"]
    largest = max((level["size"] for level in found["buys"] + found["sells"]), default=1)
    height = _step(found) * 0.62
    for side, color in (("sells", SELL), ("buys", BUY)):
        for level in found[side]:
            axes.barh(level["price"], level["placed"], height=height, color=color, zorder=2)
            if level["placed"] < level["size"]:
                axes.barh(level["price"], level["size"] - level["placed"], left=level["placed"], height=height, color=color, alpha=0.2, zorder=2)
            axes.annotate(f"{level['price']:.{digits}f}   {100 * level['distance']:+.2f} %", (level["size"], level["price"]), xytext=(6, 0),
                          textcoords="offset points", va="center", color=color, fontsize=8)
    axes.axhspan(found["bid"], found["ask"], color=FAINT, alpha=0.5, zorder=1)
    axes.axhline(found["mid"], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    axes.annotate(f"the touch {found['bid']:.{digits}f} / {found['ask']:.{digits}f}", (largest * 1.34, found["ask"]), xytext=(0, 4),
                  textcoords="offset points", ha="right", fontsize=8)
    axes.set_xlim(0, largest * 1.36)
    axes.set_xlabel("size, contracts")
    axes.set_ylabel("price")
    axes.set_title("Where the orders stand", loc="left", fontweight="bold")
    _plain(axes, row)


def _run_through(axes, found, row) -> None:
    """What the account has made when the market stands at a level and all before it has been filled."""
    unit = found["currency"]["unit"]
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.axvline(found["mid"], color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    for side, color in (("buys", BUY), ("sells", SELL)):
        levels = [level for level in reversed(found[side]) if level["filled"]]
        results = [contracts.in_whole(level["filled"]["result"], unit) for level in levels]
        axes.plot([level["price"] for level in levels], results, "o-", color=color, markersize=4, linewidth=1.6)
        if levels:
            filled = levels[-1]["filled"]
            is_buy = side == "buys"
            axes.annotate(_end_of_side(filled, row), (found["mid"], 0.06), xycoords=("data", "axes fraction"), xytext=(-8 if is_buy else 8, 0),
                          textcoords="offset points", ha="right" if is_buy else "left", va="bottom", color=color, fontsize=8)
    axes.margins(x=0.05, y=0.15)
    axes.set_ylabel(f"made, {found['currency']['name']}")
    axes.set_xlabel("the market goes to")
    axes.set_title("If the market runs through one side", loc="left", fontweight="bold")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda price, _: f"{price:g}"))
    _tidy(axes)


def _round_trips(axes, found) -> None:
    unit, digits = found["currency"]["unit"], found["currency"]["digits"]
    axes.axhline(0, color=FAINT, linewidth=0.8)
    highest = max((abs(pair["fraction"]) for pair in found["pairs"]), default=1) or 1
    for pair in found["pairs"]:
        share = 100 * pair["fraction"]
        axes.bar(pair["pair"], share, width=0.62, color=BUY if share > 0 else SELL, zorder=2)
        if len(found["pairs"]) <= 10:
            axes.annotate(f"{share:+.3g} %\n{contracts.in_whole(pair['net'], unit):+.{min(digits, 6)}f}", (pair["pair"], max(share, 0)),
                          xytext=(0, 4), textcoords="offset points", ha="center", fontsize=8)
    axes.set_ylim(min(0, 100 * min((pair["fraction"] for pair in found["pairs"]), default=0)) * 1.1, 135 * highest)
    axes.set_xticks([pair["pair"] for pair in found["pairs"]] if len(found["pairs"]) <= 20 else [])
    axes.set_xlabel("pair, 1 is the inner one")
    axes.set_ylabel("net, % of the buy")
    axes.set_title(f"What a round trip earns after fees (%, and {found['currency']['name']})", loc="left", fontweight="bold")
    _tidy(axes)


def _foot(figure, found) -> None:
    lines = [(f"Fees: maker {status.percent(found['maker_fee'])}, taker {status.percent(found['taker_fee'])}.  Source: {found['source']}.", FAINT)]
    needed = found["requests"]
    if needed is not None and not any(warning.startswith("Forecast") for warning in found["warnings"]):
        lines.append((forecast.line(needed["ordinary"], needed["wild"], needed["allowed"])[0], FAINT))
    lines += [("Warning: " + warning, WARNING) for warning in found["warnings"]]
    place = 0.115
    for text, color in lines:
        for part in textwrap.wrap(text, 165):
            figure.text(0.075, place, part, color=color, fontsize=8)
            place -= 0.022


def _subtitle(found) -> str:
    settings, sums, name = found["settings"], found["all"], found["currency"]["name"]
    margin = contracts.in_whole(sums["margin"], found["currency"]["unit"])
    text = (f"{settings['ORDER_PAIRS']} pairs, INTERVAL {100 * settings['INTERVAL']:g} %, MIN_SPREAD {100 * settings['MIN_SPREAD']:g} %; "
            f"in all {sums['buys']} to buy and {sums['sells']} to sell, margin {margin:.6f} {name}")
    return text + (f" ({100 * sums['share']:.1f} % of the balance)" if sums["share"] is not None else "")


def _end_of_side(filled, row) -> str:
    """What is held when a whole side is filled, in a few short lines."""
    if filled["entry"] is None:
        return "flat"
    text = f"{filled['position']:+d} contracts\nat {filled['entry']:.{row['tickLog']}f}"
    if filled["share"] is not None:
        text += f"\nmargin {100 * filled['share']:.1f} % of the balance"
    if filled["liquidation"] is not None:
        text += f"\nliquidated at about {filled['liquidation']:.{row['tickLog']}f}"
    return text


def _step(found) -> float:
    """The smallest distance between two levels of a side, in price."""
    gaps = [abs(one["price"] - other["price"]) for side in ("buys", "sells") for one, other in zip(found[side], found[side][1:], strict=False)]
    return min((gap for gap in gaps if gap), default=found["mid"] * 0.001)


def _plain(axes, row) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda price, _: f"{price:.{row['tickLog']}f}"))
    _tidy(axes)


def _tidy(axes) -> None:
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    axes.grid(axis="y", color=FAINT, alpha=0.2, zorder=0)
    axes.tick_params(length=3)
