from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.benchmarks.speed.costs import Meter, drop_from_cache, size_of, timed


def test_the_meter_counts_from_when_it_is_made() -> None:
    meter = Meter()
    first = meter.read()
    array = np.ones(40_000_000, dtype=np.uint8)  # touched: 40 MB
    assert array.sum() == 40_000_000
    cost = meter.read()
    assert 0 <= first.wall <= cost.wall
    assert cost.cpu > first.cpu >= 0
    assert cost.peak >= first.base + 30_000_000
    assert cost.base == first.base > 1_000_000


def test_work_is_timed_once() -> None:
    done: list[int] = []
    wall, cpu = timed(lambda: done.append(1))
    assert done == [1]
    assert wall > 0
    assert cpu >= 0


def test_files_are_counted_at_any_depth_and_stay_whole(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"12345")
    (tmp_path / "c").write_bytes(b"123")
    assert size_of(tmp_path) == 8
    drop_from_cache(tmp_path)
    assert (tmp_path / "a" / "b").read_bytes() == b"12345"
