from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.examples import Item, Media, texts_of
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Encoder
from reml.contract.vectors import DenseVectors, Similarity, SparseVectors
from reml.files.atomic import CorruptError, StaleError
from reml.files.origin import Origin, build_once
from reml.index.faiss import FaissIndex
from reml.testing import MemoryCollection

LETTERS = "abcd"
# Counts of a, b, c, d:  [1, 0, 0, 0]  [0, 2, 0, 0]  [1, 1, 1, 0]
TEXTS = ["a", "bb", "abc"]


def counts(texts: Sequence[str]) -> Tensor:
    return torch.tensor([[float(text.count(letter)) for letter in LETTERS] for text in texts]).reshape(-1, len(LETTERS))


class LetterEncoder:
    """Counts letters."""

    similarity: Similarity = "dot"

    def fingerprint(self) -> str:
        return "letters"

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        texts = texts_of(contents, self)
        return DenseVectors(counts(texts).numpy())

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        return self.encode_queries([item.text for item in items])


class SparseLetterEncoder:
    """Counts letters, and keeps those that are there."""

    similarity: Similarity = "dot"

    def fingerprint(self) -> str:
        return "sparse letters"

    def encode_queries(self, contents: Sequence[str | Media]) -> SparseVectors:
        texts = texts_of(contents, self)
        values = counts(texts).numpy()
        rows, dimensions = np.nonzero(values)
        indptr = np.searchsorted(rows, np.arange(len(values) + 1)).astype(np.int64)
        return SparseVectors(indptr, dimensions.astype(np.int32), values[rows, dimensions], len(LETTERS))

    def encode_items(self, items: Sequence[Item]) -> SparseVectors:
        return self.encode_queries([item.text for item in items])


class WeighedLetterEncoder(LetterEncoder):
    """Counts letters, with a weight to learn for each."""

    def __init__(self) -> None:
        self.module = nn.Linear(len(LETTERS), 1, bias=False).double()
        nn.init.ones_(self.module.weight)
        self.encoded: list[int] = []

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        texts = texts_of(contents, self)
        return counts(texts).double() * self.module.weight

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        self.encoded.append(len(items))
        return counts([item.text for item in items]).double() * self.module.weight.exp()


def retriever(encoder: LetterEncoder | None = None) -> EncodedRetriever[Encoder]:
    collection, encoder = MemoryCollection(TEXTS), encoder or LetterEncoder()
    index = FaissIndex(len(LETTERS))
    index.add(collection.rows(), encoder.encode_items(collection.get(collection.rows())))
    return EncodedRetriever(collection, encoder, index)


def test_search_ranks_by_dot_product_and_ties_by_row() -> None:
    hits = retriever().search(Queries.of(["ab", "c"]), 3)
    assert hits.rows.tolist() == [[1, 2, 0], [2, 0, 1]]
    assert hits.scores.tolist() == [[2, 2, 1], [1, 0, 0]]


def test_blank_queries_have_no_hits_and_stay_in_their_places() -> None:
    hits = retriever().search(Queries.of(["", "a", " \n"]), 2)
    assert hits.rows.tolist() == [[-1, -1], [0, 2], [-1, -1]]
    assert np.isneginf(hits.scores[[0, 2]]).all()
    assert (retriever().search(Queries.of([""]), 2).rows == -1).all()
    assert retriever().search(Queries.of([]), 2).rows.shape == (0, 2)


def test_k_is_checked_before_anything_is_encoded() -> None:
    with pytest.raises(ValueError, match="1 or more, not 0"):
        retriever().search(Queries.of([""]), 0)


def test_a_k_larger_than_the_collection_is_padded() -> None:
    assert retriever().search(Queries.of(["b"]), 5).rows.tolist() == [[1, 2, 0, -1, -1]]


def test_queries_that_are_vectors_are_searched_as_they_are() -> None:
    vectors = DenseVectors(np.array([[0, 0, 5, 0]], dtype=np.float32))
    queries = Queries(np.zeros(1, dtype=np.int64), ("a",), vectors)
    assert retriever().search(queries, 1).rows.tolist() == [[2]]
    assert retriever().score(queries, np.array([[2, 0]])).tolist() == [[5, 0]]
    assert retriever(WeighedLetterEncoder()).score(queries, np.array([[0, 2]])).tolist() == [[0, 5 * np.e]]


