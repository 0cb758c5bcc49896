"""A bot that runs a thousand times as fast as live says a thousand times as much: what it says is kept from the terminal.

Warnings go into the run's journal, as they do live; the rest is not even put together.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from market_maker import settings as settings_module
from market_maker.journal import Journal, NoteHandler
from market_maker.utils import log


@contextmanager
def rarely_collecting() -> Iterator[None]:
    """While it lasts cycles of garbage are looked for a seventieth as often: a run makes few, and millions of rows that are none."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def quietly(journal: Journal, settings: Any) -> Iterator[None]:
    """While it lasts warnings go to the journal, `print` nowhere, and the process-wide settings are those of the run."""
    top, notes = logging.getLogger(), NoteHandler(journal)
    before = {one: one.level for one in (top, log.get_logger())}
    kept, top.handlers = top.handlers, [notes]
    installed = settings_module.settings._settings  # a strategy written for the original reads them
    settings_module.install(settings)
    for logger in before:
        logger.setLevel(logging.WARNING)
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            yield
    finally:
        top.handlers = kept
        for logger, level in before.items():
            logger.setLevel(level)
        settings_module.install(installed)
        sys.stdout.flush()
