from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from jsonargparse import ArgumentParser

from reml.contract.retrieved import Hits, Queries
from reml.contract.retrievers import Indexer
from reml.contract.vectors import DenseVectors, Int64Array
from reml.index.faiss import Faiss
from reml.retrievers.bm25.retriever import BM25
from reml.retrievers.dense import Dense
from reml.retrievers.encoders.dense_encoder import Encoding
from reml.retrievers.fusion import FusedRetriever, Fusion
from reml.testing import IndexerContract, MemoryCollection

COLLECTION = MemoryCollection(["a", "b", "c", "d"])
QUERY = Queries.of(["x"])


class Listed:
    """A retriever whose rankings are written down."""

    def __init__(self, *rows: int) -> None:
        self.collection = COLLECTION
        self.ranking = np.array([rows], dtype=np.int64)

    def index(self, collection: MemoryCollection, folder: Path) -> Listed:
        return self

    def search(self, queries: Queries, k: int) -> Hits:
        scores = -np.arange(self.ranking.shape[1], dtype=np.float32)[None]
        return Hits.ranked(self.ranking, scores, k)

    def score(self, queries: Queries, rows: Int64Array):  # type: ignore[no-untyped-def]
        raise NotImplementedError


def fused(*rankings: tuple[int, ...], depth: int = 100) -> FusedRetriever:
    return FusedRetriever(COLLECTION, [Listed(*rows) for rows in rankings], constant=60, depth=depth)


class TestFusion(IndexerContract):
    def make(self) -> Indexer:
        return Fusion([BM25(), BM25(k1=1.2, b=0.75)])


def test_reciprocal_ranks_are_summed() -> None:
    hits = fused((0, 1, 2), (1, 3)).search(QUERY, 5)
    # row 1: 1/62 + 1/61, row 0: 1/61, row 3: 1/62, row 2: 1/63
    assert hits.rows.tolist() == [[1, 0, 3, 2, -1]]
    expected = [1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63]
    np.testing.assert_allclose(hits.scores[0, :4], expected, rtol=1e-6)


def test_ties_go_to_the_lower_row() -> None:
    assert fused((3, 0), (0, 3)).search(QUERY, 2).rows.tolist() == [[0, 3]]


def test_items_beyond_the_depth_take_no_part() -> None:
    assert fused((0, 1, 2), (1, 3), depth=1).search(QUERY, 4).rows.tolist() == [[0, 1, -1, -1]]


def test_score_is_that_of_search_and_nothing_for_what_no_part_ranks() -> None:
    scores = fused((0, 1), (1,)).score(QUERY, np.array([[2, 1, 1, -1, 0]]))
    np.testing.assert_allclose(scores[0, [1, 2, 4]], [1 / 61 + 1 / 62] * 2 + [1 / 61], rtol=1e-6)
    assert scores[0, 0] == 0
    assert scores[0, 3] == -np.inf
    assert not scores.requires_grad


def test_each_part_has_a_folder_of_its_own(tmp_path: Path) -> None:
    Fusion([BM25(), BM25(k1=1.2)]).index(COLLECTION, tmp_path / "index")
    assert sorted(path.name for path in (tmp_path / "index").iterdir() if path.name[0] != ".") == ["0", "1"]


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="two retrievers or more, not of 1"):
        Fusion([BM25()])
    with pytest.raises(ValueError, match="depth 1 or more"):
        Fusion([BM25(), BM25()], depth=0)
    with pytest.raises(ValueError, match="1 or more, not 0"):
        fused((0,), (1,)).search(QUERY, 0)
    vectors = Queries(np.zeros(1, np.int64), ("x",), DenseVectors(np.zeros((1, 2), np.float32)))
    with pytest.raises(ValueError, match="one retriever's space"):
        fused((0,), (1,)).search(vectors, 1)
    with pytest.raises(ValueError, match=r"\[B, K\] for 1 queries"):
        fused((0,), (1,)).score(QUERY, np.zeros((2, 1), np.int64))


def test_a_configuration_names_its_parts() -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--retriever", type=Indexer)
    index = {"class_path": "reml.index.faiss.Faiss", "init_args": {"factory": "HNSW32"}}
    encoding = {"max_tokens": 128, "pooling": "cls"}
    parts = [
        {"class_path": "reml.retrievers.bm25.BM25"},
        {"class_path": "reml.retrievers.dense.Dense", "init_args": {"index_maker": index, "encoding": encoding}},
    ]
    written = {"class_path": "reml.retrievers.fusion.Fusion", "init_args": {"retrievers": parts, "depth": 7}}
    made = parser.instantiate(parser.parse_object({"retriever": written})).retriever
    assert made == Fusion(
        [BM25(), Dense(index_maker=Faiss("HNSW32"), encoding=Encoding(max_tokens=128, pooling="cls"))], depth=7
    )
