"""The market makers as processes: how each is started against a venue, in a folder of its own, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

from bench import peers
from bench.peers import ROOT

KEY, SECRET = "k" * 24, "s" * 48
END_S = 10


class Bot(NamedTuple):
    label: str
    peer: peers.Peer | None  # None: ours

    @contextlib.contextmanager
    def run(self, url: str, **settings: Any) -> Any:
        """Start it; ends it and removes its folder. Gives the process; what it says is in `log` of its folder, `process.log`."""
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            command, environment = self._ours(url, settings) if self.peer is None else self._original(self.peer, url, settings, folder)
            with open(os.path.join(folder, "log"), "w+b") as log:
                process = subprocess.Popen(
                    command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
                process.log = log.name
                try:
                    yield process
                finally:
                    self._end(process)

    def _ours(self, url: str, settings: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MM_", "BITMEX_", "PYTHON"))}
        environment.update(BITMEX_API_KEY=KEY, BITMEX_API_SECRET=SECRET, MM_BASE_URL=url)
        environment.update((f"MM_{name}", str(value)) for name, value in settings.items())
        return [sys.executable, os.path.join(ROOT, "marketmaker")], environment

    def _original(self, peer: peers.Peer, url: str, settings: dict[str, Any], folder: str) -> tuple[list[str], dict[str, str]]:
        values = dict(BASE_URL=url, API_KEY=KEY, API_SECRET=SECRET, WATCHED_FILES=[], **settings)
        with open(os.path.join(folder, "settings.py"), "w", encoding="utf-8") as file:
            file.writelines(f"{name} = {value!r}\n" for name, value in values.items())
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment["PYTHONPATH"] = folder
        return [peers.prepare(peer), os.path.join(os.path.dirname(peer.python), "marketmaker")], environment

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


OURS = Bot("ours", None)
ORIGINAL_BULK = Bot(peers.ORIGINAL_BULK.label, peers.ORIGINAL_BULK)
ORIGINAL = Bot(peers.ORIGINAL.label, peers.ORIGINAL)
