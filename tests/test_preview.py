"""The table of a dry run, and the other texts."""
from __future__ import absolute_import, division, print_function

from test_contracts import XBTUSD, XBTUSDT

from market_maker import preview, status

ROW = dict(XBTUSD, tickLog=1)
BUYS = [{'price': 6295.5, 'orderQty': 200, 'side': 'Buy'}, {'price': 6327.0, 'orderQty': 100, 'side': 'Buy'}]
SELLS = [{'price': 6422.0, 'orderQty': 200, 'side': 'Sell'}, {'price': 6390.5, 'orderQty': 100, 'side': 'Sell'}]


def cells(line):
    return line.replace(' %', '%').split()


def test_the_table_goes_from_the_highest_price_down_with_the_middle_between():
    lines = preview.table(BUYS, SELLS, 6358.75, ROW)
    assert [cells(line)[0] for line in lines] == ['Level', '+2', '+1', 'mid', '-1', '-2', 'In']
    assert [cells(line)[2] for line in (lines[1:3] + lines[4:6])] == ['6422.0', '6390.5', '6327.0', '6295.5']


def test_each_row_tells_distance_cost_and_margin():
    line = preview.table(BUYS, SELLS, 6358.75, ROW)[4]
    assert cells(line) == ['-1', 'Buy', '6327.0', '100', '-0.50%', '0.01580500', '0.00018188']


def test_the_middle_shows_the_spread_and_the_last_line_the_sums():
    lines = preview.table(BUYS, SELLS, 6358.75, ROW)
    assert lines[3].strip() == 'mid 6358.75, spread quoted: 63.5 (1.00 %)'
    assert lines[6] == 'In all: buy 300, sell 300 contracts; cost 0.09436300 XBT, initial margin with fees 0.00054745 XBT.'


def test_a_ladder_of_one_side_has_no_spread():
    lines = preview.table(BUYS, [], 6358.75, ROW)
    assert 'one side only' in lines[1]


def test_a_linear_contract_is_shown_in_its_own_currency():
    lines = preview.table([{'price': 78000.0, 'orderQty': 1000, 'side': 'Buy'}], [], 78001.0, dict(XBTUSDT, tickLog=1))
    assert 'cost 78.000000 USDT' in lines[-1]


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
