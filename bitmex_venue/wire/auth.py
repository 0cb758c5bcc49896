"""Who is asking: keys, signatures, logins, access tokens.

Rules (bitmex-api.md 1.2 to 1.5)
* What is signed is VERB + target + expires + body: the target and the body exactly as they came over the wire.
* A request without any credentials is anonymous; one with wrong credentials is refused even where none are needed.
* An expiry in the past is refused with 400, everything else about credentials with 401, permissions with 403.
* On the socket the signed text is `GET/realtime` + expires, whatever the query says; expiry is looked at once.
* `classic` also knows nonces, which must rise per key, and logins by e-mail, password and one-time token.

Known differences: the order in which the real venue looked at key, expiry and signature is not known; ours is that one.
Access tokens live 14 days unless told otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..profiles import Profile
from . import errors
from .encode import SECOND, iso
from .http import Request

ORDER = "order"
CANCEL = "orderCancel"
WITHDRAW = "withdraw"
ALL_PERMISSIONS = (ORDER, CANCEL, WITHDRAW)
REALTIME_TARGET = "/realtime"
TOKEN_TTL_S = 14 * 24 * 3600


def signature(secret: str, verb: str, target: str, expires: Any, body: bytes = b"") -> str:
    """The hexadecimal HMAC-SHA256 that BitMEX asks for; `expires` is the text or number of the header."""
    text = f"{verb}{target}{expires}".encode("utf-8", "surrogateescape") + body
    return hmac.new(secret.encode("utf-8"), text, hashlib.sha256).hexdigest()


class Identity(NamedTuple):
    """A client that has shown who it is. A login may do everything its account may."""

    account_id: int
    permissions: tuple[str, ...] = ALL_PERMISSIONS
    key_id: str = ""
    token: str = ""

    def may(self, permission: str) -> bool:
        """Whether `permission` was given; `order` covers `orderCancel`."""
        return permission in self.permissions or (permission == CANCEL and ORDER in self.permissions)


class Key:
    """An API key. `cidr` is a network, or "" for any address."""

    __slots__ = ("id", "secret", "account_id", "permissions", "cidr", "name", "enabled", "created", "last_nonce")

    def __init__(
        self,
        id: str,
        secret: str,
        account_id: int,
        permissions: Sequence[str] = (ORDER, WITHDRAW),
        cidr: str = "",
        name: str = "paper",
        created: int = 0,
    ) -> None:
        self.id = id
        self.secret = secret
        self.account_id = account_id
        self.permissions = tuple(permissions)
        self.cidr = cidr
        self.name = name
        self.enabled = True
        self.created = created
        self.last_nonce = 0

    def allows(self, remote: str) -> bool:
        """Whether this address may use the key."""
        if not self.cidr:
            return True
        try:
            return ipaddress.ip_address(remote) in ipaddress.ip_network(self.cidr, strict=False)
        except ValueError:
            return False


class Login(NamedTuple):
    email: str
    password: str
    otp: str
    account_id: int


class Token(NamedTuple):
    id: str
    account_id: int
    created: int
    ttl_s: int

    def row(self) -> dict[str, Any]:
        """The AccessToken object that a login answers."""
        return {"id": self.id, "ttl": self.ttl_s, "created": iso(self.created), "userId": self.account_id}


def new_key_id() -> str:
    return secrets.token_urlsafe(18)


def new_secret() -> str:
    return secrets.token_urlsafe(36)


class Authenticator:
    """All credentials of a venue and the checks on them. Times are nanoseconds of the client's clock."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.keys: dict[str, Key] = {}
        self.logins: dict[str, Login] = {}
        self.tokens: dict[str, Token] = {}
        self.token_ttl_s = TOKEN_TTL_S
        self.skew_ns = 0  # by how much the venue's clock is wrong (a fault)
        self.keeper: Any = None  # told of every change: `keep(credential)`, `drop(token_id)`

    def add_key(self, key: Key) -> Key:
        self.keys[key.id] = key
        self.keep(key)
        return key

    def add_login(self, email: str, password: str, account_id: int, otp: str = "") -> None:
        login = self.logins[email.lower()] = Login(email, password, otp, account_id)
        self.keep(login)

    def keep(self, credential: Key | Login | Token) -> None:
        """Have a credential that is new or was changed outlive the process, where anything does."""
        if self.keeper is not None:
            self.keeper.keep(credential)

    def _forget(self, token_id: str) -> None:
        if self.tokens.pop(token_id, None) is not None and self.keeper is not None:
            self.keeper.drop(token_id)

    # ---- REST

    def rest(self, request: Request) -> Identity | None:
        """Who sends this request; None when it carries no credentials. Raises ApiError."""
        headers = request.headers
        if self.profile.login and headers.get("access-token"):
            return self._token(headers["access-token"], request.wall)
        if "api-key" not in headers and "api-signature" not in headers:
            return None
        return self._signed(headers, request.method, request.target, request.body, request.remote, request.wall)

    def login(self, email: str, password: str, otp: str, now: int) -> Token:
        """A new access token. Raises ApiError 401; calling again is safe and makes another token."""
        login = self._login(email, password)
        if login is None or (login.otp and not hmac.compare_digest(login.otp.encode(), otp.encode())):
            raise errors.ApiError(401, "Invalid email, password or token.")
        for old in [t.id for t in self.tokens.values() if t.created + t.ttl_s * SECOND <= now]:
            self._forget(old)
        token = Token(secrets.token_urlsafe(48), login.account_id, now, self.token_ttl_s)
        self.tokens[token.id] = token
        self.keep(token)
        return token

    def logout(self, identity: Identity) -> None:
        """Forget the access token of `identity`, if it has one."""
        self._forget(identity.token)

    # ---- realtime

    def upgrade(self, headers: Mapping[str, str], query: Mapping[str, Any], remote: str, now: int) -> Identity | None:
        """Who opens a socket: by headers, else by the same names in the query. Raises ApiError."""
        if self.profile.login:
            if headers.get("access-token"):
                return self._token(headers["access-token"], now)
            if headers.get("email"):
                login = self._login(headers["email"], headers.get("password", ""))
                if login is None:
                    raise errors.ApiError(401, "Invalid email or password.")
                return Identity(login.account_id)
        for source in (headers, query):
            if source.get("api-key"):
                return self._signed(source, "GET", REALTIME_TARGET, b"", remote, now)
        return None

    def operation(self, key_id: Any, stamp: Any, signed: Any, remote: str, now: int, nonce: bool = False) -> Identity:
        """The `authKeyExpires` message (`authKey` with `nonce`). Raises ApiError."""
        source = {"api-key": str(key_id), "api-nonce" if nonce else "api-expires": str(stamp), "api-signature": str(signed)}
        return self._signed(source, "GET", REALTIME_TARGET, b"", remote, now)

    # ---- the checks themselves

    def _login(self, email: str, password: str) -> Login | None:
        login = self.logins.get(email.lower())
        if login is None or not hmac.compare_digest(login.password.encode(), password.encode()):
            return None
        return login

    def _token(self, token_id: str, now: int) -> Identity:
        token = self.tokens.get(token_id)
        if token is None or token.created + token.ttl_s * SECOND <= now:
            raise errors.ApiError(401, "Access token expired or invalid.")
        return Identity(token.account_id, token=token_id)

    def _signed(
        self, source: Mapping[str, Any], verb: str, target: str, body: bytes, remote: str, now: int
    ) -> Identity:
        key = self.keys.get(str(source.get("api-key", "")))
        if key is None:
            raise errors.invalid_key()
        stamp, nonce = self._stamp(source)
        now += self.skew_ns
        if not nonce and stamp * SECOND <= now:
            raise errors.expired(now // SECOND)
        name = "api-nonce" if nonce else "api-expires"
        expected = signature(key.secret, verb, target, source[name], body)
        given = str(source.get("api-signature", "")).strip().lower()
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise errors.bad_signature()
        if not key.enabled:
            raise errors.key_disabled()
        if not key.allows(remote):
            raise errors.address_refused()
        if nonce:
            if stamp <= key.last_nonce:
                raise errors.stale_nonce(stamp, key.last_nonce)
            key.last_nonce = stamp
            self.keep(key)
        return Identity(key.account_id, key.permissions, key.id)

    def _stamp(self, source: Mapping[str, Any]) -> tuple[int, bool]:
        """The expiry or nonce as a number, and whether it is a nonce."""
        for name, nonce in (("api-expires", False), ("api-nonce", True)):
            value = source.get(name)
            if value is None or (nonce and not self.profile.nonce):
                continue
            text = str(value).strip()
            if not text.isascii() or not text.replace(".", "", 1).isdigit() or len(text) > 20:
                raise errors.bad_request(f"Invalid {name}")
            return int(text.partition(".")[0]), nonce
        raise errors.bad_signature()
