"""What came to a collection and what went since an index was built for it, so that the index can catch up."""

from __future__ import annotations

import numpy as np

from reml.collection import Changes, DiskCollection, open_collection
from reml.files import StaleError
from reml.protocols import Collection
from reml.retrieval import Origin
from reml.types import Int64Array


def changes_since(origin: Origin, collection: Collection) -> Changes:
    """Compare a collection with what it was when it had this origin.

    `StaleError` if that was another collection, a newer version of it, or one that was pruned.
    """
    if collection.fingerprint == origin.collection:
        return Changes(_none(), _none())
    if not isinstance(collection, DiskCollection) or origin.version not in collection.versions():
        raise _stale(origin, f"its version {origin.version} is not there (another collection, or pruned)")
    if open_collection(collection.folder, origin.version).fingerprint != origin.collection:
        raise _stale(origin, f"its version {origin.version} has the fingerprint of another one")
    if origin.version > collection.version:
        raise _stale(origin, f"{collection!r} is an older version: call its `refresh()`")
    return collection.changes_since(origin.version)


def _stale(origin: Origin, reason: str) -> StaleError:
    return StaleError(
        f"the index was built for version {origin.version} of the collection {origin.collection}, which cannot be "
        f"compared with the one given: {reason}. Delete the index to have it built again, or name another folder."
    )


def _none() -> Int64Array:
    return np.empty(0, dtype=np.int64)
