"""`python -m bitmex_venue`: a venue on this machine, from the command line.

Rules: a wrong option is one line and exit code 2; a port that cannot be had is one line and exit code 1; SIGINT and SIGTERM end it
with exit code 0, and so does the end of standard input with `--ready-json` or `--stop-with-stdin`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from . import __version__, profiles
from .market import BadMarketFile, create
from .store import Store, StoreError

MILLISECOND = 1_000_000
USAGE_ERROR = 2
FAILURE = 1


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"{self.prog}: {message}\n")


def parser() -> Parser:
    """The options; see the contract in the README."""
    out = Parser(prog="bitmex_venue", description="A server that speaks the BitMEX protocol, with a matching engine.")
    add = out.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    add("--port", type=_port, default=4040, help="port to listen on, 0 for any free one (default 4040)")
    add("--seed", type=int, default=None, help="seed of the market (default: another one at each start)")
    add("--profile", choices=sorted(profiles.PROFILES), default="classic", help="which era of BitMEX (default classic)")
    add("--market", action="append", metavar="lively|calm|empty|FILE",
        help="who else trades (default lively); several files, such as trades and quotes, with a --market each")
    add("--market-symbol", type=str.upper, default="XBTUSD", metavar="S", help="what is played of files of trades, quotes or books (XBTUSD)")
    add("--strict", action="store_true", help="refuse recorded data with a bad row instead of leaving it out")
    add("--speed", type=_speed, default=1.0, metavar="X", help="venue seconds per second (default 1)")
    add("--latency-ms", type=_latency, default=0, metavar="N", help="delay of each request (default 0)")
    add("--api-key", metavar="K", help="key of the trading account (default: a random one)")
    add("--api-secret", metavar="S", help="its secret (default: a random one)")
    add("--balance-xbt", type=_balance, default=Decimal(1), metavar="X", help="what the account owns (default 1)")
    add("--self-trade", choices=("allow", "cancel"), default="allow", help="may an account trade with itself (allow)")
    add("--bulk-cost", type=_cost, default=None, metavar="X", help="requests per order of a bulk (default: the profile's)")
    add("--withdrawal-s", type=_hold, default=60.0, metavar="N", help="venue seconds in which a withdrawal can be cancelled (default 60)")
    add("--data", metavar="DIR", help="keep accounts, keys, orders and positions there, across restarts (default: memory only)")
    add("--no-rate-limit", action="store_true", help="count no requests and refuse none for their rate (for benches)")
    add("--limit-connections", action="store_true", help="refuse sockets beyond the era's number an hour (classic 40, modern 720)")
    add("--email", help="a login for /user/login (classic)")
    add("--password", help="its password")
    add("--otp", default="", help="its one-time token, when it needs one")
    add("--rest-first", action="store_true", help="send a reply before the realtime rows of its request")
    add("--faults", metavar="FILE", help="a scenario of faults to play from the start (docs/paper-door.md)")
    add("--control-port", type=_port, default=0, metavar="N", help="port of the control door (default: any free one)")
    add("--ready-json", action="store_true", help="one line of JSON on stdout when ready; end when stdin closes")
    add("--stop-with-stdin", action="store_true", help="end when stdin closes")
    add("--version", action="version", version=f"bitmex_venue {__version__}")
    return out


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop; returns the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    options = parser()
    args = options.parse_args(argv)
    args.market = args.market or ["lively"]
    if (args.email is None) != (args.password is None):
        options.error("--email and --password belong together")
    if args.email is not None and not profiles.get(args.profile).login:
        options.error(f"the {args.profile} profile has no login: use --profile classic")
    if (args.api_key is None) != (args.api_secret is None):
        options.error("--api-key and --api-secret belong together")
    try:
        return asyncio.run(serve(args))
    except BadMarketFile as problem:
        options.error(str(problem))
    except StoreError as problem:
        print(f"bitmex_venue: {problem}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:  # where signal handlers cannot be set
        return 0


async def serve(args: argparse.Namespace) -> int:
    """Start, announce, wait, stop."""
    from .control_door import ControlDoor
    from .misbehaviour.scenario import BadScenario, play
    from .server import VenueServer

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, stopping.set)
    seed = args.seed if args.seed is not None else int.from_bytes(os.urandom(4), "big")
    venue = build(args, seed, time.time_ns())
    server = VenueServer(venue, args.host, args.port, args.speed, realtime_first=not args.rest_first)
    door = ControlDoor(server, args.control_port)
    if args.faults is not None:
        try:
            play(venue, args.faults)
        except BadScenario as problem:
            for line in problem.problems:
                print(f"bitmex_venue: {line}", file=sys.stderr)
            return USAGE_ERROR
    for what, host, port in ((server, args.host, args.port), (door, door.host, args.control_port)):
        try:
            await what.start()
        except OSError as problem:
            reason = os.strerror(problem.errno) if problem.errno and problem.errno > 0 else str(problem)
            print(f"bitmex_venue: cannot listen on {host} port {port}: {reason}", file=sys.stderr)
            await server.stop()
            return FAILURE
    if not _is_loopback(args.host):
        print(
            f"bitmex_venue: WARNING: {args.host} is not loopback: anybody who reaches this port can use this venue",
            file=sys.stderr,
        )
    if args.ready_json or args.stop_with_stdin:
        watch_stdin(loop, stopping)
    announce(args, server, door)
    try:
        await stopping.wait()
    finally:
        await door.stop()
        await server.stop()
    return 0


def build(args: argparse.Namespace, seed: int, now: int) -> Any:
    """The venue that these options describe. Raises BadMarketFile and StoreError."""
    from .venue import DEFAULT_BALANCE, Venue

    balance = {**DEFAULT_BALANCE, "XBt": int(args.balance_xbt * 100_000_000)}
    venue = Venue(
        profile=args.profile,
        market=create(args.market, seed, args.profile, args.market_symbol, args.strict, ahead=True),
        seed=seed,
        now=now,
        self_trade=args.self_trade,
        api_key=args.api_key,
        api_secret=args.api_secret,
        balance=balance,
        latency_ns=args.latency_ms * MILLISECOND,
        bulk_cost=args.bulk_cost,
        store=Store(args.data) if args.data is not None else None,
        withdrawal_s=args.withdrawal_s,
    )
    venue.limiter.enabled = not args.no_rate_limit
    venue.enforce_connections = args.limit_connections
    if args.email is not None:
        venue.add_login(args.email, args.password, args.otp)
    return venue


def announce(args: argparse.Namespace, server: Any, door: Any) -> None:
    """Say where the venue is and with which key, for programs or for people."""
    venue = server.venue
    if args.ready_json:
        facts = {
            "url": server.url,
            "key": venue.api_key,
            "secret": venue.api_secret,
            "profile": args.profile,
            "market": ",".join(args.market),
            "about": venue.market.describe(),
            "pid": os.getpid(),
            "control": {"url": door.url, "token": door.token},
        }
        lines = [json.dumps(facts)]
    else:
        spec = venue.exchange.instruments["XBTUSD"].spec
        lines = [
            f"BitMEX venue on {server.url}  (realtime: {server.url.replace('http', 'ws', 1)[: -len('api/v1/')]}realtime)",
            f"  key     {venue.api_key}",
            f"  secret  {venue.api_secret}",
            f"  profile {args.profile}: lot {spec.lot_size}, tick {spec.tick_e8 / 1e8:g}, "
            f"maker fee {spec.maker_fee_e8 / 1e6:g} %, taker fee {spec.taker_fee_e8 / 1e6:g} %",
            f"  market  {venue.market.describe()}",
            f"  account {venue.account_id} with {_owned(venue)} XBT of paper money; Ctrl-C ends the venue",
            f"  control {door.url}  x-paper-token: {door.token}",
        ]
    with contextlib.suppress(OSError):
        print("\n".join(lines), flush=True)


def watch_stdin(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """Set `stopping` when standard input ends. A thread reads the descriptor itself, so that any kind of it will do."""

    def read() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 65536):
                pass
        with contextlib.suppress(RuntimeError):  # the loop is gone already
            loop.call_soon_threadsafe(stopping.set)

    threading.Thread(target=read, name="stdin", daemon=True).start()


def _owned(venue: Any) -> Decimal:
    """What the account has in its wallet: with --data it need not be what it began with."""
    return Decimal(venue.exchange.accounts[venue.account_id].wallet("XBt").balance) / 100_000_000


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _number(text: str, what: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def _speed(text: str) -> float:
    value = _number(text, "a speed")
    if not 0 < value <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed above 0 (1 is real time)")
    return float(value)


def _latency(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 60_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of milliseconds (0 to 60000)")
    return int(text)


def _hold(text: str) -> float:
    value = _number(text, "a number of seconds")
    if not 0 <= value <= 10_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds (0 to 10000000)")
    return float(value)


def _balance(text: str) -> Decimal:
    value = _number(text, "an amount of XBT")
    if not 0 <= value <= 21_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount of XBT (0 to 21000000)")
    return value


def _cost(text: str) -> Decimal:
    value = _number(text, "a number of requests")
    if not 0 <= value <= 10:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of requests (0 to 10)")
    return value


if __name__ == "__main__":
    sys.exit(main())
