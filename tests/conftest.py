"""What all tests share: the checkout comes first on the path, the user's own environment stays out, a venue on request."""
from __future__ import absolute_import, division, print_function

import os
import signal
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import running  # noqa: E402  (tests/running.py)

# The venue needs Python 3.10+ and its packages; the bot's tests run everywhere.
collect_ignore = [] if running.runs_the_venue() else ['venue', 'wire']
# The lab needs Python 3.11+ and the packages of the extra.
collect_ignore += [] if running.runs_the_lab() else ['backtest']
# Other people's clients need packages of their own: `make test-clients` asks for them.
collect_ignore += [] if os.environ.get('CLIENT_SECONDS') else ['clients']

for name in list(os.environ):
    if name.startswith(('MM_', 'BITMEX_')) and name != 'MM_VENUE_PYTHON':
        del os.environ[name]


def pytest_configure(config):
    if os.name == 'posix' and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup: what is started here must not inherit that
        signal.signal(signal.SIGHUP, lambda number, frame: None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # `make test &` in a script: nor that
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.environ.get('CI') == 'true' and sys.version_info >= (3, 10) and not running.runs_the_venue():
        raise pytest.UsageError("in CI the venue's packages must be there: pip install '.[paper,dev]'")


@pytest.fixture
def venue_python():
    """An interpreter that can run the venue. Without one: a skip, in CI a failure."""
    python = running.venue_python()
    if python is None:
        complaint = 'no Python 3.10+ with aiohttp and sortedcontainers was found for the venue (MM_VENUE_PYTHON names one)'
        if os.environ.get('CI') == 'true':
            pytest.fail(complaint)
        pytest.skip(complaint)
    return python


@pytest.fixture
def venue(venue_python):
    """A venue with a lively market and a fixed seed, in a process of its own."""
    process = running.Venue(venue_python, '--market', 'lively', '--seed', '7')
    yield process
    process.stop()


@pytest.fixture
def spawn(venue_python, tmp_path):
    """spawn('XBTUSD', '--run-for', '5', env={...}) -> a running bot in an empty folder of its own; ended afterwards."""
    bots = []

    def start(*arguments, **options):
        bots.append(running.Bot(venue_python, str(tmp_path), arguments, **options))
        return bots[-1]
    yield start
    for bot in bots:
        bot.end()
