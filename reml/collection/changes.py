"""What came to a collection and what went since an index was built for it, so that the index can catch up."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.collection.disk import Changes, DiskCollection, open_collection
from reml.contract.collections import Collection
from reml.contract.vectors import Int64Array
from reml.files.atomic import StaleError
from reml.files.origin import Origin


def changes_since(origin: Origin, collection: Collection, *, index: Path) -> Changes:
    """Compare a collection with what it was when the index in a folder was built, which has this origin.

    `StaleError` if that was another collection, a newer version of it, or one that was pruned.
    """
    if collection.fingerprint == origin.collection:
        return Changes(_no_rows(), _no_rows())
    if not isinstance(collection, DiskCollection) or origin.version not in collection.versions():
        raise _stale(origin, index, "that version is not there: this is another collection, or it was pruned")
    if open_collection(collection.folder, origin.version).fingerprint != origin.collection:
        raise _stale(origin, index, "that version has other items: this is another collection")
    if origin.version > collection.version:
        raise _stale(origin, index, f"{collection!r} is an older version, `refresh()` moves it to the newest")
    return collection.changes_since(origin.version)


def _stale(origin: Origin, index: Path, reason: str) -> StaleError:
    return StaleError(
        f"the index in {index} was built for collection {origin.collection}, version {origin.version}, and {reason}. "
        "Delete that folder to have it built again, or name another."
    )


def _no_rows() -> Int64Array:
    return np.empty(0, dtype=np.int64)
