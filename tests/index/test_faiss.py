from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.contract.retrieved import Hits
from reml.contract.retrievers import Index, IndexMaker
from reml.contract.vectors import DenseVectors, Float32Array, Int64Array, SparseVectors
from reml.files.atomic import CorruptError
from reml.index.faiss import Faiss, FaissIndex
from reml.testing import IndexContract, IndexMakerContract

WIDTH = 16


def unit(count: int, seed: int) -> DenseVectors:
    values = np.random.default_rng(seed).standard_normal((count, WIDTH)).astype(np.float32)
    return DenseVectors(values / np.linalg.norm(values, axis=1, keepdims=True))


def rows(count: int) -> Int64Array:
    return np.arange(count, dtype=np.int64)


def filled(factory: str, count: int = 2000, *, parameters: str = "") -> FaissIndex:
    index = FaissIndex(WIDTH, factory, parameters=parameters)
    index.add(rows(count), unit(count, seed=1))
    return index


def recall(hits: Hits, exact: Hits) -> float:
    return float(np.mean([len(np.intersect1d(a, b)) / exact.k for a, b in zip(hits.rows, exact.rows, strict=True)]))


class TestFlat(IndexContract):
    def make(self, folder: Path) -> Index:
        return FaissIndex(WIDTH)

    def vectors(self, count: int, seed: int) -> DenseVectors:
        return unit(count, seed)


class TestGraph(TestFlat):
    exact = False

    def make(self, folder: Path) -> Index:
        return FaissIndex(WIDTH, "HNSW16")


class TestLists(TestFlat):
    exact = False

    def make(self, folder: Path) -> Index:
        return FaissIndex(WIDTH, "IVF4,Flat")


@pytest.mark.parametrize("batch", [1, 2, 7, 33])
def test_ties_go_to_the_lower_row_however_many_there_are(batch: int) -> None:
    index = FaissIndex(WIDTH)
    same = np.tile(unit(1, seed=3).values, (200, 1))
    index.add(rows(200)[::-1].copy(), DenseVectors(same))
    hits = index.search(DenseVectors(same[:batch]), 4)
    assert hits.rows.tolist() == [[0, 1, 2, 3]] * batch


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 1)), min_size=1, max_size=60), st.integers(1, 70), st.data()
)
def test_flat_is_brute_force_after_deletions(points: list[tuple[int, int]], k: int, data: st.DataObject) -> None:
    values: Float32Array = np.array(points, dtype=np.float32)
    index = FaissIndex(2)
    index.add(rows(len(values)), DenseVectors(values))
    dead = np.array(sorted(data.draw(st.sets(st.integers(0, len(values) - 1)))), dtype=np.int64)
    index.delete(dead)
    queries = np.array([[1, 2], [0, 0], [-3, 1]], dtype=np.float32)
    kept = np.setdiff1d(rows(len(values)), dead)
    expected = Hits.ranked(np.tile(kept, (3, 1)), queries @ values[kept].T, k)
    hits = index.search(DenseVectors(queries), k)
    np.testing.assert_array_equal(hits.rows, expected.rows)
    np.testing.assert_array_equal(hits.scores, expected.scores)
    assert len(index) == len(kept)


@pytest.mark.parametrize(("factory", "least"), [("HNSW16", 0.95), ("IVF32,Flat", 0.85), ("IVF8,PQ8x4", 0.4)])
def test_approximate_indexes_find_most_of_what_flat_finds(factory: str, least: float) -> None:
    queries = unit(50, seed=2)
    exact = filled("Flat").search(queries, 10)
    assert recall(filled(factory).search(queries, 10), exact) >= least


def test_more_probes_find_more() -> None:
    queries = unit(50, seed=2)
    exact = filled("Flat").search(queries, 10)
    few, all_lists = (filled("IVF32,Flat", parameters=f"nprobe={lists}").search(queries, 10) for lists in (1, 32))
    assert recall(few, exact) < 0.6
    assert recall(all_lists, exact) == 1.0


