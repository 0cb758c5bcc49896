"""What a ladder means, as figures and as a table, and the other texts."""
from __future__ import absolute_import, division, print_function

import pytest
from test_contracts import XBTUSD, XBTUSDT

from market_maker import holding, preview, preview_table, status
from market_maker.quoting import Touch
from market_maker.settings import Settings

ROW = dict(XBTUSD, tickLog=1, maintMargin=0.005)
TOUCH = Touch(6358.5, 6359.0)
BUYS = [{'price': 6295.5, 'orderQty': 200, 'side': 'Buy'}, {'price': 6327.0, 'orderQty': 100, 'side': 'Buy'}]
SELLS = [{'price': 6422.0, 'orderQty': 200, 'side': 'Sell'}, {'price': 6390.5, 'orderQty': 100, 'side': 'Sell'}]
RICH = preview.Account(holding.FLAT, 10 ** 8, 10 ** 8)


def look(buys=BUYS, sells=SELLS, row=ROW, account=RICH, limit=300, touch=TOUCH, **values):
    return preview.look(Settings(values), row, buys, sells, touch, account, limit)


def table(width=120, blocks=False, row=ROW, **options):
    return [line.text for line in preview_table.lines(look(row=row, **options), row, width, blocks)]


def cells(line):
    return line.replace(' %', '%').split()


def test_the_table_goes_from_the_highest_price_down_with_the_middle_between():
    lines = table()
    assert [cells(line)[0] for line in lines[1:7]] == ['Level', '+2', '+1', 'mid', '-1', '-2']
    assert [cells(line)[2] for line in (lines[2:4] + lines[5:7])] == ['6422.0', '6390.5', '6327.0', '6295.5']


def test_each_row_tells_distance_cost_margin_and_what_its_fill_makes_of_the_position():
    assert cells(table()[5]) == ['-1', 'Buy', '6327.0', '100', '-0.50%', '0.01580500', '0.00018188', '+100', '6327.00', '0.0%', '99.0', '#########']
    assert cells(table()[6])[7:9] == ['+300', '6306.36']


def test_the_middle_shows_the_spread_and_a_line_the_sums():
    lines = table()
    assert lines[4].strip() == 'mid 6358.75 of the touch 6358.5 / 6359.0, spread quoted: 63.5 (1.00 %)'
    assert lines[8] == ('In all: buy 300, sell 300 contracts; cost 0.09436300 XBT, initial margin with fees 0.00054745 XBT '
                        '(0.1 % of a balance of')


def test_a_ladder_of_one_side_has_no_spread_and_no_round_trip():
    lines = table(sells=[])
    assert 'one side only' in lines[2] and not [line for line in lines if 'Round trips' in line]


def test_a_linear_contract_is_shown_in_its_own_currency():
    row = dict(XBTUSDT, tickLog=1, tickSize=0.5)
    lines = table(buys=[{'price': 78000.0, 'orderQty': 1000, 'side': 'Buy'}], sells=[], row=row, touch=Touch(78000.5, 78001.5))
    assert [line for line in lines if 'cost 78.000000 USDT' in line]


def test_fills_go_from_the_touch_outwards_and_add_up():
    found = look()
    assert [level['filled']['position'] for level in found['buys']] == [300, 100]
    assert [level['filled']['position'] for level in found['sells']] == [-300, -100]
    outer = found['buys'][0]['filled']
    cost = 15805 * 100 + 15884 * 200
    assert outer['margin'] == 47573 + 3604                       # 1 % of the cost, and 0.075 % of cost and margin
    assert outer['result'] == cost - 15884 * 300 + 395 + 794      # at 6295.5, with the rebates of both fills
    assert outer['share'] == outer['margin'] / 1e8


def test_a_position_that_is_held_is_what_the_fills_begin_with():
    account = preview.Account(holding.at(ROW, -150, 6400.0), 10 ** 8, 10 ** 8)
    found = look(account=account)
    assert [level['filled']['position'] for level in found['buys']] == [150, -50]
    assert found['buys'][1]['filled']['entry'] == found['entry'] == 6400.0


def test_a_pair_earns_its_spread_less_both_fees():
    inner = look()['pairs'][0]
    assert (inner['buy'], inner['sell'], inner['size']) == (6327.0, 6390.5, 100)
    assert inner['gross'] == 15700 and inner['fees'] == -395 - 391 and inner['net'] == 15700 + 395 + 391


