"""Collections that begin as another one and go on by themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reml.collection.disk import DiskCollection, build_collection, open_collection
from reml.collection.overlays import begin_overlay, next_row, roll_back
from tests.memory_pages import numbered_page, numbered_pages


@pytest.fixture
def base(tmp_path: Path) -> DiskCollection:
    collection = build_collection(numbered_pages(4), tmp_path / "base")
    collection.delete(np.array([1, 3]))
    return collection


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_overlay_is_its_base_until_it_is_written_to(base: DiskCollection, tmp_path: Path) -> None:
    before = contents(base.folder)
    overlay = begin_overlay(base, tmp_path / "overlay")
    assert (overlay.fingerprint, overlay.version) == (base.fingerprint, base.version)
    assert overlay.get(overlay.rows()) == base.get(base.rows())
    assert overlay.append([numbered_page(9)]).tolist() == [4] == [next_row(base)], "no id is used again"
    assert overlay.changes_since(base.version).added.tolist() == [4]
    overlay.delete(np.array([0]))
    overlay.prune()
    overlay.verify()
    assert contents(base.folder) == before
    open_collection(base.folder).verify()


def test_an_overlay_outlives_what_its_base_prunes(base: DiskCollection, tmp_path: Path) -> None:
    overlay = begin_overlay(base, tmp_path / "overlay")
    base.append([numbered_page(number) for number in range(5, 12)])
    base.prune()
    open_collection(overlay.folder).verify()
    assert len(overlay) == 2


def test_rolling_back_forgets_what_came_later(base: DiskCollection, tmp_path: Path) -> None:
    overlay = begin_overlay(base, tmp_path / "overlay")
    overlay.append_texts(["first"])
    kept = overlay.version
    overlay.append_texts(["second"])
    overlay.append_texts(["third"])
    again = roll_back(overlay.folder, kept)
    assert (again.version, again.versions(), len(again)) == (kept, [2, 3], 3)
    assert again.append_texts(["other"]).tolist() == [5]
    assert [item.text for item in again.get(np.array([4, 5]))] == ["first", "other"]
    open_collection(overlay.folder).verify()
    with pytest.raises(ValueError, match="has no version 9"):
        roll_back(overlay.folder, 9)
