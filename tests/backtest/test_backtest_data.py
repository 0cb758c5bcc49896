"""Back-tests of the bot on recorded data: files in, one answer, both matchers alike where they must be."""

from __future__ import annotations

import gzip
from datetime import datetime, timezone

import pytest
from rows_kit import BookDesk, Desk, HandMade, cleared, level, sold, touch

from bitmex_venue.market.importers import TRADE
from market_maker.backtest.generated import Generated
from market_maker.backtest.run import Job, run, run_many
from market_maker.utils import errors

POLLS = {"EVENT_DRIVEN": False}
TIGHT = {"EVENT_DRIVEN": False, "INTERVAL": 0.0005, "MIN_SPREAD": 0.0002, "RELIST_INTERVAL": 0.0002}
SOME_MINUTES = Generated(seed=4, rows=3_000, span_ns=400 * 10**9)
HFT = Job(matcher="hft", data=("generated",), settings=TIGHT)


@pytest.fixture(scope="module")
def busy():
    return run(HFT, data=SOME_MINUTES)


def test_the_same_data_give_the_same_run_to_the_byte(busy):
    assert run(HFT, data=SOME_MINUTES).image == busy.image
    assert busy.run.count("fill") > 10 and busy.rows == 3_000 and busy.is_whole


def test_the_report_says_what_our_orders_did_and_what_was_known_of_the_book(busy):
    assert busy.market_effect.startswith("none: ") and busy.run.about["market_effect"] == busy.market_effect
    for word in ("only the touch is known", "trade goes through its price", "conservative queue", "interest rate"):
        assert word in busy.run.about["market"]


def test_the_bot_is_told_of_fills_and_its_account_adds_up(busy):
    fills = list(busy.run.fills())
    last = list(busy.run.accounts())[-1]
    assert last.position == sum(fill.size if fill.side == "Buy" else -fill.size for fill in fills)
    assert "maker" in {fill.liquidity for fill in fills} and all(fill.bid < fill.ask for fill in fills)
    filled = [event for event in busy.run.order_events() if event.what in ("filled", "partly filled")]
    assert len(filled) == len(fills)


@pytest.mark.parametrize("change", [{"queue": "probabilistic"}, {"partial_fills": False}, {"latency": 1.0}, {"fees": (0.001, 0.002)}])
def test_each_choice_of_the_model_matters_and_is_repeatable(busy, change):
    job = Job(**{**vars(HFT), **change})
    once = run(job, data=SOME_MINUTES)
    assert once.image != busy.image and run(job, data=SOME_MINUTES).image == once.image


def test_event_driven_quotes_at_each_change_of_the_touch(busy):
    data = Generated(seed=4, rows=400, span_ns=60 * 10**9)
    polled = run(Job(**{**vars(HFT), "settings": POLLS}), data=data)
    driven = run(Job(**{**vars(HFT), "settings": {}}), data=data)
    assert driven.run.count("decision") > 3 * polled.run.count("decision") > 0


def test_a_run_can_be_cut_short(busy):
    short = run(Job(**{**vars(HFT), "minutes": 3}), data=SOME_MINUTES)
    assert 179 < short.run.about["ended"] - short.run.about["started"] < 182
    fills, whole = list(short.run.fills()), list(busy.run.fills())
    assert fills and [fill[1:] for fill in fills] == [fill[1:] for fill in whole[: len(fills)]]


def test_data_that_show_no_book_are_refused_in_one_line():
    for rows in ([], sold(1, 100.0, 5), touch(0, 100.0, 5, 100.5, 0)[:1]):
        for matcher in ("hft", "engine"):
            with pytest.raises(errors.SettingsError, match="no bid and ask"):
                run(Job(data=("x",), matcher=matcher), data=HandMade(rows))


# ---- files


def _iso(ns):
    return datetime.fromtimestamp(ns / 1e9, timezone.utc).strftime("%Y-%m-%dD%H:%M:%S.") + f"{ns % 10**9:09d}"


