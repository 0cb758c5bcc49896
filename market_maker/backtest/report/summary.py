"""The summary in the terminal: the figures in columns, one per run, and below them what has to be known to read them."""

import textwrap

from market_maker.backtest.report.material import differing_settings, written
from market_maker.backtest.report.remarks import remarks
from market_maker.backtest.report.rows import ROWS
from market_maker.backtest.report.texts import length, period

WIDTH = 120
ENDS = {"over": "", "under way": ", still going", "cut off": ", cut off"}


def lines(materials):
    """The lines of the summary."""
    found = [material.figures for material in materials]
    rows = [(row.group, row.label, [row.text(one) for one in found]) for row in ROWS]
    if len(materials) == 1:
        one = found[0]
        made = [
            f"{materials[0].name}: {one['symbol']}, {one['kind']}{ENDS[one['state']]}",
            f"{period(one['started'], one['ended'])} ({length(one['seconds'])})",
        ]
        return made + _columns(rows) + _about(materials[0])
    heads = [
        ("", "", [material.name for material in materials]),
        ("", "", [f"{one['symbol']}, {one['kind']}{ENDS[one['state']]}" for one in found]),
        ("", "", [length(one["seconds"]) for one in found]),
    ]
    different = [("Settings that differ", name, [written(value) for value in values]) for name, values in differing_settings(materials)]
    made = _columns(heads + rows + different) + ([] if different else ["", "All settings are the same."])
    return made + [line for material in materials for line in _about(material)]


def _about(material):
    wrapped = [textwrap.wrap(remark, WIDTH, initial_indent="  - ", subsequent_indent="    ") for remark in remarks(material)]
    return ["", f"About {material.name}"] + [line for remark in wrapped for line in remark]


def _columns(rows):
    first = max(len(label) for _, label, _ in rows) + 2
    widths = [max(len(texts[place]) for _, _, texts in rows) for place in range(len(rows[0][2]))]
    made, last = [], None
    for group, label, texts in rows:
        if group not in ("", last):
            made += ["", group]
        last = group
        made.append(("  " + label.ljust(first) + "   ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True))).rstrip())
    return made
