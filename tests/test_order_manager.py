"""The order manager on a small venue: what it sends, and when."""
from __future__ import absolute_import, division, print_function

import pytest
from desk import GOLDEN_INSTRUMENT, Desk, ToyVenue
from fakes import error, response

from market_maker import market_maker as bot
from market_maker.custom_strategy import CustomOrderManager
from market_maker.strategies.index_price import IndexOrderManager
from market_maker.strategies.inventory import InventoryOrderManager
from market_maker.utils import errors


def prices(desk, side):
    return [price for price, _ in desk.venue.ladder(side)]


def sent(desk, verb, path='order/bulk'):
    return [body['orders'] for method, where, body in desk.venue.requests if (method, where) == (verb, path)]


class Look(object):
    """Keeps what `look()` returned at given moments of a run."""

    def __init__(self, desk, look):
        self.desk, self.look, self.seen = desk, look, []

    def at(self, *moments):
        for moment in moments:
            self.desk.at(moment, lambda: self.seen.append(self.look()))
        return self


def ladders(desk, *moments):
    return Look(desk, lambda: (desk.venue.ladder('Buy'), desk.venue.ladder('Sell'))).at(*moments).seen


#
# The ladder
#
def test_a_filled_inner_order_is_replaced_by_one_new_order():
    desk = Desk()
    desk.at(2, desk.venue.fill, side='Buy')
    desk.run(7)
    assert [len(orders) for orders in sent(desk, 'POST')] == [12, 1]
    assert sent(desk, 'POST')[1][0]['price'] == 6327.0 and sent(desk, 'PUT') == []
    assert desk.heard.count('bitmex - Execution: Buy 100 Contracts of XBTUSD at 6327.0') == 1


def test_a_partly_filled_order_is_topped_up_to_what_is_filled_plus_what_is_wanted():
    desk = Desk()
    desk.at(2, desk.venue.fill, side='Sell', quantity=40)
    desk.run(7)
    assert [(amend['orderQty'], amend['price']) for amend in sent(desk, 'PUT')[0]] == [(140, 6390.5)]
    assert 'market_maker - Amending Sell: 60 @ 6390.5 to 100 @ 6390.5 (+0.0)' in desk.heard.lines


def test_orders_stay_where_they_are_until_the_market_moved_by_relist_interval():
    desk = Desk()
    desk.at(2, desk.venue.quote, 6390.0, 6390.5)
    desk.at(8, desk.venue.quote, 6500.0, 6500.5)
    seen = ladders(desk, 7, 12)
    desk.run(13)
    assert seen[0][0][0] == (6327.0, 100) and seen[1][0][0] == (6468.0, 100)
    assert len(sent(desk, 'PUT')) == 2  # sells away first, then the buys where sells stood


def test_in_a_jump_we_never_trade_with_ourselves():
    desk = Desk(RELIST_INTERVAL=0)
    for second, middle in enumerate((6800.0, 5000.0, 5300.0, 5301.0, 9000.0, 4000.0)):
        desk.at(2 + 5 * second, desk.venue.quote, middle, middle + 0.5)
    desk.run(40)  # the venue raises when two of our orders meet
    assert max(desk.venue.most_resting.values()) == 6


def test_when_the_touch_is_our_own_we_do_not_outbid_ourselves():
    desk = Desk(MIN_SPREAD=0.0, RELIST_INTERVAL=0.0, venue=ToyVenue(6350.0, 6360.0))
    desk.at(2, desk.venue.quote, 6350.5, 6359.5)
    seen = ladders(desk, 1, 6)
    desk.run(7)
    assert seen[0] == seen[1] and seen[0][0][0][0] == 6350.5 and seen[0][1][0][0] == 6359.5


def test_without_maintain_spreads_we_work_inwards():
    desk = Desk(MIN_SPREAD=0.0, RELIST_INTERVAL=0.0, MAINTAIN_SPREADS=False, INTERVAL=0.0001, ORDER_PAIRS=1, venue=ToyVenue(6350.0, 6360.0))
    seen = ladders(desk, 1)
    desk.run(2)
    assert seen[0] == ([(6350.0, 100)], [(6360.0, 100)])


def test_sizes_go_up_to_the_lot_and_that_is_said_once():
    desk = Desk(venue=ToyVenue(instruments=[dict(GOLDEN_INSTRUMENT, lotSize=100)]), ORDER_START_SIZE=150, ORDER_STEP_SIZE=25, ORDER_PAIRS=2)
    seen = ladders(desk, 1)
    desk.run(12)
    assert seen[0][0] == [(6327.0, 200), (6295.5, 200)]
    assert desk.heard.count('150 becomes 200, 175 becomes 200') == 1


