"""Segments are joined a part at a time: with the same files as at once, and without the rest of them in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from reml.index import impact, segment
from reml.index.impact import ImpactIndex
from reml.index.mapped import let_go
from tests.index.vectors import assert_same, brute_force, random_matrix, sparse

WIDTH, ROWS = 30, 700
MATRIX = random_matrix(ROWS, WIDTH, density=0.2, seed=5)
MATRIX[:, 7] = 0  # a dimension without postings
MATRIX[:, 3] += 1  # and one with more than a part


def files(folder: Path) -> dict[str, bytes]:
    (joined,) = folder.glob("segment-*/")
    return {file.name: file.read_bytes() for file in joined.glob("*.npy")}


def built(folder: Path) -> ImpactIndex:
    order = np.random.default_rng(6).permutation(ROWS)
    index = ImpactIndex.build(folder, WIDTH, ((rows, sparse(MATRIX[rows])) for rows in np.array_split(order, 5)))
    index.delete(np.arange(0, ROWS, 3))
    index.merge()
    index.commit()
    return index


@pytest.mark.parametrize("part", [1, 100, 500])
def test_an_index_is_the_same_whatever_is_joined_at_a_time(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impact, "GATHERED", 400)
    built(tmp_path / "once")
    monkeypatch.setattr(segment, "PART", part)
    gone: list[int] = []

    def watched(*arrays: npt.NDArray[Any]) -> None:
        gone.append(len(arrays))
        let_go(*arrays)

    monkeypatch.setattr(segment, "let_go", watched)
    index = built(tmp_path / "parts")
    assert len(gone) > 10, "in parts"
    assert files(tmp_path / "parts") == files(tmp_path / "once")
    kept = np.flatnonzero(np.arange(ROWS) % 3)
    asked = random_matrix(20, WIDTH, density=0.2, seed=8)
    assert_same(index.search(sparse(asked), 50), brute_force(asked, MATRIX[kept], kept, 50))


@pytest.mark.parametrize("part", [1, 3, 8, 100])
def test_parts_hold_each_dimension_once(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = np.cumsum([0, 5, 0, 20, 1, 1, 1, 7, 0])
    monkeypatch.setattr(segment, "PART", part)
    ranges = list(segment._parts(starts))
    assert [dimension for first, last in ranges for dimension in range(first, last)] == list(range(8))
    assert all(starts[last] - starts[first] <= part or last == first + 1 for first, last in ranges)


def resident() -> int:
    """Give the KiB of mapped files that count as this process's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile:"))


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="this system does not say what is in memory")
def test_pages_that_are_let_go_are_not_in_memory_and_not_lost(tmp_path: Path) -> None:
    pages = 1 << 14
    written = np.asarray(np.lib.format.open_memmap(tmp_path / "a.npy", mode="w+", dtype=np.int64, shape=(pages * 512,)))
    before = resident()
    written[::512] = np.arange(pages)
    assert resident() - before > 3 * pages
    let_go(written, np.arange(3))
    assert resident() - before < pages
    assert (written[::512] == np.arange(pages)).all()
    again = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert int(again[::512].sum()) == pages * (pages - 1) // 2
