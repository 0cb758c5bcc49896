"""Reading ahead: an iterator's next items are made in a thread, so that whoever takes them seldom waits.

The first rows of a day's archive stand behind those of hundreds of other instruments; a venue that is live must not stand still while they are passed
over. What is read does not depend on it: items and errors come in their order.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")
END = object()


def read_ahead(source: Iterator[Item], depth: int = 4) -> Iterator[Item]:
    """The items of `source`, of which up to `depth` wait ready. What it raises is raised here in its place."""
    ready: queue.Queue = queue.Queue(depth)

    def read() -> None:
        try:
            for item in source:
                ready.put((item, None))
            ready.put((END, None))
        except Exception as error:
            ready.put((END, error))

    threading.Thread(target=read, name="read-ahead", daemon=True).start()
    while True:
        item, error = ready.get()
        if error is not None:
            raise error
        if item is END:
            return
        yield item
