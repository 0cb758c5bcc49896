"""Parts (b) and (c): a bot as a process, over sockets, in real time; each fault of the line once.

The venue is the one that `python -m bitmex_venue` serves, with its own switches (bitmex_venue/faults.py); it is served from this
process, so that the score is kept after everything that happens there, and not by polling. Ours and theirs have a venue each, with
the same seed, and run side by side, through the same script with the same settings.

For each fault: it is armed, the market jumps so that every quote must move, it lasts for `HOLD_S`, and then there is `REST_S` to recover.
A supervisor starts a bot again that has ended, as any user's would.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time

from bitmex_venue import market as markets
from bitmex_venue.server import VenueServer
from bitmex_venue.venue import Venue
from chaos import armings
from chaos.outcome import Outcome
from chaos.score import Rules, Score

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SYMBOL = "XBTUSD"
HOLD_S, REST_S, FIRST_S, START_AGAIN_S, STOP_S = 4.0, 3.0, 20, 1.0, 40
JUMPS = (0.35, -0.35)  # percent: more than RELIST_INTERVAL, and not so much that everything is filled
SETTINGS = {
    "ORDER_PAIRS": 3, "ORDER_START_SIZE": 100, "ORDER_STEP_SIZE": 100, "INTERVAL": 0.002, "MIN_SPREAD": 0.004, "MAINTAIN_SPREADS": True,
    "RELIST_INTERVAL": 0.001, "LOOP_INTERVAL": 2, "API_REST_INTERVAL": 1, "API_ERROR_INTERVAL": 2, "TIMEOUT": 3,
    "CHECK_POSITION_LIMITS": True, "MIN_POSITION": -2000, "MAX_POSITION": 2000,
}
TWICE = {"times": 2, "for_s": HOLD_S}
SCRIPT = (
    ("refuse_connections", {"for_s": 3}),
    ("lost_request", TWICE),
    ("lost_reply", TWICE),
    ("lost_reply", {**TWICE, "how": "silence"}),
    ("slow_request", {**TWICE, "delay_ms": 3500}),
    ("slow_reply", {**TWICE, "delay_ms": 3500}),
    ("bad_gateway", TWICE),
    ("bad_gateway", {**TWICE, "after": True}),
    ("gateway_timeout", TWICE),
    ("gateway_timeout", {**TWICE, "after": True}),
    ("malformed_reply", TWICE),
    ("overloaded", TWICE),
    ("unavailable", TWICE),
    ("server_error", TWICE),
    ("rate_limited", {**TWICE, "headers": "full"}),
    ("rate_limited", {**TWICE, "headers": "bare"}),
    ("rate_limited", {**TWICE, "headers": "wrong"}),
    ("rate_limited", {**TWICE, "headers": "early"}),
    ("wrong_limit_headers", TWICE),
    ("forbidden", {"times": 1, "for_s": HOLD_S}),
    ("ip_ban", {"for_s": 1.5}),
    ("drop_socket", {"times": 1}),
    ("half_open_socket", {"for_s": 20}),
    ("stall_table", {"for_s": HOLD_S, "table": "order"}),
    ("stall_table", {"for_s": HOLD_S, "table": "quote"}),
    ("stall_table", {"for_s": 2, "lose": True}),
    ("delay_messages", {"for_s": HOLD_S, "delay_ms": 800}),
    ("duplicate_messages", {"for_s": HOLD_S}),
    ("reorder_messages", {"for_s": HOLD_S}),
    ("second_partial", {"times": 1}),
    ("update_before_partial", {"for_s": HOLD_S}),
    ("malformed_json", {"times": 2, "for_s": HOLD_S}),
    ("malformed_json", {"times": 2, "for_s": HOLD_S, "instead": True}),
    ("venue_restart", {"down_s": 3.0}),
)
LEFT_OUT = {**armings.LEFT_OUT, "post_only_refused": "neither bot places post-only orders with these settings"}


class Desk:
    """A venue behind sockets and a bot that is kept running on it. `command(venue, url, folder)` -> (argv, environment)."""

    def __init__(self, seed, command):
        self.venue = Venue(profile="classic", market=markets.create("lively", seed, "classic"), seed=seed, now=time.time_ns(), balance={"XBt": 10**8})
        self.server = VenueServer(self.venue)
        self.score = Score(Rules(SETTINGS["ORDER_PAIRS"], SETTINGS["INTERVAL"], SETTINGS["MIN_SPREAD"], True, SETTINGS["RELIST_INTERVAL"],
                                 SETTINGS["MIN_POSITION"], SETTINGS["MAX_POSITION"]))
        self.requests = self.wasted = self.too_many = self.starts = self.crashes = 0
        self.is_over = False
        self._command = command
        self._process = None
        self.venue.on_advanced.append(self.look)
        self._handle, self.venue.handle = self.venue.handle, self.handle

    def handle(self, request):
        """The venue's own, counted."""
        before = sum(self.venue.faults.counts.values())
        reply = self._handle(request)
        self.requests += 1
        status = getattr(reply, "status", 200)
        if status >= 400 and not (status == 404 and "/bulk" in request.path) and sum(self.venue.faults.counts.values()) == before:
            self.wasted += 1
            self.too_many += status == 429
        self.look()
        return reply

    def look(self):
        exchange, account = self.venue.exchange, self.venue.account_id
        book, price = exchange.books[SYMBOL], exchange.instruments[SYMBOL].spec.price
        touch = tuple(None if best is None else price(best) for best in (book.best_bid, book.best_ask))
        orders = [(order.side, price(order.price), order.leaves_qty) for order in exchange.open_orders(account, SYMBOL)]
        position = exchange.accounts[account].positions.get(SYMBOL)
        self.score.look(self.venue.now / 1e9, orders, position.current_qty if position else 0, touch, price(1), self.is_over)

    async def run(self, say):
        """Through the whole script; returns the Outcome."""
        await self.server.start()
        supervisor = None
        try:
            with tempfile.TemporaryDirectory() as folder:
                await asyncio.sleep(2)  # 1.6.1 wants a last price
                supervisor = asyncio.ensure_future(self._supervise(folder))
                await self._until(lambda: self.score.has_quoted, FIRST_S)
                for number, (fault, settings) in enumerate(SCRIPT):
                    say(fault, settings)
                    await self._suffer(fault, settings, JUMPS[number % 2])
                self.is_over = True
                self.score.end(self.venue.now / 1e9)
                await self._stop(supervisor)
        finally:
            if self._process is not None and self._process.returncode is None:
                self._process.kill()
            if supervisor is not None:
                supervisor.cancel()
            await self.server.stop()
        return self._outcome()

    async def _suffer(self, fault, settings, jump):
        self.venue.faults.arm(fault, **settings)
        if fault in armings.WITH_NEW_SOCKETS:
            self.venue.faults.arm("drop_socket")
        self.venue.steering.move_index(SYMBOL, jump)
        await asyncio.sleep(max(HOLD_S, settings.get("for_s", 0)))
        self.venue.faults.disarm_all(fault)
        await asyncio.sleep(REST_S)

    async def _supervise(self, folder):
        """Start the bot, and again when it has ended."""
        command, environment = self._command(self.venue, self.server.url, folder)
        with open(os.path.join(folder, "output"), "ab") as output:
            while not self.is_over:
                self.starts += 1
                self._process = await asyncio.create_subprocess_exec(
                    *command, cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output)
                await self._process.wait()
                if not self.is_over:
                    self.crashes += 1
                    await asyncio.sleep(START_AGAIN_S)

    async def _stop(self, supervisor):
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(supervisor), STOP_S)

    @staticmethod
    async def _until(condition, seconds):
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            await asyncio.sleep(0.05)

    def _outcome(self):
        exchange = self.venue.exchange
        audit = exchange.audit()
        unaccounted = sum(abs(total.left) for total in audit.money.values()) + sum(map(abs, audit.positions.values())) + len(audit.wrong)
        return Outcome(
            faults=sum(self.venue.faults.counts.values()), bare=self.score.bare.longest, wrong=self.score.wrong.longest,
            overshoot=max(0, self.score.overshoot), duplicates=max(0, self.score.duplicates),
            left=len(exchange.open_orders(self.venue.account_id, SYMBOL)), unaccounted=unaccounted, requests=self.requests, wasted=self.wasted,
            too_many=self.too_many, crashes=self.crashes, restarts=max(0, self.starts - 1))


