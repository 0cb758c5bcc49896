"""What of a plan is sent when the budget does not pay for all of it, and what the settings will need."""
from __future__ import absolute_import, division, print_function

from desk import Desk
from fakes import response

from market_maker import afford, convergence, forecast
from market_maker.rate_limit import SECOND_S, RequestBudget

PLENTY = float('inf')


def row(name, side, price, leaves=100):
    return {'orderID': name, 'side': side, 'price': price, 'leavesQty': leaves, 'cumQty': 0}


def wanted(side, *levels):
    return [{'side': side, 'price': price, 'orderQty': size} for price, size in levels]


def trim(existing, buys, sells, tokens, second=PLENTY, transport='single', limit=None):
    plan = convergence.diff(existing, buys, sells, 0)
    return afford.trim(existing, plan, transport, tokens, second, 100.0, limit)


def test_a_plan_that_can_be_paid_is_sent_as_it_is():
    plan, left_out = trim([], wanted('Buy', (98.0, 100), (99.0, 100)), [], 2)
    assert len(plan.create) == 2 and left_out == 0


def test_creates_nearest_to_the_touch_come_first_and_keep_their_order():
    plan, left_out = trim([], wanted('Buy', (97.0, 100), (98.0, 100), (99.0, 100)), [], 2)
    assert [order['price'] for order in plan.create] == [98.0, 99.0] and left_out == 1


def test_cancels_are_always_sent():
    existing = [row('a', 'Buy', 98.0), row('b', 'Buy', 99.0)]
    plan, left_out = trim(existing, [], wanted('Sell', (101.0, 100)), 0)
    assert len(plan.cancel) == 2 and plan.create == [] and left_out == 1


def test_of_amends_those_that_shrink_come_first_then_those_that_stand_too_near_then_the_longest_way():
    existing = [row('a', 'Buy', 90.0), row('b', 'Buy', 98.0), row('c', 'Sell', 101.0), row('d', 'Sell', 110.0, 300)]
    buys, sells = wanted('Buy', (91.0, 100), (99.0, 100)), wanted('Sell', (110.0, 100), (102.0, 100))
    kept = [[amend.order['orderID'] for amend in trim(existing, buys, sells, tokens)[0].amend] for tokens in (1, 2, 3, 4)]
    assert [sorted(names) for names in kept] == [['d'], ['c', 'd'], ['a', 'c', 'd'], ['a', 'b', 'c', 'd']]


def test_filling_up_comes_after_moving_and_before_creating():
    existing = [row('a', 'Buy', 98.0, 50), row('b', 'Buy', 97.0)]
    plan, _ = trim(existing, wanted('Buy', (97.5, 100), (98.0, 100)), wanted('Sell', (101.0, 100)), 2)
    assert sorted(amend.order['orderID'] for amend in plan.amend) == ['a', 'b'] and plan.create == []


def test_filling_up_in_place_comes_after_every_move():
    existing = [row('a', 'Buy', 98.0, 50), row('b', 'Sell', 110.0)]
    plan, left_out = trim(existing, wanted('Buy', (98.0, 100)), wanted('Sell', (109.0, 100)), 1)
    assert [amend.order['orderID'] for amend in plan.amend] == ['b'] and left_out == 1


def test_what_relied_on_an_amend_that_is_left_out_is_left_out_with_it():
    existing = [row('a', 'Sell', 101.0, 100), row('b', 'Buy', 99.0, 300)]
    plan, left_out = trim(existing, wanted('Buy', (101.5, 100)), wanted('Sell', (102.0, 100)), 1)
    assert plan.amend == [] and left_out == 2


def test_bulk_requests_cost_half_a_token_an_order_and_one_of_the_second_layer_each():
    plan, left_out = trim([], wanted('Buy', *[(90.0 + step, 100) for step in range(6)]), [], 2, transport='bulk')
    assert len(plan.create) == 4 and left_out == 2
    assert afford.cost(plan, 'bulk') == (2, 1) and afford.cost(plan, 'single') == (4, 4)
    assert trim([], wanted('Buy', (90.0, 100)), [], PLENTY, 0, 'bulk')[0].create == []