def test_random_sizes_come_from_the_seed_and_stay_until_a_fill():
    desk = Desk(RANDOM_ORDER_SIZE=True, RANDOM_SEED=7, ORDER_PAIRS=2)
    desk.at(7, desk.venue.fill, side='Buy')
    seen = ladders(desk, 1, 6, 12)
    desk.run(13)
    assert seen[0] == seen[1] == ([(6327.0, 361), (6295.5, 229)], [(6390.5, 129), (6422.0, 160)])
    assert seen[2] == ([(6327.0, 314), (6295.5, 229)], seen[0][1])
    assert sent(desk, 'PUT') == []


def test_single_orders_give_the_same_ladder():
    desk = Desk(ORDER_TRANSPORT='single')
    seen = ladders(desk, 1)
    desk.at(2, desk.venue.fill, side='Buy')
    desk.at(3, desk.venue.quote, 6800.0, 6800.5)
    desk.run(7)
    assert [price for price, _ in seen[0][0]] == [6327.0, 6295.5, 6264.5, 6233.0, 6202.0, 6171.5]
    assert max(desk.venue.most_resting.values()) == 6


#
# Limits
#
def test_the_ladder_is_trimmed_so_that_whatever_fills_stays_within_the_limits():
    desk = Desk(CHECK_POSITION_LIMITS=True, MAX_POSITION=800, MIN_POSITION=-1000)
    seen = ladders(desk, 1)
    desk.run(2)
    assert seen[0][0] == [(6327.0, 100), (6295.5, 200), (6264.5, 300), (6233.0, 200)]
    assert sum(size for _, size in seen[0][1]) == 1000
    assert desk.heard.count('Position limits: -1000/800') == 1


def test_fills_of_one_side_never_pass_the_limit():
    desk = Desk(CHECK_POSITION_LIMITS=True, MAX_POSITION=500, MIN_POSITION=-500)
    most = []
    for second in range(1, 60):
        desk.at(second, lambda: most.append(desk.venue.position + sum(size for _, size in desk.venue.ladder('Buy'))))
        if second % 2:
            desk.at(second, lambda: desk.venue.ladder('Buy') and desk.venue.fill(side='Buy', quantity=min(70,
                desk.venue.inner('Buy')['leavesQty'])))
    desk.run(61)
    assert max(most) <= 500 and desk.venue.position == 500
    assert desk.heard.count('market_maker - Long delta limit exceeded') >= 1
    assert desk.heard.count('Current Position: 500, Maximum Position: 500') >= 1


def test_a_fill_that_the_position_does_not_show_yet_counts_towards_the_limit():
    desk = Desk(CHECK_POSITION_LIMITS=True, MAX_POSITION=2100, LOOP_INTERVAL=1, EVENT_DRIVEN=False)

    def fill_without_the_position():
        row = desk.venue.inner('Buy')
        row.update(cumQty=100, leavesQty=0, ordStatus='Filled')
        desk.venue._touch(row)
        desk.venue.feed.table('order', 'update', row)
    desk.at(1.5, fill_without_the_position)
    seen = ladders(desk, 2.5, 3.5)
    desk.run(3.6)
    assert [sum(size for _, size in buys) for buys, _ in seen] == [1900, 2000]  # first the outermost shrinks, then there is room


def test_at_the_short_limit_only_buys_are_quoted():
    desk = Desk(CHECK_POSITION_LIMITS=True, MIN_POSITION=-200, venue=ToyVenue(position=-219))
    seen = ladders(desk, 1)
    desk.run(2)
    assert len(seen[0][0]) == 6 and seen[0][1] == []
    assert desk.heard.count('Short delta limit exceeded') == 1
    assert desk.heard.count('Current Position: -219, Minimum Position: -200') == 1


def test_limits_that_have_no_room_for_a_lot_are_named_once():
    desk = Desk(CHECK_POSITION_LIMITS=True, MIN_POSITION=-300, MAX_POSITION=400, LOOP_INTERVAL=2)
    desk.at(2, desk.venue.instrument_row, lotSize=1000)
    desk.at(12, desk.venue.instrument_row, lotSize=1)
    desk.run(20)
    assert desk.heard.count('Nothing can be quoted: a lot of XBTUSD is 1000 contracts') == 1
    assert desk.heard.count('leave room for a lot again') == 1


