"""HTML from values: a few tags, with everything that comes from a run escaped on the way in."""

import html


def e(text):
    """Text as HTML shows it."""
    return html.escape(str(text), quote=True)


def panel(title, *parts):
    return f'<section class="panel"><h2>{e(title)}</h2>{"".join(parts)}</section>'


def folded(title, told, *parts):
    """A panel that opens when it is asked to; `told` stands beside its title."""
    summary = f'<summary>{e(title)} <span class="muted">{e(told)}</span></summary>'
    return f'<section class="panel"><details>{summary}{"".join(parts)}</details></section>'


def small(text):
    return f'<p class="small">{e(text)}</p>'


def nothing(text):
    return f'<p class="nothing">{e(text)}</p>'


def code(text):
    return f"<code>{e(text)}</code>"


def head(names):
    """The head of a table; the first column has no name."""
    return "<thead><tr><th></th>" + "".join(f"<th>{e(name)}</th>" for name in names) + "</tr></thead>"


def row(label, cells, kind="", title=""):
    """A row of a table. label, cells -- HTML already; kind -- class of the cells."""
    attributes = f' title="{e(title)}"' if title else ""
    tag = f'<td class="{kind}">' if kind else "<td>"
    return f"<tr{attributes}><th>{label}</th>" + "".join(f"{tag}{cell}</td>" for cell in cells) + "</tr>"


def table(body, heading="", kind=""):
    return f'<div class="scroll"><table class="{kind}">{heading}<tbody>{body}</tbody></table></div>'
