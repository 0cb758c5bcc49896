"""The charts over the time of a run, as plotly's own JSON: data and layout, made without drawing anything.

Rules:

* Every chart is a function of a Material that returns a Chart, or None where there is nothing to draw; then the page says so in words.
* Times are milliseconds UTC; prices and money are rounded to what can be seen, to keep the page small.
"""

import numpy as np

from market_maker.backtest.report import bars, plot, texts
from market_maker.backtest.report.plot import PARTS, Chart


def profit(material):
    """Profit since the start, and what it is made of."""
    made = material.profit
    if made is None or not made["profit"].any():
        return None
    at = plot.times(made["at"])
    data = [plot.line(at, plot.money(made[name]), label, f"@{name}", width=1.4) for name, label in PARTS if made[name].any()]
    data.append(plot.line(at, plot.money(made["profit"]), "Profit", "@ink", width=2.6))
    layout = plot.layout(material.unit, material.span, hovermode="x unified")
    layout["yaxis"].update(tickformat=".6~f", hoverformat="+.8~f")
    return Chart(
        "Profit and what it is made of",
        "Spread captured, inventory, fees and funding add up to the profit at every moment.",
        {"data": data, "layout": layout},
        360,
        True,
    )


def drawdown(material):
    """How far the balance stood below its highest."""
    made = material.profit
    if made is None or not made["drawdown"].any():
        return None
    data = [
        dict(
            plot.line(plot.times(made["at"]), plot.money(made["drawdown"]), "Below the highest balance", "@sell", width=1.2),
            fill="tozeroy",
            fillcolor="@sell/0.18",
            hovertemplate="%{y:.8~f} " + material.unit + "<extra></extra>",
        )
    ]
    layout = plot.layout(material.unit, material.span, hovermode="x unified")
    layout["yaxis"].update(tickformat=".6~f")
    return Chart("Drawdown", "How far the margin balance stood below the highest before it.", {"data": data, "layout": layout}, 190, True)


def quotes(material):
    """The touch, our best orders, and our fills."""
    if not len(material.quotes["bid"][0]):
        return None
    digits = texts.decimals(material.tick)
    shape = {"mode": "lines", "line": {"shape": "hv", "width": 1}}
    data = []
    for name, label, colour, fill in (
        ("bid", "Best bid of the market", "@touch", None),
        ("ask", "Best ask of the market", "@touch", "tonexty"),
    ):
        at, values = material.quotes[name]
        data.append(
            dict(
                plot.trace(at, values, digits, label),
                **shape,
                connectgaps=False,
                fill=fill or "none",
                fillcolor="@touch/0.25",
                hoverinfo="skip",
            )
        )
        data[-1]["line"] = {"shape": "hv", "width": 0.8, "color": colour}
    for name, label, colour in (("own_bid", "Our best bid", "@buy"), ("own_ask", "Our best ask", "@sell")):
        at, values = material.quotes[name]
        if len(at):
            data.append(
                dict(
                    plot.trace(at, values, digits, label),
                    mode="lines",
                    connectgaps=False,
                    opacity=0.8,
                    line={"shape": "hv", "width": 1.3, "color": colour},
                    hovertemplate=f"{label} %{{y:,.{digits}f}}<extra></extra>",
                )
            )
    data += _fill_marks(material, digits)
    layout = plot.layout(material.quote_currency, material.span, hovermode="closest")
    layout["yaxis"].update(tickformat=f",.{digits}f")
    shown, every = len(material.fills["at"]), material.figures["fills"]
    note = "The grey band is the market's best bid and ask; the lines are our best orders; triangles are fills, as large as what traded."
    if shown < every:
        note += f" {texts.number(shown)} of {texts.number(every)} fills are drawn, evenly spaced."
    return Chart("Quotes and fills", note, {"data": data, "layout": layout}, 460, True)


def _fill_marks(material, digits):
    fills = material.fills
    largest = np.abs(fills["quantity"]).max() if len(fills["at"]) else 1
    for sign, label, verb, symbol, colour in (
        (1, "Bought", "bought", "triangle-up", "@buy"),
        (-1, "Sold", "sold", "triangle-down", "@sell"),
    ):
        chosen = np.flatnonzero(np.sign(fills["quantity"]) == sign)
        if not len(chosen):
            continue
        size = np.abs(fills["quantity"][chosen])
        words = [
            f"<b>{verb} {texts.number(abs(quantity))} at {texts.number(price, digits)}</b>{'' if is_maker else ' (taker)'}<br>"
            f"mid just before: {texts.number(mid, digits + 1)}<br>captured: {texts.bps(captured)}<br>"
            f"mark-out after 10 s: {texts.bps(None if np.isnan(later) else later)}<br>position then: {texts.number(held)}"
            for quantity, price, mid, captured, later, held, is_maker in zip(
                *(fills[name][chosen].tolist() for name in ("quantity", "price", "mid", "captured", "later", "held", "is_maker")),
                strict=True,
            )
        ]
        yield {
            "type": "scatter", "mode": "markers", "name": label,
            "x": plot.times(fills["at"][chosen]), "y": plot.rounded(fills["price"][chosen], digits),
            "text": words, "hovertemplate": "%{text}<br>%{x|%H:%M:%S}<extra></extra>",
            "marker": {"symbol": symbol, "color": colour, "size": plot.rounded(5 + 7 * np.sqrt(size / largest), 1),
                       "line": {"color": "@panel", "width": 0.8}},
        }  # fmt: skip


def position(material):
    """Contracts held, with the limits where they are near."""
    made = material.position
    if not material.figures["fills"] and not made["held"].any():
        return None
    line = {"shape": "hv", "width": 1.6, "color": "@inventory"}
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Position",
            "x": plot.times(made["at"]),
            "y": made["held"].astype(int).tolist(),
            "line": line,
            "fill": "tozeroy",
            "fillcolor": "@inventory/0.18",
            "hovertemplate": "%{y:,} contracts<extra></extra>",
        }
    ]
    layout = plot.layout("contracts", material.span, hovermode="x unified")
    layout["shapes"] = [plot.level(limit) for limit in _limits(material, made["held"])]
    note = "Contracts held; above zero long, below zero short."
    return Chart("Position", note + (" Dotted: the limits." if layout["shapes"] else ""), {"data": data, "layout": layout}, 240, True)


def _limits(material, held):
    limits = (
        [material.settings.get(name) for name in ("MIN_POSITION", "MAX_POSITION")] if material.settings.get("CHECK_POSITION_LIMITS") else []
    )
    reach = np.abs(held).max()
    return [limit for limit in limits if isinstance(limit, (int, float)) and abs(limit) <= 3 * reach]


OF_ONE_RUN = (
    ("profit", profit),
    ("drawdown", drawdown),
    ("quotes", quotes),
    ("position", position),
    ("split", bars.split),
    ("markouts", bars.markouts),
)
