from __future__ import annotations

import pytest

from reml.access.presenting import DistinctTexts
from reml.access.presenting.distinct_texts import resemblance, shingles
from reml.contract.access import ResponseProcessor
from reml.testing import ResponseProcessorContract
from tests.access.presenting.lists import asked, found, item

FOX = "The quick brown fox jumps over the lazy dog near the bank."


def kept(processor: DistinctTexts, *texts: str) -> list[int]:
    items = [item(row, text) for row, text in enumerate(texts)]
    return [row for row in processor(asked("q"), found(items)).rows[0].tolist() if row >= 0]


def test_the_index_is_jaccard_s_of_runs_of_words() -> None:
    one, other = shingles("red fox runs far", 3), shingles("Red fox, runs home", 3)
    assert one == {("red", "fox", "runs"), ("fox", "runs", "far")}
    assert resemblance(one, other) == 1 / 3
    assert shingles("Red fox", 3) == {("red", "fox")}
    assert resemblance(shingles("", 3), shingles("", 3)) == 0


def test_what_says_the_same_is_dropped_behind_the_best() -> None:
    same = FOX.upper().replace(",", "")
    nearly = FOX.replace("bank", "river")
    assert kept(DistinctTexts(), FOX, "Another text.", same, nearly) == [0, 1, 3]
    assert kept(DistinctTexts(same=0.8), FOX, nearly) == [0]
    assert kept(DistinctTexts(same=1.0), FOX, same, nearly) == [0, 2]


def test_short_texts_and_none_are_told_apart() -> None:
    assert kept(DistinctTexts(), "Lima", "Oslo", "Lima.", "", "", "!", "!", "?") == [0, 1, 3, 4, 5, 7]


@pytest.mark.parametrize("same", [0.0, 1.1, float("nan")])
def test_an_index_that_there_is_not_is_refused(same: float) -> None:
    with pytest.raises(ValueError, match=r"Jaccard|a finite number"):
        DistinctTexts(same=same)


class TestDistinctTexts(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return DistinctTexts()
