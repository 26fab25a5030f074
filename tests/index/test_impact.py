from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.contract.retrievers import Index, IndexMaker
from reml.contract.vectors import DenseVectors, Float32Array, SparseVectors
from reml.files.atomic import CorruptError, LockedError, StaleError
from reml.index import impact
from reml.index.impact import Impact, ImpactIndex
from reml.index.maxscore import find_best, new_scratch
from reml.index.postings import Terms
from reml.index.segment import Segment
from reml.testing import IndexContract, IndexMakerContract
from tests.index.vectors import assert_same, brute_force, random_matrix, sparse

WIDTH = 40


class TestImpactIndexContract(IndexContract):
    def make(self, folder: Path) -> Index:
        return ImpactIndex(WIDTH)

    def vectors(self, count: int, seed: int) -> SparseVectors:
        return sparse(random_matrix(count, WIDTH, density=0.3, seed=seed))


class TestImpact(IndexMakerContract):
    def make(self) -> IndexMaker:
        return Impact()

    def vectors(self, count: int, seed: int) -> SparseVectors:
        matrix = np.random.default_rng(seed).random((count, WIDTH), dtype=np.float32)
        return sparse(matrix / np.linalg.norm(matrix, axis=1, keepdims=True))

    def others(self) -> DenseVectors:
        return DenseVectors(np.zeros((1, WIDTH), dtype=np.float32))


def test_scores_by_hand() -> None:
    index = ImpactIndex(4)
    index.add(np.array([7, 3, 5]), sparse(np.array([[1, 2, 0, 0], [0, 0.5, 0, 3], [0, 2, 0, 0]], dtype=np.float32)))
    hits = index.search(sparse(np.array([[0, 2, 0, 1], [0, 0, 1, 0]], dtype=np.float32)), 4)
    # Row 3: 2 x 0.5 + 1 x 3 = 4; rows 5 and 7: 2 x 2 = 4. All tie, so the lower row comes first.
    assert hits.rows.tolist() == [[3, 5, 7, -1], [-1, -1, -1, -1]]
    assert hits.scores.tolist() == [[4, 4, 4, -np.inf], [-np.inf] * 4]


@settings(deadline=None, max_examples=150)
@given(
    items=st.integers(0, 300),
    queries=st.integers(1, 5),
    width=st.integers(1, 60),
    density=st.sampled_from([0.02, 0.2, 0.9]),
    k=st.integers(1, 400),
    parts=st.integers(1, 4),
    deleted=st.floats(0, 1),
    kept=st.floats(0, 1) | st.none(),
    seed=st.integers(0, 1000),
)
def test_equals_brute_force(  # noqa: PLR0917 - hypothesis gives them by name
    items: int,
    queries: int,
    width: int,
    density: float,
    k: int,
    parts: int,
    deleted: float,
    kept: float | None,
    seed: int,
) -> None:
    generator = np.random.default_rng(seed)
    matrix, asked = (random_matrix(n, width, density=density, seed=seed + n) for n in (items, queries))
    rows = generator.permutation(1000)[:items].astype(np.int64)
    index = ImpactIndex(width)
    for part in np.array_split(np.arange(items), parts):
        index.add(rows[part], sparse(matrix[part]))
        index.search(sparse(asked), 1)
    gone = generator.random(items) < deleted
    index.delete(rows[gone])
    allowed = generator.random(items) < (1 if kept is None else kept)
    found = index.search(sparse(asked), k, rows=None if kept is None else rows[allowed])
    assert len(index) == (~gone).sum()
    assert_same(found, brute_force(asked, matrix[~gone & allowed], rows[~gone & allowed], k))


@pytest.mark.parametrize("k", [1, 10, 1000, 10_000])
def test_equals_brute_force_over_many_blocks(k: int) -> None:
    matrix = random_matrix(30_000, 50, density=0.05, seed=1, levels=4)
    asked = random_matrix(40, 50, density=0.1, seed=2)
    index = ImpactIndex(50, threads=2)
    index.add(np.arange(30_000), sparse(matrix))
    assert_same(index.search(sparse(asked), k), brute_force(asked, matrix, np.arange(30_000), k))


