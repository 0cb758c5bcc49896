"""What is searched: a file that names settings and the values to try for each.

TOML (a name that ends in .toml) or a Python literal, a dict:

    INTERVAL = {low = 0.0005, high = 0.01, log = true}     numbers from low to high; log: as many tries below a tenth as above it
    ORDER_PAIRS = {low = 2, high = 8, step = 2}             2, 4, 6, 8
    MAINTAIN_SPREADS = [true, false]                        one of these

Rules:

* Only settings that change what is quoted can be searched (`SEARCHED`). A seed is not one of them: the best seed is luck.
* Names and values are judged by the settings' own rules, before anything runs; every problem is told at once.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from typing import Any

import tomllib
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from market_maker import _settings_base as base
from market_maker.utils import errors
from market_maker.utils.kinds import Number, Whole
from market_maker.utils.math import to_decimal

SEARCHED = (
    "ORDER_PAIRS", "ORDER_START_SIZE", "ORDER_STEP_SIZE", "INTERVAL", "MIN_SPREAD", "MAINTAIN_SPREADS", "RELIST_INTERVAL", "RANDOM_ORDER_SIZE",
    "MIN_ORDER_SIZE", "MAX_ORDER_SIZE", "CHECK_POSITION_LIMITS", "MIN_POSITION", "MAX_POSITION", "POST_ONLY", "ORDER_TRANSPORT", "MAX_DRAWDOWN",
    "MAX_LOSS", "LOOP_INTERVAL", "EVENT_DRIVEN", "REQUOTE_MIN_S",
)  # fmt: skip
KEYS = {"low", "high", "step", "log"}

Space = Mapping[str, BaseDistribution]


def read(path: str) -> Space:
    """The space in a file: name -> distribution, in alphabetical order. Raises SettingsError with every problem in it."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.SettingsError(f"--space {path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    shown = os.path.basename(path)
    return parse(_tables(text, path.lower().endswith(".toml"), shown), shown)


def parse(tables: Any, shown: str) -> Space:
    """The space of what stands in a file called `shown`. Raises SettingsError."""
    if not isinstance(tables, dict) or not tables:
        raise errors.SettingsError(f"{shown}: it must hold settings and the values to try, such as INTERVAL = {{low = 0.001, high = 0.01}}.")
    space, problems = {}, []
    for name in sorted(tables, key=str):
        try:
            space[name] = _distribution(str(name), tables[name])
        except ValueError as error:
            problems.append(f"{shown}: {error}")
    if not problems:
        problems = [f"{shown}: {sentence}" for sentence in _contradictions(space)]
    if problems:
        raise errors.SettingsError(problems)
    return space


def within(space: Space, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The values of the space's names; None when one of them is not in it."""
    found = {name: values[name] for name in space}
    return found if all(_holds(distribution, found[name]) for name, distribution in space.items()) else None


def describe(space: Space) -> dict[str, Any]:
    """The space as JSON: what is compared when a study goes on, and shown."""
    return {name: _described(distribution) for name, distribution in space.items()}


def _tables(text: str, is_toml: bool, shown: str) -> Any:
    try:
        return tomllib.loads(text) if is_toml else ast.literal_eval(text.strip())
    except tomllib.TOMLDecodeError as error:
        raise errors.SettingsError(f"{shown} is no TOML: {error}.") from None
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise errors.SettingsError(f"{shown}{where}: it is no Python dict of plain values (a TOML file's name ends in .toml).") from None


def _distribution(name: str, wanted: Any) -> BaseDistribution:
    """Raises ValueError, a sentence."""
    setting = base.BY_NAME.get(name)
    if setting is None:
        raise ValueError(base.unknown(name))
    if name not in SEARCHED:
        raise ValueError(f"{name} cannot be searched: it does not change what is quoted.")
    if isinstance(wanted, (list, tuple)):
        return _choice(setting, wanted)
    if not isinstance(wanted, dict):
        raise ValueError(f"{name} = {wanted!r} must be a list of values, or low and high. One value alone: --set {name}={wanted}.")
    if not isinstance(setting.kind, Number):
        raise ValueError(f"{name} must be {setting.kind.expects}: list the values to try.")
    return _range(setting, wanted)


def _choice(setting: base.Setting, values: list[Any] | tuple[Any, ...]) -> CategoricalDistribution:
    accepted = [_accepted(setting, value) for value in values]
    if not accepted or len(set(map(repr, accepted))) < len(accepted):
        raise ValueError(f"{setting.name}: the list needs values, each of them once.")
    return CategoricalDistribution(accepted)


def _range(setting: base.Setting, wanted: dict[str, Any]) -> BaseDistribution:
    name = setting.name
    unknown = sorted(set(wanted) - KEYS)
    if unknown or not {"low", "high"} <= set(wanted):
        what = f"{unknown[0]} is not understood" if unknown else "low and high are needed"
        raise ValueError(f"{name}: {what}; write it as {{low = ..., high = ..., step = ..., log = true}}, step and log where wanted.")
    low, high, step, log = (wanted.get(key) for key in ("low", "high", "step", "log"))
    low, high = _accepted(setting, low), _accepted(setting, high)
    if not low < high:
        raise ValueError(f"{name}: low = {low} must be below high = {high}.")
    if log not in (None, True, False) or (log and (low <= 0 or step is not None)):
        raise ValueError(f"{name}: log is true or false, needs a low above 0, and goes without a step.")
    is_whole = isinstance(setting.kind, Whole)
    if step is not None and (isinstance(step, bool) or not isinstance(step, (int, float)) or not 0 < step <= high - low or (is_whole and step % 1)):
        raise ValueError(f"{name}: step = {step!r} must be a {'whole ' if is_whole else ''}number above 0 and up to high - low.")
    if is_whole:
        step = int(step or 1)
        return IntDistribution(low, high if log else low + (high - low) // step * step, log=bool(log), step=step)
    if step is None:
        return FloatDistribution(low, high, log=bool(log))
    first, each = to_decimal(low), to_decimal(step)
    return FloatDistribution(low, float(first + (to_decimal(high) - first) // each * each), step=step)


def _accepted(setting: base.Setting, value: Any) -> Any:
    try:
        return setting.kind.accept(value)
    except ValueError as error:
        raise ValueError(f"{setting.name} = {value!r} must be {error}.") from None


def _contradictions(space: Space) -> list[str]:
    """Pairs of settings that contradict each other wherever in the space they stand."""
    most = {name: _ends(distribution)[1] for name, distribution in space.items()}
    least = {name: _ends(distribution)[0] for name, distribution in space.items()}
    widest = {**most, **{name: least[name] for name in ("MIN_POSITION", "MIN_ORDER_SIZE") if name in least}}
    return base.crossed({**base.defaults(), **widest})


def _ends(distribution: BaseDistribution) -> tuple[Any, Any]:
    if isinstance(distribution, CategoricalDistribution):
        return min(distribution.choices, key=_order), max(distribution.choices, key=_order)
    return distribution.low, distribution.high


def _order(value: Any) -> Any:
    return value if isinstance(value, (int, float)) else 0


def _holds(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    if not isinstance(value, (int, float)) or not distribution.low <= value <= distribution.high:
        return False
    return distribution.step is None or abs((value - distribution.low) / distribution.step % 1 - 0.5) > 0.5 - 1e-9


def _described(distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    found = {"low": distribution.low, "high": distribution.high}
    if distribution.log:
        found["log"] = True
    if distribution.step not in (None, 1):
        found["step"] = distribution.step
    return found
