"""The page in a real browser: the charts are drawn, no script fails, nothing is fetched, in the light and in the dark.

Runs where Chromium is installed. REPORT_BROWSER=1 (as .ci/run has it) makes a missing browser a failure.
"""

import os
import shutil

import pytest

from chromium import Chromium
from journals import START
from market_maker.backtest.report.look import DARK, LIGHT
from market_maker.backtest.report.material import Material
from market_maker.backtest.report.page import page
from running import wait_until

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OVER_TIME = ("profit-0", "quotes-0", "position-0", "drawdown-0")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser for all tests."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        if os.environ.get("REPORT_BROWSER") == "1":
            pytest.fail("REPORT_BROWSER=1 asks for a browser, and none of these is installed: " + ", ".join(BROWSERS))
        pytest.skip("no Chromium is installed")
    made = Chromium(path, str(tmp_path_factory.mktemp("profile")))
    yield made
    made.stop()


@pytest.fixture
def show(browser, tmp_path):
    """show(materials, charts) -> the browser with the page of these runs, in which that many charts have been drawn without an error."""

    def show(materials, charts, **options):
        path = tmp_path / "page.html"
        path.write_text(page(materials, START), encoding="utf-8")
        browser.open(path, **options)
        assert drawn(browser, charts), [browser.ask(f"document.documentElement.dataset.{name}") for name in ("drawn", "error")]
        return browser

    return show


def drawn(browser, charts):
    return wait_until(lambda: browser.ask("document.documentElement.dataset.drawn") == str(charts), 30) and error(browser) is None


def error(browser):
    return browser.ask("document.documentElement.dataset.error")


def count(browser, selector):
    return browser.ask(f"document.querySelectorAll({selector!r}).length")


def colours_of(browser, selector):
    return browser.ask(f"Array.from(document.querySelectorAll({selector!r})).map(one => getComputedStyle(one).fill)")


def rgb(colour):
    return "rgb({}, {}, {})".format(*(int(colour[at : at + 2], 16) for at in (1, 3, 5)))


@pytest.mark.parametrize("scheme, palette", [("light", LIGHT), ("dark", DARK)])
def test_all_charts_of_a_run_are_drawn_in_the_colours_of_the_scheme_and_nothing_is_fetched(show, traded, scheme, palette):
    browser = show([Material(traded)], 6, scheme=scheme)
    assert count(browser, "g.trace.scatter") >= 10 and count(browser, "g.trace.bars") == 3
    assert count(browser, "#quotes-0 path.point") == Material(traded).figures["fills"] > 0
    assert {rgb(palette["buy"]), rgb(palette["sell"])} <= set(colours_of(browser, "#quotes-0 path.point"))
    assert browser.fetched() == []


def test_the_charts_change_their_colours_with_the_scheme(show, traded):
    browser = show([Material(traded)], 6)
    browser.set_scheme("dark")
    assert wait_until(lambda: rgb(DARK["buy"]) in colours_of(browser, "#quotes-0 path.point")) and error(browser) is None


def test_zooming_into_one_chart_zooms_all_over_time_and_a_double_click_shows_all_again(show, traded):
    browser = show([Material(traded)], 6)
    browser.ask("document.getElementById('quotes-0').scrollIntoView()")
    ranges = "[{}].map(one => document.getElementById(one).layout.xaxis.range.map(String).join())".format(", ".join(map(repr, OVER_TIME)))
    whole, values = browser.ask(ranges), "document.getElementById('quotes-0').layout.yaxis.range"
    low, high = browser.ask(values)
    box = "document.querySelector('#quotes-0 .nsewdrag').getBoundingClientRect()"
    left, top, width, height = (browser.ask(f"{box}.{side}") for side in ("left", "top", "width", "height"))
    middle = top + height / 2
    browser.drag((left + 0.4 * width, middle), (left + 0.6 * width, middle))
    assert wait_until(lambda: len(set(browser.ask(ranges))) == 1 and browser.ask(ranges)[0] not in whole)
    assert wait_until(lambda: browser.ask(values)[1] - browser.ask(values)[0] < high - low)  # fitted to what is in view
    browser.double_click((left + width / 2, middle))
    assert wait_until(lambda: browser.ask(values)[1] - browser.ask(values)[0] > 0.95 * (high - low)) and error(browser) is None


def test_several_runs_are_drawn_when_they_are_opened(show, traded):
    material = Material(traded)
    browser = show([material, material], 1)
    browser.ask("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert drawn(browser, 13) and browser.fetched() == []


def test_a_narrow_window_needs_no_sideways_scrolling(show, traded):
    browser = show([Material(traded)], 6, width=400)
    assert browser.ask("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_cannot_fetch_anything_even_if_something_in_it_asked_for_it(browser, tmp_path, traded):
    path = tmp_path / "page.html"
    asks = '<img src="http://127.0.0.1:9/picture.png">'
    path.write_text(page([Material(traded)], START).replace("</body>", f"{asks}</body>"), encoding="utf-8")
    browser.open(path)
    assert wait_until(lambda: "127.0.0.1:9" in (error(browser) or ""))
