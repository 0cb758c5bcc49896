"""The scan for secrets that `make lint` runs finds what is committed, and does not print it."""
from __future__ import absolute_import, division, print_function

import os
import subprocess
import sys

import pytest

from running import ROOT

SCAN = os.path.join(ROOT, '.ci', 'secret-scan')
pytestmark = pytest.mark.skipif(sys.version_info < (3, 8) or not os.path.exists(SCAN), reason='a tool of the checkout, for Python 3')
MADE_UP = 'Xk3' + 'q9Zt7LmP2vR8sW4yB6nC1d'


def scan(folder, text):
    with open(os.path.join(str(folder), 'settings.py'), 'w') as file:
        file.write(text)
    subprocess.check_call(['git', 'init', '-q'], cwd=str(folder))
    subprocess.check_call(['git', 'add', '.'], cwd=str(folder))
    process = subprocess.Popen([sys.executable, SCAN], cwd=str(folder), stdout=subprocess.PIPE)
    said = process.communicate()[0].decode('utf-8')
    return process.returncode, said


@pytest.mark.parametrize('line', ['API_SECRET = "%s"', "api_key: '%s'", '{"password": "%s"}', 'token="%s"'])
def test_a_credential_beside_its_name_is_found(tmp_path, line):
    code, said = scan(tmp_path, 'ORDER_PAIRS = 3\n%s\n' % line % MADE_UP)
    assert code == 1 and 'settings.py:2' in said and MADE_UP not in said


def test_a_private_key_is_found(tmp_path):
    assert scan(tmp_path, '-----BEGIN %s KEY-----\n' % 'RSA PRIVATE')[0] == 1


def test_what_is_no_secret_is_let_through(tmp_path):
    assert scan(tmp_path, 'API_SECRET = ""\nPASSWORD = os.environ["BITMEX_PASSWORD_OF_MINE"]\nsecret = "%s"\n' % ('x' * 30))[0] == 0


def test_lint_runs_the_scan_and_bandit_and_there_is_an_audit():
    with open(os.path.join(ROOT, 'Makefile')) as file:
        makefile = file.read()
    lint = makefile.partition('\nlint:')[2].partition('\n\n')[0]
    assert '.ci/secret-scan' in lint and 'bandit' in lint and '-r market_maker' in lint
    assert '.ci/audit' in makefile.partition('\naudit:')[2].partition('\n\n')[0]
