"""The picture of `marketmaker preview`."""
import re

import pytest

from market_maker import cli
from market_maker import settings as settings_module
from market_maker.utils import log

pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(log, "setup_custom_logger", lambda **options: log.get_logger())
    yield tmp_path
    settings_module.install(None)


def draw(name, *more):
    return cli.main(["preview", "--touch", "6358.5/6359", "--picture", name, *more])


def test_a_png_is_written_where_it_was_asked_for(folder, capsys):
    assert draw("ladder.png") == 0
    assert (folder / "ladder.png").read_bytes().startswith(b"\x89PNG") and "Wrote ladder.png." in capsys.readouterr().out


def test_an_svg_shows_prices_pairs_and_warnings_and_is_the_same_again(folder, monkeypatch):
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    assert draw("one.svg", "--set", "PAPER_PROFILE=modern", "--set", "MIN_SPREAD=0.0005", "--set", "INTERVAL=0.0002") == 0
    assert draw("two.svg", "--set", "PAPER_PROFILE=modern", "--set", "MIN_SPREAD=0.0005", "--set", "INTERVAL=0.0002") == 0
    text = (folder / "one.svg").read_text()
    words = " ".join(re.findall(r">([^<>]+)</text>", text))
    for word in ("6366.9", "-0.0449 %", "Warning: The fees exceed the spread", "The ladder of XBTUSD", "profile modern"):
        assert word in words, word
    assert text == (folder / "two.svg").read_text()


@pytest.mark.parametrize("more", [
    ["--set", "ORDER_PAIRS=40"], ["--position=3000@6000", "--balance", "0.2"], ["--set", "CHECK_POSITION_LIMITS=yes", "--set", "MAX_POSITION=100"],
    ["--set", "CHECK_POSITION_LIMITS=yes", "--set", "MAX_POSITION=0", "--set", "MIN_POSITION=-1"], ["--set", "ORDER_PAIRS=1"]])
def test_every_ladder_can_be_drawn(folder, more):
    assert draw("ladder.png", *more) == 0


def test_a_picture_that_cannot_be_written_is_one_line(capsys):
    assert draw("no/such/folder/ladder.png") == 1
    assert capsys.readouterr().err == "marketmaker: no/such/folder/ladder.png could not be written: No such file or directory.\n"