def write_archive(folder, data):
    """The files that BitMEX published for a day: quote and trade."""
    folder.mkdir(exist_ok=True)
    quotes, trades, best = [], [], {1: (0, 0), -1: (0, 0)}
    for batch in data.batches():
        for time, kind, side, price, size in zip(*(column.tolist() for column in batch), strict=True):
            if kind == TRADE:
                word = "Buy" if side > 0 else "Sell"
                trades.append(f"{_iso(time)},XBTUSD,{word},{size:.0f},{price},PlusTick,,,,")
            else:
                best[side] = (price, size)
                if side < 0 and 0 < best[1][0] < price:
                    quotes.append(f"{_iso(time)},XBTUSD,{best[1][1]:.0f},{best[1][0]},{price},{size:.0f}")
    header = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"
    for name, lines in (("quote", ["timestamp,symbol,bidSize,bidPrice,askPrice,askSize", *quotes]), ("trade", [header, *trades])):
        with gzip.open(folder / f"{name}.csv.gz", "wt") as file:
            file.write("\n".join(lines) + "\n")
    return str(folder / "quote.csv.gz"), str(folder / "trade.csv.gz")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return write_archive(tmp_path_factory.mktemp("archive"), SOME_MINUTES)


def test_archives_of_a_day_are_back_tested(archive):
    result = run(Job(data=archive, settings=TIGHT))
    assert result.run.count("fill") > 10 and result.bad == 0 and result.rows > 2000
    assert "quote.csv.gz" in result.run.about["market"] and "trade.csv.gz" in result.run.about["market"]


def test_several_runs_side_by_side_give_what_each_gives_alone(archive):
    jobs = [Job(data=archive, settings={**TIGHT, "ORDER_PAIRS": pairs}, minutes=2) for pairs in (1, 3)]
    assert [result.image for result in run_many(jobs, 2)] == [run(job).image for job in jobs]


def test_from_and_to_choose_a_part_of_the_data(archive):
    begin = SOME_MINUTES.begin_ns / 1e9
    about = run(Job(data=archive, settings=TIGHT, begin=begin + 100, end=begin + 200)).run.about
    assert begin + 100 <= about["started"] < begin + 102 and about["ended"] < begin + 202


def test_bad_rows_are_counted_and_named_or_refused(archive, tmp_path):
    with gzip.open(archive[1], "rt") as file:
        lines = file.read().splitlines()
    lines.insert(3, lines[2].replace("Buy", "Bye").replace("Sell", "Bye"))
    bad = tmp_path / "trade.csv"
    bad.write_text("\n".join(lines) + "\n")
    result = run(Job(data=(archive[0], str(bad)), settings=TIGHT, minutes=1))
    assert result.bad == 1 and f"{bad}:4" in result.problems[0]
    with pytest.raises(errors.SettingsError, match="trade.csv:4"):
        run(Job(data=(archive[0], str(bad)), strict=True))


@pytest.mark.parametrize("job", [Job(data=("no/such/file",)), Job(data=(__file__,)), Job(data=("x",), symbol="NOSUCH")])
def test_files_that_are_none_are_refused_in_one_line(job, tmp_path):
    with pytest.raises(errors.SettingsError) as caught:
        run(Job(**{**vars(job), "runs_dir": str(tmp_path / "runs")}))
    assert "\n" not in str(caught.value) and not (tmp_path / "runs").exists()


# ---- both matchers

BOOK = [
    *level(0, 1, 100.0, 50), *level(0, 1, 99.5, 70), *level(0, 1, 99.0, 20), *level(0, -1, 100.5, 50), *level(0, -1, 101.0, 70),
    *level(0, -1, 102.0, 500),
]  # fmt: skip
AGAIN = [*level(1.5, 1, 100.0, 50), *level(1.5, 1, 99.0, 20), *level(1.5, -1, 100.5, 9)]
SALES = (sold(2, 100.0, 30), sold(3, 100.0, 30), level(3, 1, 100.0, 200), sold(4, 100.0, 500), level(4, 1, 100.0, 0), sold(5, 99.0, 400))
END = level(1000, -1, 102.0, 501)


@pytest.mark.parametrize("rows", [(BOOK, *SALES, END), (BOOK, cleared(1.5), AGAIN, *SALES, END)])
def test_with_a_full_book_both_matchers_fill_alike(tmp_path, rows):
    told = []
    for desk in (Desk(tmp_path / "tape", HandMade(*rows)), BookDesk(HandMade(*rows))):
        desk.at(1).buy(100.0, 100)
        desk.buy(99.5, 100)
        desk.buy(101.0, 60, time_in_force="ImmediateOrCancel")
        desk.at(6)
        told.append((desk.trades, desk.position))
        desk.close()
    assert told[0] == told[1] and told[0][1] == 260


def test_the_bot_trades_recorded_data_within_the_book_too():
    within = run(Job(**{**vars(HFT), "matcher": "engine", "minutes": 3}), data=SOME_MINUTES)
    assert within.run.count("fill") > 5 and "gone until its next row" in within.market_effect
    assert run(Job(**{**vars(HFT), "matcher": "engine", "minutes": 3}), data=SOME_MINUTES).image == within.image
