from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.contract.retrieved import Hits
from reml.files.hits import ROWS, has_hits, open_hits, save_hits


def test_hits_come_back_as_they_were_written(tmp_path: Path) -> None:
    hits = Hits(np.array([[3, -1], [5, 6]]), np.array([[0.5, -np.inf], [2.0, 1.0]], dtype=np.float32))
    assert not has_hits(tmp_path)
    save_hits(tmp_path, hits)
    again = open_hits(tmp_path)
    assert has_hits(tmp_path)
    np.testing.assert_array_equal(again.rows, hits.rows)
    np.testing.assert_array_equal(again.scores, hits.scores)


def test_half_of_them_is_nothing(tmp_path: Path) -> None:
    """The rows are written first: a process killed between the two leaves no hits."""
    save_hits(tmp_path / "whole", Hits(np.array([[3]]), np.array([[0.5]], dtype=np.float32)))
    (tmp_path / "half").mkdir()
    (tmp_path / "whole" / ROWS).rename(tmp_path / "half" / ROWS)
    assert not has_hits(tmp_path / "half")
