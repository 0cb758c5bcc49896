"""The original's releases, as its users ran them: a settings.py in the working folder and `marketmaker XBTUSD`."""
import os
import signal
import time

import environments
import pytest
import running
from trials import seconds

SHUTTING_DOWN = 'Shutting down. All open orders will be cancelled.'
# It retries an amend that came too late only where the refusal says `Invalid ordStatus` and no more. Since 21 December 2021
# the state stood behind it (bitmex-api.md 3.4), and it stopped there, on the real venue too.
FLAW = "Unknown error on amend: {'error': {'message': 'Invalid ordStatus: "
SETTINGS = '''
BASE_URL = %(url)r
API_KEY = %(key)r
API_SECRET = %(secret)r
SYMBOL = 'XBTUSD'
CONTRACTS = ['XBTUSD']
DRY_RUN = False
ORDER_PAIRS = 6
ORDER_START_SIZE = 100
ORDER_STEP_SIZE = 100
INTERVAL = 0.0004
MIN_SPREAD = 0.0004
MAINTAIN_SPREADS = False
RELIST_INTERVAL = 0.00001  # any move of the touch amends the whole ladder ...
LOOP_INTERVAL = %(loop)d  # ... so often that the request budget pays for it for hours
API_REST_INTERVAL = 0.2
API_ERROR_INTERVAL = 1
WATCHED_FILES = []
'''


class OriginalBot(running._Process):
    """`marketmaker XBTUSD` in a folder of its own."""

    def __init__(self, python, folder, venue, loop):
        environments.write(os.path.join(folder, 'settings.py'), SETTINGS % {
            'url': venue.url, 'key': venue.key, 'secret': venue.secret, 'loop': loop})
        environment = dict(os.environ, PYTHONUNBUFFERED='1')
        environment.pop('PYTHONPATH', None)
        script = os.path.join(os.path.dirname(python), 'marketmaker')
        super().__init__([script, 'XBTUSD'], folder, environment)

class Shift:
    """A bot that trades for CLIENT_SECONDS and longer, until it has quoted, been filled and amended."""

    def __init__(self, start):
        self.start = start
        self.end = time.monotonic() + seconds()
        self.bots = [start()]

    @property
    def text(self):
        return '\n'.join(bot.text for bot in self.bots)

    def keep_going(self):
        """Start it again where it fell over its own flaw; whether it runs."""
        if not self.bots[-1].running() and FLAW in self.bots[-1].text:
            self.bots.append(self.start())
        return self.bots[-1].running()

    def has_traded(self):
        text = self.text
        return time.monotonic() > self.end and 'Creating 12 orders:' in text and 'Execution: ' in text and text.count('Amending ') > 20

    def run(self):
        running.wait_until(lambda: not self.keep_going() or self.has_traded(), seconds() + 120, every=0.1)
        assert self.bots[-1].running() and self.has_traded(), self.text
        return self.bots[-1]


@pytest.fixture
def trade(start_venue, tmp_path):
    """trade('1.5.1', 'classic', 6) -> (venue, bot): it has traded, was interrupted and has ended."""
    shifts = []

    def run(version, profile, loop, *arguments):
        python = environments.python_with('bitmex-market-maker', version, 'websocket-client==0.57.0', 'requests==2.31.0', 'future==1.0.0')
        venue = start_venue(profile, *arguments)
        # It looks up the last price at once, and on the real venue there always was one.
        assert running.wait_until(lambda: venue.ask('GET', 'trade', params={'symbol': 'XBTUSD', 'count': 1}), 20)
        shifts.append(Shift(lambda: OriginalBot(python, str(tmp_path), venue, loop)))
        bot = shifts[-1].run()
        assert len(venue.open_orders(prefix='mm_bitmex_')) >= 6, bot.text
        bot.signal(signal.SIGINT)
        bot.wait()
        return venue, bot
    yield run
    for shift in shifts:
        for bot in shift.bots:
            bot.end()


def judge(venue, bot):
    """It ended as it ends on a healthy exchange, and left nothing behind."""
    assert bot.process.returncode == 0, bot.text
    assert bot.text.count(SHUTTING_DOWN) == 1, bot.text
    # An amend that comes after the fill is refused, and it says so before it tries again.
    errors = [line for line in bot.lines if ' - ERROR - ' in line and 'Invalid ordStatus' not in line and 'PUT order' not in line]
    assert not errors and 'Unable to cancel orders' not in bot.text, bot.text
    # After its farewell it raises SystemExit within atexit, everywhere and always.
    assert 'Traceback' not in bot.text.split(SHUTTING_DOWN)[0], bot.text
    assert venue.open_orders() == []


def test_release_1_5_1_trades_in_bulk_on_the_classic_profile(trade):
    judge(*trade('1.5.1', 'classic', 6))


def test_release_1_6_1_trades_order_by_order_on_the_classic_profile(trade):
    judge(*trade('1.6.1', 'classic', 12))


def test_release_1_6_1_trades_order_by_order_on_the_modern_profile(trade):
    # It sends twelve orders without a pause, and ten a second are allowed: only the way to a real exchange, 50 to 150 ms
    # for each, has ever kept it within that.
    judge(*trade('1.6.1', 'modern', 8, '--latency-ms', '100'))
