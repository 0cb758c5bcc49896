"""What developers install is pinned, with hashes, for every Python the bot's tests run on."""
from __future__ import absolute_import, division, print_function

import os

import pytest

from running import ROOT

VERSIONS = ['2.7', '3.8', '3.9', '3.10', '3.11', '3.12', '3.13']


def pinned(version):
    """name -> (release, number of hashes) of a file of requirements."""
    found, name = {}, None
    with open(os.path.join(ROOT, 'requirements', 'dev-%s.txt' % version)) as file:
        for line in file:
            if line.startswith('    --hash=sha256:'):
                found[name] = found[name][0], found[name][1] + 1
            elif line.strip():
                name, _, release = line.rstrip(' \\\n').partition('==')
                found[name] = release.partition(' ')[0], 0
    return found


@pytest.mark.parametrize('version', VERSIONS)
def test_every_package_is_pinned_to_one_release_with_hashes(version):
    packages = pinned(version)
    assert all(release and hashes for release, hashes in packages.values()), packages
    assert {'requests', 'websocket-client', 'future', 'pytest'} <= set(packages)


@pytest.mark.parametrize('version', ['3.11', '3.12', '3.13'])
def test_what_the_lab_needs_is_among_them_where_it_runs(version):
    assert {'hftbacktest', 'optuna', 'distributed', 'matplotlib', 'plotly', 'bandit', 'pip-audit'} <= set(pinned(version))
