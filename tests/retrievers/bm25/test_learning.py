from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reml.contract.retrieved import Queries
from reml.contract.signals import FeedbackRecord
from reml.retrievers.bm25.bm25f import BM25F
from reml.retrievers.bm25.learning import Matches, learn_weighting
from reml.retrievers.bm25.retriever import BM25, BM25Retriever
from reml.testing import TEXTS, MemoryCollection

# Fruit stands once in a short item and three times in a long one.
SHORT, LONG = "apple pie", "apple apple apple " + " ".join(f"word{number}" for number in range(60))
FRUIT = MemoryCollection([SHORT, LONG, "pears and plums", "nothing at all"], titles=["", "", "", ""])


def opened(collection: MemoryCollection, folder: Path, settings: BM25) -> BM25Retriever:
    retriever = settings.index(collection, folder / "bm25")
    assert isinstance(retriever, BM25Retriever)
    return retriever


def judged(*utilities: float) -> FeedbackRecord:
    rows = np.array([[0, 1, -1]], dtype=np.int64)
    return FeedbackRecord(("apple",), rows, np.array([[*utilities, 0.0]], dtype=np.float32), "test")


def first(settings: BM25, folder: Path) -> int:
    return int(opened(FRUIT, folder, settings).search(Queries.of(["apple"]), 1).rows[0, 0])


@pytest.mark.parametrize(("utilities", "useful"), [((1.0, 0.0), 0), ((0.0, 1.0), 1), ((-9.0, -2.0), 1)])
def test_what_was_useful_comes_first_after_learning(
    utilities: tuple[float, float], useful: int, tmp_path: Path
) -> None:
    former = BM25(b=0.95) if useful else BM25(b=0.0)  # each puts the other item first
    assert first(former, tmp_path) != useful
    learnt = learn_weighting(opened(FRUIT, tmp_path, former), [judged(*utilities)])
    assert learnt.ndcg == pytest.approx(1.0)
    # The useful item was second: its gain was discounted by log2(3).
    assert learnt.former_ndcg == pytest.approx(1 / np.log2(3))
    assert learnt.queries == 1
    assert first(BM25(k1=learnt.weighting.k1, b=learnt.weighting.b), tmp_path) == useful


def test_a_weighting_that_is_best_already_stays(tmp_path: Path) -> None:
    retriever = opened(FRUIT, tmp_path, BM25(k1=0.83, b=0.07))
    assert learn_weighting(retriever, [judged(0.0, 1.0)]).weighting == retriever.encoder.weighting


@pytest.mark.parametrize("settings", [BM25(), BM25(k1=2.2, b=0.9), BM25(variant="bm25l"), BM25(variant="bm25+", b=0)])
def test_scores_are_those_of_the_retriever_but_for_a_constant(settings: BM25, tmp_path: Path) -> None:
    collection = MemoryCollection([*TEXTS, SHORT, LONG])
    rows = np.array([[0, 3, 5], [6, 2, -1], [1, 4, 0], [-1, -1, -1]], dtype=np.int64)
    queries = ("the fox and the copper harbour harbour", "apple debate", "penguins erupt", "")
    record = FeedbackRecord(queries, rows, np.zeros((4, 3), dtype=np.float32), "test")
    retriever = opened(collection, tmp_path, settings)
    found = Matches.of(retriever, record).scores(retriever.encoder.weighting)
    expected = retriever.score(Queries.of(queries), rows).numpy()
    assert (np.isneginf(found) == (rows < 0)).all()
    for one, other, there in zip(found, expected, rows >= 0, strict=True):
        difference = one[there] - other[there]
        np.testing.assert_allclose(difference, np.repeat(difference[:1], len(difference)), atol=1e-5)


def test_several_records_count_by_their_queries(tmp_path: Path) -> None:
    retriever = opened(FRUIT, tmp_path, BM25(b=0.0))
    two = FeedbackRecord(
        ("apple", "apple"), np.array([[1, 0], [1, 0]]), np.array([[1, 0], [1, 0]], dtype=np.float32), "test"
    )
    learnt = learn_weighting(retriever, [judged(1.0, 0.0), two])
    assert learnt.queries == 3
    assert learnt.weighting == retriever.encoder.weighting
    assert learnt.ndcg == pytest.approx((2 + 1 / np.log2(3)) / 3)


