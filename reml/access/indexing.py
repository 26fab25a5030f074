"""Making a retriever of an encoder and an index over a collection, on disk, whatever the encoder and the index."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import Encoder, Index, IndexMaker
from reml.contract.vectors import Int64Array, Representations, SparseVectors
from reml.devices.progress import tracked
from reml.files.atomic import CorruptError, digest
from reml.files.origin import Origin, build_once
from reml.index.encoded_shards import Shards, encode_collection

_LOG = logging.getLogger(__name__)
AnyEncoder = TypeVar("AnyEncoder", bound=Encoder)


@takes_paths
def index_encoded(
    encoder: AnyEncoder, maker: IndexMaker, collection: Collection, folder: Path
) -> EncodedRetriever[AnyEncoder]:
    """Encode and index a collection in `folder`, in bounded memory, or open the index if it is there and fits.

    A killed call leaves what it encoded beside the folder, and the next one goes on from there. `StaleError` if the
    folder was built for another collection, version of it, encoder or index; `ValueError`, before anything is encoded,
    if the index does not take what the encoder gives.
    """
    nothing = encoder.encode_queries([])
    maker.check(nothing, encoder.similarity)
    fingerprint = encoder.fingerprint()
    shards = folder.parent / f".{folder.name}.encoded"

    def build(draft: Path) -> None:
        encoded = Origin.of(collection, fingerprint)
        paths = encode_collection(collection, encoder, shards, origin=encoded)
        watched = _Watched(Shards(paths), len(collection))
        maker.make(draft / "index", nothing.width, watched)
        warn_of_wordless(collection, watched.empty)

    build_once(folder, Origin.of(collection, digest(fingerprint, maker.fingerprint())), build)
    shutil.rmtree(shards, ignore_errors=True)
    return EncodedRetriever(collection, encoder, open_made(maker, folder))


def open_made(maker: IndexMaker, folder: Path) -> Index:
    """Open the index of a retriever's folder that was made of a collection; `CorruptError` says how it is made anew."""
    try:
        return maker.open(folder / "index")
    except CorruptError as error:
        raise CorruptError(f"{error} Delete {folder} to have that done.") from error


def warn_of_wordless(collection: Collection, rows: Sequence[Int64Array]) -> None:
    """Say in the log how many texts, if any, no query finds, and name the first. rows: theirs, in parts."""
    count = sum(map(len, rows))
    if not count:
        return
    named = ", ".join(f"{item.page_id!r} (row {item.row})" for item in collection.get(np.concatenate(rows)[:3]))
    _LOG.warning(
        "%d of %d texts hold no word that is searched for, so that no query finds them; of the pages %s%s. "
        "docs/text.md says what a word is.",
        *(count, len(collection), named, ", ..." if count > 3 else ""),
    )


@dataclass
class _Watched:
    """Shards that remember, of the last time they were read, the rows of items to which no dimension belongs."""

    shards: Shards
    total: int
    empty: list[Int64Array] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[Int64Array, Representations]]:
        self.empty = []
        for rows, vectors in tracked(self.shards, "index", unit="items", size=_rows, total=self.total):
            if isinstance(vectors, SparseVectors):
                self.empty.append(rows[np.diff(vectors.indptr) == 0])
            yield rows, vectors


def _rows(shard: tuple[Int64Array, Representations]) -> int:
    return len(shard[0])
