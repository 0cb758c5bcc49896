"""Running a program of tests/clients/programs in a client's own environment, and reading its report."""
import json
import os
import subprocess

import pytest

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'programs')
TIME = 300  # seconds that one program may take


def seconds():
    """How long a bot trades at least."""
    return float(os.environ['CLIENT_SECONDS'])


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
