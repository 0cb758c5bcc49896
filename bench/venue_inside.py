"""What bench/venue.py measures inside of one process: `python -m bench.venue_inside PART COMMANDS [DIR]`, one line of JSON.

    memory      resident bytes after each tenth of so many orders, placed and ended, through a whole venue without sockets
    command     processor seconds for so many commands of bench/engine.py's mix, through a whole venue; with DIR it keeps a journal there
    replay      wall seconds to recover what `command` has left in DIR, with every command to be carried out again
"""

from __future__ import annotations

import json
import os
import random
import sys
import time

from bitmex_venue.engine import commands as c
from bitmex_venue.store import Store, image
from bitmex_venue.venue import Venue

from bench import engine

NEVER = 10**12
MOST = 5000  # orders that rest at a time


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory(commands, directory):
    venue, rng, seen = Venue(now=engine.START, balance={"XBt": 10**13}), random.Random(2), []
    other, open_orders = venue.open_account({"XBt": 10**13}), []
    for n in range(commands):
        side = rng.choice((1, -1))
        place = c.Place(rng.choice((venue.account_id, other)), "XBTUSD", side, rng.randrange(1, 100), 12720 - side * rng.randrange(-3, 300))
        venue.advance(venue.now + 1_000_000)
        order = venue.execute(place)
        if order.is_open:
            open_orders.append(order)
        if len(open_orders) > 150:
            old = open_orders.pop(rng.randrange(len(open_orders)))
            venue.execute(c.Cancel(old.account_id, (old.order_id,)))
        if (n + 1) % (commands // 10) == 0:
            seen.append(resident())
    assert venue.exchange.audit().ok
    return seen


def command(commands, directory):
    store = Store(directory, every=NEVER) if directory else None
    venue = Venue(now=engine.START, store=store)
    for account in engine.ACCOUNTS:
        if account not in venue.exchange.accounts:
            venue.execute(c.OpenAccount(account))
        venue.execute(c.Deposit(account, "XBt", 10**11))
    venue.execute(c.SetIndex(".BXBT", 10_000 * 10**8))
    venue.advance(venue.now + 10**10)
    rng, live, spent = random.Random(5), [], 0.0
    for _ in range(commands):
        venue.now += 1_000_000
        one = engine.next_command(rng, live)
        if len(live) > MOST and type(one) is c.Place:
            old = live.pop(rng.randrange(len(live)))
            one = c.Cancel(old.account_id, (old.order_id,))
        began = time.process_time()
        done = venue.execute(one)
        spent += time.process_time() - began
        if type(one) is c.Place and done.is_open:
            live.append(done)
    if store is not None:  # and no snapshot at the end, so that everything is to be replayed
        store.close()
    return spent


def replay(commands, directory):
    began, used = time.monotonic(), time.process_time()
    store = Store(directory, every=NEVER)
    state = store.recover({})
    spent, used = time.monotonic() - began, time.process_time() - used
    began = time.monotonic()
    data = image.write(state)
    wrote = time.monotonic() - began
    began = time.monotonic()
    image.read(data)
    return {
        "commands": store.replayed, "seconds": spent, "processor": used, "journal": os.path.getsize(store.path),
        "image": len(data), "image_written": wrote, "image_read": time.monotonic() - began,
        "open": sum(len(a.open) for a in state.exchange.accounts.values()),
    }  # fmt: skip


def main():
    part, commands, directory = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None
    print(json.dumps({"memory": memory, "command": command, "replay": replay}[part](commands, directory)))


if __name__ == "__main__":
    main()
