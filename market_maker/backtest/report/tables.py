"""The page's tables and lists: all figures, the settings, the warnings, and how to read it all."""

from market_maker.backtest.report import texts
from market_maker.backtest.report.marks import code, e, folded, head, nothing, panel, row, table
from market_maker.backtest.report.material import MOST_NOTES, differing_settings, written
from market_maker.backtest.report.remarks import STATES, remarks
from market_maker.backtest.report.rows import ROWS


def figures(materials):
    """All figures; of one run with what each means."""
    is_one = len(materials) == 1
    body, group = "" if is_one else _runs(materials), None
    for one in ROWS:
        if one.group != group:
            group = one.group
            body += f'<tr class="group"><th colspan="{len(materials) + 1 + is_one}">{e(group)}</th></tr>'
        cells = row(e(one.label), [e(one.text(material.figures)) for material in materials], title=one.meaning)
        body += cells.replace("</tr>", f'<td class="meaning">{e(one.meaning)}</td></tr>') if is_one else cells
    return panel("All figures", table(body, "" if is_one else head(_names(materials)), "one" if is_one else ""))


def _runs(materials):
    found = [material.figures for material in materials]
    lead = (
        ("Run", [f"{one['symbol']}, {one['kind']}" for one in found]),
        ("State", [STATES[one["state"]] for one in found]),
        ("Length", [texts.length(one["seconds"]) for one in found]),
    )
    return "".join(row(label, map(e, cells)) for label, cells in lead)


def differences(materials):
    """The settings in which runs differ."""
    rows = differing_settings(materials)
    if not rows:
        return panel("Settings that differ", nothing("None: all runs had the same settings."))
    body = "".join(row(code(name), [code(written(value)) for value in values]) for name, values in rows)
    return panel("Settings that differ", table(body, head(_names(materials))))


def settings(material):
    """Those that are not at their default, then the others."""
    if not material.settings:
        return ""
    changed = material.changed_settings()
    body = "".join(row(code(name), [code(written(value)), code(written(default))], "wrap") for name, value, default in changed)
    others = sorted(set(material.settings) - set(name for name, _, _ in changed))
    same = ", ".join(f"{name} = {written(material.settings[name])}" for name in others)
    return folded(
        "Settings",
        f"{len(changed)} not at their default",
        table(body, head(("this run", "default"))) if changed else "",
        f'<p class="small apart">At their default: {code(same)}</p>',
    )


def notes(material):
    """What the bot warned of."""
    if not material.notes:
        return ""
    body = "".join(row(texts.moment(at), [e(level), e(text)], "wrap") for at, level, text in material.notes)
    more = f", the first {MOST_NOTES} of them here" if material.note_count > MOST_NOTES else ""
    return folded("Warnings", texts.number(material.note_count) + more, table(body))


def reading(material):
    """How to read this."""
    return panel("How to read this", "<ul>" + "".join(f"<li>{e(remark)}</li>" for remark in remarks(material)) + "</ul>")


def _names(materials):
    return [material.name for material in materials]
