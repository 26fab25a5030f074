from __future__ import annotations

import pytest

from reml.benchmarks.speed.figures import Recall, median_of
from tests.benchmarks.speed.small_result import comparison, measured


def test_medians_are_taken_number_by_number() -> None:
    three = [measured("a", speed=speed, rows=10) for speed in (1.0, 4.0, 2.0)]
    middle = median_of(three)
    assert middle == three[2], "each figure of the third lies between the others"
    assert middle.engine == "a"
    assert isinstance(middle.builds[0].disk, int)


def test_the_median_of_two_is_their_mean() -> None:
    assert median_of([1.0, 2.0]) == 1.5
    assert median_of([("x", 1.0), ("x", 5.0)]) == ("x", 3.0)


def test_recalls_are_looked_up() -> None:
    one = comparison(10).engines[0]
    assert one.recall("short", 10) == one.recalls[0].recall
    assert Recall("short", 10, 1.0) in one.recalls
    with pytest.raises(StopIteration):
        one.recall("long", 10)
