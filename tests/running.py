"""Programs that tests start and watch: the venue and the bot, each in a process of its own, and waiting without sleeping."""
from __future__ import absolute_import, division, print_function

import json
import os
import signal
import subprocess
import sys
import threading
import time

import requests

from market_maker.auth import APIKeyAuthWithExpires
from market_maker.utils import compat
from market_maker.words import LAB_PACKAGES

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCRIPT = os.path.join(ROOT, 'marketmaker')
_PROBE = 'import sys, aiohttp, sortedcontainers; sys.exit(sys.version_info < (3, 10))'
_found = {}


def wait_until(condition, timeout=20, every=0.02):
    """Ask `condition` again and again until it is true; return whether it became so within `timeout` seconds."""
    pause, end = threading.Event(), compat.monotonic() + timeout
    while True:
        if condition():
            return True
        if compat.monotonic() >= end:
            return False
        pause.wait(every)


def runs_the_venue():
    """Whether this very interpreter can run the venue."""
    return _can_run_it(sys.executable)


def runs_the_lab():
    """Whether this very interpreter can run the words of the lab."""
    if sys.version_info < (3, 11):
        return False
    from importlib.util import find_spec
    return runs_the_venue() and all(find_spec(name) for name in LAB_PACKAGES)


def venue_python():
    """The interpreter that runs the venue: MM_VENUE_PYTHON, this one, or the one of `make`; None without any."""
    for python in (os.environ.get('MM_VENUE_PYTHON'), sys.executable, os.path.join(ROOT, '.venv', 'bin', 'python')):
        if python and _can_run_it(python):
            return python
    return None


def _can_run_it(python):
    if python not in _found:
        try:
            with open(os.devnull, 'wb') as nowhere:
                _found[python] = subprocess.call([python, '-c', _PROBE], stdout=nowhere, stderr=nowhere) == 0
        except (OSError, IOError):
            _found[python] = False
    return _found[python]


class _Lines(object):
    """The output of a process, collected by a thread as it comes."""

    def __init__(self, stream):
        self.lines = []
        self._stream = stream
        self._thread = threading.Thread(target=self._read)
        self._thread.daemon = True
        self._thread.start()

    def _read(self):
        for line in iter(self._stream.readline, b''):
            self.lines.append(line.decode('utf-8', 'replace').rstrip('\r\n'))

    def join(self):
        self._thread.join(5)
        self._stream.close()


class _Process(object):
    def __init__(self, command, cwd, env, **options):
        self.process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, close_fds=True, **options)
        self._output = _Lines(self.process.stdout)

    @property
    def lines(self):
        return list(self._output.lines)

    @property
    def text(self):
        return '\n'.join(self.lines)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=30):
        """The exit code. Fails the test, with the output, when the process goes on for longer."""
        assert wait_until(lambda: not self.running(), timeout), 'still running after %s s:\n%s' % (timeout, self.text)
        self._output.join()
        return self.process.returncode

    def wait_for(self, text, timeout=30, count=1):
        """Wait until a line with `text` has been printed `count` times; the last of those lines."""
        def seen():
            return [line for line in self.lines if text in line]
        wait_until(lambda: len(seen()) >= count or not self.running(), timeout)
        wait_until(lambda: len(seen()) >= count, 0.5)  # what a process prints last arrives after its end
        assert len(seen()) >= count, 'no %r within %s s in:\n%s' % (text, timeout, self.text)
        return seen()[count - 1]

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait()
        self._output.join()

    def end(self):
        try:
            self.process.stdin.close()
        except (OSError, IOError):
            pass
        self.kill()


class Bot(_Process):
    """The bot as a user starts it, in the folder `cwd`. `env` adds variables; `script` is run instead of ./marketmaker."""

    def __init__(self, venue_python, cwd, arguments, env=None, script=SCRIPT):
        environment = dict(os.environ, PYTHONUNBUFFERED='1')
        environment.pop('PYTHONPATH', None)
        if venue_python:
            environment['MM_VENUE_PYTHON'] = venue_python
        environment.update(env or {})
        self.command, self.environment = [sys.executable, script] + list(arguments), environment
        super(Bot, self).__init__(self.command, cwd, environment, **compat.own_session())  # as a shell starts a job

    def interrupt_all(self):
        """What a Ctrl-C in a terminal does: SIGINT for the whole group of processes."""
        os.killpg(os.getpgid(self.pid), signal.SIGINT)

    def interrupt(self):
        self.signal(signal.SIGINT)

    def terminate(self):
        self.signal(signal.SIGTERM)


class Venue(_Process):
    """The venue as another program starts it. `ask` speaks to it with the key that it handed out."""

    def __init__(self, python, *arguments):
        environment = dict(os.environ, PYTHONPATH=ROOT)
        super(Venue, self).__init__([python, '-m', 'bitmex_venue', '--ready-json'] +
                                    (list(arguments) if '--port' in arguments else ['--port', '0'] + list(arguments)), ROOT, environment)
        assert wait_until(lambda: self._ready() or not self.running(), 20), 'the venue did not start:\n' + self.text
        assert self._ready(), 'the venue did not start:\n' + self.text
        self.ready = self._ready()
        self.url, self.key, self.secret = self.ready['url'], self.ready['key'], self.ready['secret']
        self.port = compat.urlsplit(self.url).port
        self._session = requests.Session()
        self._session.trust_env = False

    def _ready(self):
        lines = [line for line in self.lines if line.startswith('{')]
        return json.loads(lines[0]) if lines else None

    @property
    def env(self):
        """What a bot needs in its environment to trade here."""
        return {'BITMEX_API_KEY': self.key, 'BITMEX_API_SECRET': self.secret, 'MM_BASE_URL': self.url}

    def ask(self, verb, path, **parameters):
        """JSON of a signed request."""
        auth = APIKeyAuthWithExpires(self.key, self.secret, time.time)
        response = self._session.request(verb, self.url + path, auth=auth, timeout=10, **parameters)
        assert response.status_code == 200, '%s %s: %s %s' % (verb, path, response.status_code, response.text)
        return response.json()

    def open_orders(self, symbol='XBTUSD', prefix=''):
        rows = self.ask('GET', 'order', params={'symbol': symbol, 'filter': json.dumps({'open': True}), 'count': 500})
        return [row for row in rows if row['clOrdID'].startswith(prefix)]

    def stop(self):
        self._session.close()
        self.end()
