"""The file that says what is searched."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from market_maker import settings as settings_module
from market_maker.backtest import tune_space
from market_maker.utils import errors

TOML = """\
INTERVAL = {low = 0.0005, high = 0.01, log = true}
ORDER_PAIRS = {low = 2, high = 9, step = 2}
MIN_SPREAD = {low = 0.001, high = 0.01, step = 0.001}
MAINTAIN_SPREADS = [true, false]
"""
PYTHON = """{
    'INTERVAL': {'low': 0.0005, 'high': 0.01, 'log': True}, 'ORDER_PAIRS': {'low': 2, 'high': 9, 'step': 2},
    'MIN_SPREAD': {'low': 0.001, 'high': 0.01, 'step': 0.001}, 'MAINTAIN_SPREADS': [True, False],  # as it is
}"""


@pytest.mark.parametrize("name, text", [("space.toml", TOML), ("space.py", PYTHON)])
def test_toml_and_a_python_dict_say_the_same(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert dict(tune_space.read(str(tmp_path / name))) == {
        "INTERVAL": FloatDistribution(0.0005, 0.01, log=True), "MAINTAIN_SPREADS": CategoricalDistribution([True, False]),
        "MIN_SPREAD": FloatDistribution(0.001, 0.01, step=0.001), "ORDER_PAIRS": IntDistribution(2, 8, step=2)}  # fmt: skip


@pytest.mark.parametrize("tables, said", [
    ({"INTERVALL": [1]}, "INTERVALL is not a setting; did you mean INTERVAL?"),
    ({"API_KEY": ["a", "b"]}, "API_KEY cannot be searched"), ({"RANDOM_SEED": [1, 2]}, "RANDOM_SEED cannot be searched"),
    ({"INTERVAL": {"low": 0, "high": 0.1}}, "INTERVAL = 0 must be a number above 0 and up to 1"),
    ({"INTERVAL": {"low": 0.1, "high": 0.1}}, "low = 0.1 must be below high = 0.1"),
    ({"INTERVAL": {"low": 0.1}}, "low and high are needed"), ({"INTERVAL": {"lo": 0.1, "high": 1}}, "lo is not understood"),
    ({"INTERVAL": {"low": 0.1, "high": 1, "log": True, "step": 0.1}}, "log is true or false"),
    ({"MIN_SPREAD": {"low": 0, "high": 1, "log": True}}, "needs a low above 0"),
    ({"INTERVAL": {"low": 0.1, "high": 0.2, "step": 0.5}}, "step = 0.5 must be a number above 0"),
    ({"ORDER_PAIRS": {"low": 1, "high": 5, "step": 0.5}}, "step = 0.5 must be a whole number above 0"),
    ({"ORDER_PAIRS": {"low": 1.5, "high": 5}}, "ORDER_PAIRS = 1.5 must be a whole number"),
    ({"MAINTAIN_SPREADS": {"low": 0, "high": 1}}, "MAINTAIN_SPREADS must be True or False: list the values to try"),
    ({"MAINTAIN_SPREADS": ["yes"]}, "MAINTAIN_SPREADS = 'yes' must be True or False"), ({"ORDER_PAIRS": [2, 2]}, "each of them once"),
    ({"ORDER_PAIRS": []}, "the list needs values"), ({"ORDER_PAIRS": 3}, "--set ORDER_PAIRS=3"),
    ({"MAX_POSITION": [-20000]}, "MIN_POSITION = -10000 must be below MAX_POSITION = -20000"), ({}, "it must hold settings"), ([], "it must hold"),
])  # fmt: skip
def test_what_is_wrong_with_it_is_said_by_the_rules_of_the_settings(tables, said):
    with pytest.raises(errors.SettingsError) as caught:
        tune_space.parse(tables, "space.toml")
    assert said in str(caught.value) and str(caught.value).startswith("space.toml: ")


def test_every_problem_is_told_at_once():
    with pytest.raises(errors.SettingsError) as caught:
        tune_space.parse({"INTERVALL": [1], "ORDER_PAIRS": [0], "MIN_SPREAD": [0.1]}, "space.toml")
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("name, text, said", [
    ("s.toml", "INTERVAL = {", "s.toml is no TOML"), ("s.py", "{'INTERVAL': ", "s.py, line 1: it is no Python dict"),
    ("s.py", "__import__('os').remove('x')", "it is no Python dict of plain values"), ("s.txt", TOML, "a TOML file's name ends in .toml")])
def test_a_file_that_is_neither_is_one_line(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(errors.SettingsError) as caught:
        tune_space.read(str(tmp_path / name))
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(errors.SettingsError, match="cannot be read: No such file"):
        tune_space.read(str(tmp_path / "none.toml"))


def test_the_settings_as_they_are_count_as_a_trial_only_where_the_space_holds_them():
    settings = settings_module.load(environ={}, cwd="/").as_dict()
    assert tune_space.within(tune_space.parse({"ORDER_PAIRS": {"low": 2, "high": 8, "step": 2}}, "s"), settings) == {"ORDER_PAIRS": 6}
    for other in ({"low": 1, "high": 9, "step": 2}, {"low": 7, "high": 9}, [2, 3]):
        assert tune_space.within(tune_space.parse({"ORDER_PAIRS": other}, "s"), settings) is None
