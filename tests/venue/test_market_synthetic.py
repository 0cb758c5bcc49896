"""The synthetic markets on the real engine: shape, life and manners of the crowd."""

import time as wall
from random import Random

import pytest

from bitmex_venue.engine.commands import BUY, SELL, CancelAll, Deposit, OpenAccount, Place, SetState
from bitmex_venue.engine.events import TradeEvent
from bitmex_venue.engine.exchange import Exchange
from bitmex_venue.engine.instruments import specs
from bitmex_venue.engine.timers import SETTLE
from bitmex_venue.market import create
from bitmex_venue.market.base import MAKERS, SECOND
from bitmex_venue.market.shape import Grid, contracts, density, stride
from bitmex_venue.venue import Venue

START = 1_700_000_000 * SECOND
CLIENT = 100_000
WHALE = 500  # a house account: nobody asks it for margin


class Scene:
    """An exchange with a market on it and a client with money, moved by hand."""

    def __init__(self, name="calm", seed=1, profile="classic"):
        self.exchange = Exchange(specs(profile), START, seed=seed)
        self.market = create(name, seed, profile)
        self.market.begin(self.exchange, START)
        self.exchange.execute(START, OpenAccount(CLIENT))
        self.exchange.execute(START, OpenAccount(WHALE, house=True))
        self.exchange.execute(START, Deposit(CLIENT, "XBt", 10**12))
        self.now = START
        self.events = self.exchange.take_events()
        self.traded = [instrument for instrument in self.exchange.instruments.values() if not instrument.spec.is_index]

    def run(self, seconds, look=lambda: None):
        end = self.now + int(seconds * SECOND)
        while self.market.next_time() is not None and self.market.next_time() <= end:
            self.now = self.market.next_time()
            self.market.act(self.now)
            look()
        self.now = end
        self.events += self.exchange.take_events()

    def place(self, side, qty, ticks, account=CLIENT, **more):
        return self.exchange.execute(self.now, Place(account, "XBTUSD", side, qty, ticks, **more))

    @property
    def book(self):
        return self.exchange.books["XBTUSD"]

    def trades(self, symbol="XBTUSD"):
        return [event for event in self.events if isinstance(event, TradeEvent) and event.symbol == symbol]


def test_a_contract_that_is_listed_later_gets_its_crowd_and_that_of_a_settled_one_goes_home():
    expiry = next(spec.expiry for spec in specs("classic", START) if spec.expiry)
    venue = Venue(market=create("calm", 1), now=expiry - 10 * SECOND)
    assert venue.symbols("XBT:quarterly") == ["XBTH24"]
    venue.exchange.timers.push(venue.now + 5 * SECOND, SETTLE, "XBTH24")
    venue.advance(venue.now + 60 * SECOND)
    (following,) = venue.symbols("XBT:quarterly")
    book, trades = venue.exchange.books[following], venue.history.trades[following]
    assert following == "XBTM24" and book.best_bid and book.best_ask and trades
    assert not venue.exchange.books["XBTH24"].bids.levels and "XBTH24" not in {e.symbol for e in trades}
    assert venue.exchange.audit().ok


