"""What `--data` keeps: everything, exactly, whatever ends the process."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys

import pytest
from engine_kit import SECOND, START, c
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitmex_venue.engine.refusals import Refused
from bitmex_venue.market import create
from bitmex_venue.store import Store, StoreError, image, records
from bitmex_venue.venue import Venue
from bitmex_venue.wire.auth import signature
from bitmex_venue.wire.http import Request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KIND = {"profile": "classic"}


def opened(directory, market="empty", now=START, every=100_000, **options):
    return Venue(market=create(market, 1), seed=1, now=now, store=Store(str(directory), every), **options)


def killed(venue):
    """Let go of the files as a dead process does: nothing more is written."""
    venue._store._database.close()
    venue._store.credentials.close()


def recovered(directory):
    """What is in the directory: state and store, which is closed."""
    store = Store(str(directory))
    state = store.recover(KIND)
    store.close()
    return state, store


def random_command(rng, venue, accounts):
    """One of every kind of command that clients and markets send; many of them are refused."""
    account, symbol, side = rng.choice(accounts), rng.choice(("XBTUSD", "ETHUSD", "XBTUSDT")), rng.choice((1, -1))
    instrument = venue.exchange.instruments[symbol]
    spec = instrument.spec
    near = instrument.mark_e8 // spec.tick_e8 + rng.randrange(-8, 9)
    place = c.Place(account, symbol, side, rng.randrange(1, 30) * spec.lot_size, near)
    orders = venue.exchange.open_orders(account)
    order = rng.choice(orders) if orders else None
    kind = rng.randrange(14)
    if kind < 5:
        return place._replace(cl_ord_id=str(rng.random()) if kind == 0 else "")
    if kind == 5:
        return place._replace(price=None, ord_type="Market", time_in_force="ImmediateOrCancel")
    if kind == 6:
        return place._replace(ord_type="Stop", price=None, stop_px=near + 4 * side, exec_inst=("LastPrice", "Close"))
    if kind == 7:
        return c.PlaceBulk(account, (place, place._replace(price=near - side)))
    if kind == 8:
        index, price = rng.choice(((".BXBT", 6360), (".BETH", 290)))
        return c.SetIndex(index, int(price * rng.uniform(0.9, 1.1) * 10**8))
    if kind == 9:
        return c.CancelAllAfter(account, rng.choice((0, 4000, 60_000)))
    if kind == 10:
        return c.SetLeverage(account, symbol, rng.choice((0, 500, 5000)))
    if kind == 11:
        return c.Withdraw(account, "XBt", rng.randrange(1, 10**6), 100, "somewhere", hold_ms=rng.choice((0, 4000, 10**6)))
    if kind == 12 and order is not None:
        return c.Amend(account, order.order_id, price=near)
    if order is not None:
        return c.Cancel(account, (order.order_id, "nobody's"))
    return c.Advance()


def trade(venue, rng, steps, told=lambda venue: None):
    """Random commands at random times."""
    accounts = [venue.account_id, *(venue.open_account({"XBt": 10**8, "USDt": 10**9}) for _ in range(2))]
    for _ in range(steps):
        venue.advance(venue.now + rng.choice((0, 1, SECOND, 100 * SECOND)))
        try:
            venue.execute(random_command(rng, venue, accounts))
        except Refused:
            pass
        told(venue)


@pytest.mark.parametrize("every", [100_000, 37])
@pytest.mark.parametrize("seed", range(3))
def test_a_restart_recovers_everything_exactly_from_any_snapshot(tmp_path, seed, every):
    venue = opened(tmp_path, every=every)
    trade(venue, random.Random(seed), 250)
    venue.execute(c.Advance())
    before = venue.exchange.digest()
    ledgers, executions = dict(venue.history.ledger), dict(venue.history.executions)
    killed(venue)
    state, store = recovered(tmp_path)
    assert state.exchange.digest() == before and state.exchange.audit().ok
    assert state.history.ledger == ledgers
    assert {a: [e.exec_id for e in events] for a, events in state.history.executions.items()} == {
        a: [e.exec_id for e in events] for a, events in executions.items()
    }
    assert store.replayed < every


def test_a_restart_recovers_the_house_and_its_trades_and_the_market_goes_on_where_prices_stood(tmp_path):
    venue = opened(tmp_path, "lively")
    order = venue.execute(c.Place(venue.account_id, "XBTUSD", 1, 100, 12_000))
    venue.advance(START + 60 * SECOND)
    before, index = venue.exchange.digest(), venue.exchange.instruments[".BXBT"].index_e8
    trades, count = len(venue.history.trades["XBTUSD"]), venue.exchange.ids.count
    killed(venue)
    state, _ = recovered(tmp_path)
    assert state.exchange.digest() == before
    again = opened(tmp_path, "lively", START + 3600 * SECOND)
    assert again.now == START + 3600 * SECOND and again.exchange.audit().ok
    assert [o.order_id for o in again.exchange.open_orders(again.account_id)] == [order.order_id]
    assert abs(again.exchange.instruments[".BXBT"].index_e8 - index) < index // 1000
    assert len(again.history.trades["XBTUSD"]) == trades and again.exchange.ids.count > count
    again.advance(again.now + 30 * SECOND)
    assert len(again.history.trades["XBTUSD"]) > trades and again.exchange.audit().ok
    again.close()


def test_keys_logins_and_tokens_work_after_a_restart(tmp_path):
    venue = opened(tmp_path)
    venue.add_login("a@b.example", "word")
    token = venue.authenticator.login("a@b.example", "word", "", venue.now)
    other = venue.open_account({"XBt": 5, "USDt": 0}, "other")
    spare = venue.add_key(other, permissions=(), cidr="10.0.0.0/8")
    spare.enabled = False
    venue.authenticator.keep(spare)
    killed(venue)
    again = opened(tmp_path, now=START + SECOND)
    assert (again.api_key, again.api_secret, again.account_id) == (venue.api_key, venue.api_secret, venue.account_id)
    kept = again.authenticator.keys[spare.id]
    assert [getattr(kept, n) for n in kept.__slots__] == [getattr(spare, n) for n in spare.__slots__]
    assert list(again.exchange.accounts[other].wallets) == ["XBt", "USDt"]
    assert again.open_account({}) == other + 1
    for headers in (signed(again), {"access-token": token.id}):
        reply = again.handle(Request("GET", "/api/v1/user/margin", "", headers, time=again.now))
        assert reply.status == 200 and reply.json()["walletBalance"] == 10**8
    again.authenticator.logout(again.authenticator.rest(Request("GET", "/", headers={"access-token": token.id})))
    again.close()
    third = opened(tmp_path, now=START + 2 * SECOND, api_key="mine", api_secret="own")
    assert (third.api_key, third.account_id) == ("mine", venue.account_id)
    assert token.id not in third.authenticator.tokens and venue.api_key in third.authenticator.keys
    third.close()


def signed(venue):
    expires = str(venue.now // SECOND + 60)
    text = signature(venue.api_secret, "GET", "/api/v1/user/margin", expires)
    return {"api-key": venue.api_key, "api-expires": expires, "api-signature": text}


CHILD = """
import random, sys
sys.path[:0] = [{root!r}, {tests!r}]
from test_store import opened, trade
venue = opened({directory!r}, every=150)
trade(venue, random.Random(5), 100_000, lambda venue: print(venue._store.seq, venue.exchange.digest(), flush=True))
"""


def test_after_kill_9_in_mid_write_the_state_is_that_of_the_last_whole_transaction(tmp_path):
    code = CHILD.format(root=ROOT, tests=os.path.dirname(os.path.abspath(__file__)), directory=str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    told = [child.stdout.readline() for _ in range(400)]
    child.send_signal(signal.SIGKILL)
    told += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    state, store = recovered(tmp_path)
    last = int(told[-2].split()[0])
    assert store.seq >= last and state.exchange.audit().ok
    twin = Venue(seed=1, now=START, store=(memory := Counting()))
    wanted = []

    def watch():  # one step may be several transactions, and the last of them that was whole is the one that counts
        if memory.seq == store.seq:
            wanted.append(twin.exchange.digest())

    memory.watch = watch
    trade(twin, random.Random(5), len(told) + 1)
    assert state.exchange.digest() in wanted


class Counting:
    """A store that keeps nothing but the number of commands."""

    due = False
    watch = None

    def __init__(self):
        self.seq = 0
        self.credentials = self

    def log(self, now, command):
        self.seq += 1

    def recover(self, facts):
        return None

    def commit(self):
        if self.watch is not None:
            self.watch()

    def nothing(self, *arguments):
        pass

    fill = keep = remember = snapshot = nothing


def test_a_torn_write_loses_the_last_transactions_and_nothing_else(tmp_path):
    venue = opened(tmp_path)
    digests = {}
    trade(venue, random.Random(9), 120, lambda venue: digests.update({venue._store.seq: venue.exchange.digest()}))
    wal = (tmp_path / "journal.sqlite-wal").read_bytes()
    whole = (tmp_path / "journal.sqlite").read_bytes()
    killed(venue)
    found = set()
    for n, cut in enumerate((0, 1, 5000, len(wal) // 3)):
        copy = tmp_path / str(n)
        copy.mkdir()
        (copy / "journal.sqlite").write_bytes(whole)
        (copy / "journal.sqlite-wal").write_bytes(wal[: len(wal) - cut] + os.urandom(cut // 2))
        state, store = recovered(copy)
        state.exchange.execute(state.exchange.now, c.Advance())
        assert state.exchange.audit().ok and digests.get(store.seq, state.exchange.digest()) == state.exchange.digest()
        found.add(store.seq)
    assert max(found) == max(digests) and len(found) > 1


def test_a_damaged_snapshot_is_passed_over_for_the_one_before(tmp_path):
    venue = opened(tmp_path, every=40)
    trade(venue, random.Random(3), 200)
    before = venue.exchange.digest()
    killed(venue)
    database = sqlite3.connect(tmp_path / "journal.sqlite")
    database.execute("UPDATE snapshots SET image = x'00' WHERE seq = (SELECT max(seq) FROM snapshots)")
    database.commit()
    kept = database.execute("SELECT count(*) FROM commands").fetchone()[0]
    database.close()
    state, store = recovered(tmp_path)
    assert state.exchange.digest() == before and 40 <= store.replayed <= kept < 130


def test_what_cannot_be_used_is_refused_in_one_line(tmp_path):
    opened(tmp_path).close()
    with pytest.raises(StoreError, match="its profile is classic, not modern"):
        Venue("modern", now=START, store=Store(str(tmp_path)))


@pytest.mark.parametrize("fact, value, told", [("version", '"0.0"', "written by bitmex_venue 0.0"), ("format", '"9"', "start with an empty")])
def test_data_of_another_version_is_refused(tmp_path, fact, value, told):
    opened(tmp_path).close()
    database = sqlite3.connect(tmp_path / "journal.sqlite")
    database.execute("UPDATE facts SET value = ? WHERE name = ?", (value, fact))
    database.commit()
    database.close()
    with pytest.raises(StoreError, match=told):
        opened(tmp_path)


def test_one_venue_at_a_time_has_the_files(tmp_path):
    venue = opened(tmp_path)
    with pytest.raises(StoreError, match="another venue has it open"):
        Store(str(tmp_path))
    venue.close()
    Store(str(tmp_path)).close()


def test_a_place_that_is_no_directory_and_a_file_that_is_no_journal_are_told(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "journal.sqlite").write_text("this is no database, whatever its name may say" * 100)
    for directory in (tmp_path / "file", tmp_path):
        with pytest.raises(StoreError) as told:
            Store(str(directory))
        assert "\n" not in str(told.value) and str(tmp_path) in str(told.value)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_files_are_their_owners_alone_and_the_journal_holds_no_secret(tmp_path):
    directory = tmp_path / "new"
    venue = opened(directory)
    venue.add_login("a@b.example", "pass-word")
    trade(venue, random.Random(1), 20)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    venue.close()
    journal = b"".join(path.read_bytes() for path in directory.glob("journal*"))
    for secret in (venue.api_secret, venue.api_key, "pass-word"):
        assert secret.encode() not in journal


def test_a_full_disk_is_told_once_and_made_up_for(tmp_path, caplog):
    venue = opened(tmp_path)
    database = venue._store._database
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages}")
    for n in range(300):
        venue.execute(c.Place(venue.account_id, "XBTUSD", 1, 1, 1000 + n % 50))
        if n % 2:
            venue.execute(c.CancelAll(venue.account_id))
    assert [r.levelname for r in caplog.records] == ["ERROR"] and "would not survive" in caplog.text
    database.execute("PRAGMA max_page_count = 1000000")
    venue.execute(c.Advance())
    before = venue.exchange.digest()
    killed(venue)
    assert recovered(tmp_path)[0].exchange.digest() == before


def test_an_image_makes_nothing_but_the_venues_own_things():
    for evil in (b"cos\nsystem\n(S'true'\ntR.", b"cbitmex_venue.market\ncreate\n(S'x'\ntR.", b"", b"junk"):
        with pytest.raises(ValueError, match="not an image"):
            image.read(evil)


values = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2).map(tuple))


@given(st.sampled_from(sorted(set(records.KINDS) - set(records.NESTED))), st.data())
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_command_that_was_written_is_read_as_it_was(name, data):
    kind = records.KINDS[name]
    command = kind(*(data.draw(values) for _ in kind._fields))
    assert records.decode(records.encode(command)) == command
    place = c.Place(1, "XBTUSD", 1, 2, 3, exec_inst=("Close", "LastPrice"), text="é\n")
    for nested in (c.PlaceBulk(1, (place, place)), c.AmendBulk(1, (c.Amend(1, "x"),))):
        again = records.decode(records.encode(nested))
        assert again == nested and type(again[1][0]) is type(nested[1][0])


@pytest.mark.parametrize("text", ["", "[]", "[1]", '["Nothing"]', '["Deposit"]', '["PlaceBulk", 1]', '{"a": 1}', "[[]]"])
def test_text_that_is_no_command_is_told(text):
    with pytest.raises(ValueError):
        records.decode(text)
