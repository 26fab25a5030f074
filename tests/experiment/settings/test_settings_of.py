from __future__ import annotations

import enum
import functools
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from torch import nn

from reml.contract.recorded import recorded
from reml.contract.signals import Signal
from reml.experiment.settings.settings_of import UntoldSettingsError, settings_of
from tests.first_words import FirstWords

HERE = "tests.experiment.settings.test_settings_of"


@dataclass(frozen=True)
class Inner:
    width: int = 3


@dataclass(frozen=True)
class Outer:
    part: Inner = field(default_factory=Inner)
    other: object = None
    rate: float = 0.5


class Keeps:
    def __init__(self, size: int, name: str = "x") -> None:
        self.size, self.name = size, name


class Hides:
    def __init__(self, size: int) -> None:
        self._size = size


@recorded
class Remembers:
    def __init__(self, size: int, *, name: str = "x") -> None:
        self._size = size


class Plain:
    pass


class Colour(enum.Enum):
    RED = 1


def test_what_is_at_its_default_is_left_out() -> None:
    assert settings_of(Outer()) == {"class_path": f"{HERE}.Outer"}
    assert settings_of(Outer(rate=2.0)) == {"class_path": f"{HERE}.Outer", "init_args": {"rate": 2}}
    assert settings_of(Keeps(3)) == {"class_path": f"{HERE}.Keeps", "init_args": {"size": 3}}
    assert settings_of(Plain()) == {"class_path": f"{HERE}.Plain"}


def test_a_part_is_told_by_its_arguments_where_its_class_is_known() -> None:
    told = settings_of(Outer(Inner(4), other=Inner(5)))
    assert told == {
        "class_path": f"{HERE}.Outer",
        "init_args": {"part": {"width": 4}, "other": {"class_path": f"{HERE}.Inner", "init_args": {"width": 5}}},
    }


def test_recorded_arguments_are_told() -> None:
    assert settings_of(Remembers(3, name="y")) == {
        "class_path": f"{HERE}.Remembers",
        "init_args": {"size": 3, "name": "y"},
    }
    assert settings_of(Remembers(size=3)) == settings_of(Remembers(3))


def test_a_partial_and_a_class_tell_what_they_make() -> None:
    made = {"class_path": "tests.first_words.FirstWords"}
    assert settings_of(FirstWords) == settings_of(functools.partial(FirstWords, words=1.0)) == made
    assert settings_of(functools.partial(FirstWords, words=2)) == {**made, "init_args": {"words": 2}}


def test_plain_values_are_json() -> None:
    values = {"a": (1, 2.0, None, True), "b": Path("x/y"), "c": Colour.RED}
    assert settings_of(values) == {"a": [1, 2, None, True], "b": "x/y", "c": "RED"}


def test_signals_are_told_by_name() -> None:
    """A number would mean another signal when one is put between those there are."""
    assert settings_of(Signal.ATTENTION | Signal.ITEM_LIKELIHOOD) == ["ATTENTION", "ITEM_LIKELIHOOD"]
    assert settings_of(Signal.NONE) == []


def test_who_cannot_tell_is_refused() -> None:
    with pytest.raises(UntoldSettingsError, match=r"Hides does not tell .*\(size\).*@recorded"):
        settings_of(Hides(3))
    with pytest.raises(UntoldSettingsError, match="has no name of its own in a module"):
        settings_of(lambda: FirstWords(2.0))
    with pytest.raises(UntoldSettingsError, match="makes no class"):
        settings_of(functools.partial(print, "x"))
    with pytest.raises(UntoldSettingsError, match="does not tell"):
        settings_of(nn.Linear(2, 3))
