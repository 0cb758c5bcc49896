"""The table of faults for docs/paper-door.md, made from the catalogue: `python -m bitmex_venue.misbehaviour.manual FILE` puts it there.

Rule: what stands between `BEGIN` and `END` in the manual is what `tables` returns; a test holds it to that.
"""

from __future__ import annotations

import sys

from .catalogue import COMMON, FAULTS, MESSAGE, REQUEST, STATE, Param

BEGIN, END = "<!-- faults: made from the catalogue -->", "<!-- end of faults -->"
TITLES = {
    REQUEST: "Requests",
    MESSAGE: "Realtime messages",
    STATE: "The venue and its market",
}


def tables() -> str:
    """All faults as Markdown."""
    lines = []
    for kind, title in TITLES.items():
        lines += ["", f"### {title}", "", "| fault | what happens | its parameters (default) |", "|---|---|---|"]
        for fault in FAULTS:
            if fault.kind == kind:
                lines.append(f"| `{fault.name}` | {fault.meaning} | {'; '.join(map(_parameter, fault.params))} |")
    lines += ["", "### For all of them", "", "| parameter | meaning | taken by |", "|---|---|---|"]
    for name, param in COMMON.items():
        lines.append(f"| `{name}` | {param.meaning} | {_takers(name)} |")
    return "\n".join(lines) + "\n"


def _parameter(param: Param) -> str:
    default = str(param.default).lower() if isinstance(param.default, bool) else param.default
    return f"`{param.name}` ({default}): {param.meaning}"


def _takers(name: str) -> str:
    kinds = [title.lower() for kind, title in TITLES.items() if kind != STATE and _all_take(kind, name)]
    singles = [f"`{fault.name}`" for fault in FAULTS if fault.kind == STATE and name in fault.common]
    return ", ".join(kinds + singles)


def _all_take(kind: str, name: str) -> bool:
    return all(name in fault.common for fault in FAULTS if fault.kind == kind)


def renewed(text: str) -> str:
    """The manual with its tables made anew."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{tables()}\n{END}{tail}"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        old = file.read()
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(renewed(old))
