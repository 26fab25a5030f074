"""A memory: what a predictor writes becomes items of an overlay of the collection that it retrieves from.

items/   the overlay (`reml.collection.overlays`): it begins as the access model's collection, or empty
index/   what the retriever keeps of it
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch

from reml.access.storing.growing import growing
from reml.collection.columns import Column
from reml.collection.disk import DiskCollection, create_collection, open_collection
from reml.collection.overlays import begin_overlay, next_row, roll_back
from reml.collection.versions import MADE
from reml.contract.access import Entries, StorageHandler
from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import GrowingRetriever, Retriever
from reml.contract.vectors import Int64Array
from reml.files.atomic import MANIFEST
from reml.files.integrity.owned import Made, refuse_others

ITEMS, INDEX = "items", "index"


@checked()
@dataclass(frozen=True)
class CollectionMemory:
    """Settings of a memory of texts, each an item.

    Args:
        empty: it begins with nothing, so that only what was written is found; else as the access model's collection.
        title: of all that is written.
    """

    empty: bool = False
    title: str = ""

    @takes_paths
    def open(self, retriever: Retriever, folder: Path, version: int | None = None) -> StorageHandler:
        """Begin a memory, or go on at a version.

        `ValueError` for a retriever that cannot find what is written, or a collection that is not on disk.
        """
        grows, base = growing(retriever), _on_disk(retriever.collection)
        collection = self._at(version, base, folder)
        first = 0 if self.empty else next_row(base)
        return OpenMemory(collection, grows.over(collection, folder / INDEX, first), self.title)

    @takes_paths
    def collection(self, folder: Path) -> Collection:
        """Give what a memory holds, to be read."""
        return open_collection(folder / ITEMS)

    def _at(self, version: int | None, base: DiskCollection, folder: Path) -> DiskCollection:
        items = folder / ITEMS
        if version is not None and (items / MANIFEST).is_file():
            collection = open_collection(items)
            if collection.version == version:
                return collection
        refuse_others(folder, Made((f"{ITEMS}/*", f"{INDEX}/*") if items.is_dir() else (f"{ITEMS}/*",)))
        refuse_others(items, MADE)
        # The index goes first: killed in between, the next call finds the collection as it is now and comes here.
        shutil.rmtree(folder / INDEX, ignore_errors=True)
        if version is not None:
            return roll_back(items, version)
        shutil.rmtree(items, ignore_errors=True)
        return (
            create_collection(items, words=base.words, units=base.units) if self.empty else begin_overlay(base, items)
        )


@final
class OpenMemory:
    """A memory that is open: appends texts to its collection, which the retriever over it follows.

    Of one process at a time. What is stored is on disk at once; what was not committed is forgotten by who opens the
    last committed version.
    """

    def __init__(self, collection: DiskCollection, retriever: GrowingRetriever, title: str = "") -> None:
        self._collection, self._retriever, self._title = collection, retriever, title
        self._pending: list[Int64Array] = []

    @property
    def retriever(self) -> Retriever:
        """What finds in it."""
        return self._retriever

    @property
    def pending(self) -> Int64Array:
        """Rows that were stored since the last commit, ascending."""
        return np.concatenate([np.empty(0, dtype=np.int64), *self._pending])

    def store(self, entries: Entries) -> Int64Array:
        """Keep the texts of entries, each a page of its own, with their numbers; give their row ids, int64 [n].

        `ValueError` for a blank text, for states, and for entries that replace others.
        """
        if not len(entries):
            return np.empty(0, dtype=np.int64)
        _check(entries)
        values = {name: _column(column) for name, column in entries.values.items()}
        rows = self._collection.append_texts(entries.contents, self._title, values)
        self._pending.append(rows)
        self._retriever.catch_up()
        return rows

    def commit(self) -> int:
        """Let everyone find what was stored; give the version of the collection."""
        self._pending.clear()
        return self._collection.version


def _check(entries: Entries) -> None:
    if entries.states is not None or not entries.contents:
        raise ValueError(
            "a memory of texts keeps `contents`, which its retriever encodes, and no `states`: write texts, or give "
            "the access model a storage that keeps states."
        )
    if entries.at is not None or entries.erase is not None:
        raise ValueError("a memory of texts only takes new entries: leave out `at` and `erase`.")


def _column(values: torch.Tensor) -> Column:
    held = values.detach().cpu()
    column: Column = (held.float() if held.dtype == torch.bfloat16 else held).numpy()  # numpy has no bfloat16
    return column


def _on_disk(collection: Collection) -> DiskCollection:
    if not isinstance(collection, DiskCollection):
        raise ValueError(
            f"a memory begins with a collection on disk, not with a {type(collection).__name__}: build one "
            "(`reml.collection.disk.build_collection`)."
        )
    return collection
