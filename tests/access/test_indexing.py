from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from reml.access.indexing import index_encoded
from reml.contract.examples import Item, Media, texts_of
from reml.contract.retrieved import Queries
from reml.contract.retrievers import IndexMaker
from reml.contract.vectors import DenseVectors, Float32Array, MultiVectors, Representations, Similarity, SparseVectors
from reml.files.atomic import StaleError
from reml.index.faiss import Faiss
from reml.index.impact import Impact
from reml.testing import MemoryCollection

COLLECTION = MemoryCollection(["a", "bb", "abc", "ab"])
KINDS: dict[str, Callable[[Float32Array], Representations]] = {
    "dense": DenseVectors,
    "sparse": lambda values: SparseVectors(
        np.arange(0, values.size + 1, 3, dtype=np.int64),
        np.tile(np.arange(3, dtype=np.int32), len(values)),
        values.ravel(),
        3,
    ),
    "multi": lambda values: MultiVectors(np.arange(len(values) + 1, dtype=np.int64), values),
}


@dataclass
class Letters:
    """Counts of a, b and c, as vectors of any kind; says how many items it encoded."""

    kind: str
    similarity: Similarity = "dot"
    encoded: int = 0

    def fingerprint(self) -> str:
        return "letters"

    def encode_queries(self, contents: Sequence[str | Media]) -> Representations:
        texts = texts_of(contents, self)
        counts = [[text.count(letter) for letter in "abc"] for text in texts]
        return KINDS[self.kind](np.array(counts, dtype=np.float32).reshape(-1, 3))

    def encode_items(self, items: Sequence[Item]) -> Representations:
        self.encoded += len(items)
        return self.encode_queries([item.text for item in items])


@pytest.mark.parametrize(
    ("kind", "maker"),
    [("dense", Faiss()), ("dense", Faiss("HNSW4")), ("dense", Faiss("IVF1,Flat")), ("sparse", Impact())],
)
def test_an_encoder_takes_any_index_of_its_kind_of_vectors(kind: str, maker: IndexMaker, tmp_path: Path) -> None:
    retriever = index_encoded(Letters(kind), maker, COLLECTION, tmp_path / "index")
    assert retriever.search(Queries.of(["b"]), 2).rows.tolist() == [[1, 2]]
    assert retriever.search(Queries.of(["c"]), 1).scores.tolist() == [[1.0]]
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_by_distance_the_nearest_is_first(tmp_path: Path) -> None:
    """From b: to bb 1, ab 1, a 2, abc 2; from bb: to bb 0, ab 2, abc 3, a 5."""
    retriever = index_encoded(Letters("dense", "l2"), Faiss(similarity="l2"), COLLECTION, tmp_path / "index")
    hits = retriever.search(Queries.of(["b", "bb"]), 5)
    assert hits.rows.tolist() == [[1, 3, 0, 2, -1], [1, 3, 2, 0, -1]]
    assert hits.scores.tolist() == [[-1, -1, -2, -2, -np.inf], [0, -2, -3, -5, -np.inf]]


@pytest.mark.parametrize(
    ("kind", "similarity", "maker", "said"),
    [
        ("dense", "dot", Impact(), "takes SparseVectors, not DenseVectors: name an index of dense vectors"),
        ("sparse", "dot", Faiss(), "encoder gives SparseVectors: name an index for these, such as .*Impact"),
        ("multi", "maxsim", Faiss(), "FAISS takes DenseVectors, and the encoder gives MultiVectors"),
        ("dense", "l2", Faiss(), "compares by 'l2' and this index by 'dot': give both the same"),
        ("dense", "dot", Faiss(similarity="l2"), "compares by 'dot' and this index by 'l2'"),
        ("sparse", "l2", Impact(), "finds by dot products, and the encoder compares by 'l2'"),
        ("dense", "dot", Faiss("NoSuch"), "FAISS cannot build 'NoSuch'"),
    ],
)
def test_an_index_of_another_kind_is_refused_before_anything_is_encoded(
    kind: str, similarity: Similarity, maker: IndexMaker, said: str, tmp_path: Path
) -> None:
    encoder = Letters(kind, similarity)
    with pytest.raises(ValueError, match=said):
        index_encoded(encoder, maker, COLLECTION, tmp_path / "index")
    assert encoder.encoded == 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_serves_one_index_and_any_search(tmp_path: Path) -> None:
    encoder, folder = Letters("dense"), tmp_path / "index"
    index_encoded(encoder, Faiss("HNSW4"), COLLECTION, folder)
    index_encoded(encoder, Faiss("HNSW4", parameters="efSearch=9"), COLLECTION, folder)
    assert encoder.encoded == len(COLLECTION), "nothing is encoded twice"
    with pytest.raises(StaleError, match="Delete that folder"):
        index_encoded(encoder, Faiss(), COLLECTION, folder)


def test_a_similarity_that_faiss_has_not_is_named() -> None:
    with pytest.raises(ValueError, match="similarity is 'maxsim', but must be one of 'dot'"):
        Faiss(similarity="maxsim")  # type: ignore[arg-type]
