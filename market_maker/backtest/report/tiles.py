"""The big figures at the top of the page: the profit as the sum it is, and eight others."""

from market_maker.backtest.report import texts
from market_maker.backtest.report.marks import e
from market_maker.backtest.report.plot import PARTS
from market_maker.backtest.report.rows import sharpe

REBATES = "rebates of the venue"
MEANINGS = {
    "spread": "against the mid at each fill",
    "inventory": "by moves of the market",
    "fees": "paid to the venue",
    "funding": "of the perpetual",
}


def total(material):
    """The profit and its four parts, as an equation."""
    found = material.figures
    percent = f"{texts.percent(found['profit_percent'], 3)} of the balance at the start"
    tone = "good" if (found["profit"] or 0) > 0 else "bad" if (found["profit"] or 0) < 0 else ""
    cells = _cell(material, "Profit", found["profit"], percent, f"big {tone}")
    for place, (name, label) in enumerate(PARTS):
        units = (found["split"] or {}).get(name)
        meaning = REBATES if name == "fees" and (units or 0) > 0 else MEANINGS[name]
        cells += _cell(material, label, units, meaning, "mid", name, "+" if place else "=")
    return f'<section class="panel sum">{cells}</section>'


def _cell(material, label, units, small, kind, colour=None, sign=None):
    dot = f'<i style="background:var(--{colour})"></i>' if colour else ""
    mark = f'<span class="sign" aria-hidden="true">{sign}</span>' if sign else ""
    amount, _, unit = texts.money(units, material.code).partition(" ")
    return (
        f'<div>{mark}<div class="label">{dot}{e(label)}</div><div class="{kind}">{e(amount)} <span class="unit">{e(unit)}</span></div>'
        f'<div class="small">{e(small)}</div></div>'
    )


def others(found):
    """Eight figures, each with a line below it."""
    made = "".join(
        f'<div><div class="label">{e(label)}</div><div class="mid">{e(value)}</div><div class="small">{e(small)}</div></div>'
        for label, value, small in _others(found)
    )
    return f'<section class="panel tiles">{made}</section>'


def _others(found):
    number, share = texts.number, texts.share
    after, fall, held, asked = found["markouts"][10], found["drawdown"], found["position"], found["requests"]
    traded = f"{number(found['contracts'])} contracts, {share(found['maker_share'], 0)} as maker"
    error = f"± {number(after['bps_error'], 2)} bp, {texts.plural(after['count'], 'fill')}"
    return (
        ("Fills", number(found["fills"]), traded if found["fills"] else "no order was filled"),
        ("Fill ratio", share(found["fill_ratio"]), f"of {texts.plural(found['orders']['offered'], 'order')} accepted"),
        ("Mark-out after 10 s", texts.bps(after["bps"]), error if after["count"] else "no fill is that old"),
        ("Time at the touch", share(found["time_at_touch"]), "with our best bid or ask"),
        ("Greatest drawdown", texts.percent(fall["percent"], 3, False), texts.money(fall["money"], found["currency"], False)),
        ("Position at the end", number(held["end"]), f"contracts; was {number(held['lowest'])} to {number(held['highest'])}"),
        ("Requests", number(asked["total"]), f"{number(asked['per_minute'], 1)} a minute, about orders"),
        ("Sharpe ratio", *sharpe(found)),
    )
