"""Retrievers over a collection: an index of what an encoder makes of its items, as it comes or after it has learnt."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Protocol

from reml.contract.collections import Collection
from reml.contract.retrievers import Indexer, Retriever, TrainableEncoder, TrainableIndexer
from reml.experiment.plan.node import Node


class Encoders(Protocol):
    """Makes one encoder as often as it is asked, an object of its own each time, which may be trained."""

    @property
    def start(self) -> Path:
        """The folder that the encoder is made from (`TrainableIndexer.encoder`)."""

    def encoder(self) -> TrainableEncoder:
        """Make the encoder, ready to encode."""


def index(
    name: str, indexer: Indexer, collection: Node[Any], encoder: Node[Encoders] | None, *, keep: int | None = None
) -> Node[Retriever]:
    """Give a retriever over a collection. encoder: that has learnt; the indexer's own if left out."""
    return Node(
        kind="indexes",
        name=name,
        make=_index,
        open=functools.partial(_index, indexer=indexer),
        inputs=(collection, encoder),
        given={"indexer": indexer},
        opens=2,
        keep=keep,
    )


def derived(name: str, retriever: Node[Retriever]) -> Node[Collection]:
    """Give the collection that a retriever made of the one it indexes (`DerivingIndexer`)."""
    return Node(kind="derived", name=name, open=_derived, inputs=(retriever,), keep=0)


def _derived(retriever: Retriever) -> Collection:
    return retriever.collection


def _index(folder: Path, collection: Collection, encoders: Encoders | None, *, indexer: Indexer) -> Retriever:
    if encoders is None or not isinstance(indexer, TrainableIndexer):
        return indexer.index(collection, folder / "index")
    retriever: Retriever = indexer.index_with(encoders.encoder(), collection, folder / "index")
    return retriever
