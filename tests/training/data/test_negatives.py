from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.retrieved import Hits, Queries
from reml.contract.vectors import Int64Array
from reml.feedback.judges.teacher import Teacher
from reml.training.data.negatives import BATCH, Denoiser, Denoising, holding_answers, without
from reml.training.data.ranked_examples import FromLabels
from tests.training.pages import Paged

# Page n has rows 2 n and 2 n + 1. Page 0 is what the question was made from; row 4 says the same.
TEXTS = [
    "Paris is the capital of France.",
    "It lies on the Seine.",
    "Lyon is a city.",
    "The parisian style.",
    "In France, Paris is the largest city.",
    "Rome is old.",
]
COLLECTION = Paged(TEXTS)
PARIS = Example("a", "capital of France", (Answer("Paris", (Provenance("0"),)),))
UNKNOWN = Example("b", "capital of Peru", (Answer("Lima"),))


@dataclass(frozen=True)
class ByRow:
    """A retriever that gives each row a score of its own, whatever is asked."""

    scores: Sequence[float]
    collection: Collection = COLLECTION

    def search(self, queries: Queries, k: int) -> Hits:
        """Give the best rows."""
        known = np.tile(np.array(self.scores, dtype=np.float32), (len(queries), 1))
        return Hits.ranked(np.tile(np.arange(len(self.scores)), (len(queries), 1)), known, k)

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        """Look the scores up."""
        return torch.tensor(self.scores)[rows].masked_fill(torch.tensor(rows < 0), -torch.inf)


def hits(*lists: Sequence[int]) -> Hits:
    """Lists with falling scores."""
    rows = np.array(lists, dtype=np.int64)
    scores = np.tile(np.arange(rows.shape[1], 0, -1, dtype=np.float32), (len(rows), 1))
    return Hits(rows, np.where(rows >= 0, scores, np.float32(-np.inf)))


def test_items_are_dropped_and_gaps_closed_in_order() -> None:
    kept = without(
        hits([4, 2, 3, -1], [1, 0, 5, 3]), np.array([[True, False, False, False], [False, True, True, False]])
    )
    assert kept.rows.tolist() == [[2, 3, -1, -1], [1, 3, -1, -1]]
    assert kept.scores.tolist() == [[3.0, 2.0, -np.inf, -np.inf], [4.0, 1.0, -np.inf, -np.inf]]


def test_which_items_hold_an_answer() -> None:
    """Whole words count: "parisian" is not "Paris"."""
    flags = holding_answers(COLLECTION, [PARIS, UNKNOWN], hits([4, 3, 2, -1], [4, 3, 2, 0]))
    assert flags.tolist() == [[True, False, False, False], [False] * 4]


def negatives(lists: Hits) -> set[int]:
    sampler = FromLabels.of(COLLECTION, [PARIS], lists, random_negatives=0.0)
    return {row for seed in range(100) for row in sampler(0, 2, np.random.default_rng(seed))[0][1:].tolist()}


def test_an_item_that_has_the_right_answer_is_no_negative() -> None:
    """Row 4 is on a page that no label names, and answers the question."""
    lists = hits([4, 0, 2, 3])
    assert negatives(lists) == {2, 3, 4}
    assert negatives(Denoiser(Denoising(answers=True), COLLECTION)([PARIS], lists)) == {2, 3}


def denoised(scores: Sequence[float], lists: Hits, *, above: float | None = None, margin: float | None = None) -> Hits:
    settings = Denoising(teacher="t", above=above, margin=margin)
    return Denoiser(settings, COLLECTION, Teacher(ByRow(scores)))([PARIS, UNKNOWN][: len(lists)], lists)


def test_items_that_a_teacher_scores_above_a_threshold_are_dropped() -> None:
    scores = [0.95, 0.1, 0.05, 0.1, 0.7, 0.11]
    assert denoised(scores, hits([5, 4, 3, 2]), above=0.1).rows.tolist() == [[3, 2, -1, -1]]
    assert negatives(denoised(scores, hits([4, 0, 2, 3]), above=0.1)) == {2, 3}


def test_items_that_a_teacher_scores_nearly_as_high_as_a_right_one_are_dropped() -> None:
    """The evidence is rows 0 and 1, at 4 and 9: the limit is 9 - 2 = 7. Without evidence, nothing is compared."""
    scores = [4.0, 9.0, 7.0, 7.5, 10.0, -3.0]
    lists = hits([5, 4, 3, 2], [5, 4, 3, 2])
    assert denoised(scores, lists, margin=2.0).rows.tolist() == [[5, 2, -1, -1], [5, 4, 3, 2]]
    assert denoised(scores, lists, margin=2.0, above=6.0).rows.tolist() == [[5, -1, -1, -1], [5, -1, -1, -1]]


def test_where_all_is_dropped_wrong_items_come_from_anywhere() -> None:
    nothing = denoised([1.0] * 6, hits([4, 5]), above=0.0)
    assert not nothing.mask.any()
    assert negatives(nothing) == {2, 3, 4, 5}


def test_more_examples_than_are_looked_at_at_once() -> None:
    count = 2 * BATCH + 1
    lists = Hits(np.tile([4, 2], (count, 1)), np.tile(np.array([2, 1], dtype=np.float32), (count, 1)))
    kept = Denoiser(Denoising(answers=True), COLLECTION)([PARIS] * (count - 1) + [UNKNOWN], lists)
    assert kept.rows.tolist() == [[2, -1]] * (count - 1) + [[4, 2]]
    assert len(Denoiser(Denoising(answers=True), COLLECTION)([], Hits(lists.rows[:0], lists.scores[:0]))) == 0


def test_a_teacher_that_gives_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="ByRow gave a score that is no number"):
        denoised([np.nan] * 6, hits([4, 2]), above=0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "denoise drops nothing"),
        ({"teacher": "bm25"}, "denoise.above or denoise.margin: give it and one of them"),
        ({"above": 0.1, "answers": True}, "give it and one of them, or none"),
        ({"teacher": "bm25", "margin": float("nan")}, "Denoising.margin is nan, but must be a finite number"),
    ],
)
def test_settings_that_say_nothing_clear_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Denoising(**settings)  # type: ignore[arg-type]


def test_a_teacher_puts_a_list_in_its_own_order_with_its_scores() -> None:
    lists = Hits(np.array([[5, 4, 2, -1]]), np.array([[9.0, 8.0, 7.0, -np.inf]], dtype=np.float32))
    again = Teacher(ByRow([0.0, 0.0, 3.0, 0.0, 5.0, -1.0])).reordered([PARIS], lists)
    assert again.rows.tolist() == [[4, 2, 5, -1]]
    assert again.scores.tolist() == [[5.0, 3.0, -1.0, -np.inf]]