def test_of_a_pair_the_smaller_size_goes_round():
    assert look(buys=[{'price': 6327.0, 'orderQty': 40, 'side': 'Buy'}], sells=SELLS[1:])['pairs'][0]['size'] == 40


def test_where_the_fees_exceed_the_spread_it_is_said_with_the_spread_that_is_needed():
    row = dict(ROW, makerFee=0.0075)
    assert look(row=row)['warnings'][0] == (
        'The fees exceed the spread: a round trip of pair 1 earns nothing. It must be wider than 1.5 % (MIN_SPREAD, INTERVAL).')
    assert look(row=dict(ROW, makerFee=0.02))['warnings'][0].startswith('The fees exceed the spread: a round trip of pairs 1 to 2')
    assert look()['warnings'] == []


def test_limits_that_count_keep_orders_off_the_book():
    found = look(CHECK_POSITION_LIMITS=True, MAX_POSITION=150, MIN_POSITION=-100)
    assert [level['placed'] for level in found['buys']] == [50, 100] and [level['placed'] for level in found['sells']] == [0, 100]
    assert found['sells'][0]['filled'] is None and len(found['pairs']) == 2 - 1 and found['all']['buys'] == 150
    assert found['warnings'] == ['MAX_POSITION 150 keeps 1 of the 2 buys off the book, wholly or in part.',
                                 'MIN_POSITION -100 keeps 1 of the 2 sells off the book, wholly or in part.']
    lines = table(CHECK_POSITION_LIMITS=True, MAX_POSITION=150, MIN_POSITION=-100)
    assert '0 of 200' in lines[2] and ' limit ' in lines[2] and '50 of 200' in lines[6]


def test_limits_that_do_not_count_are_marked_where_they_would_be_passed():
    found = look(MAX_POSITION=299)
    assert found['warnings'] == [
        'MAX_POSITION 299 is passed when level -2 fills: CHECK_POSITION_LIMITS is off, so that nothing stops it.']
    lines = table(MAX_POSITION=299)
    assert '+300!' in lines[6] and '+100 ' in lines[5] and [line for line in lines if line.startswith('!: beyond')]


def test_too_little_margin_is_said_with_the_levels_it_pays_for():
    poor = preview.Account(holding.FLAT, 10 ** 8, 20000)
    assert look(account=poor)['warnings'] == ['The margin pays for 1 of 2 levels: the outer ones will be left out.']


def test_a_ladder_that_would_be_liquidated_before_it_is_filled_is_warned_of():
    poor = preview.Account(holding.FLAT, 30000, None)
    said = look(account=poor)['warnings']
    assert len(said) == 2 and said[0].startswith('The account would be liquidated at ') and said[0].endswith(' by the time level -2 fills.')


def test_what_is_not_known_is_not_made_up():
    found = look(account=preview.Account(holding.FLAT, None, None), limit=None)
    assert found['requests'] is None and found['all']['share'] is None and found['buys'][0]['filled']['liquidation'] is None
    assert not [line for line in table(account=preview.Account(holding.FLAT, None, None), limit=None) if 'Forecast' in line or 'Used:' in line]


def test_requests_are_forecast_for_the_era_of_the_venue():
    classic, modern = look(limit=300)['requests'], look(limit=120)['requests']
    assert (classic['allowed'], classic['is_single'], modern['allowed'], modern['is_single']) == (60.0, False, 120.0, True)
    assert look(limit=150)['requests'] == classic and look(limit=30)['requests'] == modern      # asked without a key
    assert look(limit=300, ORDER_TRANSPORT='single')['requests']['is_single'] is True
    assert 'That is more than there is' in look(limit=120, RELIST_INTERVAL=0.0001)['warnings'][0]


@pytest.mark.parametrize('width', [120, 100, 80, 60])
def test_no_line_is_longer_than_the_terminal(width):
    row = dict(ROW, makerFee=0.02)
    lines = table(width=width, row=row, MAX_POSITION=150, account=preview.Account(holding.FLAT, 70000, 20000))
    assert max(len(line) for line in lines) <= width
    for must in ('6422.0', 'Position'):
        assert [line for line in lines if must in line], must


