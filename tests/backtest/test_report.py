"""The report: the word, its summary and JSON, the page's text, its charts as plotly understands them, and the pictures."""

import json
import re

import numpy as np
import plotly.graph_objects
import pytest

from journals import SETTINGS, START, XBTUSD, XBTUSDT, Writer
from market_maker import words
from market_maker.backtest.report import bars, charts, command, look, summary, texts
from market_maker.backtest.report.material import MOST_FILLS, Material
from market_maker.backtest.report.page import page
from market_maker.backtest.report.remarks import remarks
from market_maker.backtest.report.script import SCRIPT
from market_maker.backtest.report.thin import kept
from market_maker.utils import errors, log

NAMES = {name for name, _ in charts.OF_ONE_RUN}
PICTURES = {"equity.png", "position.png", "quotes.png", "split.png", "markouts.png", "drawdown.png"}


def small(**about):
    """Bought and sold 100, with a touch and a balance; still open for more."""
    made = Writer(XBTUSDT, **about)
    made.account(0, 1_000_000, 0, 100.0)
    made.touch(0, 99.0, 101.0)
    made.order(0, "rests", "mm_a", price=99.0)
    made.fill(10, "Buy", 100, 99.0, bid=99.0, ask=101.0)
    made.fill(30, "Sell", 100, 101.0, bid=99.0, ask=101.0)
    made.account(31, 1_000_192, 0, 100.0)
    return made


def text_of(materials):
    """The page without plotly's own library."""
    made = page(materials, START)
    return made[: made.index("<script>")]


def test_the_word_prints_a_summary_and_writes_a_page_and_pictures_into_the_folder_of_the_last_run(runs_dir, capsys):
    assert words.run("report", ["--runs-dir", str(runs_dir)]) == 0
    said = capsys.readouterr().out
    folder = next(runs_dir.glob("*-XBTUSD/report"))
    assert "Spread captured" in said and str(folder / "report.html") in said and "Effect of our own orders on the market" in said
    assert {path.name for path in folder.iterdir()} == PICTURES | {"report.html"}
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in folder.glob("*.png"))
    assert (folder / "report.html").stat().st_size < 8_000_000


def test_json_is_one_document_and_writes_nothing_unless_told_where(runs_dir, tmp_path, capsys):
    before = set(runs_dir.rglob("*"))
    assert words.run("report", ["--runs-dir", str(runs_dir), "--json", "--out", str(tmp_path / "out")]) == 0
    answer = json.loads(capsys.readouterr().out)
    found = answer["runs"][0]["figures"]
    assert sum(found["split"].values()) == found["profit"] and found["fills"] > 0
    assert found["inventory_parts"]["unexplained"] == 0
    assert len(found["equity"]["at"]) == len(found["equity"]["balance"]) > 10 and found["markouts"]["10"]["count"] > 0
    assert set(runs_dir.rglob("*")) == before and (tmp_path / "out" / "report.html").exists()


