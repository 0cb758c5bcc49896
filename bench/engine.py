"""How many commands a second the engine carries out, in process, on one core: `python -m bench.engine [COMMANDS]`.

Place, amend and cancel mixed (40 : 30 : 30), margin checked, 100 accounts, 10,000 resting orders on XBTUSD to begin with;
events are made and taken. Time is the processor's, so that a busy machine does not blur it.
"""

from __future__ import annotations

import random
import sys
import time

from bitmex_venue.engine import commands as c
from bitmex_venue.engine.exchange import Exchange
from bitmex_venue.engine.instruments import specs

ACCOUNTS = range(100000, 100100)
MID = 20_000
START = 1_600_000_000 * 10**9


def prepared(resting):
    """An exchange with so many resting orders, and the orders."""
    exchange, rng = Exchange(specs("classic"), START, seed=1), random.Random(1)
    for account in ACCOUNTS:
        exchange.execute(START, c.OpenAccount(account))
        exchange.execute(START, c.Deposit(account, "XBt", 10**11))
    exchange.execute(START, c.SetIndex(".BXBT", 10_000 * 10**8))
    orders = []
    for n in range(resting):
        side = rng.choice((1, -1))
        place = c.Place(ACCOUNTS[n % 100], "XBTUSD", side, rng.randrange(1, 100), MID - side * rng.randrange(5, 2000))
        orders.append(exchange.execute(START, place))
    return exchange, orders


def next_command(rng, live):
    """A command, and whether it places."""
    kind = rng.random()
    if kind < 0.4 or not live:
        side = rng.choice((1, -1))
        return c.Place(rng.choice(ACCOUNTS), "XBTUSD", side, rng.randrange(1, 100), MID - side * rng.randrange(-3, 2000))
    at = rng.randrange(len(live))
    order = live[at]
    if not order.is_open:
        live[at] = live[-1]
        live.pop()
        return next_command(rng, live)
    if kind < 0.7:
        price, qty = MID - order.side * rng.randrange(1, 2000), order.cum_qty + rng.randrange(1, 100)
        return c.Amend(order.account_id, order.order_id, price=price, order_qty=qty)
    live[at] = live[-1]
    live.pop()
    return c.Cancel(order.account_id, (order.order_id,))


def measure(commands, resting):
    """Seconds for so many commands."""
    exchange, live = prepared(resting)
    exchange.take_events()
    rng, now, spent = random.Random(5), START, 0.0
    for n in range(commands):
        now += 1_000_000
        command = next_command(rng, live)
        began = time.process_time()
        done = exchange.execute(now, command)
        spent += time.process_time() - began
        if type(command) is c.Place and done.is_open:
            live.append(done)
        if n % 256 == 0:
            exchange.take_events()
    assert exchange.audit().ok
    return spent


def main():
    commands = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    for resting in (100, 1_000, 10_000):
        spent = measure(commands, resting)
        print(f"{resting:6d} resting: {commands / spent:8.0f} commands/s, {spent / commands * 1e6:.1f} us each")


if __name__ == "__main__":
    main()
