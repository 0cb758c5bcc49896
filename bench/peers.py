"""The programs we are compared with, each in a virtual environment of its own under build/bench/, made when it is first needed.

`ours` runs in the environment of the bench itself, from this checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "bench")


class Peer(NamedTuple):
    name: str
    version: str
    more: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def home(self) -> str:
        return os.path.join(BUILD, f"{self.name}-{self.version}")

    @property
    def python(self) -> str:
        return os.path.join(self.home, "Scripts" if os.name == "nt" else "bin", "python")


# websocket-client 0.57.0 is what both of the original's releases were made for; later ones call back with other arguments.
# 1.6.1 also runs against our venue in simulated time, which needs the venue's own requirement.
ORIGINAL_BULK = Peer("bitmex-market-maker", "1.5.1", ("websocket-client==0.57.0", "requests", "future"))
ORIGINAL = Peer("bitmex-market-maker", "1.6.1", ("websocket-client==0.57.0", "requests", "future", "sortedcontainers"))
BITMEX_WS = Peer("bitmex-ws", "1.5.0")
CCXT = Peer("ccxt", "4.5.83")
CRYPTOFEED = Peer("cryptofeed", "2.4.1")
PEERS = (ORIGINAL_BULK, ORIGINAL, BITMEX_WS, CCXT, CRYPTOFEED)


class Unavailable(Exception):
    """A peer's environment cannot be made here."""


def prepare(peer: Peer) -> str:
    """The peer's interpreter. Raises Unavailable, with the last line of what pip said."""
    made = os.path.join(peer.home, ".made")
    if not os.path.exists(made):
        print(f"Installing {peer.label} into {os.path.relpath(peer.home, ROOT)} ...", file=sys.stderr, flush=True)
        venv.create(peer.home, with_pip=True, clear=True)
        command = [peer.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{peer.name}=={peer.version}", *peer.more]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            said = result.stderr.strip().splitlines()
            raise Unavailable(f"{peer.label}: {said[-1] if said else 'pip failed'}")
        with open(made, "w", encoding="utf-8"):
            pass
    return peer.python


def versions(python: str, *names: str) -> str:
    """Which releases of some packages an environment has: 'requests 2.31.0, ...'."""
    code = (
        "import sys\nfrom importlib.metadata import version, PackageNotFoundError\nfor name in sys.argv[1:]:\n"
        "    try: print(name, version(name))\n    except PackageNotFoundError: pass"
    )
    result = subprocess.run([python, "-c", code, *names], capture_output=True, text=True)
    return ", ".join(result.stdout.split("\n")[:-1])
