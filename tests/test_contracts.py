"""Contract maths. The expected figures are recorded ones (bitmex-api.md 4.3 to 4.5) or worked out by hand."""
from __future__ import absolute_import, division, print_function

import pytest

from market_maker import contracts

XBTUSD = {'symbol': 'XBTUSD', 'isInverse': True, 'isQuanto': False, 'multiplier': -100000000, 'underlyingToSettleMultiplier': -100000000,
          'quoteToSettleMultiplier': None, 'settlCurrency': 'XBt', 'underlying': 'XBT', 'lotSize': 1, 'tickSize': 0.5, 'initMargin': 0.01,
          'makerFee': -0.00025, 'takerFee': 0.00075, 'indicativeSettlePrice': 32182.72, 'markPrice': 32184.89}
XBTUSD_2026 = {'symbol': 'XBTUSD', 'isInverse': True, 'multiplier': -100000000, 'underlyingToSettleMultiplier': -100000000,
               'settlCurrency': 'XBt', 'underlying': 'XBT', 'lotSize': 100, 'tickSize': 0.1, 'initMargin': 0.01, 'makerFee': 0.0005,
               'takerFee': 0.0005, 'markPrice': 78173.24}
ETHUSD = {'symbol': 'ETHUSD', 'isQuanto': True, 'isInverse': False, 'multiplier': 100, 'quoteToSettleMultiplier': 3108,
    'settlCurrency': 'XBt',
          'underlying': 'ETH', 'lotSize': 1, 'indicativeSettlePrice': 2003.18, 'markPrice': 2003.93, 'initMargin': 0.01}
ETHU21 = {'symbol': 'ETHU21', 'isQuanto': False, 'isInverse': False, 'multiplier': 100000000, 'underlyingToSettleMultiplier': None,
          'quoteToSettleMultiplier': 100000000, 'settlCurrency': 'XBt', 'underlying': 'ETH', 'lotSize': 1, 'markPrice': 0.06212}
XBTUSDT = {'symbol': 'XBTUSDT', 'multiplier': 1, 'quoteToSettleMultiplier': 1000000, 'settlCurrency': 'USDt', 'underlying': 'XBT',
    'lotSize': 100,
           'initMargin': 0.01, 'makerFee': 0.0005, 'takerFee': 0.0005, 'markPrice': 78000.0}


@pytest.mark.parametrize('row, quantity, price, units', [
    (XBTUSD, 19, 6318, 300732), (XBTUSD_2026, 100, 98570.9, 101450), (XBTUSD_2026, -1438000, 78173.24, 1839503980),
    (ETHUSD, 10, 2003.18, 2003180), (XBTUSDT, 1000, 78000.5, 78000500), (ETHU21, 3, 0.06213, 18639000)])
def test_cost_is_the_rounded_value_of_a_lot_times_the_lots(row, quantity, price, units):
    assert contracts.cost(row, quantity, price) == units


@pytest.mark.parametrize('row, kind', [(XBTUSD, 'Inverse'), (ETHUSD, 'Quanto'), (ETHU21, 'Linear'), (XBTUSDT, 'Linear'),
    ({'multiplier': -1}, 'Inverse'), ({}, 'Linear')])
def test_the_kind_is_told_from_sparse_rows_too(row, kind):
    assert contracts.kind(row) == kind


def test_profit_of_an_inverse_contract_is_the_difference_of_its_values():
    assert contracts.profit(XBTUSD, 100, 10000, 12500) == 100 * (10000 - 8000)
    assert contracts.profit(XBTUSD, -100, 10000, 12500) == -100 * (10000 - 8000)


def test_profit_of_linear_and_quanto_contracts_goes_with_the_price():
    assert contracts.profit(ETHUSD, 10, 2000, 2100) == 10 * 100 * 100
    assert contracts.profit(XBTUSDT, -1000, 78000, 77000) == 1000 * 1000


def test_fees_are_cut_off_towards_zero_and_may_be_received():
    assert contracts.fee(XBTUSD, 99999, is_maker=False) == 74
    assert contracts.fee(XBTUSD, 99999, is_maker=True) == -24
    assert contracts.fee({}, 99999, is_maker=True) == 0


def test_initial_margin_is_the_cost_times_init_margin():
    assert contracts.initial_margin(XBTUSD, 100, 6327.0) == 15805
    assert contracts.initial_margin(XBTUSD, 19, 6318) == 3008  # 3007.32
    assert contracts.initial_margin({'multiplier': 1}, 100, 5) == 0