def test_when_a_limit_is_reached_the_side_is_taken_off_the_book():
    desk = Desk(CHECK_POSITION_LIMITS=True)
    desk.at(2, lambda: setattr(desk.settings, 'MAX_POSITION', 0))
    seen = ladders(desk, 7)
    desk.run(8)
    assert seen[0][0] == [] and len(seen[0][1]) == 6
    assert desk.heard.lines[desk.heard.lines.index('market_maker - Canceling 6 orders:') + 1] == 'market_maker -  Buy 100 @ 6327.0'


#
# Races and refusals
#
def test_a_fill_that_races_an_amend_is_looked_up_and_quoting_goes_on():
    desk = Desk()
    inner = Look(desk, lambda: desk.venue.inner('Sell')['orderID'])

    def fill_unseen(request):
        desk.venue.fill(side='Sell', said=False)
        return error(400, 'Invalid ordStatus')
    desk.venue.once['PUT order/bulk'] = [fill_unseen]
    desk.at(2, desk.venue.quote, 6800.0, 6800.5)
    inner.at(1, 7)
    seen = ladders(desk, 7)
    desk.run(8)
    assert inner.seen[0] != inner.seen[1]
    assert [len(side) for side in seen[0]] == [6, 6] and seen[0][0][0][0] == 6766.5
    assert desk.heard.count('Reading the orders again.') == 1


@pytest.mark.parametrize('filled, answer', [(100, None), (30, None), (100, error(404, 'Not Found')), (100, response(200, []))])
def test_an_order_filled_before_it_was_cancelled_ends_the_turn_and_the_next_one_puts_it_right(filled, answer):
    desk = Desk(CHECK_POSITION_LIMITS=True, ORDER_PAIRS=1, ORDER_START_SIZE=100, MAX_POSITION=1000, MIN_POSITION=-1000)

    def fill_first(request):
        desk.venue.fill(side='Buy', quantity=filled, said=False)
        return desk.venue._cancel(request) if answer is None else answer
    desk.venue.once['DELETE order'] = [fill_first]
    desk.at(2, lambda: setattr(desk.settings, 'MAX_POSITION', 0))
    desk.run(12)
    assert desk.heard.count('Reading the orders again.') == 1
    assert desk.manager.starting_qty == 0 and desk.venue.position == filled


def test_a_post_only_order_that_was_cancelled_is_priced_a_tick_further_on_our_own_side():
    desk = Desk(POST_ONLY=True, MIN_SPREAD=0.0, ORDER_PAIRS=1, venue=ToyVenue(6358.5, 6362.0))

    def crossed(request):
        desk.venue.ask = 6359.0  # the touch moved while the order was under way
        try:
            return desk.venue._create(request)
        finally:
            desk.venue.ask = 6362.0
    desk.venue.once['POST order/bulk'] = [crossed]
    seen = ladders(desk, 1, 6)
    desk.run(7)
    assert seen[0][0] == seen[1][0] == [(6358.5, 100)]  # at once, but once: a second refusal waits
    assert desk.heard.count('Not resting: Buy 100 @ 6359.0: Canceled: Order had execInst of ParticipateDoNotInitiate (refused') == 1


def test_a_refusal_is_logged_and_the_next_try_waits():
    desk = Desk(LOOP_INTERVAL=2)
    desk.venue.once['POST order/bulk'] = [error(400, 'Invalid price tickSize')] * 2
    desk.run(15)
    assert desk.heard.count('Skipped: Invalid price tickSize') == 2
    assert len(sent(desk, 'POST')) == 2


def test_amends_that_the_budget_left_out_keep_what_relies_on_them_from_being_sent():
    desk = Desk(ORDER_TRANSPORT='single')
    desk.at(1.5, lambda: setattr(desk.bitmex.request_budget, 'affordable', lambda wanted, now: min(wanted, 3)))
    desk.at(2, desk.venue.quote, 6800.0, 6800.5)
    desk.run(40)  # the venue raises when two of our orders meet
    assert prices(desk, 'Buy') == [] and max(desk.venue.most_resting.values()) == 6
    assert desk.heard.count('Amending  Buy') > 6


def test_an_order_of_unknown_outcome_counts_and_is_adopted():
    desk = Desk()

    def lost(request):
        desk.venue._create(request)
        return response(502, '<html>Bad Gateway</html>')
    desk.venue.once['POST order/bulk'] = [lost]
    seen = ladders(desk, 1, 12)
    desk.run(13)
    assert [len(side) for side in seen[1]] == [6, 6] and seen[0] == seen[1]
    assert max(desk.venue.most_resting.values()) == 6