def test_feedback_that_prefers_nothing_is_refused(tmp_path: Path) -> None:
    retriever = opened(FRUIT, tmp_path, BM25())
    for records in ([], [judged(0.4, 0.4)]):
        with pytest.raises(ValueError, match="nothing to learn"):
            learn_weighting(retriever, records)


def test_an_item_that_is_gone_is_named(tmp_path: Path) -> None:
    record = FeedbackRecord(("apple",), np.array([[0, 77]]), np.array([[1.0, 0.0]], dtype=np.float32), "test")
    with pytest.raises(KeyError, match="77"):
        learn_weighting(opened(FRUIT, tmp_path, BM25()), [record])


# Each fruit is the title of one item and stands three times in the text of another; both are as long.
FRUITS = ("apple", "pear", "plum", "quince")
ORCHARD = MemoryCollection(
    [*["round and sweet and ripe"] * 4, *[f"{fruit} {fruit} {fruit}" for fruit in FRUITS]],
    titles=[*FRUITS, *["market"] * 4],
)


def grown(folder: Path, settings: BM25F) -> BM25Retriever:
    retriever = settings.index(ORCHARD, folder / "bm25f")
    assert isinstance(retriever, BM25Retriever)
    return retriever


def picked(*, titles: bool) -> FeedbackRecord:
    """Say that the items were useful that have the fruit as title, or those that have it in the text."""
    rows = np.array([[place, place + 4] for place in range(4)], dtype=np.int64)
    utilities = np.tile(np.array([titles, not titles], dtype=np.float32), (4, 1))
    return FeedbackRecord(FRUITS, rows, utilities, "test")


@pytest.mark.parametrize("titles", [True, False])
def test_a_title_weight_is_learnt_that_puts_what_was_useful_first(titles: bool, tmp_path: Path) -> None:
    former = BM25F(title_weight=1.0 if titles else 8.0)  # each puts the other items first
    useful = [0, 1, 2, 3] if titles else [4, 5, 6, 7]
    asked = Queries.of(FRUITS)
    assert not set(grown(tmp_path, former).search(asked, 1).rows[:, 0]) & set(useful)
    learnt = learn_weighting(grown(tmp_path, former), [picked(titles=titles)])
    assert (learnt.ndcg, learnt.former_ndcg) == pytest.approx((1.0, 1 / np.log2(3)))
    found = learnt.weighting
    assert found.title_weight > 1 if titles else found.title_weight < 8
    settings = BM25F(k1=found.k1, b=found.b, title_weight=found.title_weight)
    assert grown(tmp_path, settings).search(asked, 1).rows[:, 0].tolist() == useful


def test_k1_and_b_alone_do_not_learn_what_the_title_weight_does(tmp_path: Path) -> None:
    retriever = opened(ORCHARD, tmp_path, BM25())
    learnt = learn_weighting(retriever, [picked(titles=True)])
    assert learnt.ndcg < 0.7
    assert learnt.weighting.title_weight == 1


def test_a_title_weight_that_is_best_already_stays(tmp_path: Path) -> None:
    retriever = grown(tmp_path, BM25F(k1=0.83, b=0.07, title_weight=9.5))
    assert learn_weighting(retriever, [picked(titles=True)]).weighting == retriever.encoder.weighting


@pytest.mark.parametrize("weight", [0.4, 1.0, 7.0])
def test_scores_are_those_of_the_retriever_at_every_title_weight(weight: float, tmp_path: Path) -> None:
    rows = np.array([[0, 4, 5], [6, 2, -1], [1, 4, 0], [3, 7, 2]], dtype=np.int64)
    queries = ("apple market", "plum plum sweet", "ripe pear", "")
    record = FeedbackRecord(queries, rows, np.zeros((4, 3), dtype=np.float32), "test")
    matches = Matches.of(grown(tmp_path, BM25F(title_weight=2.0)), record)  # of another weight
    retriever = grown(tmp_path, BM25F(title_weight=weight))
    expected = retriever.score(Queries.of(queries), rows).numpy()
    np.testing.assert_allclose(matches.scores(retriever.encoder.weighting), expected, rtol=1e-5)


@pytest.mark.parametrize("k1", [0.0, 0.9])
def test_titles_that_were_left_out_may_be_learnt_to_count(k1: float, tmp_path: Path) -> None:
    learnt = learn_weighting(grown(tmp_path, BM25F(k1=k1, title_weight=0.0)), [picked(titles=True)])
    assert (learnt.ndcg, learnt.former_ndcg) == pytest.approx((1.0, 1 / np.log2(3)))
    assert learnt.weighting.title_weight > 0
