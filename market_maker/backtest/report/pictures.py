"""The charts as PNG files, for mails, chats and documents: matplotlib without a screen, in the page's light palette.

A chart without anything to draw is left out. Files are overwritten.
"""

import os

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from market_maker.backtest.report import texts
from market_maker.backtest.report.look import LIGHT
from market_maker.backtest.report.plot import PARTS

DPI = 110
RUNS = [LIGHT[f"run{number}"] for number in range(1, 7)]


def write(materials, folder):
    """Write all pictures of these runs into an existing folder; their paths. Raises OSError where that cannot be done."""
    made = []
    for place, material in enumerate(materials):
        prefix = f"{place + 1}-" if len(materials) > 1 else ""
        for name, title, draw, height in OF_ONE_RUN:
            made += _save(
                os.path.join(folder, f"{prefix}{name}.png"),
                f"{title}, {material.figures['symbol']} {material.name}",
                height,
                draw,
                material,
            )
    if len(materials) > 1:
        made += _save(os.path.join(folder, "compared.png"), "Profit, run by run", 4.2, _compared, materials)
    return made


def _save(path, title, height, draw, material):
    figure = Figure(figsize=(10, height), dpi=DPI, facecolor=LIGHT["panel"], layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.2, h_pad=0.2)
    axes = figure.add_subplot()
    axes.set_facecolor(LIGHT["panel"])
    if draw(axes, material) is False:
        return []
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=LIGHT["ink"], pad=26)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LIGHT["line"])
    axes.tick_params(colors=LIGHT["muted"], labelsize=9, length=0)
    axes.yaxis.label.set_color(LIGHT["muted"])
    axes.xaxis.label.set_color(LIGHT["muted"])
    axes.grid(axis="y", color=LIGHT["line"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    if axes.get_legend_handles_labels()[0]:
        place = {"loc": "lower left", "bbox_to_anchor": (-0.005, 1.0), "borderaxespad": 0.2}
        axes.legend(**place, fontsize=9, frameon=False, ncols=6, labelcolor=LIGHT["ink"])
    figure.savefig(path)
    return [path]


def _over_time(axes, material):
    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_xlim(_dates(material.span))


def _equity(axes, material):
    made = material.profit
    if made is None or not made["profit"].any():
        return False
    for name, label in PARTS:
        if made[name].any():
            axes.step(_dates(made["at"]), made[name], where="post", label=label, color=LIGHT[name], linewidth=1.2)
    axes.step(_dates(made["at"]), made["profit"], where="post", label="Profit", color=LIGHT["ink"], linewidth=2)
    axes.set_ylabel(material.unit)
    _over_time(axes, material)


def _drawdown(axes, material):
    made = material.profit
    if made is None or not made["drawdown"].any():
        return False
    axes.fill_between(_dates(made["at"]), made["drawdown"], step="post", color=LIGHT["sell"], alpha=0.3, linewidth=0)
    axes.step(_dates(made["at"]), made["drawdown"], where="post", color=LIGHT["sell"], linewidth=1)
    axes.set_ylabel(material.unit)
    _over_time(axes, material)


def _position(axes, material):
    made = material.position
    if not material.figures["fills"] and not made["held"].any():
        return False
    axes.fill_between(_dates(made["at"]), made["held"], step="post", color=LIGHT["inventory"], alpha=0.25, linewidth=0)
    axes.step(_dates(made["at"]), made["held"], where="post", color=LIGHT["inventory"], linewidth=1.3)
    axes.axhline(0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_ylabel("contracts")
    _over_time(axes, material)


def _quotes(axes, material):
    quotes = material.quotes
    if not len(quotes["bid"][0]):
        return False
    for name, label, colour, width in (
        ("bid", "Market", "touch", 0.8),
        ("ask", None, "touch", 0.8),
        ("own_bid", "Our best bid", "buy", 1.1),
        ("own_ask", "Our best ask", "sell", 1.1),
    ):
        at, values = quotes[name]
        axes.step(_dates(at), values, where="post", label=label, color=LIGHT[colour], linewidth=width, alpha=0.8)
    fills = material.fills
    for sign, label, marker, colour in ((1, "Bought", "^", "buy"), (-1, "Sold", "v", "sell")):
        chosen = np.sign(fills["quantity"]) == sign
        if chosen.any():
            axes.scatter(
                _dates(fills["at"][chosen]),
                fills["price"][chosen],
                marker=marker,
                s=26,
                color=LIGHT[colour],
                edgecolors=LIGHT["panel"],
                linewidths=0.5,
                label=label,
                zorder=3,
            )
    axes.set_ylabel(material.quote_currency)
    _over_time(axes, material)


def _split(axes, material):
    found = material.figures["split"]
    if found is None or not any(found.values()):
        return False
    values = np.array([float(material.whole(found[name])) for name, _ in PARTS])
    bottoms = np.concatenate([[0.0], np.cumsum(values)[:-1], [0.0]])
    heights = np.append(values, values.sum())
    bars = axes.bar(
        ["Spread", "Inventory", "Fees", "Funding", "Profit"],
        heights,
        bottom=bottoms,
        width=0.6,
        color=[LIGHT[name] for name, _ in PARTS] + [LIGHT["ink"]],
    )
    words = [texts.money(units, material.code) for units in [*found.values(), material.figures["profit"]]]
    axes.bar_label(bars, words, padding=3, fontsize=9, color=LIGHT["ink"])
    axes.use_sticky_edges = False  # room for the figures above and below the bars
    axes.margins(y=0.14)
    axes.axhline(0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_ylabel(material.unit)


def _markouts(axes, material):
    found = material.figures["markouts"]
    if not found[0]["count"]:
        return False
    horizons = sorted(found)
    for shift, side, label in ((-0.18, "buy", "Bought"), (0.18, "sell", "Sold")):
        made = [found[seconds][side] for seconds in horizons]
        axes.bar(
            np.arange(len(horizons)) + shift,
            [one["bps"] or 0.0 for one in made],
            0.34,
            yerr=[one["bps_error"] or 0.0 for one in made],
            label=label,
            color=LIGHT[side],
            ecolor=LIGHT["muted"],
            capsize=3,
        )
    axes.set_xticks(range(len(horizons)), ["at the fill" if not seconds else f"after {seconds} s" for seconds in horizons])
    axes.axhline(0, color=LIGHT["muted"], linewidth=0.8)
    axes.margins(y=0.14)
    axes.set_ylabel("basis points")


def _compared(axes, materials):
    drawn = False
    for place, material in enumerate(materials):
        made = material.profit
        if made is not None and len(made["at"]) > 1:
            axes.step(
                (made["at"] - made["at"][0]) / 60,
                made["profit"],
                where="post",
                label=material.name,
                color=RUNS[place % len(RUNS)],
                linestyle=("-", "--", ":", "-.")[place // len(RUNS) % 4],
                linewidth=1.7,
            )
            drawn = True
    axes.set_xlabel("minutes since the start of each run")
    axes.set_ylabel(" / ".join(sorted(set(material.unit for material in materials))))
    return drawn


def _dates(at):
    return np.asarray(np.rint(np.asarray(at) * 1000), dtype="datetime64[ms]")


OF_ONE_RUN = (
    ("equity", "Profit and what it is made of", _equity, 4.2),
    ("position", "Position", _position, 3.2),
    ("quotes", "Quotes and fills", _quotes, 5.2),
    ("split", "Where the profit came from", _split, 4.2),
    ("markouts", "What became of the fills", _markouts, 4.2),
    ("drawdown", "Drawdown", _drawdown, 2.8),
)
