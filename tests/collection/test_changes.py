from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reml.collection.changes import changes_since
from reml.collection.disk import DiskCollection, build_collection
from reml.files.atomic import StaleError
from reml.files.origin import Origin
from reml.testing import MemoryCollection
from tests.memory_pages import numbered_pages


def _origin(folder: Path) -> tuple[DiskCollection, Origin]:
    collection = build_collection(numbered_pages(3), folder)
    return collection, Origin.of(collection, "encoder")


def test_says_what_came_and_went(tmp_path: Path) -> None:
    collection, origin = _origin(tmp_path / "pages")
    same = changes_since(origin, collection, index=tmp_path)
    assert (same.added.tolist(), same.deleted.tolist()) == ([], [])
    collection.append_texts(["new", "newer", "newest"])
    collection.delete(np.array([1, 4]))
    changes = changes_since(origin, collection, index=tmp_path)
    assert (changes.added.tolist(), changes.deleted.tolist()) == ([3, 5], [1])


def test_the_same_items_elsewhere_have_not_changed(tmp_path: Path) -> None:
    _, origin = _origin(tmp_path / "pages")
    elsewhere, _ = _origin(tmp_path / "copied")
    assert len(changes_since(origin, elsewhere, index=tmp_path).added) == 0


def test_refuses_what_cannot_be_compared(tmp_path: Path) -> None:
    collection, origin = _origin(tmp_path / "pages")
    other = build_collection(numbered_pages(4), tmp_path / "others")
    for wrong in other, MemoryCollection(["a"]):
        with pytest.raises(StaleError, match=r"index-folder was built for collection .*Delete that folder"):
            changes_since(origin, wrong, index=tmp_path / "index-folder")
    collection.append_texts(["new"])
    with pytest.raises(StaleError, match="older version"):
        changes_since(Origin.of(collection, "encoder"), DiskCollection(collection.folder, 1), index=tmp_path)
    collection.prune()
    with pytest.raises(StaleError, match="pruned"):
        changes_since(origin, collection, index=tmp_path)
