"""Noticing that a settings file was edited: its time or its size is not what it was."""
from __future__ import absolute_import, division, print_function

import os


class WatchedFiles(object):
    """`find()` returns (files to watch, names that are accepted but not watched); files may appear and vanish."""

    def __init__(self, find):
        self._find = find
        self.others = list(find()[1])
        self._seen = self._look()

    def changed(self):
        """Names of the files that changed since the last call."""
        before, self._seen = self._seen, self._look()
        return [name for name in sorted(set(before) | set(self._seen)) if before.get(name) != self._seen.get(name)]

    def _look(self):
        return dict((name, _stamp(name)) for name in self._find()[0])


def _stamp(name):
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_mtime, found.st_size
