"""The log: one format, one handler, and never a secret."""
from __future__ import absolute_import, division, print_function

import io
import logging
import re

import pytest

from market_maker.utils import log
from market_maker.utils.compat import to_text


class Stream(io.StringIO):
    def write(self, text):
        return super(Stream, self).write(to_text(text))


@pytest.fixture
def lines():
    """A stream that the log writes to; everything is put back afterwards."""
    stream = Stream()
    top, levels = logging.getLogger(), dict((name, logging.getLogger(name).level) for name in (None, 'root'))
    log.setup_custom_logger(log_level=logging.INFO, stream=stream)
    yield stream
    for handler in [handler for handler in top.handlers if getattr(handler, 'stream', None) is stream]:
        top.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    log._hidden.clear()


def test_a_line_has_the_format_of_the_original(lines):
    logging.getLogger('root').info('Execution: %s', 'Buy')
    assert re.match(r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - INFO - test_log - Execution: Buy\n$', lines.getvalue())


def test_every_room_is_heard_whatever_its_logger_is_called(lines):
    for name in ('root', 'bitmex', None):
        logging.getLogger(name).warning('from %s', name)
    assert [line.split(' - ')[-1] for line in lines.getvalue().splitlines()] == ['from root', 'from bitmex', 'from None']


def test_setting_up_twice_does_not_say_things_twice(lines):
    log.setup_custom_logger(stream=lines)
    logging.getLogger('root').info('once')
    assert lines.getvalue().count('once') == 1


def test_a_value_to_hide_never_appears_not_even_in_a_traceback(lines):
    log.hide('tell-nobody', '')
    logger = log.get_logger()
    logger.info('the secret is %s', 'tell-nobody')
    try:
        raise ValueError('tell-nobody')
    except ValueError:
        logger.exception('failed')
    assert 'tell-nobody' not in lines.getvalue() and lines.getvalue().count('(hidden)') >= 2


@pytest.mark.parametrize('text', [
    'api-signature: %s' % ('c' * 64), 'sending {"op": "authKeyExpires", "args": ["key", 1, "%s"]}' % ('0a' * 32),
    "{'access-token': 'c'}".replace("'c'", "'" + 'c' * 64 + "'")])
def test_what_looks_like_a_signature_never_appears(text):
    assert 'c' * 64 not in log.redact(text) and '0a' * 32 not in log.redact(text)


@pytest.mark.parametrize('text', ['{"email": "a@b.c", "password": "swordfish"}', "{'password': 'swordfish'}", "{u'token': u'swordfish'}"])
def test_a_password_in_a_request_never_appears(text):
    assert 'swordfish' not in log.redact(text)


def test_the_level_can_be_changed_in_a_run(lines):
    log.set_level(logging.ERROR)
    logging.getLogger('bitmex').info('quiet')
    logging.getLogger('root').info('quiet')
    log.set_level(logging.INFO)
    logging.getLogger('bitmex').info('heard')
    assert 'quiet' not in lines.getvalue() and 'heard' in lines.getvalue()


def test_libraries_do_not_print_requests_at_debug(lines):
    log.setup_custom_logger(log_level=logging.DEBUG, stream=lines)
    logging.getLogger('urllib3.connectionpool').debug('GET /api')
    assert lines.getvalue() == ''