@pytest.mark.parametrize("factory", ["Flat", "HNSW16", "IVF8,Flat"])
def test_deleted_items_make_room_for_the_next_best(factory: str) -> None:
    index, queries = filled(factory, 300), unit(1, seed=2)
    order = FaissIndex(WIDTH)
    order.add(rows(300), unit(300, seed=1))
    ranking = order.search(queries, 300).rows[0]
    index.delete(ranking[:100])
    assert len(index) == 200
    assert not set(index.search(queries, 300).rows[0]) & set(ranking[:100])
    assert index.search(queries, 5).mask.all()
    if factory == "Flat":
        assert index.search(queries, 5).rows[0].tolist() == ranking[100:105].tolist()


def test_a_deleted_row_may_come_back_with_another_vector() -> None:
    index, new = filled("Flat", 10), unit(1, seed=9)
    index.delete(np.array([4]))
    index.add(np.array([4]), new)
    assert len(index) == 10
    hits = index.search(new, 10)
    assert hits.rows[0, 0] == 4
    assert (hits.rows[0] == 4).sum() == 1


@pytest.mark.parametrize("factory", ["Flat", "HNSW16", "IVF8,Flat", "IVF8,PQ4x4"])
def test_what_is_saved_opens_equal_and_can_grow(factory: str, tmp_path: Path) -> None:
    index, queries = filled(factory), unit(9, seed=2)
    index.delete(np.array([3, 1999]))
    index.save(tmp_path / "index")
    opened = FaissIndex.open(tmp_path / "index")
    assert len(opened) == len(index) == 1998
    np.testing.assert_array_equal(opened.search(queries, 10).rows, index.search(queries, 10).rows)
    opened.add(np.array([5000]), unit(1, seed=8))
    assert 5000 in opened.search(unit(1, seed=8), 3).rows
    assert len(opened) == 1999


def test_training_is_the_same_every_time() -> None:
    first, again = (filled("IVF8,PQ4x4").search(unit(20, seed=2), 10) for _ in range(2))
    np.testing.assert_array_equal(first.rows, again.rows)


def test_an_empty_index_and_an_empty_batch_have_no_hits() -> None:
    assert FaissIndex(WIDTH).search(unit(2, seed=2), 3).rows.tolist() == [[-1] * 3] * 2
    assert filled("Flat", 5).search(unit(0, seed=2), 3).rows.shape == (0, 3)
    emptied = filled("Flat", 5)
    emptied.delete(rows(5))
    assert (emptied.search(unit(1, seed=2), 3).rows == -1).all()


@pytest.mark.parametrize("factory", ["Flatt", "PQ5", "LSH"])
def test_a_factory_string_that_faiss_cannot_build_is_refused_at_once(factory: str) -> None:
    with pytest.raises(ValueError, match=f"cannot build '{factory}'"):
        FaissIndex(WIDTH, factory)


def test_parameters_of_another_kind_of_index_are_refused() -> None:
    with pytest.raises(ValueError, match="efSearch=128 for HNSW"):
        FaissIndex(WIDTH, "Flat", parameters="nprobe=4")


def test_too_few_vectors_to_train_is_said_clearly() -> None:
    with pytest.raises(ValueError, match="too few to train 'IVF64,Flat'"):
        filled("IVF64,Flat", 10)


def test_wrong_vectors_are_refused() -> None:
    index = filled("Flat", 5)
    with pytest.raises(ValueError, match="width 16, not DenseVectors of 3"):
        index.search(DenseVectors(np.zeros((1, 3), np.float32)), 1)
    sparse = SparseVectors(np.zeros(2, np.int64), np.empty(0, np.int32), np.empty(0, np.float32), WIDTH)
    with pytest.raises(ValueError, match="not SparseVectors"):
        index.search(sparse, 1)
    with pytest.raises(ValueError, match="not finite"):
        index.add(np.array([7]), DenseVectors(np.full((1, WIDTH), np.nan, np.float32)))
    with pytest.raises(ValueError, match="all distinct"):
        index.add(np.array([7, 7]), unit(2, seed=1))
    with pytest.raises(KeyError, match="77"):
        index.delete(np.array([1, 77]))
    assert len(index) == 5


