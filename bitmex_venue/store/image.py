"""The image of a venue's state: one pickle of exchange, bins and histories, so that what they share stays shared.

Rules
* Reading makes objects of this package and of a short list of containers, and of nothing else: an image cannot run code.
* Queues of the books are flat lists in the image and linked again afterwards, so that no depth of a queue matters.
* Of public trades and quotes the last `PUBLIC` of each contract are kept, of executions the last `EXECUTIONS` in all, in equal
  shares for the accounts, so that an image stays small; of everything else all that the venue remembers.
"""

from __future__ import annotations

import io
import pickle
from collections import deque
from itertools import islice
from typing import Any, NamedTuple

from ..wire.bins import Bins
from ..wire.history import History

PUBLIC = 1000
EXECUTIONS = 20_000
PACKAGE = __name__.partition(".")[0]
CONTAINERS = {
    "collections": ("OrderedDict", "deque", "defaultdict"),
    "sortedcontainers.sortedlist": ("SortedList",),
    "sortedcontainers.sorteddict": ("SortedDict",),
    "builtins": ("set", "frozenset"),
    "decimal": ("Decimal",),
}
WHOLE = ("ledger", "funding", "touched", "liquidations")
SHORT = ("trades", "quotes", "executions")
LISTS = ("settlements", "insurance")


class State(NamedTuple):
    """What is kept of a venue."""

    exchange: Any
    bins: Bins
    history: History


def write(state: State) -> bytes:
    """The image. The state must be between two commands."""
    exchange, bins, history = state
    kept = {name: getattr(history, name) for name in WHOLE + LISTS}
    share = EXECUTIONS // max(1, len(history.executions))
    for name in SHORT:
        most = share if name == "executions" else PUBLIC
        kept[name] = {key: _last(records, most) for key, records in getattr(history, name).items()}
    queues = {symbol: book.queues() for symbol, book in exchange.books.items()}
    return pickle.dumps({"exchange": exchange, "queues": queues, "bins": bins, "history": kept}, protocol=4)


def read(image: bytes) -> State:
    """The state. Raises ValueError for an image that is none."""
    try:
        whole = _Reader(io.BytesIO(image)).load()
        exchange, bins, kept = whole["exchange"], whole["bins"], whole["history"]
        for symbol, queues in whole["queues"].items():
            exchange.books[symbol].relink(queues)
        history = History(bins)
        for name in WHOLE + SHORT:
            setattr(history, name, kept[name])
        for name in LISTS:  # their keepers are bound to the lists themselves
            getattr(history, name).extend(kept[name])
    except (pickle.UnpicklingError, KeyError, AttributeError, TypeError, EOFError, ImportError, IndexError) as problem:
        raise ValueError(f"not an image: {problem}") from problem
    return State(exchange, bins, history)


def _last(records: deque[Any], most: int) -> deque[Any]:
    return deque(islice(records, max(0, len(records) - most), None), maxlen=records.maxlen)


class _Reader(pickle.Unpickler):
    """Makes nothing that is not ours."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == PACKAGE or name in CONTAINERS.get(module, ()):
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} has no place in an image")
