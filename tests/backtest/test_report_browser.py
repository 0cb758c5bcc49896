"""The page in a real browser: the charts are drawn, no script fails, nothing is fetched, in the light and in the dark.

Runs where Chromium is installed. REPORT_BROWSER=1 (as .ci/run has it) makes a missing browser a failure.
"""

import os
import re
import shutil
import subprocess

import pytest

from journals import START
from market_maker.backtest.report.look import DARK, LIGHT
from market_maker.backtest.report.material import Material
from market_maker.backtest.report.page import page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=15000", "--dump-dom")
# Told by the page about itself once all is drawn: what it fetched, and how wide it became.
LISTENER = """<script>
addEventListener('load', function () {
  document.querySelectorAll('details').forEach(function (one) { one.open = OPENED; });
  setTimeout(function () {
    document.documentElement.dataset.fetched = String(performance.getEntriesByType('resource').filter(function (one) {
      return !/^(data|blob):/.test(one.name); }).length);
    document.documentElement.dataset.width = String(document.documentElement.scrollWidth - innerWidth);
  }, 3000);
});
</script></body>"""


@pytest.fixture(scope="module")
def browser():
    """The path of a browser."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        if os.environ.get("REPORT_BROWSER") == "1":
            pytest.fail("REPORT_BROWSER=1 asks for a browser, and none of these is installed: " + ", ".join(BROWSERS))
        pytest.skip("no Chromium is installed")
    return path


@pytest.fixture
def look_at(browser, tmp_path):
    """look_at(materials) -> the page as the browser has it after some seconds of (virtual) time."""

    def look(materials, width=1280, is_dark=False, opened=False):
        path = tmp_path / "page.html"
        listener = LISTENER.replace("OPENED", "true" if opened else "one.open")
        path.write_text(page(materials, START).replace("</body>", listener), encoding="utf-8")
        own = [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900", f"--blink-settings=preferredColorScheme={1 - is_dark}"]
        done = subprocess.run([browser, *OPTIONS, *own, path.as_uri()], capture_output=True, text=True, timeout=120, encoding="utf-8")
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return look


def told(dom, name):
    """What the page tells about itself."""
    found = re.search(rf'<html[^>]* data-{name}="([^"]*)"', dom)
    return found and found.group(1)


@pytest.mark.parametrize("is_dark, palette", [(False, LIGHT), (True, DARK)])
def test_all_charts_of_a_run_are_drawn_without_an_error_and_nothing_is_fetched(look_at, traded, is_dark, palette):
    dom = look_at([Material(traded)], is_dark=is_dark)
    assert told(dom, "error") is None and told(dom, "drawn") == "6" and told(dom, "fetched") == "0"
    assert len(re.findall(r'<g class="trace scatter', dom)) >= 10 and len(re.findall(r'<g class="trace bars', dom)) == 3
    assert len(re.findall(r'class="point"', dom)) > 20  # fills, and bars
    red, green, blue = (int(palette["buy"][at : at + 2], 16) for at in (1, 3, 5))
    assert f"rgb({red}, {green}, {blue})" in dom


def test_several_runs_are_drawn_when_they_are_opened(look_at, traded):
    material = Material(traded)
    dom = look_at([material, material])
    assert told(dom, "error") is None and told(dom, "drawn") == "1"
    dom = look_at([material, material], opened=True)
    assert told(dom, "error") is None and told(dom, "drawn") == "13" and told(dom, "fetched") == "0"


def test_a_narrow_window_needs_no_sideways_scrolling(look_at, traded):
    dom = look_at([Material(traded)], width=500)
    assert told(dom, "drawn") == "6" and int(told(dom, "width")) <= 0
