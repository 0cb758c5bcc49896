"""The control door without sockets: faults, accounts, money, clock and market of a venue, by JSON under /paper/v1.

Theory of operation. `Control.handle(method, path, query, body)` answers one request of somebody who may do everything; who that is
is the server's business (`control_door`). Tests and benches in process call the same methods of `Venue`, `Faults` and `Steering` that
the handlers call. docs/paper-door.md is the manual; a test holds the two together.

Rules
* A body is a JSON object; unknown and missing names are refused by name, in one line: `{"error": "..."}` with status 400.
* What is refused has changed nothing.
* Secrets are answered once, to who made them, and never listed.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from . import __version__
from .engine import commands as cmd
from .engine.refusals import Refused
from .faults import BadFault
from .misbehaviour.scenario import plan
from .steering import BadSteering
from .wire.auth import ALL_PERMISSIONS, ORDER, WITHDRAW
from .wire.encode import SECOND, iso

PREFIX = "/paper/v1"
MOST_FORWARD_S = 40 * 24 * 3600
MOST_AMOUNT = 10**16


class No(Exception):
    """A request that is refused: status and one line."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Route(NamedTuple):
    """`names` are the parameters that the handler knows; those with a `!` are needed."""

    handler: Callable[[Any, dict[str, Any]], Any]
    names: tuple[str, ...] = ()
    free: bool = False  # takes other parameters as well and checks them itself