def ours(venue, url, folder):
    """This checkout, by this interpreter."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MM_", "BITMEX_"))}
    environment.update({f"MM_{name}": str(value) for name, value in SETTINGS.items()})
    environment.update(MM_BASE_URL=url, BITMEX_API_KEY=venue.api_key, BITMEX_API_SECRET=venue.api_secret, PYTHONUNBUFFERED="1")
    return [sys.executable, os.path.join(ROOT, "marketmaker"), SYMBOL], environment


def theirs(venue, url, folder):
    """bitmex-market-maker 1.6.1, as its users ran it: a settings.py in the working folder."""
    from bench.peers import ORIGINAL, prepare

    python = prepare(ORIGINAL)
    more = {"BASE_URL": url, "API_KEY": venue.api_key, "API_SECRET": venue.api_secret, "SYMBOL": SYMBOL, "CONTRACTS": [SYMBOL], "DRY_RUN": False,
            "WATCHED_FILES": [], "POST_ONLY": False, "ORDERID_PREFIX": "mm_bitmex_"}
    with open(os.path.join(folder, "settings.py"), "w", encoding="utf-8") as file:
        file.write("\n".join(f"{name} = {value!r}" for name, value in {**SETTINGS, **more}.items()) + "\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return [os.path.join(os.path.dirname(python), "marketmaker"), SYMBOL], {**environment, "PYTHONUNBUFFERED": "1"}


def run(seed, parts, failures):
    """[(heading, Outcome)] of (b), of (c), or of both side by side."""
    wanted = [(part, heading, command) for part, heading, command in (
        ("b", "(b) ours", ours), ("c", "(c) bitmex-market-maker 1.6.1", theirs)) if part in parts]
    results = asyncio.run(_together(seed, wanted))
    for (part, heading, _), outcome in zip(wanted, results):
        if part == "b" and outcome.broken:
            failures.append(f"{heading}: " + ", ".join(f"{name} {getattr(outcome, name)}" for name in outcome.broken))
    return [(heading, outcome) for (_, heading, _), outcome in zip(wanted, results)]


async def _together(seed, wanted):
    def speaker(heading, is_first):
        begun = time.monotonic()

        def say(fault, settings):
            if is_first:
                print(f"(b)(c) {time.monotonic() - begun:5.0f} s  {fault} {settings}", flush=True)
        return say
    return await asyncio.gather(*(Desk(seed, command).run(speaker(heading, number == 0)) for number, (_, heading, command) in enumerate(wanted)))