def test_a_second_copy_stops_the_run():
    desk = Desk()
    stranger = {'clOrdID': 'mm_bitmex_other', 'symbol': 'XBTUSD', 'side': 'Buy', 'orderQty': 1, 'price': 6000.0}
    desk.at(2, desk.venue._place, stranger)
    with pytest.raises(errors.SecondCopyRunning):
        desk.run(20)
    assert desk.manager.cancelled and desk.venue.resting() == []


def test_what_an_earlier_run_left_is_cancelled_first():
    venue = ToyVenue()
    desk_of_before = Desk(venue=venue)
    venue._place({'clOrdID': 'mm_bitmex_old', 'symbol': 'XBTUSD', 'side': 'Buy', 'orderQty': 7, 'price': 6000.0})
    venue._place({'clOrdID': 'by_hand', 'symbol': 'XBTUSD', 'side': 'Buy', 'orderQty': 8, 'price': 6000.0})
    desk = Desk(venue=venue, clock=desk_of_before.clock)
    desk.run(2)
    assert desk.heard.count('Canceling: Buy 7 @ 6000.0') == 1
    assert [row['clOrdID'] for row in venue.resting()] == ['by_hand']


#
# Getters
#
def test_every_getter_of_the_original_answers():
    desk = Desk(CONTRACTS=['XBTUSD', 'NONE'], venue=ToyVenue(position=-219))
    exchange = desk.exchange
    assert exchange.get_highest_buy() == {'price': -2**32} and exchange.get_lowest_sell() == {'price': 2**32}
    desk.manager.reset()
    assert exchange.get_highest_buy()['price'] == 6327.0 and exchange.get_lowest_sell()['price'] == 6390.5
    assert exchange.get_delta() == -219 and exchange.get_position()['avgCostPrice'] == 7468.8177
    assert exchange.get_margin()['marginBalance'] == 135739200 and exchange.get_ticker()['mid'] == 6359.0
    assert exchange.is_open() and len(exchange.get_orders()) == 12
    assert list(exchange.get_portfolio()) == ['XBTUSD'] and exchange.unknown_contracts() == ['NONE']
    assert round(exchange.calc_delta()['spot'], 6) == round(-219 / 6347.0, 6)
    exchange.cancel_order(exchange.get_lowest_sell())
    assert prices(desk, 'Sell')[0] == 6422.0
    exchange.create_orders([{'price': 6400.0, 'orderQty': 5, 'side': 'Sell'}])
    exchange.amend_orders([{'orderID': exchange.get_lowest_sell()['orderID'], 'price': 6401.0, 'orderQty': 5, 'side': 'Sell'}])
    assert prices(desk, 'Sell')[0] == 6401.0
    exchange.cancel_orders([exchange.get_lowest_sell()])
    assert prices(desk, 'Sell')[0] == 6422.0
    desk.manager.shut_down()


def test_the_portfolio_holds_the_contracts_of_the_settings_and_the_one_traded():
    other = dict(GOLDEN_INSTRUMENT, symbol='XBTM26', markPrice=6500.0, indicativeSettlePrice=6400.0)
    desk = Desk(CONTRACTS=['XBTM26'], venue=ToyVenue(position=100, instruments=[GOLDEN_INSTRUMENT, other]))
    portfolio = desk.exchange.get_portfolio()
    assert sorted(portfolio) == ['XBTM26', 'XBTUSD']
    assert portfolio['XBTM26']['spot'] == 6400.0 and portfolio['XBTM26']['currentQty'] == 0.0
    assert portfolio['XBTUSD']['currentQty'] == 100.0


def test_the_module_functions_of_the_original_answer():
    assert bot.XBt_to_XBT(135739200) == 1.357392
    assert bot.cost(GOLDEN_INSTRUMENT, -100, 10000) == 1000000
    assert bot.margin(GOLDEN_INSTRUMENT, 100, 10000) == 10000


def test_a_linear_contract_is_accounted_in_its_own_currency():
    row = dict(GOLDEN_INSTRUMENT, symbol='XBTUSDT', isInverse=False, multiplier=1, underlyingToSettleMultiplier=None, settlCurrency='USDt',
               quoteToSettleMultiplier=1000000, lotSize=100)
    desk = Desk(venue=ToyVenue(position=2000, balance=12500000, instruments=[row]), SYMBOL='XBTUSDT')
    desk.run(2)
    assert 'market_maker - Current USDT Balance: 12.500000' in desk.heard.lines
    assert 'market_maker - Total Contract Delta: 0.0020 XBT' in desk.heard.lines
    assert desk.heard.count('Result of this run: +0.000000 USDT') == 1