def test_creating_leaves_what_amending_all_that_rests_costs():
    existing, buys = [row('a', 'Buy', 97.0), row('b', 'Buy', 98.0)], wanted('Buy', (97.0, 100), (98.0, 100), (99.0, 100))
    sent = [len(trim(existing, buys, [], tokens, limit=120)[0].create) for tokens in (1, 2, 3)]
    assert sent == [0, 0, 1]
    assert [len(trim(existing, buys, [], tokens, transport='bulk', limit=120)[0].create) for tokens in (1, 2)] == [0, 1]
    assert len(trim(existing, buys, [], 2, limit=4)[0].create) == 1   # a quarter of the bucket at most
    assert len(trim([], buys, [], 3, limit=120)[0].create) == 3       # where nothing rests nothing has to be moved


def test_filling_up_leaves_that_too_and_moving_does_not():
    existing = [row('a', 'Buy', 97.0), row('b', 'Buy', 98.0, 50)]
    sent = [len(trim(existing, wanted('Buy', (97.0, 100), (98.0, 100)), [], tokens, limit=120)[0].amend) for tokens in (2, 3)]
    assert sent == [0, 1]
    assert len(trim(existing, wanted('Buy', (97.5, 100), (98.5, 50)), [], 2, limit=120)[0].amend) == 2


def test_the_forecast_grows_with_the_square_of_what_the_price_moves_until_we_look_no_more_often():
    calm = forecast.per_minute(0.001, 12, 0.0099, 0.0001, True, None, 0)
    assert round(calm, 3) == 0.12 and round(forecast.per_minute(0.002, 12, 0.0099, 0.0001, True, None, 0), 3) == 0.48
    assert forecast.per_minute(0.001, 12, 0.01, 0.0001, True, None, 0) < calm  # a move of exactly RELIST_INTERVAL is none yet
    assert forecast.per_minute(0.001, 12, 0, 0.0001, True, 5, 0) == 144.0  # polling moves it every five seconds at most
    assert 300 < forecast.per_minute(0.001, 12, 0, 0.0001, False, None, 0) < 360
    assert forecast.per_minute(0.001, 12, 0.1, 0.0001, False, None, 60) - forecast.per_minute(0.001, 12, 0.1, 0.0001, False, None, 0) == 4


def test_the_forecast_counts_what_is_taken_home():
    without = forecast.per_minute(0.001, 12, 0.01, 0.0001, True, None, 0)
    assert round(forecast.per_minute(0.001, 12, 0.01, 0.0001, True, None, 0, 300) - without, 6) == 0.48
    assert round(forecast.per_minute(0.001, 12, 0.01, 0.0001, True, None, 0, 3000) - without, 6) == 0.24  # once in fifty minutes at most
    assert forecast.per_minute(0.001, 12, 0, 0.0001, True, None, 0, 300) == forecast.per_minute(0.001, 12, 0, 0.0001, True, None, 0)


def test_a_forecast_beyond_what_there_is_is_a_warning():
    assert forecast.line(0.12, 3, 60)[1] is False
    text, is_warning = forecast.line(144, 144, 120)
    assert is_warning and '144 requests a minute on an ordinary day' in text and 'the venue allows 120' in text


#
# The purse, and the bot
#
def headers(limit, remaining, **more):
    return dict({'x-ratelimit-limit': str(limit), 'x-ratelimit-remaining': str(remaining)}, **more)


def test_of_requests_side_by_side_a_late_header_only_lowers_what_we_believe():
    budget = RequestBudget(reserve=0)
    budget.note_headers(headers(120, 100), 0)
    for _ in range(3):
        budget.note_request(1, True, 0)
    budget.note_headers(headers(120, 97), 0)
    budget.note_done()
    budget.note_headers(headers(120, 99), 0)  # sent first, and read last
    budget.note_done()
    assert budget.purse(0)[0] == 97
    budget.note_done()
    budget.note_request(1, True, 0)
    budget.note_headers(headers(120, 110), 0)
    budget.note_done()
    assert budget.purse(0)[0] == 110


def test_the_second_layer_is_corrected_by_its_header():
    budget = RequestBudget()
    budget.note_headers(headers(120, 100, **{'x-ratelimit-remaining-1s': '2'}), 10)
    assert budget.purse(10)[1] == 2 and budget.purse(10.65)[1] == 7 and budget.purse(11.15)[1] == 10


