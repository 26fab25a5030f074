"""The table of choices by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reml.contract.access import Asked, Trajectory
from reml.contract.examples import Answer
from reml.predictors.routing.confusion import chosen_of, confusion

UTILITY = {"a": np.array([1.0, 0.0, 0.0, 1.0]), "b": np.array([1.0, 1.0, 0.0, 0.0]), "none": np.zeros(4)}


def test_choices_are_counted_against_the_best() -> None:
    found = confusion(["a", "a", "b", "none"], UTILITY)
    assert found.counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]], "a tie counts for what was chosen"
    assert (found.chosen, found.best) == (0.25, 0.75)
    assert found.alone == {"a": 0.5, "b": 0.5, "none": 0.0}
    assert str(found).splitlines()[1].split() == ["a", "1", "1", "0"]
    assert confusion(["none"], {"a": np.ones(1), "b": np.ones(1), "none": np.zeros(1)}).counts[2].tolist() == [0, 1, 0]


def test_what_does_not_fit_is_refused() -> None:
    for chosen in (["a"], ["c"] * 4):
        with pytest.raises(ValueError, match="give one for each"):
            confusion(chosen, UTILITY)


def test_choices_are_read_from_trajectories() -> None:
    none = np.empty(0, np.int64)
    asked = [Asked(name, ("q",), none, none) for name in ("a", "a", "b")]
    told = [Trajectory("1", tuple(asked[:2]), Answer("")), Trajectory("2", (), Answer(""))]
    assert chosen_of(told) == ["a", "none"]
    with pytest.raises(ValueError, match="example '3' asked a, b"):
        chosen_of([Trajectory("3", tuple(asked[1:]), Answer(""))])
