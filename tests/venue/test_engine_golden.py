"""Recorded rows of the real venue (bitmex-api.md 4.3 to 4.5): the engine's arithmetic ties out to the unit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bitmex_venue.engine import contract_math as m
from bitmex_venue.engine.contract_math import E8
from bitmex_venue.engine.images import MarginImage, PositionImage
from bitmex_venue.engine.instruments import specs

CLASSIC = {s.root_symbol + s.kind: s for s in specs("classic") if s.typ == "FFWCSX"}
MODERN = {s.root_symbol + s.kind: s for s in specs("modern") if s.typ == "FFWCSX"}
XBTUSD_2018, XBTUSD_2026 = CLASSIC["XBTinverse"], MODERN["XBTinverse"]


def e8(price):
    return round(price * E8)


@pytest.mark.parametrize(
    "qty, price, cost",
    [(19, 6318, 300732), (1, 6360.5, 15722), (2, 6360.21, 31446)],
)
def test_value_of_a_lot_is_rounded_half_away_and_cost_is_lots_times_it_classic(qty, price, cost):
    assert m.cost(XBTUSD_2018, qty, e8(price)) == cost


@pytest.mark.parametrize("qty, price, cost", [(100, 98570.9, 101450), (1438000, 78173.24, 1839503980)])
def test_value_of_a_lot_of_a_hundred_contracts_modern(qty, price, cost):
    assert m.cost(XBTUSD_2026, qty, e8(price)) == cost


def test_linear_and_quanto_values():
    assert m.cost(MODERN["XBTlinear"], 1000, e8(60000.5)) == 60000500
    assert m.cost(MODERN["ETHquanto"], 7, e8(3000.25)) == 7 * 300025
    assert m.cost(CLASSIC["ETHquanto"], 1, e8(0.005)) == 1  # an exact half goes away from zero


@pytest.mark.parametrize("cost, rate, comm", [(13600, 0.00075, 10), (15722, -0.00025, -3), (15722, 0.00075, 11)])
def test_commission_is_truncated_with_the_sign_of_the_rate(cost, rate, comm):
    assert m.commission(cost, e8(rate)) == comm
    assert m.commission(-cost, e8(rate)) == comm


@pytest.mark.parametrize(
    "pos_cost, lots, spec, price",
    [
        (-31403, 2, XBTUSD_2018, 6369.0211),
        (756060, 30, XBTUSD_2018, 3968),  # 2019-03-25, in the source of pybitmex 0.5.10
        (2932115, 219, XBTUSD_2018, 7468.8177),
        (1951105699, 14380, XBTUSD_2026, 73701.7438),
        (1777755677, 12980, XBTUSD_2026, 73012.9525),
        (1386445811, 9980, XBTUSD_2026, 71982.3211),
    ],
)
def test_average_entry_comes_from_the_ceiling_of_the_signed_cost_per_lot(pos_cost, lots, spec, price):
    assert m.average_price_e8(spec, lots, pos_cost) == e8(price)


def test_average_entry_of_a_fractional_long():
    assert m.average_price_e8(replace(XBTUSD_2018, lot_size=100), 4, -22806725 // 25 - 1) > 0
    assert m.price_of_lot_value(XBTUSD_2026, 228067, 1) // 10_000 * 10_000 == e8(43846.7643) // 10_000 * 10_000


def test_avg_px_is_derived_from_the_rounded_value_and_then_rounded_to_the_tick():
    assert m.avg_px_e8(XBTUSD_2018, 7666, 7666 * 11317) == e8(8836.5)


@pytest.mark.parametrize(
    "spec, cost, margin", [(XBTUSD_2026, 673220800, 7408795), (XBTUSD_2018, 50_000_000_000, 575_375_000)]
)
def test_order_margin_is_initial_margin_and_both_fees(spec, cost, margin):
    k = m.margin_factor_e16(spec.init_margin_e8, spec.taker_fee_e8)
    assert m.order_margin(k, 0, 0, 0, 100, cost) == (cost, margin)


def test_order_margin_of_the_row_of_2026_05_03():
    k = m.margin_factor_e16(XBTUSD_2026.init_margin_e8, XBTUSD_2026.taker_fee_e8)
    got = m.order_margin(k, -1438000, 1400000, 2603983400, 560000, 673220800)
    assert got == m.OrderMargin(673220800, 7408795)


@pytest.mark.parametrize("fee, gross, margin", [(0.00075, 33540619, 385970), (0.0005, 625334844, 6881811)])
def test_order_margin_of_paired_orders_ties_out_for_some_split(fee, gross, margin):
    k = m.margin_factor_e16(1_000_000, e8(fee))
    low = m.ceil_div(gross * k, m.E16)
    assert margin - 1 <= low <= margin  # two parts are rounded up one by one


def test_pairs_are_charged_once_at_the_dearer_side():
    k = m.margin_factor_e16(1_000_000, 75_000)
    both = m.order_margin(k, 0, 100, 1000_000, 60, 660_000)
    assert both.gross_open_cost == 60 * 11_000 + 40 * 10_000
    assert m.order_margin(k, 100, 0, 0, 100, 10**6) == (0, 0)
    assert m.order_margin(k, 0, 0, 0, 0, 0) == (0, 0)


def image(spec, qty, pos_cost, mark, margin, **more):
    sign = -1 if spec.is_inverse else 1
    value = sign * (qty // spec.lot_size) * m.lot_value(spec, e8(mark))
    base = dict(
        spec=spec, account_id=1, symbol=spec.symbol, currency=spec.settl_currency, current_qty=qty, current_cost=pos_cost,
        current_comm=0, pos_cost=pos_cost, rebalanced_pnl=0, prev_realised_pnl=0, open_order_buy_qty=0, open_buy_cost=0,
        open_order_sell_qty=0, open_sell_cost=0, gross_open_cost=0, init_margin=0, mark_e8=e8(mark), mark_value=value,
        margin=margin, leverage_e2=0, init_req_e8=spec.init_margin_e8, maint_req_e8=spec.maint_margin_e8,
        risk_limit=spec.risk_limit, equity=10**9,
    )  # fmt: skip
    return PositionImage(**{**base, **more})


def test_position_row_of_2018_08_19():
    margin = m.held_position_margin(-31403, 1_000_000, 500_000, 75_000, -43)
    assert (margin.init, margin.comm, margin.maint, margin.maint_margin) == (315, 24, 182, 339)
    # the recorded posCross, 42, was the loss a moment before, and so maintMargin 338
    assert margin._replace(cross=42).init + margin.comm + 42 == 381
    row = image(XBTUSD_2018, 2, -31403, 6360.21, margin, current_comm=20)
    assert (row.mark_value, row.unrealised_pnl, row.realised_pnl) == (-31446, -43, -20)
    assert (row.unrealised_pnl_pcnt, row.unrealised_roe_pcnt) == (-0.0014, -0.1369)
    assert (row.home_notional, row.foreign_notional) == (0.00031446, -2)
    assert row.avg_entry_price_e8 == e8(6369.0211)
    assert row.risk_value == 31446
    assert row.break_even_price_e8 == e8(6373.5)


def test_classic_maintenance_of_the_margin_row_of_2019_11_12():
    margin = m.held_position_margin(-10782, 1_000_000, 500_000, 75_000, -626)
    assert margin.maint_margin == 117
    row = MarginImage(1, "XBt", 1000131, -26, -626, 0, margin.maint_margin, 0, 11408, 26, 0, 0, 0)
    assert (row.wallet_balance, row.margin_balance, row.available_margin) == (1000105, 999479, 999362)
    assert row.margin_leverage == pytest.approx(0.011413946666213096, abs=1e-15)
    assert (row.margin_used_pcnt, row.risk_value) == (0.0001, 11408)


def test_position_row_of_2026_05_03():
    margin = m.shared_position_margin(1951105699, 500_000, 2_400)
    assert margin.maint_margin == margin.margin == margin.maint == 9802356
    assert (margin.init, margin.comm, margin.cross) == (0, 0, 0)
    row = image(
        XBTUSD_2026, -1438000, 1951105699, 78173.24, margin, rebalanced_pnl=15678981,
        open_order_buy_qty=1400000, open_buy_cost=2603983400, open_order_sell_qty=560000, open_sell_cost=673220800,
        gross_open_cost=673220800, init_margin=7408795, equity=3034754369,
    )  # fmt: skip
    assert (row.mark_value, row.unrealised_pnl) == (1839503980, -111601719)
    assert (row.home_notional, row.foreign_notional) == (-18.3950398, 1438000)
    assert row.avg_entry_price_e8 == e8(73701.7438)
    assert (row.open_order_buy_cost, row.open_order_sell_cost) == (-2603983400, -673220800)
    assert (row.leverage, row.cross_margin) == (100, True)
    assert row.liquidation_price_e8 == row.bankrupt_price_e8 == 1_000_000 * E8
    assert row.break_even_price_e8 == e8(74298.6)


def test_margin_row_of_2026_05_03():
    row = MarginImage(1, "XBt", 3034754369, 0, -111616099, 7408795, 9802356, 673220800, 1839503980, 0, 0, 0, 0)
    assert row.margin_balance == 2923138270
    assert row.available_margin == row.excess_margin == row.withdrawable_margin == 2905927119
    assert row.margin_used_pcnt == 0.0059
    assert round(row.margin_leverage, 4) == 0.6293


def test_isolated_short_of_2019_02_20():
    """posMaint has the funding rate in it, 0.00375 on the testnet of that day (fpanettieri/peron, 4.large_position.js)."""
    margin = m.held_position_margin(7609687974, 1_000_000, 500_000, 75_000, 52182774, 0, 375_000)
    assert margin == (76096880, 5764339, 0, 72349109, 81861219, 134043993)
    row = image(XBTUSD_2018, -299901, 7609687974, 3914.27, margin, leverage_e2=10_000, current_cost=7609688274, current_comm=5711071)
    assert (row.mark_value, row.unrealised_pnl, row.realised_pnl) == (7661870748, 52182774, -5711371)
    assert (row.unrealised_pnl_pcnt, row.unrealised_roe_pcnt, row.avg_entry_price_e8) == (0.0069, 0.6857, e8(3941))
    assert (row.break_even_price_e8, row.liquidation_price_e8, row.bankrupt_price_e8) == (e8(3937.5), e8(3945.5), e8(3980.5))


def test_isolated_long_of_2019_02_11():
    """With leverage 1 (fpanettieri/peron, 20190211_xbt_manual_test.js)."""
    margin = m.held_position_margin(-2791300, E8, 500_000, 75_000, -34800, 0)
    assert margin == (2791300, 4187, 0, 18144, 2795487, 2760687)
    row = image(XBTUSD_2018, 100, -2791300, 3538.5, margin, leverage_e2=100, init_req_e8=E8, current_comm=-697)
    assert (row.mark_value, row.unrealised_pnl, row.avg_entry_price_e8) == (-2826100, -34800, e8(3582.5))
    assert (row.break_even_price_e8, row.liquidation_price_e8, row.bankrupt_price_e8) == (e8(3582), e8(1796), e8(1791.5))
    k = m.margin_factor_e16(E8, 75_000)
    assert [m.ceil_div(cost * k, m.E16) for cost in (33333, 2790600, 2791300)] == [33408, 2796879, 2797581]


def test_cross_short_of_2019_03_25():
    """In the source of pybitmex 0.5.10; the funding rate of that day is not in the row, and 0.000474 is the one that fits."""
    margin = m.held_position_margin(756060, 1_000_000, 500_000, 75_000, 600, None, 47_400)
    assert (margin.init, margin.comm, margin.maint, margin.margin, margin.maint_margin) == (7561, 573, 4712, 8134, 8734)


def test_cross_long_of_2021_12_18():
    """posMaint of a long that pays funding at 0.0001, with the rates of that year."""
    margin = m.held_position_margin(-212875, 1_000_000, 350_000, 50_000, -71, None, 10_000)
    assert (margin.init, margin.comm, margin.maint, margin.cross) == (2129, 108, 875, 71)


def test_isolated_liquidation_price_of_an_inverse_long_is_near_the_formula_of_2019():
    spec, entry, leverage = XBTUSD_2018, 10_000, 10
    pos_cost = -1000 * m.lot_value(spec, e8(entry))
    margin = m.held_position_margin(pos_cost, E8 // leverage, 500_000, 75_000, 0, 0)
    row = image(spec, 1000, pos_cost, entry, margin, leverage_e2=leverage * 100, init_req_e8=E8 // leverage)
    bankrupt = entry / (1 + 1 / leverage)
    assert abs(row.bankrupt_price_e8 / E8 - bankrupt) < entry * 0.002
    assert 0 < (row.liquidation_price_e8 - row.bankrupt_price_e8) / E8 < entry * 0.0075
