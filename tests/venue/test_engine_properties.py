"""Whatever several accounts do: positions net to zero, money is conserved to the satoshi, nothing half done is left."""

from __future__ import annotations

import pytest
from engine_kit import ALICE, BOB, HOUSE, START, c, e, specs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitmex_venue.engine.exchange import Exchange
from bitmex_venue.engine.orders import ENDED, TRANSITIONS
from bitmex_venue.engine.refusals import Refused

SYMBOLS = ("XBTUSD", "ETHUSD", "XBTUSDT", "XBTZ30")
CAROL = 100002

accounts = st.sampled_from((ALICE, BOB, CAROL, HOUSE))
sides = st.sampled_from((1, -1))
steps = st.integers(-12, 12)
lots = st.integers(0, 40)
manners = st.sampled_from(
    [("Limit", "GoodTillCancel", ())] * 5
    + [
        ("Limit", "Day", ()),
        ("Limit", "ImmediateOrCancel", ()),
        ("Limit", "FillOrKill", ()),
        ("Limit", "GoodTillCancel", ("ParticipateDoNotInitiate",)),
        ("Limit", "GoodTillCancel", ("ReduceOnly",)),
        ("Limit", "GoodTillCancel", ("ParticipateDoNotInitiate", "ReduceOnly")),
        ("Limit", "GoodTillCancel", ("Close",)),
        ("Market", "ImmediateOrCancel", ()),
        ("Market", "FillOrKill", ("ReduceOnly",)),
        ("Market", "ImmediateOrCancel", ("Close",)),
        ("Stop", "GoodTillCancel", ("LastPrice",)),
        ("StopLimit", "GoodTillCancel", ("MarkPrice", "ReduceOnly")),
        ("MarketIfTouched", "GoodTillCancel", ("IndexPrice", "Close")),
        ("LimitIfTouched", "Day", ("LastPrice", "ParticipateDoNotInitiate")),
    ]
)
placing = st.tuples(st.just("place"), accounts, st.sampled_from(SYMBOLS), sides, lots, steps, manners)
amending = st.tuples(st.just("amend"), st.integers(0, 50), st.one_of(st.none(), steps), st.one_of(st.none(), lots), st.booleans())
acting = st.one_of(
    placing,
    placing,
    st.tuples(st.just("bulk"), accounts, st.lists(placing, min_size=1, max_size=4)),
    amending,
    amending,
    st.tuples(st.just("amends"), accounts, st.lists(amending, min_size=1, max_size=3)),
    st.tuples(st.just("cancel"), st.integers(0, 50)),
    st.tuples(st.just("cancel_all"), accounts),
    st.tuples(st.just("after"), accounts, st.integers(0, 20_000)),
    st.tuples(st.just("index"), st.integers(-3000, 3000)),
    st.tuples(st.just("wait"), st.sampled_from((1, 6, 3600, 9 * 3600))),
    st.tuples(st.just("leverage"), accounts, st.sampled_from(SYMBOLS), st.sampled_from((0, 100, 2500, 10000))),
    st.tuples(st.just("withdraw"), accounts, st.integers(1, 10**7), st.sampled_from((0, 5_000, 10**7))),
    st.tuples(st.just("take back"), accounts),
    st.tuples(st.just("transfer"), accounts, st.sampled_from(SYMBOLS), st.integers(-(10**5), 10**5)),
    st.tuples(st.just("risk"), accounts, st.sampled_from(SYMBOLS), st.integers(0, 3)),
    st.tuples(st.just("fees"), st.sampled_from(SYMBOLS), st.integers(-(10**5), 10**5), st.integers(0, 10**5)),
)