def test_scores_equal_those_of_search_and_are_minus_infinity_at_padding() -> None:
    queries = Queries.of(["ab", "c"])
    hits = retriever().search(queries, 4)
    np.testing.assert_array_equal(retriever().score(queries, hits.rows).numpy(), hits.scores)
    assert retriever().score(queries, np.full((2, 3), -1)).tolist() == [[-np.inf] * 3] * 2


def test_sparse_encoders_score_by_the_same_dot_product() -> None:
    collection = MemoryCollection(TEXTS)
    sparse = EncodedRetriever(collection, SparseLetterEncoder(), FaissIndex(1))
    assert sparse.score(Queries.of(["ab", ""]), np.array([[2, 1, -1], [0, 1, 2]])).tolist() == [
        [2, 2, -np.inf],
        [0] * 3,
    ]


def test_the_gradient_of_a_score_equals_finite_differences() -> None:
    encoder = WeighedLetterEncoder()
    trained, queries, rows = retriever(encoder), Queries.of(["ab", "bc"]), np.array([[2, 1, 2], [0, 2, -1]])
    weights = torch.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, 7.0]], dtype=torch.float64)

    def loss() -> Tensor:
        return (trained.score(queries, rows).masked_fill(torch.from_numpy(rows < 0), 0) * weights).sum()

    loss().backward()  # type: ignore[no-untyped-call]
    gradient, step = encoder.module.weight.grad, 1e-6
    assert gradient is not None
    for letter in range(len(LETTERS)):
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                encoder.module.weight[0, letter] += sign * step
                ends.append(loss().item())
                encoder.module.weight[0, letter] -= sign * step
        assert gradient[0, letter].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-7)
    assert gradient[0, 1].item() != 0


def test_each_distinct_item_is_encoded_once() -> None:
    encoder = WeighedLetterEncoder()
    retriever(encoder).score(Queries.of(["a", "b"]), np.array([[2, 1, -1], [1, 2, 2]]))
    assert encoder.encoded == [2]


@pytest.mark.parametrize("rows", [np.zeros(2, dtype=np.int64), np.zeros((3, 1), dtype=np.int64)])
def test_rows_that_do_not_fit_the_queries_are_refused(rows: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\[B, K\] for 2 queries"):
        retriever().score(Queries.of(["a", "b"]), rows)


def test_a_row_that_is_not_in_the_collection_is_an_error() -> None:
    with pytest.raises(KeyError, match="9"):
        retriever().score(Queries.of(["a"]), np.array([[9]]))


def test_appended_items_become_findable() -> None:
    first = retriever()
    grown = MemoryCollection([*TEXTS, "dd"])
    after = EncodedRetriever(grown, first.encoder, first.index)
    after.extend(grown.get(np.array([3])))
    after.extend([])
    assert after.search(Queries.of(["d"]), 1).rows.tolist() == [[3]]
    with pytest.raises(ValueError, match="3"):
        after.extend(grown.get(np.array([3])))


def test_a_folder_is_built_once_and_refused_to_another_origin(tmp_path: Path) -> None:
    collection, folder, built = MemoryCollection(TEXTS), tmp_path / "index", []

    def build(draft: Path) -> None:
        built.append(draft)
        (draft / "data").write_text("x")

    build_once(folder, Origin.of(collection, "e1"), build)
    build_once(folder, Origin.of(collection, "e1"), build)
    assert len(built) == 1
    assert (folder / "data").read_text() == "x"
    with pytest.raises(StaleError, match=r"encoder e1, not e2.*Delete that folder"):
        build_once(folder, Origin.of(collection, "e2"), build)
    with pytest.raises(StaleError, match="collection"):
        build_once(folder, Origin.of(MemoryCollection(["other"]), "e1"), build)
    assert len(built) == 1


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def build(draft: Path) -> None:
        (draft / "half").write_text("x")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        build_once(tmp_path / "index", Origin("c", 1, "e"), build)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_reml_did_not_make_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CorruptError, match=r"no manifest\.json"):
        build_once(tmp_path, Origin("c", 1, "e"), lambda _: None)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
