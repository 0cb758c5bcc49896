"""What the bot does about each answer a venue can give, and about none."""
from __future__ import absolute_import, division, print_function

import pytest

from market_maker import rest_policy as policy
from market_maker.utils import errors

NOW = 1500000000.0


def attempt(verb='GET', number=0, by='key', repeatable=False):
    return policy.Attempt(verb, number, by, repeatable)


def answer(status, message='', name='HTTPError', retry_after=None, reset=None, is_json=True):
    return policy.Answer(status, message, name, retry_after, reset, is_json, None)


def decide(verb, status, message='', number=0, by='key', **more):
    return policy.after_answer(attempt(verb, number, by), answer(status, message, **more), NOW)


def raised(decision, kind):
    assert decision.action == policy.RAISE and type(decision.error) is kind, decision
    return decision.error


def test_a_good_answer_is_returned():
    assert decide('GET', 200).action == policy.RETURN


def test_html_with_status_200_says_nothing_about_an_order():
    raised(decide('POST', 200, is_json=False), errors.UnknownOutcome)
    assert decide('GET', 200, is_json=False).action == policy.RETRY


@pytest.mark.parametrize('verb', ['POST', 'PUT'])
@pytest.mark.parametrize('status, message', [(500, 'Server Error'), (502, ''), (504, ''), (503, 'Service unavailable'), (503, '')])
def test_an_unknown_outcome_is_not_a_rejection(verb, status, message):
    raised(decide(verb, status, message, is_json=False), errors.UnknownOutcome)


@pytest.mark.parametrize('verb', ['GET', 'DELETE'])
@pytest.mark.parametrize('status', [500, 502, 503, 504])
def test_reads_and_cancels_are_repeated_after_a_server_error_a_bounded_number_of_times(verb, status):
    waits = [decide(verb, status, number=number) for number in range(3)]
    assert [d.action for d in waits] == [policy.RETRY] * 3 and [d.wait for d in waits] == [0.5, 1.0, 2.0]
    raised(decide(verb, status, number=3), errors.VenueUnreachable)


@pytest.mark.parametrize('verb, retries', [('GET', 3), ('DELETE', 3), ('POST', 2), ('PUT', 2)])
def test_an_overloaded_venue_is_asked_again_with_the_same_request_not_before_half_a_second(verb, retries):
    text = 'The system is currently overloaded. Please try again later.'
    for number in range(retries):
        decision = decide(verb, 503, text, number=number)
        assert decision.action == policy.RETRY and decision.wait >= 0.5
    raised(decide(verb, 503, text, number=retries), errors.Overloaded)


def test_a_request_that_never_left_is_sent_again():
    assert policy.after_failure(attempt('POST'), policy.NOT_SENT, 'refused').action == policy.RETRY
    raised(policy.after_failure(attempt('POST', 2), policy.NOT_SENT, 'refused'), errors.VenueUnreachable)
    raised(policy.after_failure(attempt('POST'), policy.NOT_SENT, 'refused', max_retries=0), errors.VenueUnreachable)


def test_a_post_without_an_answer_is_not_sent_again():
    raised(policy.after_failure(attempt('POST'), policy.NO_ANSWER, 'timed out'), errors.UnknownOutcome)
    raised(policy.after_failure(attempt('PUT'), policy.NO_ANSWER, 'timed out'), errors.UnknownOutcome)
    assert policy.after_failure(attempt('DELETE'), policy.NO_ANSWER, 'timed out').action == policy.RETRY


def test_what_is_repeatable_is_sent_again_whatever_the_verb():
    again = attempt('POST', repeatable=True)
    assert policy.after_failure(again, policy.NO_ANSWER, 'timed out').action == policy.RETRY
    assert policy.after_answer(again, answer(502, is_json=False), NOW).action == policy.RETRY


def test_a_bad_certificate_is_never_retried_and_the_message_says_what_to_do():
    error = raised(policy.after_failure(attempt(), policy.BAD_CERTIFICATE, 'expired'), errors.VenueUnreachable)
    assert 'certifi' in str(error)


@pytest.mark.parametrize('message', ['Invalid ordStatus', 'Invalid ordStatus: Filled', 'Invalid orderID', 'Invalid leavesQty for lotSize',
                                     'Invalid origClOrdID', 'Invalid amend: orderQty, leavesQty, price, stopPx unchanged'])
def test_an_order_that_is_not_what_we_thought_makes_us_read_again(message):
    error = raised(decide('PUT', 400, message), errors.OrderGone)
    assert error.action == errors.RETICK and error.status == 400 and error.message == message


def test_refusals_are_told_apart_by_their_text():
    raised(decide('POST', 400, 'Account has insufficient Available Balance, 575375000 XBt required'), errors.InsufficientFunds)
    raised(decide('POST', 400, 'Bulk orders: Account has insufficient Available Balance, 5 XBt required'), errors.InsufficientFunds)
    raised(decide('POST', 400, 'Market is not open'), errors.MarketClosedError)
    raised(decide('POST', 400, 'Invalid price tickSize'), errors.RequestRefused)
    raised(decide('POST', 409, 'whatever'), errors.RequestRefused)
    assert raised(decide('POST', 418), errors.RequestRefused).message == 'HTTP 418'


def test_a_duplicate_client_id_is_looked_up():
    assert decide('POST', 400, 'Duplicate clOrdID').action == policy.LOOK_UP


def test_an_expired_request_is_sent_again_once_with_the_clock_corrected():
    text = 'This request has expired - `expires` is in the past. Current time: 1561918674'
    assert decide('POST', 400, text).action == policy.SYNC_CLOCK
    assert decide('POST', 400, text, number=1).action == policy.SYNC_CLOCK  # an attempt that failed for another reason does not count
    expired = raised(policy.after_answer(attempt('POST')._replace(renewed=True), answer(400, text), NOW), errors.RequestExpired)
    assert expired.action == errors.RETICK


def test_wrong_credentials_stop_the_bot_but_an_old_token_is_renewed_once():
    raised(decide('GET', 401, 'Invalid API Key.'), errors.AuthenticationError)
    assert decide('GET', 401, by='token').action == policy.LOG_IN
    assert decide('GET', 401, number=1, by='token').action == policy.LOG_IN
    raised(policy.after_answer(attempt(by='token')._replace(renewed=True), answer(401), NOW), errors.AuthenticationError)
    assert 'This key is disabled.' in str(raised(decide('POST', 403, 'This key is disabled.'), errors.PermissionDenied))


def test_404_of_a_cancel_means_gone_already():
    assert decide('DELETE', 404, 'Not Found').action == policy.NOTHING
    raised(decide('POST', 404, 'Not Found'), errors.NotFound)


def test_a_rate_limit_is_waited_out_for_reads_and_handed_up_for_orders():
    decision = decide('GET', 429, 'Rate limit exceeded, retry in 1 seconds.', retry_after=1)
    assert (decision.action, decision.wait) == (policy.RETRY, 1.0)
    assert raised(decide('POST', 429, retry_after=1), errors.RateLimited).retry_at == NOW + 1
    assert raised(decide('GET', 429, reset=NOW + 60), errors.RateLimited).retry_at == NOW + 60
    assert decide('GET', 429).wait == 1.0
    raised(decide('GET', 429, retry_after=1, number=3), errors.RateLimited)
