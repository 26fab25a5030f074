"""Making a retriever of an encoder and an index over a collection, on disk, whatever the encoder and the index."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TypeVar

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import Encoder, IndexMaker
from reml.files.atomic import digest
from reml.files.origin import Origin, build_once
from reml.index.encoded_shards import Shards, encode_collection

AnyEncoder = TypeVar("AnyEncoder", bound=Encoder)


@takes_paths
def index_encoded(
    encoder: AnyEncoder, maker: IndexMaker, collection: Collection, folder: Path, *, progress: bool = False
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
        paths = encode_collection(collection, encoder, shards, origin=encoded, progress=progress)
        maker.make(draft / "index", nothing.width, Shards(paths))

    build_once(folder, Origin.of(collection, digest(fingerprint, maker.fingerprint())), build)
    shutil.rmtree(shards, ignore_errors=True)
    return EncodedRetriever(collection, encoder, maker.open(folder / "index"))
