"""`marketmaker check`: every value with its origin, then one line per question, and an exit code."""
from __future__ import absolute_import, division, print_function

import io

import pytest
import requests

from market_maker import _settings_base as base
from market_maker import check, contracts, paper
from market_maker.direct import Direct
from market_maker.settings import Settings
from market_maker.utils import errors
from market_maker.utils.clock import ManualClock
from market_maker.utils.compat import to_text
from replies import Replies

XBTUSD = {'symbol': 'XBTUSD', 'state': 'Open', 'tickSize': 0.5, 'lotSize': 1, 'multiplier': -100000000, 'isInverse': True, 'settlCurrency': 'XBt',
          'initMargin': 0.01, 'makerFee': -0.00025, 'takerFee': 0.00075, 'bidPrice': 6358.5, 'askPrice': 6359.0}
NOW = 1500000000


class Output(io.StringIO):
    def write(self, text):
        return super(Output, self).write(to_text(text))


def report(answers=None, now=NOW, **values):
    """(exit code, report) of a check against prepared answers."""
    settings = Settings(dict(dict(BASE_URL='http://127.0.0.1:1/api/v1/', API_KEY='abcdefgh', API_SECRET='tell-nobody'), **values))
    prepared = {('GET', 'instrument/active'): [XBTUSD, dict(XBTUSD, symbol='ETHUSD'), dict(XBTUSD, symbol='XBTM18', state='Closed')],
                ('GET', 'instrument'): [], ('GET', 'position'): [], ('GET', 'user/margin'): {'availableMargin': 100000000}}
    prepared.update(answers or {})
    replies = Replies(prepared, now)
    output = Output()
    code = check.run(settings, output, ManualClock(NOW), lambda settings, clock: Direct(settings, replies, clock))
    return code, output.getvalue()


def line(text, what):
    return [row for row in text.splitlines() if row.strip().startswith(('ok ', 'problem ')) and row.split()[1] == what][0]


def test_when_all_is_well_every_question_is_answered_with_ok_and_the_code_is_0():
    code, text = report()
    assert code == 0 and 'problem' not in text
    for what in ('venue', 'clock', 'symbol', 'key', 'margin'):
        assert line(text, what).strip().startswith('ok ')


def test_every_setting_is_listed_with_its_origin_and_secrets_are_hidden():
    _, text = report(PASSWORD='swordfish')
    for setting in base.SETTINGS:
        assert [row for row in text.splitlines() if row.startswith(setting.name + ' ')], setting.name
    assert 'tell-nobody' not in text and 'swordfish' not in text and 'abcdefgh' not in text and '(hidden)' in text
    assert [row for row in text.splitlines() if row.startswith('ORDER_PAIRS')][0].split() == ['ORDER_PAIRS', '6', 'default']


def test_a_venue_that_does_not_answer_is_code_4_and_nothing_else_is_asked():
    code, text = report({('GET', 'instrument/active'): requests.exceptions.ConnectTimeout('nobody there')})
    assert code == 4 and line(text, 'venue').strip().startswith('problem') and 'symbol ' not in text.split('/api/v1/:')[1]


def test_an_address_that_is_no_bitmex_is_a_venue_that_does_not_answer():
    code, text = report({('GET', 'instrument/active'): (404, u'<html>nothing here</html>')})
    assert code == 4 and 'BASE_URL' in line(text, 'venue')


def test_a_refused_key_is_code_3():
    code, text = report({('GET', 'position'): (401, {'error': {'message': 'Invalid API Key.', 'name': 'HTTPError'}})})
    assert code == 3 and line(text, 'key').strip().startswith('problem') and 'complete?' in line(text, 'key')


def test_without_a_key_one_line_says_where_to_put_it():
    code, text = report(API_KEY='', API_SECRET='')
    assert code == 3 and 'BITMEX_API_KEY' in line(text, 'key') and 'complete?' not in line(text, 'key')