@pytest.mark.parametrize("damage", ["cut", "gone", "overwritten"])
def test_a_damaged_file_is_named(damage: str, tmp_path: Path) -> None:
    filled("Flat", 50).save(tmp_path / "index")
    path = tmp_path / "index" / "vectors.faiss"
    data = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(data[:100] if damage == "cut" else b"x" * len(data))
    with pytest.raises(CorruptError, match=r"vectors\.faiss"):
        FaissIndex.open(tmp_path / "index")


class TestNearest(TestFlat):
    """By distance, over vectors of one length, the ranking is that of inner products; scores are tested below."""

    exact = False

    def make(self, folder: Path) -> Index:
        return FaissIndex(WIDTH, similarity="l2")

    def test_gives_the_best_items_first(self, tmp_path: Path) -> None:
        index, rows, items = self._filled(tmp_path)
        assert isinstance(items, DenseVectors)
        asked = unit(7, seed=2)
        distances = ((asked.values[:, None, :] - items.values[None]) ** 2).sum(axis=2)
        expected = Hits.ranked(np.tile(rows, (7, 1)), -distances, 5)
        hits = index.search(asked, 5)
        np.testing.assert_array_equal(hits.rows, expected.rows)
        np.testing.assert_allclose(hits.scores, expected.scores, rtol=1e-5)


@pytest.mark.parametrize("factory", ["Flat", "HNSW16", "IVF4,Flat"])
def test_distances_are_squared_negative_and_kept_on_disk(factory: str, tmp_path: Path) -> None:
    """Vectors of any length: a long one far away is no hit, as it would be by inner product. Equal ones tie by row."""
    index = FaissIndex(1, factory, similarity="l2")
    index.add(rows(6), DenseVectors(np.array([[1], [2], [2], [3], [9], [100]], dtype=np.float32)))
    index.save(tmp_path / "index")
    for searched in (index, FaissIndex.open(tmp_path / "index")):
        hits = searched.search(DenseVectors(np.array([[2.0]], dtype=np.float32)), 4)
        assert hits.rows.tolist() == [[1, 2, 0, 3]]
        assert hits.scores.tolist() == [[0, 0, -1, -1]]


def test_by_the_cosine_the_direction_alone_counts_and_is_kept_on_disk(tmp_path: Path) -> None:
    """A long item along another direction comes after a short one along the query's; zero is like nothing."""
    index = FaissIndex(2, similarity="cosine")
    index.add(rows(4), DenseVectors(np.array([[0.1, 0.1], [90, 0], [0, 0], [-3, -3]], dtype=np.float32)))
    index.save(tmp_path / "index")
    for searched in (index, FaissIndex.open(tmp_path / "index")):
        hits = searched.search(DenseVectors(np.array([[7.0, 7.0]], dtype=np.float32)), 4)
        assert hits.rows.tolist() == [[0, 1, 2, 3]]
        np.testing.assert_allclose(hits.scores, [[1, 0.5**0.5, 0, -1]], atol=1e-6)


class TestFaiss(IndexMakerContract):
    def make(self) -> IndexMaker:
        return Faiss()

    def vectors(self, count: int, seed: int) -> DenseVectors:
        return unit(count, seed)

    def others(self) -> SparseVectors:
        return SparseVectors(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32), WIDTH)


class TestFaissLists(TestFaiss):
    def make(self) -> IndexMaker:
        return Faiss("IVF2,Flat")


class TestFaissNearest(TestFaiss):
    similarity = "l2"

    def make(self) -> IndexMaker:
        return Faiss(similarity="l2")


class TestFaissCosine(TestFaiss):
    similarity = "cosine"

    def make(self) -> IndexMaker:
        return Faiss(similarity="cosine")
