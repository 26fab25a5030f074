from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from reml.benchmarks.speed.workloads.real_texts import RealTexts
from reml.benchmarks.speed.workloads.real_vectors import RealVectors
from reml.contract.collections import Collection
from reml.contract.examples import Item, Media
from reml.contract.vectors import DenseVectors, Representations, Similarity, SparseVectors
from tests.benchmarks.speed.workloads.real_folders import foxes, pages


class Lengths:
    """An encoder whose only weight is a text's length, and which counts the texts it was given."""

    similarity: Similarity = "dot"

    def __init__(self, *, sparse: bool = True) -> None:
        self.items, self._sparse = 0, sparse

    def fingerprint(self) -> str:
        return "lengths"

    def encode_queries(self, contents: Sequence[str | Media]) -> Representations:
        weights = np.array([len(str(content)) for content in contents], dtype=np.float32)
        if not self._sparse:
            return DenseVectors(weights[:, None])
        return SparseVectors(np.arange(len(weights) + 1), np.zeros(len(weights), np.int32), weights, 1)

    def encode_items(self, items: Sequence[Item]) -> Representations:
        self.items += len(items)
        return self.encode_queries([item.text for item in items])


def vectors(texts: RealTexts, encoder: Lengths, kept: Path) -> RealVectors:
    def of(collection: Collection, folder: Path) -> Lengths:
        assert len(collection) == len(list(texts.texts()))
        assert kept in folder.parents
        return encoder

    return RealVectors(texts, of, kept)


def test_texts_are_encoded_once_and_kept_for_the_next_time(tmp_path: Path) -> None:
    texts, encoder = RealTexts([foxes(tmp_path / "foxes")]), Lengths()
    for _ in range(2):
        (batch,) = vectors(texts, encoder, tmp_path / "kept").batches()
        assert batch.weights.tolist() == [len("Red foxes The fox runs"), len("rivers")]
    assert encoder.items == 2
    asked = vectors(texts, encoder, tmp_path / "kept").queries(2)
    assert asked["foxes"].weights.tolist() == [len("what runs, a fox or a fox"), len("volcano")]


def test_other_texts_are_encoded_beside_them(tmp_path: Path) -> None:
    encoder = Lengths()
    for texts in (RealTexts([foxes(tmp_path / "foxes")]), RealTexts([pages(tmp_path / "kilt")])) * 2:
        list(vectors(texts, encoder, tmp_path / "kept").batches())
    assert encoder.items == 2 + 3


def test_dense_vectors_are_refused(tmp_path: Path) -> None:
    texts = RealTexts([foxes(tmp_path / "foxes")])
    with pytest.raises(ValueError, match="gives DenseVectors, and sparse vectors are compared"):
        vectors(texts, Lengths(sparse=False), tmp_path / "kept").queries(1)
