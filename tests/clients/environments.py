"""Other people's packages, each in a virtual environment of its own under build/clients, from the registry, untouched.

An environment is made once: a stamp inside names what it holds, and one with another stamp is made anew. What cannot be
installed fails the test that asked for it, with pip's own words.
"""
import os
import shutil
import subprocess
import sys

import pytest
import running

HOME = os.path.join(running.ROOT, 'build', 'clients')
TIME = 600  # seconds for one installation


def python_with(name, version, *others):
    """The interpreter of an environment that holds NAME==VERSION and the other requirements."""
    place = os.path.join(HOME, '%s-%s' % (name, version))
    stamp = '\n'.join([sys.version] + ['%s==%s' % (name, version)] + list(others))
    python = os.path.join(place, 'bin', 'python')
    if read(os.path.join(place, '.installed')) != stamp:
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(HOME, exist_ok=True)
        carry_out([sys.executable, '-m', 'venv', place])
        carry_out([python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input',
                   '%s==%s' % (name, version)] + list(others))
        write(os.path.join(place, '.installed'), stamp)
    return python


def node_with(name, version):
    """A folder in which `require(NAME)` finds NAME@VERSION of the npm registry."""
    place = os.path.join(HOME, 'npm-%s-%s' % (name, version))
    stamp = '%s@%s' % (name, version)
    if read(os.path.join(place, '.installed')) != stamp:
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place)
        carry_out(['npm', 'install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', place, stamp])
        write(os.path.join(place, '.installed'), stamp)
    return place


def carry_out(command):
    """Run one step of an installation; where it fails, the test fails and says why."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIME, check=False)
        words, code = done.stdout.decode('utf-8', 'replace'), done.returncode
    except (OSError, subprocess.TimeoutExpired) as problem:
        words, code = str(problem), None
    if code != 0:
        pytest.fail('a client could not be installed (the registries are needed the first time):\n%s\n%s' %
                    (' '.join(command), words[-3000:]), pytrace=False)


def read(path):
    try:
        with open(path, encoding='utf-8') as file:
            return file.read()
    except OSError:
        return None


def write(path, text):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
