"""A position that grows fill by fill. Entries and margins are recorded ones (bitmex-api.md 4.4, 4.5) or worked out by hand."""
from __future__ import absolute_import, division, print_function

import pytest
from test_contracts import ETHUSD, XBTUSD, XBTUSD_2026, XBTUSDT

from market_maker import contracts, holding
from market_maker.holding import FLAT, Holding

XBT = dict(XBTUSD, maintMargin=0.005)
USDT = dict(XBTUSDT, maintMargin=0.005, tickSize=0.5)


def filled(row, *fills):
    held = FLAT
    for quantity, price in fills:
        held = holding.fill(row, held, quantity, price)
    return held


@pytest.mark.parametrize('row, held, price', [
    (XBTUSD, Holding(2, 31403, 0), 6369.0211), (XBTUSD, Holding(-219, 2932115, 0), 7468.8177),
    (XBTUSD_2026, Holding(-1438000, 1951105699, 0), 73701.7438), (XBTUSD_2026, Holding(-1298000, 1777755677, 0), 73012.9525),
    (XBTUSD_2026, Holding(-998000, 1386445811, 0), 71982.3211)])
def test_the_average_entry_is_the_recorded_one(row, held, price):
    assert holding.entry(row, held) == price


def test_the_average_of_a_linear_contract_is_weighted_by_quantity():
    assert holding.entry(USDT, filled(USDT, (1000, 78000.0), (3000, 76000.0))) == 76500.0
    assert holding.entry(USDT, FLAT) is None


def test_each_fill_pays_its_fee_or_receives_it():
    held = filled(XBT, (100, 6327.0))
    assert held == Holding(100, 1580500, 395)
    assert holding.fill(XBT, FLAT, 100, 6327.0, is_maker=False).realised == -1185


def test_what_reduces_releases_cost_in_proportion_and_realises_the_rest():
    held = holding.fill(XBT, Holding(300, 47573 * 100, 0), -100, 6390.5)
    assert held.quantity == 200 and held.cost == 4757300 - 1585767
    assert held.realised == 1585767 - 15648 * 100 + 391


def test_through_zero_all_is_closed_and_the_rest_is_opened():
    held = holding.fill(XBT, Holding(-150, 150 * 15625, 0), 200, 6295.5)
    assert (held.quantity, held.cost) == (50, 50 * 15884)
    assert held.realised == 150 * (15884 - 15625) + 794
    assert holding.fill(XBT, Holding(-150, 150 * 15625, 0), 150, 6295.5)[:2] == (0, 0)


@pytest.mark.parametrize('row, sign', [(XBT, 1), (XBT, -1), (USDT, 1), (USDT, -1), (ETHUSD, 1), (ETHUSD, -1)])
def test_what_is_open_makes_what_contracts_say(row, sign):
    held = filled(row, (sign * 1000, 2000.0))
    assert holding.unrealised(row, held, 2100.0) == contracts.profit(row, sign * 1000, 2000.0, 2100.0)
    assert (holding.unrealised(row, held, 2100.0) > 0) == (sign > 0)


def test_margin_is_that_of_the_position_and_the_fee_to_leave():
    assert holding.margin(XBT, Holding(300, 4757300, 0)) == 47573 + 3604 and holding.margin(XBT, FLAT) == 0


@pytest.mark.parametrize('row', [XBT, USDT])
@pytest.mark.parametrize('quantity', [100000, -100000])
def test_at_the_liquidation_price_what_is_left_is_the_maintenance_margin(row, quantity):
    entry = 6400.0
    held = holding.at(row, quantity, entry)
    balance = held.cost // 20
    price = holding.liquidation(row, held, balance)
    assert (price < entry) == (quantity > 0) and abs(price / entry - 1) == pytest.approx(0.045, abs=0.004)

    def spare(at):
        loss = -holding.unrealised(row, held, at)
        rate, fee = row['maintMargin'], row['takerFee']
        return balance - loss - held.cost * rate - fee * (held.cost * (1 + row['initMargin']) + loss)
    tick = row['tickSize'] if quantity > 0 else -row['tickSize']
    assert spare(price + tick) > 0 > spare(price - 2 * tick)  # the value of a lot is rounded to the unit


def test_a_short_inverse_position_that_its_own_bitcoin_covers_is_never_liquidated():
    assert holding.liquidation(XBT, holding.at(XBT, -100, 6400.0), 10 ** 8) is None


def test_flat_or_without_a_maintenance_margin_there_is_no_liquidation_price():
    assert holding.liquidation(XBT, FLAT, 10 ** 8) is None
    assert holding.liquidation(XBTUSD, holding.at(XBT, 100, 6400.0), 10 ** 8) is None
