"""What the bot reckons by itself, held to the venue: constants of the contracts, entries, margins, liquidation prices."""

import pytest
from engine_kit import ALICE, HOUSE, SECOND, Desk

from bitmex_venue import profiles
from bitmex_venue.wire import instrument_rows
from bitmex_venue.wire.tables import Rows
from market_maker import holding, known_instruments


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_the_constants_known_without_a_venue_are_those_of_the_paper_venue(profile):
    exchange = Desk(profile).exchange
    rows = Rows(profiles.get(profile), exchange.instruments)
    for symbol in known_instruments.SYMBOLS:
        for name, value in known_instruments.row(symbol, profile).items():
            assert (instrument_rows.full(rows, exchange, symbol, exchange.now).get(name) or False) == value, (symbol, name)
    assert known_instruments.LIMITS[profile] == profiles.get(profile).limits.user_count


FILLS = [(300_000, 9990.5), (200_000, 9950.0), (-100_000, 10010.0), (-700_000, 10100.5)]


def trade(desk, fills):
    """Let Alice have these fills as maker, and yield the image of her position after each."""
    for quantity, price in fills:
        desk.place(ALICE, 1 if quantity > 0 else -1, abs(quantity), price)
        desk.place(HOUSE, -1 if quantity > 0 else 1, abs(quantity), price, time_in_force="ImmediateOrCancel")
        yield desk.position(ALICE)


@pytest.mark.parametrize("texts", ["classic", "modern"])
def test_fills_make_the_position_the_entry_and_the_profit_that_the_venue_books(texts):
    desk, row, held = Desk(texts), known_instruments.row("XBTUSD", texts), holding.FLAT
    for (quantity, price), image in zip(FILLS, trade(desk, FILLS), strict=True):
        held = holding.fill(row, held, quantity, price)
        assert (held.quantity, held.cost) == (image.current_qty, abs(image.pos_cost))
        assert held.realised == image.realised_pnl + image.rebalanced_pnl
        assert holding.entry(row, held) == image.avg_entry_price_e8 / 1e8
        if texts == "classic":
            assert holding.margin(row, held) == image.margin.init + image.margin.comm


@pytest.mark.parametrize("quantity", [400_000, -400_000])
@pytest.mark.parametrize("texts, tolerance", [("classic", 0.0002), ("modern", 0.001)])
def test_the_venue_liquidates_where_it_was_said(texts, tolerance, quantity):
    """Exactly on classic, but for the funding basis of the mark; a little later on modern, which asks for less."""
    row, balance = known_instruments.row("XBTUSD", texts), 160_000_000
    said = holding.liquidation(row, holding.fill(row, holding.FLAT, quantity, 10000.0), balance)
    side = 1 if quantity > 0 else -1
    for share, is_alive in ((1 + side * tolerance, True), (1 - side * tolerance, False)):
        desk = Desk(texts, balance=balance)
        list(trade(desk, [(quantity, 10000.0)]))
        desk.index(said * share)
        desk.wait(5 * SECOND)
        assert bool(desk.position(ALICE).current_qty) is is_alive, (said, share)
