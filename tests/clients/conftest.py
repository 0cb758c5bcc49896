"""What the tests of other people's clients share. Only `make test-clients` collects them: it sets CLIENT_SECONDS."""
import json
import os
import subprocess

import pytest

import running

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'programs')
TIME = 300  # seconds that one program of ours may take

collect_ignore_glob = [] if os.environ.get('CLIENT_SECONDS') else ['test_*.py']


def seconds():
    """How long a bot trades at least."""
    return float(os.environ['CLIENT_SECONDS'])


@pytest.fixture
def start_venue(venue_python):
    """start_venue('modern', '--latency-ms', '60') -> a venue with a lively market, in a process of its own."""
    started = []

    def start(profile, *arguments):
        started.append(running.Venue(venue_python, '--profile', profile, '--market', 'lively', '--seed', '7', *arguments))
        return started[-1]
    yield start
    for venue in started:
        complaints = [line for line in venue.lines[1:] if line]
        venue.stop()
        assert not complaints, 'the venue complained:\n' + '\n'.join(complaints)


class Report(dict):
    """What a program found: the name of each step it took, with its value or its error."""

    def errors(self):
        return {name: step['error'] for name, step in self.items() if 'error' in step}

    def __getattr__(self, name):
        step = self[name]
        assert 'error' not in step, '%s: %s' % (name, step['error'])
        return step['value']


def run_program(command, venue):
    """Run a program of tests/clients/programs with the venue's address and key on its command line; its report."""
    where = {'url': venue.url, 'host': '127.0.0.1:%d' % venue.port, 'key': venue.key, 'secret': venue.secret,
             'profile': venue.ready['profile']}
    environment = {name: value for name, value in os.environ.items() if 'proxy' not in name.lower() and name != 'PYTHONPATH'}
    try:
        done = subprocess.run([*command, json.dumps(where)], cwd=PROGRAMS, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIME, check=False)
    except subprocess.TimeoutExpired as problem:
        pytest.fail('it was not done after %s s:\n%s\n%s' % (TIME, problem.stdout, problem.stderr), pytrace=False)
    printed = done.stdout.decode('utf-8', 'replace')
    reports = [line for line in printed.splitlines() if line.startswith('{"report":')]
    assert reports, 'no report (exit code %s):\n%s\n%s' % (done.returncode, printed[-3000:], done.stderr.decode('utf-8', 'replace')[-5000:])
    return Report(json.loads(reports[-1])['report'])
