from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reml.benchmarks.speed.costs import drop_from_cache, size_of, timed

METERED = """
import numpy as np
from reml.benchmarks.speed.costs import Meter
meter = Meter()
first = meter.read()
array = np.ones(40_000_000, dtype=np.uint8)  # touched: 40 MB
assert array.sum() == 40_000_000
cost = meter.read()
assert 0 <= first.wall <= cost.wall
assert cost.cpu > first.cpu >= 0
assert cost.peak >= first.base + 30_000_000, cost
assert cost.base == first.base > 1_000_000
"""


def test_the_meter_counts_from_when_it_is_made() -> None:
    """In a process of its own, as it is used: one that has done other work may give memory back meanwhile."""
    subprocess.run([sys.executable, "-c", METERED], check=True)


def test_work_is_timed_once() -> None:
    done: list[int] = []
    wall, cpu = timed(lambda: done.append(1))
    assert done == [1]
    assert wall > 0
    assert cpu >= 0


def test_files_are_counted_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"12345")
    (tmp_path / "c").write_bytes(b"123")
    assert size_of(tmp_path) == 8


def test_dropped_files_are_out_of_memory_and_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * (PAGES * mmap.PAGESIZE // 256)
    files = [tmp_path / "a" / "b", tmp_path / "c"]
    files[0].parent.mkdir()
    for file in files:
        file.write_bytes(content)
    skip_where_the_kernel_cannot_tell(tmp_path)
    assert [resident(file) for file in files] == [PAGES, PAGES], "just written"
    drop_from_cache(tmp_path)
    assert [resident(file) for file in files] == [0, 0]
    assert all(file.read_bytes() == content for file in files)


PAGES = 64
TMPFS = {"tmpfs", "ramfs"}


def skip_where_the_kernel_cannot_tell(folder: Path) -> None:
    """Skip where `mincore` is not there or takes never-read pages for resident, or where files live in memory only."""
    if sys.platform != "linux":
        pytest.skip("mincore is asked on Linux only")
    unread = folder / "unread"
    with unread.open("wb") as stream:
        os.truncate(stream.fileno(), PAGES * mmap.PAGESIZE)
    told = resident(unread)
    unread.unlink()
    if told:
        pytest.skip("this kernel takes pages that were never read for resident")
    if filesystem(folder) in TMPFS:
        pytest.skip(f"files of {folder} live in memory only: they cannot be dropped from it")


def filesystem(folder: Path) -> str:
    """Name the kind of the file system that a folder is on, by the longest mount point above it."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(len(Path(point).parts), kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
    return max(above, default=(0, ""))[1]


def resident(file: Path) -> int:
    """Count the pages of a file that are in memory."""
    mincore = ctypes.CDLL(None, use_errno=True).mincore
    pages = -(-file.stat().st_size // mmap.PAGESIZE)
    told = (ctypes.c_ubyte * pages)()
    # A private copy, which nobody writes into: the address of a read-only mapping cannot be had.
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        start = ctypes.c_char.from_buffer(mapped)
        failed = mincore(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(mapped)), told)
        del start
    assert failed == 0, os.strerror(ctypes.get_errno())
    return sum(page & 1 for page in told)
