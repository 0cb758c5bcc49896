"""What all charts of the page share: axes, legends, lines, and numbers made fit for JSON.

Colours are names of the page's palette (`@buy`, `@buy/0.2` with opacity): the page puts in those of its scheme, light or dark.
"""

from collections import namedtuple

import numpy as np

from market_maker.backtest.report.look import FONTS

# title, note -- for people; spec -- {'data', 'layout'} as plotly has them; height -- pixels; is_time -- whether x is time: such charts zoom
# together
Chart = namedtuple("Chart", "title note spec height is_time")
PARTS = (("spread", "Spread captured"), ("inventory", "Inventory"), ("fees", "Fees"), ("funding", "Funding"))


def layout(unit, span=None, **more):
    """span -- (start, end) in seconds of a chart over time."""
    axis = {
        "gridcolor": "@line",
        "linecolor": "@line",
        "zerolinecolor": "@muted",
        "zerolinewidth": 1,
        "tickfont": {"size": 12},
        "automargin": True,
    }
    made = {
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": "@muted", "size": 13, "family": FONTS},
        "margin": {"l": 12, "r": 12, "t": 8, "b": 8},
        "hoverlabel": {"bgcolor": "@panel", "bordercolor": "@line", "font": {"color": "@ink", "size": 13, "family": FONTS}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"color": "@ink", "size": 12.5},
                   "bgcolor": "rgba(0,0,0,0)", "traceorder": "normal"},
        "xaxis": dict(axis, showgrid=False, **({"type": "date", "range": times(span)} if span else {})),
        "yaxis": dict(axis, title={"text": unit, "standoff": 8, "font": {"size": 12}}, zeroline=False, fixedrange=bool(span)),
        "dragmode": "zoom",
    }  # fmt: skip
    return dict(made, **more)


def line(at, values, label, colour, width):
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label,
        "x": at,
        "y": values,
        "line": {"color": colour, "width": width, "shape": "hv"},
    }


def trace(at, values, digits, label):
    return {"type": "scatter", "name": label, "x": times(at), "y": rounded(values, digits)}


def level(value):
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": {"color": "@muted", "width": 1, "dash": "dot"},
    }


def times(at):
    return np.rint(np.asarray(at) * 1000).astype(np.int64).tolist()


def rounded(values, digits):
    """A list for JSON: NaN becomes None."""
    values = np.asarray(values, dtype=float)
    return [None if value != value else value for value in np.round(values, digits).tolist()]


def money(values):
    return rounded(values, 9)


def short(value, digits=9):
    return None if value is None else round(value, digits)