def _skewed(rows: int, width: int, seed: int) -> Float32Array:
    """Make rows as text makes them: few dimensions are in most rows, with small weights; most are rare and heavy."""
    generator = np.random.default_rng(seed)
    shares = 0.6 / np.arange(1, width + 1)
    there = generator.random((rows, width)) < shares
    weights = generator.gamma(2, -np.log(shares), (rows, width))
    return (there * weights).astype(np.float32)


@pytest.mark.parametrize("k", [1, 10, 100, 2000])
@pytest.mark.parametrize("kept", [1.0, 0.3])
def test_equals_brute_force_where_bounds_spare_most_postings(k: int, kept: float) -> None:
    matrix, asked = _skewed(40_000, 60, seed=7), (_skewed(30, 60, seed=8) > 0).astype(np.float32)
    rows = np.random.default_rng(9).permutation(100_000)[:40_000].astype(np.int64)
    index = ImpactIndex(60)
    for part in (slice(0, 35_000), slice(35_000, 40_000)):
        index.add(rows[part], sparse(matrix[part]))
        index.search(sparse(asked), 1)
    chosen = np.random.default_rng(10).random(40_000) < kept
    if kept < 1:
        index.delete(rows[~chosen])
    found = index.search(sparse(asked), k)
    expected = brute_force(asked, matrix[chosen], rows[chosen], k)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-6)
    np.testing.assert_array_equal(found.rows, expected.rows)


def test_few_postings_are_touched_for_a_rare_and_a_common_dimension() -> None:
    """Wrong impacts in the common dimension's postings do not show: they are passed over, once rare ones suffice."""
    matrix = np.zeros((50_000, 2), dtype=np.float32)
    matrix[:, 0] = 0.5
    matrix[::1000, 1] = 9 + np.arange(50)
    segment = Segment.invert(np.arange(50_000), sparse(matrix))
    broken = segment.postings.impacts.copy()
    common = slice(segment.postings.starts[0], segment.postings.starts[1])
    broken[common][np.arange(50_000) % 1000 != 0] = 1e6
    keys = np.zeros((1, 10), dtype=np.uint64)
    terms = Terms(np.array([0, 2]), np.array([0, 1], np.int32), np.ones(2, np.float32), np.zeros(1, np.float32))
    broken.flags.writeable = False
    postings = segment.postings._replace(impacts=broken)
    find_best(postings, segment.bounds, np.empty(0, np.bool_), terms, keys, new_scratch())
    scores = (keys >> np.uint64(32)).astype(np.uint32).view(np.float32)
    assert scores[0].tolist() == [9 + 49 - place + 0.5 for place in range(10)]


def test_one_query_has_the_same_hits_as_in_a_batch_on_two_threads() -> None:
    generator = np.random.default_rng(3)
    matrix = random_matrix(5_000, 50, density=0.1, seed=3) * generator.random((5_000, 50), dtype=np.float32)
    asked = random_matrix(64, 50, density=0.2, seed=4) * generator.random((64, 50), dtype=np.float32)
    index = ImpactIndex(50, threads=2)
    index.add(np.arange(5_000), sparse(matrix))
    batch = index.search(sparse(asked), 20)
    for query in range(64):
        alone = index.search(sparse(asked[query : query + 1]), 20)
        assert alone.rows.tolist() == batch.rows[query : query + 1].tolist()
        assert alone.scores.tolist() == batch.scores[query : query + 1].tolist()


