"""What a BM25 folder holds, and how it follows its collection.

manifest.json        the state that is served; replacing it is what commits
counts-.../          term counts of the items that one commit added; never changed
state-.../           terms, statistics and deleted rows of one version of the collection
state-.../impacts-*  for each weighting that was asked for, an impact index of its weights

An item's weight depends on the average length, which every append and delete moves. So a commit analyses only what is
new, but computes the statistics, and then the impacts of all items, anew from the counts: what is served is a function
of the items that are there, and cannot drift from a fresh build. The price is that a commit of one item costs as much
as one of many, a pass over all postings; another k1, b, variant, delta or title weight costs the same once. In
CPU-seconds for a million passages of 100 words, on two threads 12 and 13 by the clock: 19 to read and count text, 13 to
make impacts of counts. On disk 0.3 GB of counts and 0.5 GB of impacts. Counts of deleted items stay until
they are a quarter of all, or until commits have left many small files: that commit then writes the counts anew, without
them. The terms of deleted items stay, as terms of no item.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reml.access.indexing import warn_of_wordless
from reml.collection.changes import changes_since
from reml.collection.disk import Changes
from reml.contract.collections import Collection
from reml.contract.vectors import Int64Array
from reml.devices.progress import tracked
from reml.files.atomic import CorruptError, StaleError, atomic_folder, digest, locked
from reml.files.integrity.checked import CheckedFile
from reml.files.links import link_folder
from reml.files.origin import Origin
from reml.retrievers.bm25.counts import BATCH, KeptCounts, Statistics, compact_counts, keep_counts
from reml.retrievers.bm25.state import State, write_state
from reml.retrievers.bm25.weighting import Weighting
from reml.text.analysis import Analyser, Vocabulary

if TYPE_CHECKING:
    from reml.index.impact import ImpactIndex

# From this share of deleted items, and from so many more files than batches of items, counts are written anew: seldom
# enough that it costs less than what each commit reads and writes anyway.
COMPACTED_SHARE = 0.25
COMPACTED_FILES = 64


@dataclass(frozen=True, eq=False, slots=True)
class Opened:
    """What a retriever serves from."""

    vocabulary: Vocabulary
    statistics: Statistics
    index: ImpactIndex


@dataclass(frozen=True, slots=True)
class BM25Folder:
    """A folder of counts made by an analyser, of the titles too if told so, and of the impacts made from them.

    fields: whether titles are counted apart, so that any title weight can be served.
    """

    path: Path
    analyser: Analyser
    title: bool
    fields: bool = False

    def follow(self, collection: Collection) -> None:
        """Take in what the collection gained and lost since the last commit, or all of it; then commit.

        Killed at any instant, the former state stays. `StaleError` if the folder was built with another analyser or for
        another collection, or if that was pruned since; `LockedError` while another process does the same.
        """
        if not (self.path.is_dir() and any(self.path.iterdir())):
            nothing = State(Origin("", 0, self._fingerprint))
            everything = Changes(collection.rows(), np.empty(0, dtype=np.int64))
            with atomic_folder(self.path) as draft:
                self._take(draft, nothing, collection, everything)
        elif self._fitting().origin.collection != collection.fingerprint:
            with locked(self.path):
                state = self._fitting()
                changes = changes_since(state.origin, collection, index=self.path)
                self._take(self.path, state, collection, changes)

    def begin_as(self, other: BM25Folder) -> None:
        """Take over what another folder holds, unless there is something here; no byte of it is written again."""
        if self.path.is_dir():
            return
        with locked(other.path, wait=lambda: None), atomic_folder(self.path) as draft:
            link_folder(other.path, draft)

    def open(self, collection: Collection, weighting: Weighting) -> Opened:
        """Open the last commit; the impacts of a weighting that was not asked for before are computed and kept.

        `StaleError` if the commit is of a later version, or of another collection.
        """
        state = State.read(self.path)
        changes_since(state.origin, collection, index=self.path)
        try:
            return self._open(state, weighting)
        except (CorruptError, FileNotFoundError):
            # Another process may have committed, and removed this state, since it was read.
            if State.read(self.path) == state:
                raise
        return self.open(collection, weighting)

    @property
    def _fingerprint(self) -> str:
        return digest("bm25 counts", self.analyser.fingerprint, "fields" if self.fields else self.title)

    def _fitting(self) -> State:
        state = State.read(self.path)
        if state.origin.encoder != self._fingerprint:
            raise StaleError(
                f"the BM25 index in {self.path} was built with another analyser, or one of other rules for words "
                "(docs/text.md), or with titles that were left out, counted with the texts or counted apart, and are "
                "not now. Delete that folder to have it built again, "
                "or name another."
            )
        return state

    def _take(self, folder: Path, before: State, collection: Collection, changes: Changes) -> None:
        before.check(folder)
        vocabulary = Vocabulary(self.analyser, before.terms(folder))
        counts = (*before.counts, *self._count(folder, collection, changes.added, vocabulary))
        deleted = np.union1d(before.deleted(folder), changes.deleted)
        kept = KeptCounts([folder / file.name for file in counts], deleted, self.fields)
        statistics = kept.statistics(len(vocabulary))
        if _scattered(kept, statistics):
            counts, deleted = self._compacted(folder, kept), np.empty(0, dtype=np.int64)
        name = _new("state")
        files = write_state(folder / name, vocabulary.terms, statistics, deleted)
        State(Origin.of(collection, self._fingerprint), name, counts, tuple(files)).commit(folder)

    def _count(
        self, folder: Path, collection: Collection, added: Int64Array, vocabulary: Vocabulary
    ) -> tuple[CheckedFile, ...]:
        if not len(added):
            return ()
        name = _new("counts")
        batches = tracked(
            collection.batches(BATCH, int(added[0])), "count words", unit="items", size=len, total=len(added)
        )
        wordless = keep_counts(folder / name, batches, vocabulary, title=self.title, fields=self.fields)
        warn_of_wordless(collection, [wordless])
        return _checked(folder, name)

    def _compacted(self, folder: Path, kept: KeptCounts) -> tuple[CheckedFile, ...]:
        name = _new("counts")
        compact_counts(folder / name, kept)
        return _checked(folder, name)

    def _open(self, state: State, weighting: Weighting) -> Opened:
        from reml.index.impact import ImpactIndex  # which loads numba

        state.check(self.path)
        statistics = state.statistics(self.path)
        impacts = self.path / state.name / f"impacts-{weighting.fingerprint}"
        if not impacts.is_dir():
            with locked(self.path):
                state.check(self.path)  # nobody removes it from here on
                _weigh(state.kept(self.path, fields=self.fields), weighting, statistics, impacts)
        vocabulary = Vocabulary(self.analyser, state.terms(self.path))
        try:
            return Opened(vocabulary, statistics, ImpactIndex.open(impacts))
        except CorruptError as error:
            raise CorruptError(f"{error} Delete {impacts} to have that done.") from error


def _weigh(kept: KeptCounts, weighting: Weighting, statistics: Statistics, folder: Path) -> None:
    """Build the impact index of a weighting."""
    from reml.index.impact import ImpactIndex  # which loads numba

    width, average = len(statistics.frequencies), statistics.at(weighting.title_weight).average
    parts = kept.weighted(weighting.title_weight)
    with atomic_folder(folder) as draft:
        ImpactIndex.build(draft, width, ((rows, weighting.weigh(counts, average, width)) for rows, counts in parts))


def _scattered(kept: KeptCounts, statistics: Statistics) -> bool:
    """Say whether many of the counts are of deleted items, or in many small files."""
    deleted, batches = len(kept.deleted), statistics.items / BATCH
    many_deleted = deleted > 0 and deleted >= COMPACTED_SHARE * (statistics.items + deleted)
    return many_deleted or len(kept.files) >= batches + COMPACTED_FILES


def _checked(folder: Path, name: str) -> tuple[CheckedFile, ...]:
    """Put the files of a folder of counts on record, in their order."""
    return tuple(CheckedFile.of(folder, f"{name}/{path.name}") for path in sorted((folder / name).iterdir()))


def _new(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(6)}"