def test_bars_show_the_sizes_and_go_first_where_there_is_no_room():
    assert [line.count('#') for line in table()[2:7]] == [18, 9, 0, 9, 18]
    assert not [line for line in table(width=100) if '#' in line]
    assert [line.count(u'\u2588') for line in table(blocks=True)[2:7]] == [18, 9, 0, 9, 18]


def test_the_lines_of_a_log_are_ascii_and_the_same_figures():
    found = look()
    texts = preview_table.texts(found, ROW)
    assert texts == [line.text for line in preview_table.lines(found, ROW, 120, False)]
    assert '\n'.join(texts).encode('ascii')


def test_lines_have_the_tone_of_what_they_say():
    tones = dict((line.text.split()[0], line.tone) for line in preview_table.lines(look(row=dict(ROW, makerFee=0.02)), ROW) if line.text)
    assert (tones['+1'], tones['-1'], tones['mid'], tones['Warning:'], tones['1']) == ('sell', 'buy', 'head', 'warning', 'warning')


def test_the_balance_is_printed_in_the_settlement_currency():
    assert status.balance_line(135739200, 'XBt') == 'Current XBT Balance: 1.357392'
    assert status.balance_line(12500000, 'USDt') == 'Current USDT Balance: 12.500000'


def test_average_prices_are_shown_for_a_position_only_and_one_stands_in_for_the_other():
    assert status.position_lines({'currentQty': 0, 'avgCostPrice': 5}, 1) == []
    assert status.position_lines({'currentQty': 3}, 1) == []
    assert status.position_lines({'currentQty': 3, 'avgEntryPrice': 7468.8177}, 1) == ['Avg Cost Price: 7468.8', 'Avg Entry Price: 7468.8']


def test_deltas_of_other_currencies_have_lines_of_their_own():
    delta = {'spot': -0.03451, 'currency': 'XBT', 'others': {'ETH': 3.0}}
    assert status.delta_lines(delta) == ['Total Contract Delta: -0.0345 XBT', 'Contract Delta in ETH: 3.0000 ETH']


def test_the_banner_says_whose_money_is_traded():
    class Paper(object):
        profile, market = 'classic', 'lively'
    assert status.banner(False, None) == 'Order Manager initializing, connecting to BitMEX. Live run: executing real trades.'
    assert status.banner(True, Paper) == 'Initializing dry run. Orders printed below represent what would be posted to BitMEX.'
    assert 'market lively, profile classic' in status.banner(False, Paper)


def test_fees_and_what_a_round_trip_nets_are_said():
    assert status.fee_line(XBTUSD, 6327.0, 6390.5) == (
        'Fees: maker -0.025 %, taker 0.075 %. A round trip of the inner pair (6327.0 / 6390.5) nets +1.043 % after fees: '
        '+0.00016486 XBT per 100 contracts.')


def test_rounding_is_said_with_the_sizes_it_changes():
    assert status.rounding_line(XBTUSD, [(100, 100)]).endswith('sizes up to the next lot (1).')
    assert status.rounding_line(dict(XBTUSD, lotSize=100), [(150, 200), (100, 100)]).endswith('next lot (100): 150 becomes 200.')


def test_the_result_is_the_change_of_balance_less_deposits():
    lines = status.result_lines('XBt', 100000000, 100150000, 100000, {'fills': 3, 'contracts': 300, 'fees': -250})
    assert lines == ['Result of this run: +0.00050000 XBT (balance 1.00000000 to 1.00150000, of which +0.00100000 deposited).',
                     'Fills: 3, 300 contracts, fees received 0.00000250 XBT.']
    assert status.result_lines('USDt', 1000000, 900000, 0, None) == ['Result of this run: -0.100000 USDT (balance 1.000000 to 0.900000).']
    assert status.result_lines('XBt', 0, 0, None, None)[0].endswith('to 0.00000000; deposits are not known).')
    assert status.result_lines('XBt', 0, 0, 0, {'fills': 1, 'contracts': 1,
        'fees': 7})[1] == 'Fills: 1, 1 contracts, fees paid 0.00000007 XBT.'
    assert status.result_lines('XBt', 0, 0, 0, {'fills': 0, 'contracts': 0, 'fees': 0})[1] == 'No fills.'
