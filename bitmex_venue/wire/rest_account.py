"""Routes of an account: executions, positions, wallets, logins, keys.

Rules (bitmex-api.md 3.9, 4.4, 4.5)
* `GET /user/margin` answers one object, and an array for `currency=all`; the wallet likewise.
* `GET /position` has a row for every contract the account ever touched.
* Leverage 0 is cross margin; `isolate` false too, and true is the highest leverage.
* A withdrawal needs the permission `withdraw`. It stays pending for the venue's `withdrawal_s`, in which it can be cancelled by
  whoever has its token.

Known differences: no mail asks for a confirmation or brings the token, which is the withdrawal's transactID; the person behind the
account is made up.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from ..engine import commands as cmd
from . import account_rows, errors, http, query
from .auth import WITHDRAW
from .encode import iso
from .rest import USER, Call, Route, Routes

TRADES = frozenset(("Trade", "Funding", "Settlement", "Liquidation", "Bankruptcy"))
UNLIMITED = 1_000_000


# ---- executions


def _executions(call: Call, only: Any) -> list[dict[str, Any]]:
    venue = call.venue
    asked = query.parse(call.args, venue.rows.tables["execution"].types)
    symbols = venue.symbols(asked.symbol) if asked.symbol else None
    records = venue.history.executions.get(call.account, ())
    chosen = (
        event
        for event in query.directed(records, asked.reverse)
        if (only is None or event.exec_type in only)
        and (symbols is None or event.order.symbol in symbols)
        and asked.wants_time(event.time)
    )
    return query.select((venue.rows.execution(event) for event in chosen), asked, ("symbol", "timestamp", "execID"))


def get_executions(call: Call) -> Any:
    return _executions(call, None)


def get_trade_history(call: Call) -> Any:
    return _executions(call, TRADES)


# ---- positions


def _position_row(call: Call, symbol: str) -> dict[str, Any]:
    venue = call.venue
    account = venue.exchange.accounts[call.account]
    time = venue.history.touched.get((call.account, symbol), venue.now)
    image = account.position_image(symbol) or account.position(venue.exchange.instruments[symbol]).image()
    return account_rows.position(venue.rows, image, time)


def get_positions(call: Call) -> Any:
    venue = call.venue
    asked = query.parse(call.args, venue.rows.tables["position"].types, UNLIMITED, UNLIMITED)
    account = venue.exchange.accounts[call.account]
    names = [name for name in account.positions if not asked.symbol or name in venue.symbols(asked.symbol)]
    return query.select((_position_row(call, name) for name in names), asked, ("account", "symbol", "currency"))


def _contract(call: Call) -> str:
    symbol = http.text(call.args, "symbol")
    if not symbol:
        raise errors.required("symbol")
    if symbol not in call.venue.exchange.books:
        raise errors.bad_request("Invalid symbol")
    return symbol


def post_leverage(call: Call) -> Any:
    symbol = _contract(call)
    leverage = http.number(call.args, "leverage")
    if leverage is None:
        raise errors.required("leverage")
    if not 0 <= leverage <= 1000:
        raise errors.bad_request("Invalid leverage")
    call.venue.execute(cmd.SetLeverage(call.account, symbol, int(leverage * 100)))
    return _position_row(call, symbol)


def post_isolate(call: Call) -> Any:
    symbol = _contract(call)
    leverage = 0
    if http.flag(call.args, "enabled", True):
        held = call.venue.exchange.accounts[call.account].positions.get(symbol)
        if held is not None and held.leverage_e2:
            return _position_row(call, symbol)
        leverage = 10**10 // call.venue.exchange.instruments[symbol].spec.init_margin_e8
    call.venue.execute(cmd.SetLeverage(call.account, symbol, leverage))
    return _position_row(call, symbol)


def post_risk_limit(call: Call) -> Any:
    symbol = _contract(call)
    limit = http.integer(call.args, "riskLimit")
    if limit is None:
        raise errors.required("riskLimit")
    call.venue.execute(cmd.SetRiskLimit(call.account, symbol, limit))
    return _position_row(call, symbol)


def post_transfer(call: Call) -> Any:
    symbol = _contract(call)
    amount = http.integer(call.args, "amount")
    if amount is None:
        raise errors.required("amount")
    call.venue.execute(cmd.TransferMargin(call.account, symbol, amount))
    return _position_row(call, symbol)


# ---- money


def _currency(call: Call) -> str:
    currency = http.text(call.args, "currency") or "XBt"
    if currency != "all" and currency not in call.venue.currencies():
        raise errors.bad_request("Invalid currency")
    return currency


def _money(call: Call, render: Any, *of: str) -> Any:
    venue = call.venue
    account = venue.exchange.accounts[call.account]
    currency = _currency(call)
    names = list(account.wallets) if currency == "all" else [currency]
    rows = [
        render(venue.rows, account.margin_image(name), venue.history.touched.get((call.account, name, *of), venue.now))
        for name in names
    ]
    return rows if currency == "all" else rows[0]


def get_margin(call: Call) -> Any:
    return _money(call, account_rows.margin)


def get_wallet(call: Call) -> Any:
    return _money(call, account_rows.wallet, "wallet")


def get_wallet_history(call: Call) -> Any:
    """The ledger, newest first; classic shows above it what is not booked yet."""
    venue, account = call.venue, call.venue.exchange.accounts[call.account]
    currency = _currency(call)
    asked = query.parse({**call.args, "symbol": None}, venue.rows.tables["transact"].types, 10_000, 10_000, True)
    rows: list[dict[str, Any]] = []
    if not venue.profile.sparse and asked.reverse:
        for name, held in account.positions.items():
            image = held.image()
            if currency not in ("all", image.currency):
                continue
            balance = account.margin_image(image.currency).wallet_balance
            for kind, amount in (("UnrealisedPNL", image.unrealised_pnl), ("RealisedPNL", image.realised_pnl)):
                if amount:
                    rows.append(account_rows.pending(venue.rows, image, kind, name, amount, balance))
    records = venue.history.ledger.get(call.account, ())
    rows.extend(
        account_rows.transact(venue.rows, event)
        for event in query.directed(records, asked.reverse)
        if currency in ("all", event.currency) and asked.wants_time(event.time)
    )
    return query.select(rows, asked, ("transactID",))


def post_withdrawal(call: Call) -> Any:
    venue, args = call.venue, call.args
    for name in ("currency", "amount"):
        if args.get(name) in (None, ""):
            raise errors.required(name)
    address = http.text(args, "address", 256)
    if not address and not venue.profile.sparse:
        raise errors.required("address")
    amount, fee = http.integer(args, "amount"), _fee(call)
    if amount is None or amount <= 0:
        raise errors.invalid("amount")
    currency = _currency(call)
    if currency == "all":
        raise errors.bad_request("Invalid currency")
    text = http.text(args, "text", 256)
    hold_ms = round(venue.withdrawal_s * 1000)
    number = venue.execute(cmd.Withdraw(call.account, currency, amount, fee, address, text, hold_ms))
    return {**_transaction(venue, call.account, number), "transactStatus": "Pending"}


def _transaction(venue: Any, account_id: int, number: str) -> dict[str, Any]:
    event = next(e for e in reversed(venue.history.ledger[account_id]) if e.transact_id == number)
    return account_rows.transact(venue.rows, event)


def get_deposit_address(call: Call) -> Any:
    """An address to look at; whatever is sent there is lost, so it is none of any network."""
    currency = _currency(call)
    return f"paper-{currency}-{call.account}"


def post_cancel_withdrawal(call: Call) -> Any:
    """Takes a pending withdrawal back. The token alone is the proof, as it was where a mail brought it."""
    venue, token = call.venue, http.text(call.args, "token")
    if not token:
        raise errors.required("token")
    for account in venue.exchange.accounts.values():
        if any(token in wallet.held for wallet in account.wallets.values()):
            venue.execute(cmd.CancelWithdrawal(account.account_id, token))
            return _transaction(venue, account.account_id, token)
    raise errors.bad_request("Invalid token")


def _fee(call: Call) -> int:
    fee = http.number(call.args, "fee")
    if fee is None:
        return 0
    if fee < 0 or fee != fee.to_integral_value():
        raise errors.invalid("fee")
    return int(fee)


# ---- the client


def get_user(call: Call) -> Any:
    venue = call.venue
    login = next((one for one in venue.authenticator.logins.values() if one.account_id == call.account), None)
    email = login.email if login is not None else f"paper{call.account}@localhost.invalid"
    row = {
        "id": call.account,
        "ownerId": None,
        "firstname": "Paper",
        "lastname": "Trader",
        "username": email,
        "email": email,
        "phone": None,
        "created": iso(venue.started),
        "lastUpdated": iso(venue.started),
        "preferences": {"locale": "en-US", "orderClearImmediate": False},
        "TFAEnabled": "GA" if login is not None and login.otp else None,
        "affiliateID": None,
        "pgpPubKey": None,
        "country": "SC",
        "geoipCountry": None,
        "geoipRegion": None,
        "typ": "Trader",
        "isRestricted": False,
        "roles": [],
    }
    if venue.profile.sparse:
        row = {k: v for k, v in row.items() if v is not None and k not in ("ownerId", "pgpPubKey", "isRestricted", "roles")}
        row["isUser"] = True
    return row


def get_commission(call: Call) -> Any:
    venue, out = call.venue, {}
    for symbol in venue.active():
        spec = venue.exchange.instruments[symbol].spec
        taker = venue.rows.e8(spec.taker_fee_e8)
        out[symbol] = {
            "maxFee": taker,
            "makerFee": venue.rows.e8(spec.maker_fee_e8),
            "takerFee": taker,
            "settlementFee": venue.rows.e8(spec.settlement_fee_e8),
        }
    return out


def post_login(call: Call) -> Any:
    """An access token. The arguments are email, password and, where the login has one, the one-time `token`."""
    for name in ("email", "password"):
        if not http.text(call.args, name):
            raise errors.required(name)
    args = call.args
    token = call.venue.authenticator.login(
        http.text(args, "email"), http.text(args, "password"), http.text(args, "token"), call.request.wall
    )
    return token.row()


def post_logout(call: Call) -> Any:
    if call.identity is not None:
        call.venue.authenticator.logout(call.identity)
    return None


def get_keys(call: Call) -> Any:
    keys = [key for key in call.venue.authenticator.keys.values() if key.account_id == call.account]
    if http.flag(call.args, "reverse", False):
        keys.reverse()
    return [
        {
            "id": key.id,
            "secret": "",
            "name": key.name,
            "nonce": key.last_nonce,
            "cidr": key.cidr or "0.0.0.0/0",
            "permissions": list(key.permissions),
            "enabled": key.enabled,
            "userId": key.account_id,
            "created": iso(key.created),
        }
        for key in islice(keys, 100)
    ]


ROUTES: Routes = {
    ("GET", "execution"): Route(get_executions, USER),
    ("GET", "execution/tradeHistory"): Route(get_trade_history, USER),
    ("GET", "position"): Route(get_positions, USER),
    ("POST", "position/leverage"): Route(post_leverage, "order", burst=True),
    ("POST", "position/isolate"): Route(post_isolate, "order", burst=True),
    ("POST", "position/riskLimit"): Route(post_risk_limit, "order"),
    ("POST", "position/transferMargin"): Route(post_transfer, "order", burst=True),
    ("GET", "user"): Route(get_user, USER),
    ("GET", "user/margin"): Route(get_margin, USER),
    ("GET", "user/wallet"): Route(get_wallet, USER),
    ("GET", "user/walletHistory"): Route(get_wallet_history, USER),
    ("GET", "user/commission"): Route(get_commission, USER),
    ("GET", "user/depositAddress"): Route(get_deposit_address, USER),
    ("POST", "user/requestWithdrawal"): Route(post_withdrawal, WITHDRAW),
    ("POST", "user/cancelWithdrawal"): Route(post_cancel_withdrawal),
    ("POST", "user/login"): Route(post_login, login=True),
    ("POST", "user/logout"): Route(post_logout, refusable=False),
    ("GET", "apiKey"): Route(get_keys, USER),
}
