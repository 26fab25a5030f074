from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from reml.access.presenting import Truncate, learn_truncation
from reml.contract.access import ResponseProcessor
from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.signals import FeedbackRecord
from reml.contract.vectors import Int64Array
from reml.retrievers.bm25 import BM25
from reml.testing import TEXTS, MemoryCollection, ResponseProcessorContract
from tests.access.presenting.lists import asked, found

ITEMS = [Item(row, f"text {row}") for row in range(4)]


def cut(truncate: Truncate, *scores: float) -> list[int]:
    responses = found(ITEMS[: len(scores)], scores=[scores])
    return [row for row in truncate(asked("q"), responses).rows[0].tolist() if row >= 0]


def test_what_is_below_the_threshold_is_dropped_and_ties_stay() -> None:
    assert cut(Truncate(0.5), 4, 2, 2, 1.9) == [0, 1, 2]
    assert cut(Truncate(0.5, least=4), 4, 2, 2, 1.9) == [0, 1, 2, 3]
    assert cut(Truncate(1.0), 4, 4, 2) == [0, 1]
    assert cut(Truncate(0.0), 4, 0, -1) == [0, 1]
    assert cut(Truncate(-1.5, "score"), 0, -1, -1.5, -2) == [0, 1, 2]
    assert cut(Truncate(9.0, "score"), 3, 2) == [0], "at least one"
    assert cut(Truncate(9.0, "score", least=2), 1, 3, 3, 2) == [1, 2], "of the best scores, wherever they stand"


def test_gradient_origins_and_empty_lists_stay() -> None:
    given = found(ITEMS, [], scores=[[4, 3, 1, 1], []])
    left = Truncate(0.6)(asked("q", "r"), given)
    assert left.rows.tolist() == [[0, 1], [-1, -1]]
    assert left.origins.tolist() == [[1, 1], [0, 0]]
    left.scores[0].sum().backward()  # type: ignore[no-untyped-call]
    assert given.scores.grad is not None
    assert given.scores.grad[0].tolist() == [1, 1, 0, 0]


def test_scores_that_say_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"score of item 2 of the list of 'q' is no number"):
        cut(Truncate(0.5), 1, float("nan"))
    with pytest.raises(ValueError, match=r"the best score of the list of 'q' is -1, and a share"):
        cut(Truncate(0.5), -1, -2)
    for at_least in (1.5, -0.1, float("nan")):
        with pytest.raises(ValueError, match=r"give a share of the best score|a finite number"):
            Truncate(at_least)
    with pytest.raises(ValueError, match=r"least is 0"):
        Truncate(0.5, least=0)


class Given:
    """A retriever whose scores of row n are n of a list."""

    collection: Collection = MemoryCollection(TEXTS)

    def __init__(self, *scores: float) -> None:
        self.scores = torch.tensor([*scores, -torch.inf])

    def search(self, queries: Queries, k: int) -> Hits:
        return Hits.empty(len(queries), k)

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        return self.scores[torch.from_numpy(rows)]


def record(rows: list[list[int]], utilities: list[list[float]]) -> FeedbackRecord:
    queries = tuple(f"q{number}" for number in range(len(rows)))
    return FeedbackRecord(queries, np.array(rows), np.array(utilities, dtype=np.float32), "test")


def f_measure(kept: list[float], total: float, beta: float = 1.0) -> float:
    precision, recall = sum(kept) / len(kept), sum(kept) / total
    below = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / below if below else 0.0


def test_the_threshold_of_the_best_f_is_learnt() -> None:
    """Of q0 the first two of 8, 6, 2 are of use, of q1 the first of 8, 2: cut between 6 and 2; q2 has none of use."""
    retriever = Given(8, 6, 2)
    learnt = learn_truncation(
        retriever, [record([[0, 1, 2], [2, 0, -1], [1, -1, -1]], [[1, 1, 0], [0, 1, 0], [0] * 3])]
    )
    assert learnt.queries == 2
    assert learnt.measure == 1.0
    assert learnt.whole == pytest.approx((f_measure([1, 1, 0], 2) + f_measure([1, 0], 1)) / 2)
    assert learnt.truncate == Truncate((6 / 8 + 2 / 8) / 2)
    absolute = learn_truncation(retriever, [record([[0, 1, 2]], [[1, 1, 0]])], of="score")
    assert absolute.truncate == Truncate(4.0, "score")
    assert learn_truncation(retriever, [record([[0, 1, 2]], [[1, 0.2, 1]])], beta=3.0).truncate.at_least == 0.25


def test_what_cannot_be_learnt_from_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        learn_truncation(Given(1), [record([[0]], [[0]])])
    with pytest.raises(ValueError, match="from 0 to 1"):
        learn_truncation(Given(1), [record([[0]], [[-3.0]])])


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 1)), min_size=1, max_size=5), min_size=1, max_size=3)
)
def test_no_threshold_is_better_than_the_one_learnt(lists: list[list[tuple[int, int]]]) -> None:
    """The learnt one, applied to the lists, has the F that was told, and no share of a twelfth has more."""
    width = max(map(len, lists))
    scores = [float(score) for one in lists for score, _ in one]
    rows = iter(range(len(scores)))
    table = [[*(next(rows) for _ in one), *[-1] * (width - len(one))] for one in lists]
    useful = [[*(float(use) for _, use in one), *[0.0] * (width - len(one))] for one in lists]
    if not any(map(sum, useful)):
        return
    learnt = learn_truncation(Given(*scores), [record(table, useful)])

    def mean(truncate: Truncate) -> float:
        values = []
        for one in lists:
            if sum(use for _, use in one):
                ranked = sorted(one, key=lambda pair: -pair[0])
                best = ranked[0][0]
                values.append(
                    f_measure(
                        [use for score, use in ranked if score >= truncate.at_least * best], sum(u for _, u in one)
                    )
                )
        return float(np.mean(values))

    assert mean(learnt.truncate) == pytest.approx(learnt.measure)
    assert all(mean(Truncate(share / 12)) <= learnt.measure + 1e-9 for share in range(13))


def test_a_retriever_s_own_scores_are_learnt_from(tmp_path: Path) -> None:
    retriever = BM25().index(MemoryCollection(TEXTS), tmp_path / "bm25")
    queries = ("penguins breed on the ice", "copper")
    kept = FeedbackRecord(queries, np.array([[4, 0], [3, -1]]), np.array([[1, 0], [1, 0]], np.float32), "gold")
    learnt = learn_truncation(retriever, [kept])
    assert learnt.measure == 1.0
    hits = retriever.search(Queries.of(queries), 3)
    left = learnt.truncate(Queries.of(queries), _responses(hits))
    assert [[row for row in rows if row >= 0] for rows in left.rows.tolist()] == [[4], [3]]


def _responses(hits: Hits) -> Responses:
    from reml.access.responses import gather

    return gather(MemoryCollection(TEXTS), hits)


class TestTruncate(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return Truncate(0.6)
