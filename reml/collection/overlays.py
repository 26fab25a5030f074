"""Overlays: collections that begin as a version of another one and go on by themselves.

An overlay links to the segments of its base, which never change, and keeps its row ids and its version: an index of the
base serves the first rows of the overlay, and may catch up with the rest. The base never learns of it.
"""

from __future__ import annotations

from pathlib import Path

from reml.collection.disk import DiskCollection
from reml.collection.versions import KIND, MADE, SEGMENTS, commit, read_version
from reml.files.atomic import atomic_folder, locked, write_manifest
from reml.files.links import link_file, link_folder


def begin_overlay(base: DiskCollection, folder: Path) -> DiskCollection:
    """Make a collection in `folder`, in place of what is there, that begins as the base is now; nothing is copied.

    `FileExistsError` if what is there is no collection.
    """
    version = read_version(base.folder, base.version)
    with atomic_folder(folder, MADE) as draft:
        for record in version.segments:
            link_folder(base.folder / SEGMENTS / record.name, draft / SEGMENTS / record.name)
        if version.deleted is not None:
            link_file(base.folder / version.deleted.name, draft / version.deleted.name)
        commit(draft, version)
    return DiskCollection(folder)


def roll_back(folder: Path, version: int) -> DiskCollection:
    """Make an older version the newest again: what was written after it is forgotten, its row ids are used anew.

    `ValueError` says which versions there are. For memories that nobody else reads: who has a later version open keeps
    rows that will mean something else.
    """
    with locked(folder):
        write_manifest(folder, KIND, read_version(folder, version).content())
    return DiskCollection(folder)


def next_row(collection: DiskCollection) -> int:
    """Give the row that the next new item would get."""
    return read_version(collection.folder, collection.version).next_row
