from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.retrieved import Queries
from reml.retrievers.fusion import FusedRetriever
from reml.testing import MemoryCollection
from reml.training.refresh.index_versions import IndexVersions, Rebuild
from reml.training.refresh.live_index import LiveIndex
from tests.truths import WordDense, WordEncoder

TEXTS = tuple(f"thing{number} is here" for number in range(6))
ASKED = Queries.of(("thing1", "thing4 is"))


class Begun:
    """A run at its start, with an encoder that learns by being moved."""

    def __init__(self, folder: Path) -> None:
        self.collection, indexer = MemoryCollection(TEXTS), WordDense()
        self.encoder = indexer.encoder(self.collection, folder)
        index = indexer.index_with(self.encoder, self.collection, folder / "first").index
        self.live = LiveIndex(EncodedRetriever(self.collection, self.encoder, index))
        self.versions = IndexVersions(folder / "indexes", Rebuild(indexer, self.collection, folder))

    def learn(self, step: int) -> None:
        """Give the encoder the weights that it has at a step."""
        torch.manual_seed(step)
        self.encoder.module.load_state_dict(WordEncoder().module.state_dict())

    def whole(self, step: int) -> None:
        self.learn(step)
        self.live.swap(self.versions.rebuild(self.versions.begin(self.live, step)), step)

    def part(self, step: int, *rows: int) -> None:
        self.learn(step)
        chosen = np.array(rows, dtype=np.int64)
        self.versions.encode(self.live, step, chosen)
        self.live.replace(chosen, self.encoder.encode_items(self.collection.get(chosen)), step)

    def steps(self) -> list[int]:
        return sorted(int(path.name[5:]) for path in (self.versions.folder(0).parent).iterdir())


def assert_same(one: Begun, other: Begun, step: int) -> None:
    for begun in (one, other):
        begun.learn(99)
    hits, expected = one.live.search(ASKED, 6), other.live.search(ASKED, 6)
    np.testing.assert_array_equal(hits.rows, expected.rows)
    np.testing.assert_array_equal(hits.scores, expected.scores)
    assert one.live.age(step) == other.live.age(step)
    assert one.live.replaced == other.live.replaced


def test_a_run_goes_on_with_the_vectors_of_its_step(tmp_path: Path) -> None:
    """What came after that step is undone."""
    run, until_five = Begun(tmp_path / "run"), Begun(tmp_path / "five")
    for begun in (run, until_five):
        begun.whole(0)
        begun.part(3, 1, 2)
        begun.part(5, 0, 2)
    run.part(6, 4)
    run.whole(8)
    again = Begun(tmp_path / "run")
    again.versions.restore(again.live, 5)
    assert_same(again, until_five, 7)
    assert again.steps() == [0, 3, 5]


def test_the_newest_whole_version_counts_and_half_made_ones_do_not(tmp_path: Path) -> None:
    run = Begun(tmp_path)
    run.whole(2)
    run.part(3, 1)
    run.whole(4)
    run.learn(5)
    run.versions.begin(run.live, 5)
    again = Begun(tmp_path)
    again.versions.restore(again.live, 9)
    assert_same(again, run, 9)
    assert again.live.age(9) == 5.0
    assert again.steps() == [2, 3, 4]


def test_a_run_without_versions_keeps_the_index_it_came_with(tmp_path: Path) -> None:
    run, again = Begun(tmp_path / "run"), Begun(tmp_path / "again")
    again.versions.restore(again.live, 4)
    assert_same(again, run, 4)


@pytest.mark.parametrize(
    ("state", "kept"),
    [(0, [9, 10]), (1, [9, 10]), (3, [2, 3, 9, 10]), (7, [6, 7, 9, 10]), (8, [6, 7, 9, 10]), (9, [9, 10])],
)
def test_what_neither_the_run_nor_its_state_needs_is_removed(tmp_path: Path, state: int, kept: list[int]) -> None:
    """Whole versions of steps 2, 6 and 9, parts of steps 3, 4, 7 and 10."""
    run = Begun(tmp_path)
    for step in (2, 3, 4, 6, 7, 9, 10):
        if step in (2, 6, 9):
            run.whole(step)
        else:
            run.part(step, 1)
    run.versions.forget(state)
    assert run.steps() == kept


class Fused(WordDense):
    """Gives a retriever that has no index of its own."""

    def index_with(self, encoder, collection, folder):  # type: ignore[no-untyped-def]
        parts = [super().index_with(encoder, collection, folder)] * 2
        return FusedRetriever(collection, parts, constant=60, depth=9)


def test_a_retriever_without_an_index_is_refused(tmp_path: Path) -> None:
    run = Begun(tmp_path)
    versions = IndexVersions(tmp_path / "indexes", Rebuild(Fused(), run.collection, tmp_path))
    with pytest.raises(ValueError, match="Fused gives a FusedRetriever, of which no index can be taken"):
        versions.rebuild(versions.begin(run.live, 1))
