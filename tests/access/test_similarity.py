from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.similarity import EncoderScorer, as_tensor, similarities
from reml.contract.examples import Item, Media, texts_of
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Scorer
from reml.contract.vectors import DenseVectors, MultiVectors, Representations, Similarity, SparseVectors
from reml.index.faiss import FaissIndex
from reml.testing import MemoryCollection, ScorerContract
from tests.truths import WordEncoder

POINTS = {"o": [0.0, 0.0], "e": [3.0, 0.0], "n": [0.0, 4.0], "far": [6.0, 8.0]}
ITEMS = MemoryCollection(["o", "e", "n", "far"])


class Points:
    """Points given by hand; counts the items of each call."""

    def __init__(self, similarity: Similarity = "dot") -> None:
        self.similarity: Similarity = similarity
        self.encoded: list[int] = []

    def fingerprint(self) -> str:
        return "points"

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        texts = texts_of(contents, self)
        return DenseVectors(np.array([POINTS[text] for text in texts], dtype=np.float32).reshape(-1, 2))

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        self.encoded.append(len(items))
        return self.encode_queries([item.text for item in items])


class MovingPoints(Points):
    """The same, with a scale to learn."""

    def __init__(self, similarity: Similarity = "dot") -> None:
        super().__init__(similarity)
        self.module = nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.module.weight)

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        texts = texts_of(contents, self)
        return torch.from_numpy(self.encode_queries(texts).values) * self.module.weight

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        return torch.from_numpy(self.encode_items(items).values)


def items(*rows: int) -> list[Item]:
    return ITEMS.get(np.array(rows))


@pytest.mark.parametrize("encoder", [Points("l2"), MovingPoints("l2")])
def test_by_distance_scores_are_negative_squares(encoder: Points) -> None:
    scores = EncoderScorer(encoder).score(Queries.of(["e", "n"]), items(1, 2, 3), np.array([[0, 1, -1], [2, 1, 0]]))
    assert scores.tolist() == [[0, -25, -torch.inf], [-52, 0, -25]]


def test_a_scorer_encodes_an_item_once_and_scores_as_the_index_does() -> None:
    encoder, index = Points("l2"), FaissIndex(2, similarity="l2")
    index.add(ITEMS.rows(), encoder.encode_items(ITEMS.get(ITEMS.rows())))
    retriever = EncodedRetriever(ITEMS, encoder, index)
    queries = Queries.of(["e", "far"])
    hits = retriever.search(queries, 4)
    np.testing.assert_array_equal(retriever.score(queries, hits.rows), hits.scores)
    assert encoder.encoded == [4, 4]


def test_a_retriever_scores_anew_by_another_scorer_where_one_is_given() -> None:
    retriever = EncodedRetriever(ITEMS, Points(), FaissIndex(2), EncoderScorer(Points("l2")))
    assert retriever.score(Queries.of(["e"]), np.array([[1, 2, -1]])).tolist() == [[0, -25, -np.inf]]


def test_the_gradient_of_a_distance_by_hand() -> None:
    """Of -|wq - i|^2 by w at w = 1: -2 q . (q - i)."""
    encoder = MovingPoints("l2")
    EncoderScorer(encoder).score(Queries.of(["e"]), items(3), np.array([[0]])).sum().backward()  # type: ignore[no-untyped-call]
    assert encoder.module.weight.grad is not None
    assert encoder.module.weight.grad.item() == -2 * 3 * (3 - 6)


def test_without_gradient_vectors_are_those_of_an_index() -> None:
    encoder = MovingPoints()
    assert EncoderScorer(encoder).module is encoder.module
    fixed = EncoderScorer(encoder, gradient=False)
    assert fixed.module is None
    assert not fixed.score(Queries.of(["e"]), items(1), np.array([[0]])).requires_grad
    assert EncoderScorer(Points()).module is None


def test_maxsim_by_hand() -> None:
    """Query 1, 2 against items 3, -1 | -5 | none: 3 + 6, -5 - 10, 0; query -1: 1, 5, 0. Padding changes nothing."""
    asked = MultiVectors(np.array([0, 2, 3]), np.array([[1], [2], [-1]], dtype=np.float32))
    held = MultiVectors(np.array([0, 2, 3, 3]), np.array([[3], [-1], [-5]], dtype=np.float32))
    assert similarities(as_tensor(asked), as_tensor(held), "maxsim").tolist() == [[9, -15, 0], [1, 5, 0]]


def test_maxsim_has_a_gradient_through_the_largest_products_alone() -> None:
    asked = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]], requires_grad=True)  # the second vector pads
    held = torch.tensor([[[2.0, 5.0], [1.0, 7.0]]])
    similarities(asked, held, "maxsim").sum().backward()  # type: ignore[no-untyped-call]
    assert asked.grad is not None
    assert asked.grad[0, 0].tolist() == [2, 5]


@pytest.mark.parametrize("similarity", ["dot", "l2"])
def test_sparse_vectors_are_compared_as_dense_ones(similarity: Similarity) -> None:
    values = np.random.default_rng(0).random((5, 6), dtype=np.float32)
    values[values < 0.5] = 0
    rows, dimensions = np.nonzero(values)
    indptr = np.searchsorted(rows, np.arange(6)).astype(np.int64)
    sparse = SparseVectors(indptr, dimensions.astype(np.int32), values[rows, dimensions], 6)

    class Fixed(Points):
        def encode_items(self, items: Sequence[Item]) -> Representations:  # type: ignore[override]
            return sparse

    asked = Queries(np.arange(5), states=sparse)
    scores = EncoderScorer(Fixed(similarity)).score(asked, items(0, 1, 2, 3, 3), np.tile(np.arange(5), (5, 1)))
    whole = values @ values.T if similarity == "dot" else -((values[:, None] - values[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(scores, whole, rtol=1e-5, atol=1e-6)


def test_several_vectors_a_row_are_checked_and_sliced() -> None:
    values = np.arange(4, dtype=np.float32)[:, None]
    vectors = MultiVectors(np.array([0, 1, 1, 4]), values)
    assert (len(vectors), vectors.width) == (3, 1)
    assert vectors.slice(1, 9).indptr.tolist() == [0, 0, 3]
    assert vectors.slice(1, 9).values[:, 0].tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="end with the number of vectors"):
        MultiVectors(np.array([0, 3]), values)
    with pytest.raises(ValueError, match="must not fall"):
        MultiVectors(np.array([0, 4, 2, 4]), values)
    with pytest.raises(ValueError, match="float32"):
        MultiVectors(np.array([0, 4]), values.astype(np.float64))


class TestEncoderScorer(ScorerContract):
    def make(self) -> Scorer:
        return EncoderScorer(WordEncoder())
