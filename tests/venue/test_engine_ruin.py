"""Accounts that are ruined: money is conserved through liquidation, insurance, funding, sweeps and settlement.

The other property tests leave liquidation to chance and seldom meet it. Here every scenario bets with leverage and then steers the
mark against what somebody holds, through its liquidation price; what was reached is counted, and the test asserts that all of it was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from engine_kit import ALICE, BOB, HOUSE, SECOND, c, e, specs
from hypothesis import HealthCheck, event, given, settings, target
from hypothesis import strategies as st

from bitmex_venue.engine.exchange import Exchange
from bitmex_venue.engine.instruments import MINUTE
from bitmex_venue.engine.liquidation import ENGINE_ACCOUNT
from bitmex_venue.engine.refusals import Refused

CAROL = 100002
CLIENTS = (ALICE, BOB, CAROL)
BEFORE_NOON = 1_599_997_800 * SECOND  # 2020-09-13 11:50 UTC: funding and the daily sweep are ten minutes away
EXPIRY = BEFORE_NOON + 15 * MINUTE
INDEX = {".BXBT": 10_000.0, ".BETH": 300.0}
BALANCE = {"XBt": 10**8, "USDt": 10**10}
PERPETUALS = ("XBTUSD", "ETHUSD", "XBTUSDT")

clients = st.sampled_from(CLIENTS)
symbols = st.sampled_from((*PERPETUALS, "XBTM20"))
sides = st.sampled_from((1, -1))
bets = st.tuples(
    st.just("bet"), clients, symbols, sides, st.integers(20, 95), st.sampled_from((0, 0, 500, 2500, 10_000))
)  # fmt: skip
acts = st.one_of(
    bets,
    st.tuples(st.just("squeeze"), clients, st.integers(0, 400)),
    st.tuples(st.just("squeeze"), clients, st.integers(0, 400)),
    st.tuples(st.just("rest"), clients, symbols, sides, st.integers(1, 300)),
    st.tuples(st.just("depth"), symbols, st.integers(0, 100), st.integers(0, 60)),
    st.tuples(st.just("wait"), st.sampled_from((5, 5, 300, 900))),
    st.tuples(st.just("move"), st.sampled_from(tuple(INDEX)), st.integers(-900, 900)),
    st.tuples(st.just("withdraw"), clients, st.integers(1, 10**7), st.sampled_from((0, 60_000))),
    st.tuples(st.just("transfer"), clients, symbols, st.integers(-(10**6), 10**6)),
)


class Ruin:
    """An exchange ten minutes before noon, three clients, a house that takes the other side, and a log of what was sent."""

    def __init__(self, texts):
        self.texts = texts
        self.exchange = self.fresh()
        self.now = BEFORE_NOON
        self.log = []
        self.seen = Counter()
        self.funds = {}
        for account in (*CLIENTS, HOUSE):
            self.send(c.OpenAccount(account, house=account == HOUSE))
            for currency, amount in BALANCE.items():
                self.send(c.Deposit(account, currency, amount))
        for name, price in INDEX.items():
            self.send(c.SetIndex(name, round(price * 10**8)))

    def fresh(self):
        listed = [replace(spec, expiry=EXPIRY, symbol="XBTM20") if spec.expiry else spec for spec in specs(self.texts)]
        return Exchange(listed, BEFORE_NOON, texts=self.texts, seed=5)

    def send(self, command, later=0):
        self.now += later
        self.log.append((self.now, command))
        try:
            return self.exchange.execute(self.now, command)
        except Refused as refused:
            self.seen["refused: " + refused.message[:30]] += 1
            return None

    def traded(self, symbol):
        return self.exchange.instruments[symbol].state == "Open"

    # ---- what is drawn

    def bet(self, account, symbol, side, percent, leverage):
        """Hold so many percent of what the account can carry, at the mark, from the house."""
        instrument = self.exchange.instruments[symbol]
        self.send(c.SetLeverage(account, symbol, leverage))
        position = self.exchange.accounts[account].positions.get(symbol)
        if not self.traded(symbol) or position is None:
            return
        free = max(0, self.exchange.accounts[account].margin_image(position.wallet.currency).available_margin)
        per_lot = instrument.mark_lot_value * (position.init_req_e8 + 4 * instrument.spec.taker_fee_e8)
        lots = free * percent * 10**6 // per_lot if per_lot else 0
        qty = min(lots, 500_000) * instrument.lot_size
        ticks = max(1, instrument.mark_e8 // instrument.spec.tick_e8)
        if qty:
            self.send(c.CancelAll(HOUSE, symbol))
            self.send(c.Place(HOUSE, symbol, -side, qty, ticks))
            self.send(c.Place(account, symbol, side, qty, ticks, time_in_force="ImmediateOrCancel"))
            self.send(c.CancelAll(HOUSE, symbol))

    def squeeze(self, account, overshoot_bp):
        """Steer the mark through the liquidation price of what the account holds most of."""
        held = [p for p in self.exchange.accounts[account].positions.values() if p.current_qty and self.traded(p.symbol)]
        if not held:
            return
        position = max(held, key=lambda p: abs(p.instrument.mark_value(p.current_qty)))
        spec, image = position.instrument.spec, position.image()
        price, side = image.liquidation_price_e8, 1 if position.current_qty > 0 else -1
        if not spec.tick_e8 < price < spec.max_price_e8:
            return  # no price reaches it
        through = price * (10_000 - side * (30 + overshoot_bp)) // 10_000
        basis = 1 + max(abs(position.instrument.funding_rate_e8), abs(position.instrument.fair_basis_rate_e8)) / 10**8
        index = round(through / basis if side > 0 else through * basis)
        before = self.exchange.liquidation.taken
        self.send(c.SetIndex(spec.reference, max(1, index)))
        self.send(c.Advance(), later=5 * SECOND)
        passed = (price - position.instrument.mark_e8) * side > spec.tick_e8
        alone = all(p is position or not p.current_qty for p in position.wallet.positions)  # others may gain by the same move
        if passed and alone and self.traded(position.symbol):
            self.seen["squeezed"] += 1
            assert self.exchange.liquidation.taken > before, f"{account} lived through its liquidation price of {spec.symbol}"

    def depth(self, symbol, percent_off, lots):
        """The house rests orders on both sides, near or far; 0 takes them away."""
        self.send(c.CancelAll(HOUSE, symbol))
        instrument = self.exchange.instruments[symbol]
        mid = instrument.mark_e8 // instrument.spec.tick_e8
        for side in (1, -1):
            ticks = max(1, mid * (1000 - side * (1 + percent_off)) // 1000)
            if lots and ticks <= instrument.spec.max_ticks:
                self.send(c.Place(HOUSE, symbol, side, lots * 1000 * instrument.lot_size, ticks))

    def rest(self, account, symbol, side, off):
        instrument = self.exchange.instruments[symbol]
        ticks = max(1, instrument.mark_e8 // instrument.spec.tick_e8 - side * off)
        self.send(c.Place(account, symbol, side, 10 * instrument.lot_size, ticks))

    def act(self, action):
        kind, *rest = action
        if kind == "wait":
            self.send(c.Advance(), later=rest[0] * SECOND)
        elif kind == "move":
            name, bp = rest
            here = self.exchange.instruments[name].index_e8
            self.send(c.SetIndex(name, max(1, here * (10_000 + bp) // 10_000)))
        elif kind == "withdraw":
            self.send(c.Withdraw(rest[0], "XBt", rest[1], 7, hold_ms=rest[2]))
        elif kind == "transfer":
            self.send(c.TransferMargin(*rest))
        else:
            getattr(self, kind)(*rest)

    # ---- what must hold

    def check(self):
        found = self.exchange.audit()
        assert found.ok, found
        for told in self.exchange.take_events():
            if isinstance(told, e.InsuranceEvent):
                gained = told.balance - self.funds.get(told.currency, 0)
                self.funds[told.currency] = told.balance
                self.seen["insurance gained" if gained > 0 else "insurance lost"] += 1
            elif isinstance(told, e.ExecutionEvent) and told.exec_type in ("Funding", "Settlement"):
                self.seen[told.exec_type] += 1
            elif isinstance(told, e.WalletEvent):
                self.seen[told.kind] += 1
            elif isinstance(told, e.LiquidationEvent) and told.action == "insert":
                self.seen["taken over: " + told.order.symbol] += 1
        assert self.funds == {k: v for k, v in self.exchange.insurance.items() if k in self.funds}
        engine = self.exchange.accounts.get(ENGINE_ACCOUNT)
        for position in engine.positions.values() if engine is not None else ():
            self.seen["the engine waits to sell"] += bool(position.current_qty)


def sound(ruin):
    """After everybody has been looked at nobody owes anything. What the engine sells may fill somebody's order at a price far from
    the mark: that one is looked at five seconds later."""
    taken = None
    while taken != ruin.exchange.liquidation.taken:
        taken = ruin.exchange.liquidation.taken
        ruin.send(c.Advance(), later=5 * SECOND)
    for account in CLIENTS:
        for currency in ruin.exchange.accounts[account].wallets:
            image = ruin.exchange.accounts[account].margin_image(currency)
            assert image.margin_balance >= 0, (account, currency, image)


@pytest.mark.parametrize("texts", ["classic", "modern"])
def test_money_is_conserved_while_accounts_are_ruined_and_nobody_ever_owes_any(texts):
    reached = Counter()

    @given(first=st.lists(bets, min_size=1, max_size=4), then=st.lists(acts, min_size=6, max_size=16))
    @settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def run(first, then):
        ruin = Ruin(texts)
        for action in (*first, *then, ("wait", 900)):
            ruin.act(action)
            ruin.check()
            if action[0] in ("squeeze", "wait"):
                sound(ruin)
        again = ruin.fresh()
        for now, command in ruin.log:
            try:
                again.execute(now, command)
            except Refused:
                pass
        assert again.digest() == ruin.exchange.digest()
        target(float(ruin.exchange.liquidation.taken), label="positions taken over")
        event(f"{min(ruin.exchange.liquidation.taken, 5)} positions taken over")
        reached.update({**ruin.seen, "taken over": ruin.exchange.liquidation.taken})

    run()
    wanted = ["Funding", "Settlement", "RealisedPNL", "Withdrawal", "insurance gained", "insurance lost", "the engine waits to sell"]
    assert all(reached[name] >= 3 for name in wanted), reached
    assert reached["squeezed"] >= 40 and reached["taken over"] >= reached["squeezed"]
    assert all(reached["taken over: " + symbol] for symbol in (*PERPETUALS, "XBTM20")), reached
    assert not [name for name in reached if name.startswith("refused: Invalid price")], reached