def test_a_dry_run_needs_no_key():
    code, text = report(API_KEY='', API_SECRET='', DRY_RUN=True)
    assert code == 0 and 'needs none' in line(text, 'key')


def test_an_unknown_symbol_is_code_2_and_the_nearest_ones_are_named():
    code, text = report(SYMBOL='XBTUDS')
    assert code == 2 and 'XBTUSD' in line(text, 'symbol')


def test_a_symbol_that_is_not_trading_is_said():
    code, text = report(SYMBOL='XBTM18')
    assert code == 1 and 'Closed' in line(text, 'symbol')


@pytest.mark.parametrize('seconds, words', [(120, '120 s ahead of'), (-120, '120 s behind')])
def test_a_clock_that_is_off_is_said_with_the_direction(seconds, words):
    code, text = report(now=NOW - seconds)
    assert code == 1 and words in line(text, 'clock')


def test_a_ladder_that_the_margin_does_not_cover_is_said():
    code, text = report({('GET', 'user/margin'): {'availableMargin': 1000}})
    assert code == 1 and 'ORDER_PAIRS' in line(text, 'margin')


def test_the_ladder_needs_what_its_orders_block_together():
    needed = check.ladder_margin(Settings({'ORDER_PAIRS': 1}), XBTUSD)
    inner_buy = 6358.5 * (1 - 0.005)
    assert needed == pytest.approx(contracts.order_margin(XBTUSD, [(100, inner_buy)], [(100, 6391)]), rel=0.001)


def test_random_sizes_are_reckoned_at_their_largest():
    assert check.ladder_margin(Settings({'RANDOM_ORDER_SIZE': True, 'ORDER_PAIRS': 1}), XBTUSD) == pytest.approx(
        5 * check.ladder_margin(Settings({'ORDER_PAIRS': 1}), XBTUSD), rel=0.001)


def test_an_empty_book_has_no_ladder_to_reckon():
    code, text = report({('GET', 'instrument/active'): [dict(XBTUSD, bidPrice=None)]})
    assert code == 0 and 'empty' in line(text, 'margin')


def test_on_paper_a_venue_is_started_and_one_that_does_not_start_is_a_problem(monkeypatch):
    def refuse(settings):
        raise errors.PaperVenueError('no luck')
    monkeypatch.setattr(paper, 'start_for', refuse)
    output = Output()
    assert check.run(Settings(), output) == 1
    assert 'problem  paper venue  no luck' in output.getvalue()


def test_on_paper_the_venue_is_stopped_after_the_check(monkeypatch):
    class Venue(object):
        market, profile, stopped = 'lively', 'classic', False

        def stop(self):
            self.stopped = True
    venue, output = Venue(), Output()
    monkeypatch.setattr(paper, 'start_for', lambda settings: venue)
    assert check.run(Settings(), output, ManualClock(NOW), lambda settings, clock: Direct(
        Settings({'BASE_URL': 'http://127.0.0.1:1/api/v1/', 'API_KEY': 'k', 'API_SECRET': 's'}),
        Replies({('GET', 'instrument/active'): [XBTUSD], ('GET', 'position'): [], ('GET', 'user/margin'): {'availableMargin': 10**8}}, NOW), clock)) == 0
    assert venue.stopped and 'ok       paper venue  market lively' in output.getvalue()


def test_a_venue_that_does_not_tell_its_time_is_no_problem():
    settings, output = Settings(), Output()
    report_ = check._Report(output)
    checks = check._Checks(settings, report_, ManualClock(NOW), lambda settings, clock: Direct(
        Settings({'BASE_URL': 'http://127.0.0.1:1/api/v1/'}), Replies({}), clock))
    checks._clock(NOW)
    assert 'does not tell its time' in output.getvalue() and report_.code == 0


def test_a_key_that_may_not_be_used_for_another_reason_is_a_problem_with_that_reason():
    code, text = report({('GET', 'position'): (400, {'error': {'message': 'Account has been disabled', 'name': 'HTTPError'}})})
    assert code == 1 and 'disabled' in line(text, 'key')