@pytest.mark.parametrize("profile", ["classic", "modern"])
@pytest.mark.parametrize("name", ["lively", "calm"])
def test_every_book_is_two_sided_from_the_first_moment_and_stays_so(name, profile):
    scene = Scene(name, 2, profile)
    books = [scene.exchange.books[instrument.symbol] for instrument in scene.traded]

    def look():
        for book in books:
            assert book.best_bid is not None and book.best_ask is not None and book.best_bid < book.best_ask

    look()
    scene.run(120, look)
    assert len(books) == 4


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_the_main_book_has_the_depth_and_shape_of_a_recorded_one(profile):
    scene = Scene("calm", 4, profile)
    spreads, touch_sizes = [], []

    def look():
        spreads.append(scene.book.best_ask - scene.book.best_bid)
        touch_sizes.append(scene.book.bid_size)

    scene.run(300, look)
    assert sum(spread == 1 for spread in spreads) > 0.9 * len(spreads)
    assert 30_000 < sorted(touch_sizes)[len(touch_sizes) // 2] < 1_000_000
    for side in (BUY, SELL):
        levels = list(scene.book.levels(side))
        assert len(levels) > 120
        near = levels[0][0]
        within = [size for ticks, size in levels if abs(ticks / near - 1) < 0.005]
        assert 8e6 < sum(within) < 40e6  # 15 to 19 million in the recorded books
        assert abs(levels[-1][0] / near - 1) > 0.05
        lot = scene.exchange.instruments["XBTUSD"].spec.lot_size
        assert all(size % lot == 0 for _, size in levels)


def test_every_instrument_trades_now_and_then():
    scene = Scene("calm", 5)
    scene.run(300)
    for instrument in scene.traded:
        assert len(scene.trades(instrument.symbol)) >= 5
        reference = scene.exchange.instruments[instrument.symbol].index_e8 / 1e8
        assert instrument.spec.price(instrument.last_price) == pytest.approx(reference, rel=0.02)


def test_the_same_seed_and_the_same_commands_give_the_same_market():
    def history(seed):
        scene = Scene("lively", seed)
        scene.run(20)
        scene.place(BUY, 500, scene.book.best_bid - 40)
        scene.place(SELL, 300_000, scene.book.best_bid)
        scene.run(60)
        return [(trade.time, trade.symbol, trade.side, trade.size, trade.price) for trade in scene.trades()]

    assert history(7) == history(7)
    assert history(7) != history(8)


def test_the_index_and_the_times_of_sweeps_do_not_depend_on_what_others_do():
    def indices(meddles):
        scene, seen = Scene("lively", 9), {}
        scene.run(10)
        if meddles:
            scene.place(SELL, 2_000_000, scene.book.best_bid - 50, WHALE)
        for second in range(60):
            scene.run(1)
            seen[second] = [scene.exchange.instruments[symbol].index_e8 for symbol in ("XBTUSD", "ETHUSD")]
        return seen

    assert indices(False) == indices(True)


def test_a_book_that_somebody_swept_recovers_within_seconds():
    scene = Scene("calm", 11)
    scene.run(5)
    before = scene.book.best_bid
    for _ in range(4):
        scene.place(SELL, 10_000_000, round(before * 0.995), WHALE, time_in_force="ImmediateOrCancel")
    assert scene.book.best_bid < 0.996 * before
    scene.run(15)
    assert scene.book.best_ask - scene.book.best_bid <= 3
    assert abs(scene.book.best_bid - before) < 0.002 * before
    assert sum(1 for ticks, _ in scene.book.levels(BUY) if ticks > 0.996 * before) > 25


def test_lively_sweeps_reach_an_order_half_a_percent_away():
    scene = Scene("lively", 12)
    orders = [scene.place(BUY, 100, round(scene.book.best_bid * 0.995))]
    orders += [scene.place(SELL, 100, round(scene.book.best_ask * 1.005))]
    scene.run(240)
    assert [order.leaves_qty for order in orders] == [0, 0]


def test_a_quote_on_the_wrong_side_of_the_price_is_taken_within_two_seconds():
    scene = Scene("calm", 13)
    scene.run(3)
    fair = scene.book.best_bid
    scene.place(BUY, 10_000_000, fair + 2, WHALE, time_in_force="ImmediateOrCancel")
    dear = scene.place(BUY, 5_000, fair + 3, WHALE)
    assert dear.leaves_qty == 5_000 or dear.leaves_qty == 0
    scene.run(2)
    assert dear.leaves_qty == 0


def test_a_wall_holds_the_price_and_makers_never_cross_it():
    scene = Scene("calm", 14)
    wall_price = scene.book.best_ask + 3
    walls = [scene.place(SELL, 10_000_000, wall_price, WHALE) for _ in range(100)]
    bids = []
    while not walls[1].cum_qty:
        scene.run(1)
    scene.run(20, lambda: bids.append(scene.book.best_bid))
    assert walls[-1].leaves_qty and max(bids) == wall_price - 1


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_a_side_that_was_bought_empty_fills_again(side, profile):
    scene = Scene("calm", 19, profile)
    far = scene.book.best_ask * 2 if side == BUY else 10
    for _ in range(30):
        scene.place(side, 10_000_000, far, WHALE, time_in_force="ImmediateOrCancel")
    assert not list(scene.book.levels(-side))
    scene.run(60)
    assert scene.book.best_ask - scene.book.best_bid == 1
    assert len(list(scene.book.levels(-side))) > 120


def test_money_and_contracts_are_conserved_with_the_crowd_in_it():
    scene = Scene("lively", 20)
    for second in range(120):
        scene.run(1)
        if second % 10 == 0:
            scene.place(BUY if second % 20 else SELL, 1000, scene.book.best_bid + (second % 3))
    assert scene.exchange.audit().ok


def test_makers_rest_one_standing_order_a_level_and_leave_no_litter():
    scene = Scene("lively", 15)
    scene.run(400)
    resting = scene.exchange.open_orders(MAKERS, "XBTUSD")
    assert len(resting) < 600
    assert len(resting) < 1.3 * (len(list(scene.book.levels(BUY))) + len(list(scene.book.levels(SELL)))) + 40


def test_a_closed_instrument_stops_nobody_else():
    scene = Scene("calm", 16)
    scene.exchange.execute(scene.now, SetState("XBTUSD", "Closed"))
    scene.events.clear()
    scene.run(120)
    assert not scene.trades("XBTUSD") and scene.trades("ETHUSD") + scene.trades("XBTUSDT")
    scene.exchange.execute(scene.now, SetState("XBTUSD", "Open"))
    scene.run(60)
    assert scene.trades("XBTUSD") and scene.book.best_bid is not None


def test_a_late_call_does_everything_that_was_due():
    scene = Scene("calm", 17)
    scene.market.act(START + 30 * SECOND)
    assert scene.market.next_time() > START + 30 * SECOND
    other = Scene("calm", 17)
    other.run(30)
    assert other.exchange.books["XBTUSD"].levels(BUY) == scene.book.levels(BUY)


def test_the_empty_market_has_an_index_and_nobody():
    scene = Scene("empty", 1)
    assert scene.market.next_time() is None and scene.market.matcher is None
    assert scene.exchange.instruments["XBTUSD"].index_e8 == 6360 * 10**8
    assert scene.book.best_bid is None and scene.book.best_ask is None
    scene.market.act(START + SECOND)
    order = scene.place(BUY, 100, 12_000)
    scene.exchange.execute(scene.now, CancelAll(CLIENT))
    assert order.leaves_qty == 0


def test_a_market_says_in_one_line_what_it_is():
    for name in ("lively", "calm", "empty"):
        line = create(name, 3, "classic").describe()
        assert line.startswith(name + ": ") and "\n" not in line


def test_simulated_time_costs_less_than_a_sixtieth_of_a_core():
    scene = Scene("lively", 18)
    began = wall.process_time()
    scene.run(120)
    assert wall.process_time() - began < 2.0


def test_sizes_are_what_people_type_and_the_grid_is_a_tick_or_wider():
    assert contracts(0.3, 1) == 100 and contracts(149, 1) == 100 and contracts(151, 1) == 200
    assert contracts(1_499, 1000) == 1000 and contracts(70, 100) == 100
    assert density(0) > density(150) > density(5_000) and [stride(5), stride(100), stride(5_000)] == [1, 4, 32]
    fine, coarse = Grid(Random(1), 12_720.0), Grid(Random(1), 781_700.0)
    assert fine.step == 1 and fine.price(12_700) == 12_700
    assert coarse.step > 1 and coarse.number(coarse.price(500)) == 500
    assert fine.numbers_from(12_700, BUY, 60.0)[:3] == [12_700, 12_699, 12_698]
    assert fine.numbers_from(12_700, SELL, 60.0)[:2] == [12_700, 12_701]


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_there_is_a_last_price_of_every_contract_from_the_first_moment(profile):
    venue = Venue(profile, market=create("lively", 4, profile), now=1_600_000_000 * SECOND)
    for symbol in venue.active():
        instrument = venue.exchange.instruments[symbol]
        first = venue.history.trades[symbol][0]
        assert first.size == instrument.spec.lot_size and instrument.last_price is not None
        assert abs(first.price * instrument.spec.tick_e8 - instrument.mark_e8) < instrument.mark_e8 // 100
    assert venue.exchange.audit().ok