class Driver:
    """Turns drawn actions into commands, and keeps the log of what was sent."""

    def __init__(self, texts, self_trade):
        self.options = {"texts": texts, "self_trade": self_trade, "seed": 3}
        self.exchange = self.fresh()
        self.now = START
        self.log = []
        self.orders = {}
        self.finals = {}
        for account in (ALICE, BOB, CAROL, HOUSE):
            self.send(c.OpenAccount(account, house=account == HOUSE))
            self.send(c.Deposit(account, "XBt", 3 * 10**6))
            self.send(c.Deposit(account, "USDt", 10**9))
        self.send(c.SetIndex(".BXBT", 10_000 * 10**8))
        self.send(c.SetIndex(".BETH", 300 * 10**8))

    def fresh(self):
        return Exchange(specs(self.options["texts"]), START, **self.options)

    def send(self, command):
        self.log.append((self.now, command))
        self.exchange.execute(self.now, c.Advance())
        before = self.exchange.digest()
        try:
            return self.exchange.execute(self.now, command)
        except Refused:
            assert self.exchange.digest() == before, f"refused, and yet something changed: {command}"
            return None

    def order_of(self, place):
        _, account, symbol, side, n, step, (ord_type, tif, inst) = place
        instrument = self.exchange.instruments[symbol]
        near = max(1, instrument.mark_e8 // instrument.spec.tick_e8 + step)
        price = near if "Limit" in ord_type else None
        stop_px = near + 3 * side if ord_type not in ("Limit", "Market") else None
        return c.Place(account, symbol, side, n * instrument.spec.lot_size, price, ord_type, tif, inst, stop_px=stop_px)

    def amend_of(self, action, account=None):
        _, which, step, n, leaves = action
        orders = [o for a in self.exchange.accounts for o in self.exchange.open_orders(a) if account in (None, a)]
        if not orders:
            return None
        order = orders[which % len(orders)]
        price = None if step is None or order.price is None else max(1, order.price + step)
        qty = None if n is None else n * order.market.instrument.spec.lot_size
        name = "leaves_qty" if leaves else "order_qty"
        return c.Amend(order.account_id, order.order_id, price=price, **{name: qty})

    def act(self, action):
        kind = action[0]
        if kind == "place":
            self.send(self.order_of(action))
        elif kind == "bulk":
            self.send(c.PlaceBulk(action[1], tuple(self.order_of(p)._replace(account_id=action[1]) for p in action[2])))
        elif kind == "amend":
            amend = self.amend_of(action)
            if amend is not None:
                self.send(amend)
        elif kind == "amends":
            amends = [self.amend_of(a, action[1]) for a in action[2]]
            if None not in amends:
                self.send(c.AmendBulk(action[1], tuple(amends)))
        elif kind == "cancel":
            orders = [o for a in self.exchange.accounts for o in self.exchange.open_orders(a)]
            if orders:
                order = orders[action[1] % len(orders)]
                self.send(c.Cancel(order.account_id, (order.order_id, "nobody's")))
        elif kind == "cancel_all":
            self.send(c.CancelAll(action[1]))
        elif kind == "after":
            self.send(c.CancelAllAfter(action[1], action[2]))
        elif kind == "index":
            self.send(c.SetIndex(".BXBT", (10_000 + action[1]) * 10**8))
        elif kind == "wait":
            self.now += action[1] * 10**9
            self.send(c.Advance())
        elif kind == "leverage":
            self.send(c.SetLeverage(action[1], action[2], action[3]))
        elif kind == "withdraw":
            self.send(c.Withdraw(action[1], "XBt", action[2], 3, hold_ms=action[3]))
        elif kind == "take back":
            for number in list(self.exchange.accounts[action[1]].wallets["XBt"].held):
                self.send(c.CancelWithdrawal(action[1], number))
        elif kind == "transfer":
            self.send(c.TransferMargin(action[1], action[2], action[3]))
        elif kind == "risk":
            spec = self.exchange.instruments[action[2]].spec
            self.send(c.SetRiskLimit(action[1], action[2], spec.risk_limit + action[3] * spec.risk_step))
        elif kind == "fees":
            self.send(c.SetFees(action[1], action[2], action[3]))

    def check(self):
        found = self.exchange.audit()
        assert found.ok, found
        for account in self.exchange.accounts.values():
            for order in account.open.values():
                assert order.is_open and order.leaves_qty > 0 and order.order_qty == order.cum_qty + order.leaves_qty
                self.orders[order.order_id] = order
        for order_id, order in self.orders.items():
            if order.ord_status in ENDED:
                assert order.leaves_qty == 0 and not order.working and order.level is None
                assert self.finals.setdefault(order_id, order.ord_status) == order.ord_status
        for account in self.exchange.accounts.values():
            for position in account.positions.values():
                for order in position.reduce_only.values():
                    assert (order.stop_px is not None and not order.triggered) or order.leaves_qty <= -order.side * position.current_qty


@pytest.mark.parametrize("texts, self_trade", [("classic", "allow"), ("modern", "cancel")])
@given(actions=st.lists(acting, min_size=20, max_size=60))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_positions_net_to_zero_money_is_conserved_and_a_refused_command_changes_nothing(texts, self_trade, actions):
    driver = Driver(texts, self_trade)
    for action in actions:
        driver.act(action)
        driver.check()


@given(actions=st.lists(acting, min_size=20, max_size=60))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_same_commands_give_the_same_state_and_the_same_events(actions):
    driver = Driver("classic", "allow")
    for action in actions:
        driver.act(action)
    told = driver.exchange.take_events()
    again = driver.fresh()
    for now, command in driver.log:
        try:
            again.execute(now, command)
        except Refused:
            pass
    assert again.digest() == driver.exchange.digest()
    assert list(map(plain, again.take_events())) == list(map(plain, told))


@pytest.mark.parametrize("texts", ["classic", "modern"])
@given(actions=st.lists(acting, min_size=20, max_size=60))
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_an_order_moves_between_states_only_as_the_table_says_and_its_rows_tell_all_of_it(texts, actions):
    driver = Driver(texts, "allow")
    for action in actions:
        driver.act(action)
    rows = {}
    for event in driver.exchange.take_events():
        if isinstance(event, e.OrderEvent):
            if event.action == "insert":
                assert event.order.order_id not in rows
                rows[event.order.order_id] = (event.order, dict(event.columns))
                continue
            _, row = rows[event.order.order_id]
            status = event.columns.get("ord_status", row["ord_status"])
            assert status == row["ord_status"] or status in TRANSITIONS[row["ord_status"]]
            row.update(event.columns)
    for order, row in rows.values():
        assert row == {**order.columns(), "timestamp": row["timestamp"]}


def plain(event):
    """An event with its order as an id, so that two runs can be compared."""
    order = getattr(event, "order", None)
    name = getattr(order, "order_id", getattr(order, "symbol", None))
    return (type(event).__name__,) + tuple(name if value is order and order is not None else value for value in event)