class Control:
    """Answers for a venue. `forward` moves the clock by so many nanoseconds; by default the venue lives through them at once."""

    def __init__(self, venue: Any) -> None:
        self.venue = venue
        self.forward: Callable[[int], None] = lambda ns: venue.advance(venue.now + ns)

    def handle(self, method: str, path: str, query: str = "", body: bytes = b"") -> tuple[int, Any]:
        """(status, value to be sent as JSON). Never raises for what a client may send."""
        try:
            place = path[len(PREFIX) :].strip("/") if path.startswith(PREFIX) else None
            route = ROUTES.get((method, place)) if place is not None else None
            if route is None:
                raise No(f"there is no {method} {path}", 404)
            args = self._args(query, body)
            known = [name.rstrip("!") for name in route.names]
            for name in args:
                if name not in known and not route.free:
                    raise No(f"unknown parameter {name!r}: {', '.join(known) or 'there is none'}")
            for name in route.names:
                if name.endswith("!") and args.get(name[:-1]) is None:
                    raise No(f"{name[:-1]!r} is missing")
            return 200, route.handler(self, args)
        except No as refusal:
            return refusal.status, {"error": str(refusal)}
        except (BadFault, BadSteering) as problem:
            return 400, {"error": str(problem)}
        except Refused as refusal:
            return 400, {"error": f"the exchange refused it: {refusal.message}"}

    @staticmethod
    def _args(query: str, body: bytes) -> dict[str, Any]:
        args: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
        for name in ("id", "account"):  # numbers, where they stand in a query
            if args.get(name, "").isascii() and args.get(name, "").isdigit() and len(args[name]) < 16:
                args[name] = int(args[name])
        if body.strip():
            try:
                sent = json.loads(body)
            except (ValueError, RecursionError):
                raise No("the body is not JSON") from None
            if not isinstance(sent, dict):
                raise No("the body is not a JSON object")
            args.update(sent)
        return args

    # ---- reading values

    def _account(self, args: dict[str, Any]) -> int:
        """The account meant, the first client's when none is named."""
        account = args.get("account", self.venue.account_id)
        if isinstance(account, bool) or not isinstance(account, int) or account not in self.venue.exchange.accounts:
            raise No(f"there is no account {account!r}", 404)
        return account

    @staticmethod
    def _number(args: dict[str, Any], name: str, low: float, high: float) -> float:
        value = args[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise No(f"{name!r} is a number between {low:g} and {high:g}")
        return value

    @staticmethod
    def _text(args: dict[str, Any], name: str, default: Any = None) -> Any:
        value = args.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise No(f"{name!r} is a text")
        return value

    # ---- what there is

    def status(self, args: dict[str, Any]) -> Any:
        venue = self.venue
        return {
            "version": __version__,
            "time": iso(venue.now),
            "profile": venue.profile.name,
            "market": venue.market.describe(),
            "paused": venue.steering.is_paused,
            "sockets": len(venue.sessions),
            "accounts": sum(not account.house for account in venue.exchange.accounts.values()),
            "armed": [armed.row() for armed in venue.faults.armed()],
        }

    def audit(self, args: dict[str, Any]) -> Any:
        audit = self.venue.exchange.audit()
        money = {currency: {**totals._asdict(), "left": totals.left} for currency, totals in audit.money.items()}
        return {"ok": audit.ok, "positions": audit.positions, "money": money, "wrong": audit.wrong}

    def orders(self, args: dict[str, Any]) -> Any:
        symbol = self._text(args, "symbol")
        rows = self.venue.rows
        return [rows.order(order) for order in self.venue.exchange.open_orders(self._account(args), symbol)]

    # ---- faults

    def faults(self, args: dict[str, Any]) -> Any:
        return self.venue.faults.rows()

    def arm(self, args: dict[str, Any]) -> Any:
        settings = dict(args)
        return self.venue.faults.arm(settings.pop("fault"), **settings).row()

    def disarm(self, args: dict[str, Any]) -> Any:
        faults, id = self.venue.faults, args.get("id")
        name = self._text(args, "fault")
        if id is None:
            return {"disarmed": faults.disarm_all(name)}
        found = [armed for armed in faults.armed() if armed.id == id and name in (None, armed.name)]
        if not found:
            raise No(f"no fault with id {id!r} is armed", 404)
        faults.disarm(found[0])
        return {"disarmed": 1}

    def log(self, args: dict[str, Any]) -> Any:
        strikes = list(self.venue.faults.log)[-1000:]
        return [{"time": iso(one.time), "fault": one.name, "what": one.what} for one in strikes]

    def scenario(self, args: dict[str, Any]) -> Any:
        if not isinstance(args["steps"], list):
            raise No("'steps' is a list")
        return {"planned": plan(self.venue, args["steps"])}

    # ---- accounts, keys and money

    def accounts(self, args: dict[str, Any]) -> Any:
        out = []
        for account in self.venue.exchange.accounts.values():
            if account.house:
                continue
            wallets = {currency: wallet.amount for currency, wallet in account.wallets.items()}
            positions = {s: p.current_qty for s, p in account.positions.items() if p.current_qty}
            keys = [key.id for key in self.venue.authenticator.keys.values() if key.account_id == account.account_id]
            out.append(
                {
                    "account": account.account_id,
                    "name": account.name,
                    "wallets": wallets,
                    "positions": positions,
                    "orders": len(account.open),
                    "keys": keys,
                }
            )
        return out

    def open_account(self, args: dict[str, Any]) -> Any:
        balance = args.get("balance", {})
        if not isinstance(balance, dict):
            raise No("'balance' is an object: currency -> amount in its smallest unit")
        for currency in balance:
            self._currency(currency)
            if balance[currency] != 0:
                self._amount(balance[currency])
        name = self._text(args, "name", "client")
        account = self.venue.open_account(balance, name)
        key = self.venue.add_key(account)
        return {"account": account, "key": key.id, "secret": key.secret}

    def add_key(self, args: dict[str, Any]) -> Any:
        account = self._account(args)
        permissions = args.get("permissions", [ORDER, WITHDRAW])
        if not isinstance(args.get("readOnly", False), bool):
            raise No("'readOnly' is true or false")
        if args.get("readOnly"):
            permissions = []
        if not isinstance(permissions, list) or any(p not in ALL_PERMISSIONS for p in permissions):
            raise No(f"'permissions' is a list of {', '.join(ALL_PERMISSIONS)}")
        cidr = self._text(args, "cidr", "")
        try:
            if cidr:
                ipaddress.ip_network(cidr, strict=False)
        except ValueError:
            raise No(f"'cidr' is a network like 10.0.0.0/8, not {cidr!r}") from None
        id, secret = self._text(args, "id"), self._text(args, "secret")
        if id is not None and id in self.venue.authenticator.keys:
            raise No(f"there is a key {id!r} already")
        key = self.venue.add_key(account, id, secret, permissions, cidr)
        return {"account": account, "key": key.id, "secret": key.secret, "permissions": list(key.permissions), "cidr": key.cidr}

    def disable_key(self, args: dict[str, Any]) -> Any:
        """Requests with the key answer 403."""
        return self._switch_key(args["id"], False)

    def enable_key(self, args: dict[str, Any]) -> Any:
        return self._switch_key(args["id"], True)

    def _switch_key(self, id: Any, enabled: bool) -> Any:
        key = self.venue.authenticator.keys.get(str(id))
        if key is None:
            raise No(f"there is no key {id!r}", 404)
        key.enabled = enabled
        self.venue.authenticator.keep(key)
        return {"key": key.id, "enabled": key.enabled}

    def deposit(self, args: dict[str, Any]) -> Any:
        account, currency = self._account(args), self._text(args, "currency", "XBt")
        self._currency(currency)
        self.venue.execute(cmd.Deposit(account, currency, self._amount(args["amount"])))
        return {"account": account, "currency": currency, "wallet": self.venue.exchange.accounts[account].wallets[currency].amount}

    def _currency(self, currency: Any) -> None:
        if currency not in self.venue.currencies():
            raise No(f"there is no currency {currency!r}: {', '.join(self.venue.currencies())}")

    @staticmethod
    def _amount(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_AMOUNT:
            raise No(f"an amount is a whole number of the smallest unit between 1 and {MOST_AMOUNT}, not {value!r}")
        return value

    # ---- time and market

    def clock(self, args: dict[str, Any]) -> Any:
        self.forward(round(self._number(args, "forward_s", 0, MOST_FORWARD_S) * SECOND))
        return {"time": iso(self.venue.now)}

    def pause(self, args: dict[str, Any]) -> Any:
        self.venue.steering.pause()
        return {"paused": True}

    def resume(self, args: dict[str, Any]) -> Any:
        self.venue.steering.resume()
        return {"paused": False}

    def move_index(self, args: dict[str, Any]) -> Any:
        steering, symbol = self.venue.steering, self._text(args, "symbol", "XBTUSD")
        percent = self._number(args, "percent", -99, 1000)
        return {"index": steering.index_of(symbol), "price": steering.move_index(symbol, percent)}

    def sweep(self, args: dict[str, Any]) -> Any:
        if (args.get("price") is None) == (args.get("percent") is None):
            raise No("a sweep needs 'price' or 'percent', and not both")
        price = self._number(args, "price", 0, 1e7) if args.get("price") is not None else None
        percent = self._number(args, "percent", -99, 1000) if args.get("percent") is not None else None
        symbol = self._text(args, "symbol", "XBTUSD")
        return {"traded": self.venue.steering.sweep(symbol, self._text(args, "side"), price, percent)}

    def empty(self, args: dict[str, Any]) -> Any:
        symbol = self._text(args, "symbol", "XBTUSD")
        return {"removed": self.venue.steering.empty(symbol, self._text(args, "side"))}

    def restart(self, args: dict[str, Any]) -> Any:
        down = self._number(args, "down_s", 0, 86_400) if args.get("down_s") is not None else 0.0
        self.venue.faults.arm("venue_restart", down_s=down)
        return {"restarted": True}


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", ""): Route(Control.status),
    ("GET", "audit"): Route(Control.audit),
    ("GET", "orders"): Route(Control.orders, ("account", "symbol")),
    ("GET", "faults"): Route(Control.faults),
    ("POST", "faults"): Route(Control.arm, ("fault!",), free=True),
    ("DELETE", "faults"): Route(Control.disarm, ("id", "fault")),
    ("GET", "faults/log"): Route(Control.log),
    ("POST", "faults/scenario"): Route(Control.scenario, ("steps!",)),
    ("GET", "accounts"): Route(Control.accounts),
    ("POST", "accounts"): Route(Control.open_account, ("name", "balance")),
    ("POST", "keys"): Route(Control.add_key, ("account", "permissions", "readOnly", "cidr", "id", "secret")),
    ("POST", "keys/disable"): Route(Control.disable_key, ("id!",)),
    ("POST", "keys/enable"): Route(Control.enable_key, ("id!",)),
    ("POST", "deposits"): Route(Control.deposit, ("account", "currency", "amount!")),
    ("POST", "clock"): Route(Control.clock, ("forward_s!",)),
    ("POST", "market/pause"): Route(Control.pause),
    ("POST", "market/resume"): Route(Control.resume),
    ("POST", "market/index"): Route(Control.move_index, ("symbol", "percent!")),
    ("POST", "market/sweep"): Route(Control.sweep, ("symbol", "side!", "price", "percent")),
    ("POST", "market/empty"): Route(Control.empty, ("symbol", "side")),
    ("POST", "restart"): Route(Control.restart, ("down_s",)),
}