def test_how_long_to_wait_for_more():
    budget = RequestBudget(reserve=5)
    assert budget.wait(0) == SECOND_S and budget.per_minute is None
    budget.note_headers(headers(300, 5), 0)
    assert budget.wait(0) == 1.0 and budget.per_minute == 60
    budget.note_refusal(30, 0)
    assert budget.wait(10) == 20 and budget.purse(10) == (0, 0)


def scarce(desk, remaining):
    """From now on every reply says that so many requests are left."""
    for name in ('POST order/bulk', 'PUT order/bulk'):
        usual = desk.venue.script[name]
        desk.venue.script[name] = lambda request, usual=usual: _with(usual(request), remaining)
    desk.bitmex.request_budget.note_headers(headers(300, remaining), desk.clock.monotonic())


def _with(answer, remaining):
    answer.headers.update(headers(300, remaining))
    return answer


def test_while_the_budget_is_short_that_is_said_once_and_once_when_it_is_over():
    desk = Desk(RELIST_INTERVAL=0, ORDER_TRANSPORT='bulk', EXCURSION_S=0)
    desk.at(1.5, scarce, desk, 9)
    for second in range(2, 12):
        desk.at(second, desk.venue.quote, 6358.5 + second, 6359.0 + second)
    desk.at(12, lambda: scarce(desk, 200))
    desk.at(12.5, desk.venue.quote, 6500.0, 6500.5)
    desk.run(46)
    assert desk.heard.count('pays for a part of the orders') == 1 and desk.heard.count('suffices again') == 1
    assert desk.bitmex.request_budget.skipped > 0
    assert max(desk.venue.most_resting.values()) == 6


def test_what_waits_for_tokens_counts_once_and_is_sent_as_it_is_wanted_by_then():
    desk = Desk(RELIST_INTERVAL=0, ORDER_TRANSPORT='bulk', EXCURSION_S=0)
    budget, none = desk.bitmex.request_budget, []
    desk.at(1.5, scarce, desk, 0)
    desk.at(1.5, budget.note_refusal, 8, desk.start + 1.5)
    for second in range(2, 9):
        desk.at(second, desk.venue.quote, 6358.5 + 10 * second, 6359.0 + 10 * second)
    desk.at(9.4, lambda: none.append((len(desk.venue.sent('PUT', 'order/bulk')), budget.skipped)))
    desk.at(9.4, scarce, desk, 200)
    desk.run(12)
    assert none == [(0, 12)]        # all twelve wait, through seven moves
    prices = [order['price'] for body in desk.venue.sent('PUT', 'order/bulk') for order in body['orders']]
    assert len(prices) == 12 and 6470 < min(price for price in prices if price > 6439) < 6471  # half of MIN_SPREAD above the last touch


def test_what_could_not_be_paid_is_looked_at_again_when_there_is_more_though_nothing_else_happens():
    desk = Desk(LOOP_INTERVAL=600, ORDER_TRANSPORT='bulk')
    desk.at(1.9, scarce, desk, 8)      # the reserve, and a token a second
    desk.at(2, desk.venue.fill, side='Buy')
    seen = []
    for moment in (5, 12):
        desk.at(moment, lambda: seen.append(len(desk.venue.sent('POST', 'order/bulk'))))
    desk.run(13)
    assert seen == [1, 2]


def test_the_status_shows_what_was_asked_and_the_start_what_will_be():
    desk = Desk(RELIST_INTERVAL=0)
    desk.at(0.5, scarce, desk, 280)
    desk.at(1, desk.venue.fill, side='Buy')
    desk.run(6)
    assert desk.heard.count('Requests: ') == 2 and desk.heard.count('13 quotes sent, 1 fill (13.0 a fill)') == 1
    assert desk.heard.count('Forecast: ') == 1 and desk.heard.count('That is more than there is') == 1


def test_a_429_is_obeyed_and_nothing_is_sent_before_its_time():
    desk = Desk(RELIST_INTERVAL=0)
    desk.venue.once['PUT order/bulk'] = [response(429, {'error': {'message': 'Rate limit exceeded', 'name': 'RateLimitError'}},
                                                  {'Retry-After': '10'})]
    for second in range(2, 11):
        desk.at(second, desk.venue.quote, 6358.5 + second, 6359.0 + second)
    seen = []
    desk.at(11.5, lambda: seen.append(len(desk.venue.sent('PUT', 'order/bulk'))))
    desk.run(17)
    assert seen == [1] and len(desk.venue.sent('PUT', 'order/bulk')) == 2