#
# Strategies
#
def test_the_example_strategy_quotes_one_pair_around_the_middle():
    desk = Desk(manager=CustomOrderManager)
    seen = ladders(desk, 1)
    desk.run(2)
    assert seen[0] == ([(6327.0, 100)], [(6391.0, 100)])


def test_the_index_strategy_quotes_around_the_index_and_not_the_touch():
    venue = ToyVenue(6358.5, 6359.0, instruments=[dict(GOLDEN_INSTRUMENT, indicativeSettlePrice=6400.0)])
    desk = Desk(manager=IndexOrderManager, venue=venue)
    seen = ladders(desk, 1)
    desk.run(2)
    assert seen[0][0][0][0] == 6358.5 and seen[0][1][0][0] == 6432.0  # the buys are held on our own side of the touch


def test_the_index_strategy_quotes_around_the_touch_while_there_is_no_index():
    venue = ToyVenue(instruments=[dict(GOLDEN_INSTRUMENT, indicativeSettlePrice=None, markPrice=None, midPrice=None, lastPrice=None)])
    desk = Desk(manager=IndexOrderManager, venue=venue)
    seen = ladders(desk, 1)
    desk.run(2)
    assert seen[0][0][0][0] == 6327.0


@pytest.mark.parametrize('position, buy, sell', [(0, 6327.0, 6390.5), (500, 6311.5, 6374.5), (1000, 6295.5, 6359.0), (5000, 6295.5,
    6359.0), (-1000, 6358.5, 6422.0)])
def test_the_inventory_strategy_leans_against_the_position(position, buy, sell):
    desk = Desk(manager=InventoryOrderManager, venue=ToyVenue(position=position), MAX_POSITION=1000, MIN_POSITION=-1000)
    seen = ladders(desk, 1)
    desk.run(2)
    assert (seen[0][0][0][0], seen[0][1][0][0]) == (buy, sell)


def test_without_a_limit_there_is_nothing_to_lean_by():
    desk = Desk(manager=InventoryOrderManager, venue=ToyVenue(position=5), MAX_POSITION=0)
    assert desk.manager.lean() == 0.0


def test_a_ladder_that_would_reach_the_other_side_is_not_placed():
    class Crossing(bot.OrderManager):
        def get_price_offset(self, index):
            return 6400.0 if index < 0 else 6500.0
    desk = Desk(manager=Crossing)
    desk.run(3)
    assert desk.heard.count('Waiting: Sanity check failed') == 1 and sent(desk, 'POST') == []


#
# Dry run
#
def test_a_dry_run_sends_nothing_and_shows_the_ladder_when_it_changes():
    desk = Desk(DRY_RUN=True, ORDER_PAIRS=2)
    desk.at(7, desk.venue.quote, 6800.0, 6800.5)
    desk.run(20)
    assert desk.heard.count('These orders would rest on the book') == 2
    assert [verb for verb, path, body in desk.venue.requests if verb != 'GET'] == []
    assert desk.heard.count('Initializing dry run. Orders printed below represent what would be posted to BitMEX.') == 1
    assert desk.heard.count('Current XBT Balance: 50.000000') == 4
    table = [line for line in desk.heard.lines if 'These orders' in line][0]
    assert 'mid 6358.75 of the touch 6358.5 / 6359.0, spread quoted: 63.5 (1.00 %)' in table and desk.manager.cancelled
    for what in ('Position', '+300', 'Round trips', '+1.043 %', '(0.0 % of a balance of'):
        assert what in table, what


def test_a_dry_run_leaves_the_exchange_alone_whatever_it_is_asked():
    exchange = Desk(DRY_RUN=True).exchange
    assert exchange.create_bulk_orders([1]) == exchange.amend_bulk_orders([1]) == exchange.cancel_bulk_orders([1]) == [1]
    assert exchange.get_orders() == [] and exchange.get_position()['currentQty'] == 0 and exchange.orders_left() == 0
    assert exchange.read_balance() == 50 * 10 ** 8 and exchange.deposits() == 0
    assert exchange.cancel_all_orders() is None and exchange.worst_case() == (0, 0)