@pytest.mark.parametrize(
    ("dimensions", "weights", "problem"),
    [
        ([0, 2], [1, -1], "negative"),
        ([0, 2], [1, np.nan], "not a number"),
        ([0, 2], [1, np.inf], "infinite"),
        ([0, 3], [1, 1], "outside 0 to 2"),
        ([-1, 2], [1, 1], "outside 0 to 2"),
        ([2, 0], [1, 1], "ascending"),
        ([1, 1], [1, 1], "distinct"),
    ],
)
def test_refuses_vectors_that_are_not_valid(dimensions: list[int], weights: list[float], problem: str) -> None:
    wrong = SparseVectors(
        np.array([0, 0, 2], dtype=np.int64), np.array(dimensions, np.int32), np.array(weights, np.float32), 3
    )
    index = ImpactIndex(3)
    with pytest.raises(ValueError, match=f"vector 1 of 2.*{problem}"):
        index.add(np.array([1, 2]), wrong)
    with pytest.raises(ValueError, match=f"vector 1 of 2.*{problem}"):
        index.search(wrong, 1)
    assert len(index) == 0


def test_refuses_ragged_indptr() -> None:
    wrong = SparseVectors(np.array([0, 2, 1, 2]), np.array([0, 1], np.int32), np.ones(2, np.float32), 3)
    with pytest.raises(ValueError, match=r"vector 1 of 3.*indptr"):
        ImpactIndex(3).add(np.arange(3), wrong)


