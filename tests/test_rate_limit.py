"""The request budget, with time handed in."""
from __future__ import absolute_import, division, print_function

from market_maker.rate_limit import RequestBudget


def headers(limit, remaining, **more):
    return dict({'x-ratelimit-limit': str(limit), 'x-ratelimit-remaining': str(remaining)}, **more)


def test_nothing_is_held_back_until_the_venue_has_told_its_limit():
    budget = RequestBudget()
    assert budget.affordable(12, 0) == 12 and budget.available(0) is None
    assert budget.describe(0) == 'request budget not known yet'


def test_the_bucket_refills_at_the_pace_of_its_era():
    classic, modern = RequestBudget(), RequestBudget()
    classic.note_headers(headers(300, 0), 0)
    modern.note_headers(headers(120, 0), 0)
    assert classic.available(10) == 10 and modern.available(10) == 20
    assert classic.available(10000) == 300


def test_a_reserve_is_kept_for_cancels_and_the_rest_is_left_out():
    budget = RequestBudget(reserve=5)
    budget.note_headers(headers(120, 12), 0)
    assert budget.affordable(12, 0) == 7
    assert budget.skipped == 5
    assert budget.describe(0) == '12 of 120 requests left, 5 put off so far'


def test_a_request_lowers_what_is_left_and_the_next_reply_corrects_it():
    budget = RequestBudget()
    budget.note_headers(headers(120, 100), 0)
    budget.note_request(6, True, 0)
    assert budget.available(0) == 94
    budget.note_headers(headers(120, 50), 0)
    assert budget.available(0) == 50
    budget.note_headers({'x-ratelimit-limit': 'x'}, 0)
    assert budget.available(0) == 50


def test_the_second_layer_lets_ten_orders_through_in_a_second():
    budget = RequestBudget()
    budget.note_headers(headers(120, 120, **{'x-ratelimit-remaining-1s': '9'}), 0)
    for _ in range(8):
        budget.note_request(1, True, 0.1)
    budget.note_request(1, False, 0.1)
    assert budget.affordable(12, 0.2) == 2
    assert budget.affordable(12, 1.15) == 2 and budget.affordable(12, 1.3) == 10   # the first may have been longer under way than the next


def test_a_modern_limit_means_a_second_layer_before_its_header_was_seen():
    modern, classic = RequestBudget(), RequestBudget()
    modern.note_headers(headers(120, 118), 0)
    classic.note_headers(headers(300, 298), 0)
    assert modern.affordable(12, 0) == 10 and classic.affordable(12, 0) == 12


def test_a_refusal_blocks_everything_for_as_long_as_it_says():
    budget = RequestBudget()
    budget.note_refusal(3, 10)
    assert budget.affordable(5, 12) == 0 and budget.affordable(5, 13) == 5
    assert budget.refused == 1


def test_a_request_before_the_limit_is_known_costs_nothing_yet():
    budget = RequestBudget()
    budget.note_request(1, True, 0)
    assert budget.available(0) is None
    assert budget.describe(0).startswith('request budget')
    budget.note_headers(headers(300, 300), 0)
    assert budget.describe(0) == '300 of 300 requests left'


def test_what_others_of_the_account_spend_is_expected_to_go_on_for_a_while():
    budget = RequestBudget(reserve=0)
    for second in range(0, 60, 2):  # they spend as much as comes back
        budget.note_headers(headers(120, 60), second)
    assert budget.available(58) == 60 and 60 <= budget.available(63) < 65
    assert budget.available(160) > 100  # nobody has told for long: it may be over, and somebody has to ask
    for second in range(60, 100, 2):
        budget.note_headers(headers(120, min(120, 60 + 2 * (second - 60))), second)
    assert budget.available(98) == 120


def test_one_header_that_says_all_is_spent_is_no_reason_to_stay_silent_for_long():
    budget = RequestBudget()
    budget.note_headers(headers(300, 300), 0)
    budget.note_headers(headers(300, 0), 1)
    budget.note_refusal(1, 1)
    assert budget.purse(11) == (0, float('inf')) and budget.purse(31)[0] > 1


def test_a_few_tokens_that_are_rounded_away_are_nobody_s():
    budget = RequestBudget(reserve=0)
    for tick in range(300):
        now = tick * 0.1
        budget.note_headers(headers(120, int(10 + 2 * now)), now)
    assert budget.available(29.9 + 10) >= 10 + 2 * 29.9 + 20 - 2


def test_alone_nobody_else_is_suspected():
    budget = RequestBudget(reserve=0)
    budget.note_headers(headers(120, 100), 0)
    for second in range(1, 20):
        budget.note_request(3, True, second)
        budget.note_headers(headers(120, 100 - second), second)
        budget.note_done()
    assert abs(budget.available(25) - (81 + 12)) < 0.1


def test_a_purse_that_is_empty_only_by_what_others_are_thought_to_spend_is_worth_a_question_after_a_while():
    budget = RequestBudget(reserve=8)
    budget.note_headers(headers(120, 110), 0)
    budget.note_headers(headers(120, 0), 1)      # somebody has spent it all, or the venue lies
    assert budget.purse(6)[0] == 0 and not budget.is_guess(5.9) and budget.is_guess(6)
    budget.note_headers(headers(120, 0), 6)      # again
    assert not budget.is_guess(10) and budget.is_guess(11)
    budget.note_headers(headers(120, 118), 11)
    assert budget.purse(11)[0] > 0 and not budget.is_guess(20)
    budget.note_refusal(10, 20)
    assert not budget.is_guess(29)
