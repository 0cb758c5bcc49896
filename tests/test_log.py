# -*- coding: utf-8 -*-
"""The log: one format, one handler, and never a secret."""
from __future__ import absolute_import, division, print_function

import io
import json
import logging
import os
import re

import pytest
from desk import Heard

from market_maker.utils import compat, log
from market_maker.utils.compat import to_text


class Stream(io.StringIO):
    def write(self, text):
        return super(Stream, self).write(to_text(text))


@pytest.fixture
def lines():
    """A stream that the log writes to; everything is put back afterwards."""
    stream = Stream()
    top, levels = logging.getLogger(), dict((name, logging.getLogger(name).level) for name in (None, 'root'))
    shared = log.get_logger()
    for handler in [handler for handler in shared.handlers if isinstance(handler, Heard)]:  # of another test's desk
        shared.removeHandler(handler)
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


def test_what_was_split_off_from_the_original_s_file_speaks_under_its_name(lines):
    for room, name in (('sending', 'market_maker'), ('exchange_interface', 'market_maker'), ('running', 'running')):
        logging.getLogger('root').handle(logging.LogRecord('root', logging.INFO, '/somewhere/%s.py' % room, 1, 'Creating', (), None))
        assert lines.getvalue().splitlines()[-1].endswith(' - INFO - %s - Creating' % name)


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


@pytest.mark.parametrize('secret', [u'pass"word', u'p\u00e4ss-w\u00f6rd', u'a/b+c=d', u'back\\slash', u"it's"])
def test_a_secret_is_not_shown_in_the_clothes_of_json_of_an_address_or_of_a_repr_either(secret):
    log.hide(secret)
    try:
        for text in (secret, json.dumps({'p': secret}), json.dumps({'p': secret}, ensure_ascii=False), repr([secret]),
                     'http://h/?p=' + to_text(compat.quote(secret.encode('utf-8'), ''))):
            assert log.redact(text).count(log.HIDDEN) == 1, text
    finally:
        log._hidden.clear()


class Unspeakable(object):
    def __str__(self):
        raise ValueError('tell-nobody')
    __repr__ = __str__


@pytest.mark.parametrize('line, words', [
    (('%d levels', 'tell-nobody'), '%d levels'), (('%s and %s', 'tell-nobody'), '%s and %s'), (('%s', Unspeakable()), '%s'), ((Unspeakable(),), 'Unspeakable')])
def test_a_line_that_cannot_be_made_says_so_without_a_traceback_and_fails_nobody(lines, line, words, capfd, tmp_path):
    log.hide('tell-nobody')
    file = log.add_file(str(tmp_path / 'run.log'))
    logging.getLogger('root').warning(*line)
    file.write_out()
    log.remove(file)
    for said in (lines.getvalue(), (tmp_path / 'run.log').read_text()):
        assert 'A line could not be made of' in said and words in said and 'tell-nobody' not in said and said.count('\n') == 1
    assert capfd.readouterr() == ('', '')


def test_bytes_of_another_language_are_said_on_every_python(lines):
    log.hide('tell-nobody')
    logging.getLogger('root').warning(u'Gr\u00fc\u00dfe tell-nobody')
    logging.getLogger('root').warning(u'Gr\u00fc\u00dfe %s tell-nobody'.encode('utf-8') if compat.PY2 else u'Gr\u00fc\u00dfe %s tell-nobody', b'\xff')
    assert lines.getvalue().count(u'Gr\u00fc\u00dfe') == 2 and 'tell-nobody' not in lines.getvalue()


@pytest.mark.skipif(os.name != 'posix', reason='pipes that select knows')
def test_who_does_not_read_keeps_nobody_waiting_and_is_told_later_how_much_was_said():
    reader, writer = os.pipe()
    stream = os.fdopen(writer, 'w')
    log.setup_custom_logger(stream=stream)
    try:
        while not compat.would_block(stream):
            os.write(writer, b'.' * 4096)
        for number in range(3):
            logging.getLogger('root').warning('line %d', number)
        while compat.would_block(stream):
            os.read(reader, 4096)
        logging.getLogger('root').warning('heard')
        said = b''
        while b'heard' not in said:
            said += os.read(reader, 65536)
    finally:
        log.setup_custom_logger()
        log.remove([handler for handler in logging.getLogger().handlers if isinstance(handler, log._OurHandler)][0])
        os.close(reader)
        stream.close()
    assert said.count(b'line ') == 0 and b'3 lines were not shown here' in said


def test_a_stream_that_cannot_be_written_any_more_fails_nobody(lines, capfd):
    def write(text):
        raise IOError(28, 'No space left on device')
    lines.write = write
    logging.getLogger('root').warning('lost')
    assert capfd.readouterr() == ('', '')
