"""The page: one HTML file that holds its style, its script, plotly's library and all data, and fetches nothing.

Rules:

* Whatever comes from a journal is escaped (marks). Data go into JSON that no script runs, `<` written so that it cannot end it.
* Nothing is fetched: the page's own policy forbids the browser to.
* A chart without anything to draw is a sentence, never an empty pair of axes.
* Texts went through redaction when they were read (material); the whole page does so once more, but for plotly's own library.
"""

import json

from plotly.offline import get_plotlyjs

from market_maker.backtest.report import bars, charts, tables, texts, tiles
from market_maker.backtest.report.look import STYLE
from market_maker.backtest.report.marks import e, nothing, panel, small
from market_maker.backtest.report.remarks import STATES
from market_maker.backtest.report.script import SCRIPT
from market_maker.utils import constants, log

# name of a chart -> its title and what is said where there is nothing to draw
NOTHING = {
    "profit": ("Profit", "The balance never changed during this run, or none was told: there is no curve to draw."),
    "drawdown": ("Drawdown", "The balance never fell below an earlier one."),
    "quotes": ("Quotes and fills", "No touch was seen during this run: there is no market to draw."),
    "position": ("Position", "Nothing was ever held."),
    "split": ("Where the profit came from", "No profit and no loss: there is nothing to split."),
    "markouts": ("What became of the fills", "No order was filled, so nothing can be said about what happens after a fill."),
    "compared": ("Profit, run by run", "No balance was told in any of these runs."),
}
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
{body}
<footer>Made by marketmaker {version} on {made} UTC. This page needs nothing but itself. Times are UTC; drag in a chart to zoom,
double-click to see all again.</footer>
<noscript><p>The charts need JavaScript; the figures do not.</p></noscript>
</main>
{specs}
"""


def page(materials, made_at):
    """The page as text. materials -- one run or several; made_at -- Unix seconds."""
    symbols = ", ".join(sorted(set(str(material.figures["symbol"]) for material in materials)))
    title = f"{symbols} – {materials[0].name if len(materials) == 1 else f'{len(materials)} runs'}"
    specs = []
    body = _one(materials[0], 0, specs) if len(materials) == 1 else _several(materials, specs)
    own = {"version": e(constants.VERSION), "made": texts.moment(made_at)}
    text = TEMPLATE.format(title=e(title), policy=POLICY, style=STYLE, body=body, specs="\n".join(specs), **own)
    return f"{log.redact(text)}<script>{get_plotlyjs()}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"


def _one(material, place, specs):
    parts = (_head(material), tiles.total(material), tiles.others(material.figures), _charts(material, place, specs))
    below = (tables.figures([material]), tables.reading(material), tables.notes(material), tables.settings(material))
    return "\n".join(parts + below)


def _several(materials, specs):
    names = e(", ".join(material.name for material in materials))
    parts = [
        f'<header><h1>{len(materials)} runs side by side</h1></header><p class="when">{names}</p>',
        _drawn(bars.compared(materials), "compared", "all", specs),
        tables.differences(materials),
        tables.figures(materials),
    ]
    for place, material in enumerate(materials):
        found = material.figures
        told = f"{found['symbol']}, {STATES[found['state']]}, {texts.money(found['profit'], material.code)}"
        summary = f'<summary>{e(material.name)} <span class="muted">{e(told)}</span></summary>'
        parts.append(f'<details class="run">{summary}{_one(material, place, specs)}</details>')
    return "\n".join(parts)


def _head(material):
    found = material.figures
    alert = "" if found["state"] == "over" else " alert"
    badges = f'<span class="badge">{e(found["kind"])}</span><span class="badge{alert}">{STATES[found["state"]]}</span>'
    when = f"{texts.period(found['started'], found['ended'])} ({texts.length(found['seconds'])}), run {material.name}"
    return f'<header><h1>{e(found["symbol"])}</h1>{badges}</header>\n<p class="when">{e(when)}</p>'


def _charts(material, place, specs):
    made = {name: _drawn(draw(material), name, place, specs) for name, draw in charts.OF_ONE_RUN}
    pair = f'<div class="pair">{made["split"]}{made["markouts"]}</div>'
    return "\n".join([made["profit"], made["quotes"], made["position"], pair, made["drawdown"]])


def _drawn(chart, name, place, specs):
    """A panel with the chart, whose data are added to `specs`, or with what there is to say instead."""
    if chart is None:
        title, words = NOTHING[name]
        return panel(title, nothing(words))
    key = f"spec-{name}-{place}"
    data = json.dumps(chart.spec, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    specs.append(f'<script type="application/json" id="{key}">{data}</script>')
    time = f' data-time="{place}"' if chart.is_time else ""
    told = f'role="img" aria-label="{e(chart.title)}"'
    where = f'<div class="chart" id="{name}-{place}" {told} data-spec="{key}"{time} style="height:{chart.height}px"></div>'
    return panel(chart.title, small(chart.note), where)
