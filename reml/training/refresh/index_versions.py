"""The vectors that a training run searches, on disk, so that it goes on after a kill with the very same ones.

step-00000100/weights.safetensors   the encoder after 100 steps
              index/                the index of all that it makes of the items; the version is whole once it is there
step-00000120/vectors.safetensors   the rows that were made anew after 120 steps, and their vectors
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.collections import Collection
from reml.contract.retrievers import EncoderT, Index, TrainableIndexer
from reml.contract.vectors import Int64Array
from reml.files.weights import load_weights, save_weights
from reml.index.encoded_shards import read_shard, write_shard
from reml.training.refresh.live_index import LiveIndex

WEIGHTS, INDEX, VECTORS = "weights.safetensors", "index", "vectors.safetensors"


@dataclass(frozen=True, eq=False)
class Rebuild(Generic[EncoderT]):
    """Makes an index of weights, in whatever process.

    start: the folder that the encoder of the indexer is made from (`TrainableIndexer.encoder`).
    """

    indexer: TrainableIndexer[EncoderT]
    collection: Collection
    start: Path

    def __call__(self, folder: Path) -> Index:
        """Make the index of the weights in the folder of a version, or open it if it is there.

        `ValueError` if what the indexer gives is no encoder and index
        (`reml.access.encoded_retriever.EncodedRetriever`).
        """
        encoder = self.indexer.encoder(self.collection, self.start)
        load_weights(encoder.module, folder / WEIGHTS)
        encoder.module.eval()
        retriever = self.indexer.index_with(encoder, self.collection, folder / INDEX)
        if not isinstance(retriever, EncodedRetriever):
            raise ValueError(
                f"{type(self.indexer).__name__} gives a {type(retriever).__name__}, of which no index can be taken: "
                "choose a retriever that is an encoder and an index, such as Dense, or no refresh."
            )
        return retriever.index


class IndexVersions:
    """Versions of a live index in one folder, by the step of the encoder that made them.

    rebuild: makes the index of a version's folder, or opens it, as `Rebuild` does.
    """

    def __init__(self, folder: Path, rebuild: Callable[[Path], Index]) -> None:
        self.rebuild = rebuild
        self._folder = folder

    def begin(self, live: LiveIndex, step: int) -> Path:
        """Write the weights that a version is to be made of; give its folder, for `rebuild`."""
        folder = self.folder(step)
        save_weights(live.encoder.module, folder / WEIGHTS)
        return folder

    def encode(self, live: LiveIndex, step: int, rows: Int64Array) -> Path:
        """Write the vectors that the encoder gives these rows now; give the file, for `read_shard`."""
        return write_shard(self.folder(step) / VECTORS, live.collection.get(rows), live.encoder)

    def restore(self, live: LiveIndex, step: int) -> None:
        """Bring a live index, as training begins, to where it was after `step` steps; later versions are removed."""
        for other in self._steps():
            if other > step or not self._holds(other, INDEX, VECTORS):
                shutil.rmtree(self.folder(other))
        if not self.whole():
            return  # parts are made anew only in an index of the run's own
        newest = self.whole()[-1]
        live.swap(self.rebuild(self.folder(newest)), newest)
        for later in self._steps():
            if later > newest:
                live.replace(*read_shard(self.folder(later) / VECTORS), later)

    def forget(self, state: int) -> None:
        """Remove what is needed neither now nor to go on from the training state of step `state`."""
        newest = max(self.whole(), default=0)
        oldest = max((step for step in self.whole() if step <= state), default=0)
        for step in self._steps():
            if step < newest and not oldest <= step <= state:
                shutil.rmtree(self.folder(step))

    def whole(self) -> list[int]:
        """Give the steps of which there is an index of all items, ascending."""
        return [step for step in self._steps() if self._holds(step, INDEX)]

    def folder(self, step: int) -> Path:
        """Give the folder of a version."""
        return self._folder / f"step-{step:08d}"

    def _steps(self) -> list[int]:
        return sorted(int(path.name.removeprefix("step-")) for path in self._folder.glob("step-*"))

    def _holds(self, step: int, *names: str) -> bool:
        return any((self.folder(step) / name).exists() for name in names)
