"""A collection built from a file of pages in this process, and what that cost."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from reml.benchmarks.speed.costs import Meter, drop_from_cache, size_of
from reml.benchmarks.speed.figures import Cost
from reml.collection.disk import build_collection
from reml.collection.sources.kilt_pages import JsonlPages
from reml.collection.versions import read_version


@dataclass(frozen=True, slots=True)
class Built:
    """A collection: its pages, passages and segments, the bytes it was read from and those it takes, what it cost."""

    pages: int
    passages: int
    segments: int
    source: int
    disk: int
    cost: Cost


def measure_build(source: Path, folder: Path, *, home: Path, segment_rows: int) -> Built:
    """Build a collection in `folder`, or go on with it; the file is read from the disk, not from the page cache.

    home: a folder for what reml remembers of the file, in place of the user's.
    """
    os.environ["REML_HOME"] = str(home)
    drop_from_cache(source.parent)
    meter = Meter()
    collection = build_collection(JsonlPages(source), folder, segment_rows=segment_rows)
    cost = meter.read()
    version = read_version(folder)
    return Built(version.pages, len(collection), len(version.segments), source.stat().st_size, size_of(folder), cost)