def test_several_runs_are_laid_side_by_side_with_the_settings_that_differ(runs_dir, tmp_path, capsys):
    other = tmp_path / "journal.sqlite"
    made = small(settings=dict(SETTINGS, INTERVAL=0.123), started=START)
    made.end(60, end_balance=1_000_192)
    made.connection.execute("VACUUM INTO ?", (str(other),))
    assert words.run("report", ["last", str(other), "--runs-dir", str(runs_dir), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert re.search(r"INTERVAL +0\.001 +0\.123", said)
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "2 runs side by side" in text and 'id="compared-all"' in text and "Settings that differ" in text and "0.123" in text
    assert {"compared.png", "1-equity.png", "2-equity.png"} <= {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize("argv", [["nowhere-1"], ["--runs-dir", "/nowhere/at/all"], ["--what"]])
def test_what_is_not_there_is_one_line_and_no_traceback(argv, runs_dir):
    options = [] if "--runs-dir" in argv else ["--runs-dir", str(runs_dir)]
    with pytest.raises(errors.SettingsError) as told:
        words.run("report", argv + options)
    assert len(told.value.problems) == 1


def test_a_folder_that_cannot_be_written_is_one_line(runs_dir, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(errors.MarketMakerError, match="could not be written"):
        words.run("report", ["--runs-dir", str(runs_dir), "--out", str(tmp_path / "file" / "below")])


def test_the_page_refers_to_nothing_outside_itself(traded):
    text = text_of([Material(traded)])
    assert not re.findall(r"""(?:src|srcset|action|data)\s*=\s*["'](?!data:)[^"']*//""", text)
    assert re.findall(r"""href\s*=\s*["']([^"']*)""", text) == ["data:,"]
    assert "http:" not in text and "https:" not in text
    for part in (look.STYLE, SCRIPT):
        assert "http" not in part and "@import" not in part and "url(" not in part
    assert "default-src 'none'" in text


def test_every_chart_is_one_that_plotly_accepts(traded):
    material = Material(traded)
    made = [draw(material) for _, draw in charts.OF_ONE_RUN] + [bars.compared([material, material])]
    for chart in made:
        spec = json.loads(re.sub(r'"@(\w+)(?:/[\d.]+)?"', lambda match: f'"{look.LIGHT[match.group(1)]}"', json.dumps(chart.spec)))
        assert plotly.graph_objects.Figure(spec).data and "@" not in json.dumps(spec["data"])


def test_both_palettes_have_the_same_names():
    assert set(look.LIGHT) == set(look.DARK)


def test_the_parts_in_the_chart_add_up_to_the_profit_at_every_moment(traded):
    made = Material(traded).profit
    assert np.allclose(made["spread"] + made["inventory"] + made["fees"] + made["funding"], made["profit"], atol=1e-9)


def test_secrets_reach_neither_page_nor_json_nor_summary():
    secret, signature = "s3cretOfSomebody", "ab" * 32
    log.hide(secret)
    credentials = {"API_KEY": "keyOfSomebody", "API_SECRET": secret, "PASSWORD": "passOfSomebody", "LOGIN": "me@here", "RUNS_DIR": secret}
    made = small(settings=dict(SETTINGS, **credentials), market=secret)
    made.add("note", 3, level="WARNING", text=f"signed with {signature}, {secret}")
    material = Material(made.end(60))
    whole = text_of([material]) + json.dumps(command.answer([material])) + "\n".join(summary.lines([material]))
    for hidden in (secret, signature, "keyOfSomebody", "passOfSomebody", "me@here"):
        assert hidden not in whole


def test_what_a_journal_holds_cannot_break_out_of_the_page():
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    made = small(market=evil, symbol=evil, market_effect=evil, settings=dict(SETTINGS, CONTRACTS=[evil]), kind=evil)
    made.add("note", 3, level="WARNING", text=evil)
    assert "<script>alert" not in text_of([Material(made.end(60))]) and "<img" not in text_of([Material(made.end(60))])


def test_a_run_without_fills_says_so_instead_of_showing_empty_axes():
    made = Writer(XBTUSD)
    made.touch(0, 100.0, 101.0)
    made.account(0, 1000)
    text = text_of([Material(made.end(60, end_balance=1000))])
    assert "No order was filled" in text and "Nothing was ever held" in text and "nothing to split" in text
    assert 'id="markouts-0"' not in text and 'id="quotes-0"' in text


def test_a_journal_with_nothing_in_it_makes_a_report_all_the_same(tmp_path):
    made = Writer(started=None, settings=None, instrument=XBTUSD)
    material = Material(made.run())
    text = text_of([material])
    assert not re.findall(r'class="chart"', text) and "No balance is known" in text and "No touch was seen" in text
    assert [path for path in command.write([material], str(tmp_path))[1:]] == []
    assert summary.lines([material]) and json.dumps(command.answer([material]))


def test_a_run_that_goes_on_and_one_that_was_cut_off_are_reported_as_such(tmp_path):
    made = Writer(path=str(tmp_path / "journal.sqlite"))
    run = made.run()
    run.path = str(tmp_path)
    assert "still going" in text_of([Material(run)]) and any("still going" in line for line in summary.lines([Material(run)]))
    run.path = None
    assert "The run was cut off" in text_of([Material(run)])


@pytest.mark.parametrize("effect, said", [("none: our orders waited", True), ("our orders matched within the book", False)])
def test_every_report_says_what_our_orders_did_to_the_market_and_what_data_of_the_touch_mean(effect, said):
    told = "\n".join(remarks(Material(small(market="a recording of 2019", market_effect=effect).end(60))))
    assert "Prices: a recording of 2019." in told and f"on the market: {effect}." in told
    assert ("fills only when a trade goes through its price" in told) is said


def test_an_open_position_is_said_to_count_at_the_mark():
    made = small()
    made.fill(40, "Buy", 100, 99.0, bid=99.0, ask=101.0)
    made.account(41, 1_000_292, 100, 100.5)
    told = "\n".join(remarks(Material(made.end(60, end_balance=1_000_292))))
    assert "The 100 contracts held at the end (long) count at the mark price of 100.5" in told


def test_what_is_missing_is_said():
    made = small(deposits=7)
    made.fill(40, "Buy", 100, 99.0, cl_ord_id="by hand")
    made.account(50, 1_000_000, 300, 100.0)
    told = "\n".join(remarks(Material(made.end(60, end_balance=1_000_000))))
    missing = ("not accounted for", "told of 300 contracts", "1 trade of this account", "were paid in or out", "With 2 fills every mean")
    assert [words_ for words_ in missing if words_ not in told] == []


def test_a_sharpe_ratio_that_is_not_shown_says_why_and_a_short_one_is_not_annualised(traded):
    assert "too few samples" in text_of([Material(small().end(60))])
    made = Writer(XBTUSDT)
    for minute in range(40):
        made.account(60 * minute, 1_000_000 + 7 * minute + minute % 3)
    assert "per 1 min, not annualised (40 changes)" in text_of([Material(made.end(2400, end_balance=1_000_300))])


def test_thinning_keeps_every_spike_and_every_gap():
    at = np.arange(100_000.0)
    values = np.sin(at / 500)
    values[[12_345, 67_890]] = 50.0, -50.0
    values[40_000:40_003] = np.nan
    chosen = kept(at, values)
    assert len(chosen) < 4000 and {0, 12_345, 67_890, 99_999} <= set(chosen)
    assert np.isnan(values[chosen]).any() and np.all(np.diff(chosen) > 0)
    assert kept(at[:50], values[:50]).tolist() == list(range(50))


def test_a_long_run_is_drawn_thinned_and_says_that_not_all_fills_are_drawn():
    made = Writer(XBTUSDT)
    made.account(0, 1_000_000, 0, 100.0)
    rows = [(10 + i, START + i * 0.86, 99.0 + i % 3, 5, 101.0 + i % 5, 5) for i in range(100_000)]
    made.connection.executemany("INSERT INTO touch VALUES (?, ?, ?, ?, ?, ?)", rows)
    made.seq = 100_100
    for number in range(MOST_FILLS + 500):
        made.fill(number * 20, "Buy" if number % 2 else "Sell", 100, 100.0, bid=99.0, ask=101.0, cost=0, fee=0)
    run = made.end(86_400, end_balance=1_000_000)
    material = Material(run)
    made = page([material], START)
    assert len(made) < 8_000_000
    assert f"{MOST_FILLS:,} of {MOST_FILLS + 500:,} fills are drawn" in made
    assert len(material.quotes["bid"][0]) < 5000 and material.figures["fills"] == MOST_FILLS + 500
    among_many = Material(run, beside=20)
    assert len(among_many.quotes["bid"][0]) < 1000 and len(among_many.fills["at"]) < 1000
    assert among_many.figures["fills"] == MOST_FILLS + 500


@pytest.mark.parametrize(
    "units, code, said",
    [(123456, "XBt", "+0.00123456 XBT"), (-5, "USDt", "−0.000005 USDT"), (0, "XBt", "0.00000000 XBT"), (None, "XBt", "–")],
)
def test_money_is_written_with_all_its_digits_and_its_sign(units, code, said):
    assert texts.money(units, code) == said


@pytest.mark.parametrize("seconds, said", [(12, "12 s"), (60, "1 min"), (3599, "59 min 59 s"), (4210, "1 h 10 min"), (90000, "1 d 1 h")])
def test_lengths_of_time_are_written_as_people_say_them(seconds, said):
    assert texts.length(seconds) == said