def test_refuses_what_does_not_fit() -> None:
    index = ImpactIndex(3)
    ones = sparse(np.ones((2, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="0 to 2"):
        ImpactIndex(-1)
    with pytest.raises(ValueError, match="4 dimensions, the index has 3"):
        index.add(np.arange(2), sparse(np.ones((2, 4), dtype=np.float32)))
    with pytest.raises(ValueError, match="DenseVectors"):
        index.search(DenseVectors(np.ones((2, 3), dtype=np.float32)), 1)
    with pytest.raises(ValueError, match="one row id for each"):
        index.add(np.arange(3), ones)
    with pytest.raises(ValueError, match="0 or more"):
        index.add(np.array([0, -4]), ones)
    with pytest.raises(ValueError, match="twice"):
        index.add(np.array([4, 4]), ones)
    with pytest.raises(KeyError, match="9"):
        index.delete(np.array([9]))
    with pytest.raises(ValueError, match="build"):
        index.commit()


def test_a_deleted_row_may_come_back_with_another_vector() -> None:
    index = ImpactIndex(2)
    index.add(np.array([1]), sparse(np.array([[1, 0]], dtype=np.float32)))
    index.delete(np.array([1]))
    index.add(np.array([1]), sparse(np.array([[0, 1]], dtype=np.float32)))
    hits = index.search(sparse(np.eye(2, dtype=np.float32)), 1)
    assert hits.rows.tolist() == [[-1], [1]]


MATRIX = random_matrix(600, WIDTH, density=0.2, seed=5)
ASKED = random_matrix(8, WIDTH, density=0.3, seed=6)
ROWS = np.arange(600, dtype=np.int64)


def _built(folder: Path, rows: slice = slice(0, 600)) -> ImpactIndex:
    parts = [part for part in np.array_split(ROWS[rows], 3) if len(part)]
    return ImpactIndex.build(folder, WIDTH, ((part, sparse(MATRIX[part])) for part in parts))


def test_build_spills_merges_and_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impact, "GATHERED", 1000)
    built, opened = _built(tmp_path / "index"), ImpactIndex.open(tmp_path / "index")
    for index in (built, opened):
        assert len(index) == 600
        assert_same(index.search(sparse(ASKED), 30), brute_force(ASKED, MATRIX, ROWS, 30))
    assert "1 segments" in repr(opened)
    assert len(list((tmp_path / "index").glob("segment-*"))) == 1, "spilled segments are swept"
    opened.verify()


def test_an_empty_index_is_built_and_opened(tmp_path: Path) -> None:
    _built(tmp_path / "index", slice(0, 0))
    index = ImpactIndex.open(tmp_path / "index")
    assert len(index) == 0
    assert (index.search(sparse(ASKED), 3).rows == -1).all()


def test_changes_are_seen_by_others_at_the_commit(tmp_path: Path) -> None:
    writer = _built(tmp_path / "index", slice(0, 400))
    before = ImpactIndex.open(tmp_path / "index")
    writer.add(ROWS[400:], sparse(MATRIX[400:]))
    writer.delete(ROWS[100:200])
    kept = np.delete(ROWS, slice(100, 200))
    old, new = brute_force(ASKED, MATRIX[:400], ROWS[:400], 50), brute_force(ASKED, MATRIX[kept], kept, 50)
    assert_same(writer.search(sparse(ASKED), 50), new)
    assert_same(ImpactIndex.open(tmp_path / "index").search(sparse(ASKED), 50), old)
    writer.commit()
    assert_same(ImpactIndex.open(tmp_path / "index").search(sparse(ASKED), 50), new)
    writer.merge()
    writer.commit()
    after = ImpactIndex.open(tmp_path / "index")
    assert "1 segments" in repr(after)
    assert_same(after.search(sparse(ASKED), 50), new)
    # The segment it reads has been swept from the folder, not from under it.
    assert_same(before.search(sparse(ASKED), 50), old)


def test_appended_and_merged_equals_rebuilt_to_the_byte(tmp_path: Path) -> None:
    _built(tmp_path / "whole")
    parts = ImpactIndex.build(tmp_path / "parts", WIDTH, [])
    for part in (ROWS[1::2], ROWS[::2]):
        parts.add(part, sparse(MATRIX[part]))
        parts.commit()
    parts.merge()
    parts.commit()
    whole, merged = (next((tmp_path / name).glob("segment-*")) for name in ("whole", "parts"))
    for file in whole.iterdir():
        assert (merged / file.name).read_bytes() == file.read_bytes(), file.name


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    _built(tmp_path / "index")
    first, second = ImpactIndex.open(tmp_path / "index"), ImpactIndex.open(tmp_path / "index")
    first.delete(ROWS[:1])
    with pytest.raises(LockedError, match="another process"):
        second.delete(ROWS[1:2])
    first.commit()
    with pytest.raises(StaleError, match="open it again"):
        second.delete(ROWS[1:2])
    third = ImpactIndex.open(tmp_path / "index")
    third.delete(ROWS[1:2])
    third.commit()
    assert len(ImpactIndex.open(tmp_path / "index")) == 598


def test_readers_go_on_while_a_writer_commits(tmp_path: Path) -> None:
    _built(tmp_path / "index", slice(0, 100))
    # Kernels are compiled here, once: two threads that compile trip over a fault of Python 3.11's own parser.
    ImpactIndex.open(tmp_path / "index").search(sparse(ASKED), 40)
    stop, faults = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            index = ImpactIndex.open(tmp_path / "index")
            size = len(index)
            found = index.search(sparse(ASKED), 40)
            try:
                assert_same(found, brute_force(ASKED, MATRIX[:size], ROWS[:size], 40))
            except AssertionError as fault:
                faults.append(fault)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        writer = ImpactIndex.open(tmp_path / "index")
        for start in range(100, 600, 50):
            writer.add(ROWS[start : start + 50], sparse(MATRIX[start : start + 50]))
            if start % 100:
                writer.merge()
            writer.commit()
    finally:
        stop.set()
        reader.join()
    assert not faults


def test_damage_is_reported(tmp_path: Path) -> None:
    index = _built(tmp_path / "index")
    file = next((tmp_path / "index").glob("segment-*/impacts.npy"))
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(CorruptError, match=r"impacts\.npy is not what was written"):
        index.verify()
    file.write_bytes(content[:-8])
    with pytest.raises(CorruptError, match=r"impacts\.npy has [\d,]+ bytes"):
        ImpactIndex.open(tmp_path / "index")
    file.unlink()
    with pytest.raises(CorruptError, match=r"impacts\.npy is missing"):
        ImpactIndex.open(tmp_path / "index")
    with pytest.raises(CorruptError, match="manifest"):
        ImpactIndex.open(tmp_path)