def test_order_margin_is_the_recorded_one():
    assert contracts.order_margin(XBTUSD, [(10, 1e8)], [(33540619, 1e8)]) == 385970  # a contract at 1e8 is worth 1 satoshi
    assert contracts.order_margin(XBTUSD_2026, [], [(673220800 * 100, 1e10)]) == 7408795  # a lot at 1e10 is worth 1 satoshi
    assert contracts.order_margin(XBTUSD, [], []) == 0


def test_of_a_pair_the_dearer_order_blocks_margin_and_what_closes_a_position_blocks_none():
    buys, sells = [(100, 5000)], [(100, 10000)]
    alone = contracts.order_margin(XBTUSD, buys, [])
    assert contracts.order_margin(XBTUSD, buys, sells) == alone
    assert contracts.order_margin(XBTUSD, buys, sells, position=100) == alone
    assert contracts.order_margin(XBTUSD, [], sells, position=100) == 0
    assert contracts.order_margin(XBTUSD, buys, [], position=-60) < alone


def test_a_round_trip_nets_the_spread_and_the_rebates():
    units, fraction = contracts.round_trip(XBTUSD, 6327.0, 6390.5, 100)
    assert units == 100 * (15805 - 15648) + 395 + 391
    assert round(fraction, 6) == round(units / 1580500, 6)
    assert contracts.round_trip(XBTUSD_2026, 1e12, 2e12)[1] == 0.0


def test_a_round_trip_inside_the_fees_loses():
    assert contracts.round_trip(XBTUSDT, 78000.0, 78010.0, 1000)[0] < 0


def test_delta_of_an_inverse_contract_is_what_it_holds_in_bitcoin():
    portfolio = {'XBTUSD': contracts.portfolio_item(XBTUSD, -219)}
    delta = contracts.delta(portfolio, 'XBT')
    assert round(delta['spot'], 8) == round(-219 / 32182.72, 8)
    assert round(delta['mark_price'], 8) == round(-219 / 32184.89, 8)
    assert delta['basis'] == delta['mark_price'] - delta['spot'] and delta['others'] == {}


def test_delta_of_a_quanto_contract_is_its_value_in_bitcoin():
    item = contracts.portfolio_item(ETHUSD, 50)
    assert round(contracts.item_delta(item, 'spot'), 10) == round(50 * 100 * 2003.18 / 1e8, 10)
    assert item['currency'] == 'XBT'


def test_delta_of_a_linear_contract_is_the_amount_of_its_underlying_and_not_added_to_another():
    portfolio = {'XBTUSDT': contracts.portfolio_item(XBTUSDT, 2000), 'ETHU21': contracts.portfolio_item(ETHU21, 3),
        'XBTUSD': contracts.portfolio_item(XBTUSD, 0)}
    delta = contracts.delta(portfolio, 'XBT')
    assert round(delta['spot'], 10) == 0.002 and delta['others'] == {'ETH': 3.0}


def test_prices_that_a_sparse_row_lacks_fall_back():
    assert contracts.spot_price(XBTUSD_2026) == contracts.mark_price(XBTUSD_2026) == 78173.24
    assert contracts.mark_price({'lastPrice': 5.0, 'markPrice': None}) == 5.0
    assert contracts.spot_price({}) is None
    unpriced = contracts.portfolio_item({'multiplier': -100000000, 'isInverse': True}, 10)
    assert unpriced['spot'] is None and contracts.item_delta(unpriced, 'spot') == 0.0


def test_a_multiplier_without_its_scale_is_scaled_by_the_currency():
    assert contracts.multiplier({'multiplier': -100000000, 'isInverse': True}) == 1.0
    assert contracts.multiplier({'multiplier': 1, 'settlCurrency': 'USDt'}) == 1e-06
    assert contracts.multiplier(XBTUSD) == 1.0


def test_money_is_shown_in_the_currency_people_know():
    assert contracts.in_whole(135739200, 'XBt') == 1.357392
    assert contracts.currency('USDt') == ('USDT', 6)
    assert contracts.currency('Unheard') == ('Unheard', 0)
    assert contracts.settlement({}) == 'XBt'
    assert contracts.delta_currency({'multiplier': 1, 'settlCurrency': 'USDt'}) == 'USDT'
