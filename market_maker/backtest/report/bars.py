"""The charts that are not over the time of one run: the profit as a sum, the mark-outs, and several runs beside each other.

Like charts.py: each returns a Chart, or None where there is nothing to draw.
"""

import numpy as np

from market_maker.backtest.report import plot, texts
from market_maker.backtest.report.plot import PARTS, Chart

RUN_COLOURS = ("@run1", "@run2", "@run3", "@run4", "@run5", "@run6")
DASHES = ("solid", "dash", "dot", "dashdot")


def split(material):
    """Spread, inventory, fees, funding and their sum, as a waterfall."""
    found = material.figures["split"]
    if found is None or not any(found.values()):
        return None
    values = [float(material.whole(found[name])) for name, _ in PARTS] + [float(material.whole(material.figures["profit"]))]
    bottoms = [0.0, *np.cumsum(values[:3]).tolist(), 0.0]
    labels = ["Spread", "Inventory", "Fees", "Funding", "<b>Profit</b>"]
    colours = [f"@{name}" for name, _ in PARTS] + ["@ink"]
    digits = min(8, max(0, 2 - int(np.floor(np.log10(max(abs(value) for value in values))))))
    words, exact = (
        [texts.number(value, digits, True) for value in values],
        [texts.money(units, material.code) for units in [*found.values(), material.figures["profit"]]],
    )
    data = [
        {
            "type": "bar",
            "x": labels,
            "y": plot.money(values),
            "base": plot.money(bottoms),
            "marker": {"color": colours},
            "text": words,
            "customdata": exact,
            "width": 0.62,
            "textposition": "outside",
            "textfont": {"size": 12, "color": "@ink"},
            "constraintext": "none",
            "cliponaxis": False,
            "hovertemplate": "%{x}: %{customdata}<extra></extra>",
        }
    ]
    layout = plot.layout(material.unit, showlegend=False)
    layout["yaxis"].update(tickformat=".6~f", zeroline=True)
    ends = np.cumsum(values[:4]).tolist()
    layout["shapes"] = [
        {
            "type": "line",
            "xref": "x",
            "yref": "y",
            "x0": place + 0.31,
            "x1": place + 0.69,
            "y0": plot.short(ends[place]),
            "y1": plot.short(ends[place]),
            "line": {"color": "@muted", "width": 1, "dash": "dot"},
        }
        for place in range(4)
    ]
    return Chart(
        "Where the profit came from",
        "Each bar starts where the one before it ended; together they are the profit.",
        {"data": data, "layout": layout},
        340,
        False,
    )


def markouts(material):
    """Mark-outs by side and horizon, with one standard error."""
    found = material.figures["markouts"]
    if not found[0]["count"]:
        return None
    horizons = sorted(found)
    labels = ["at the fill" if not seconds else f"after {seconds} s" for seconds in horizons]
    data = []
    for side, label, colour in (("buy", "Bought", "@buy"), ("sell", "Sold", "@sell")):
        made = [found[seconds][side] for seconds in horizons]
        if not any(one["count"] for one in made):
            continue
        data.append({
            "type": "bar", "name": label, "x": labels, "y": [plot.short(one["bps"], 3) for one in made], "marker": {"color": colour},
            "error_y": {"type": "data", "array": [plot.short(one["bps_error"], 3) or 0 for one in made], "color": "@muted",
                        "thickness": 1.2, "width": 4},
            "text": [_words(one, material.code) for one in made],
            "textposition": "none", "hovertemplate": f"{label}, %{{x}}:<br>%{{text}}<extra></extra>",
        })  # fmt: skip
    layout = plot.layout("basis points")
    layout.update(barmode="group", bargap=0.35, bargroupgap=0.08)
    layout["yaxis"].update(zeroline=True, hoverformat="+.2f")
    return Chart(
        "What became of the fills",
        "Mean distance of the mid from the price of a fill, in our favour, at the fill and later; lines are one standard error. "
        "What is lost after the fill is adverse selection.",
        {"data": data, "layout": layout},
        340,
        False,
    )


def _words(made, code):
    counted = f"{texts.plural(made['count'], 'fill')}, {texts.money(made['money'], code)} in all"
    return f"{texts.bps(made['bps'], made['bps_error'])}<br>{counted}"


def compared(materials):
    """The profits of several runs over the time since each began."""
    data = []
    for place, material in enumerate(materials):
        made = material.profit
        if made is not None and len(made["at"]) > 1:
            minutes = plot.rounded((made["at"] - made["at"][0]) / 60, 3)
            trace = plot.line(minutes, plot.money(made["profit"]), material.name, RUN_COLOURS[place % len(RUN_COLOURS)], width=2)
            trace["line"]["dash"] = DASHES[place // len(RUN_COLOURS) % len(DASHES)]
            data.append(trace)
    if not data:
        return None
    units = sorted(set(material.unit for material in materials))
    layout = plot.layout(" / ".join(units), hovermode="x unified")
    layout["xaxis"].update(title={"text": "minutes since the start of each run", "font": {"size": 12}}, showgrid=True)
    layout["yaxis"].update(tickformat=".6~f", hoverformat="+.8~f")
    return Chart(
        "Profit, run by run", "Each from its own start; the legend switches runs on and off.", {"data": data, "layout": layout}, 400, False
    )
