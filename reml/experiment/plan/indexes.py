"""Retrievers over a collection: an index of what an encoder makes of its items, as it comes or after it has learnt."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from reml.contract.collections import Collection
from reml.contract.predictors import Lender
from reml.contract.retrievers import EncoderIndexer, Indexer, Retriever, TrainableEncoder
from reml.experiment.plan.node import Node
from reml.experiment.trained.predictors import Predictors


class Encoding(Protocol):
    """Gives an encoder."""

    def encoder(self) -> TrainableEncoder:
        """Give the encoder, ready to encode."""


class Encoders(Encoding, Protocol):
    """Makes one encoder as often as it is asked, an object of its own each time, which may be trained."""

    @property
    def start(self) -> Path:
        """The folder that the encoder is made from (`TrainableIndexer.encoder`)."""


@dataclass(frozen=True, eq=False)
class Lent:
    """An encoder that a predictor lends, by its name there: one object, whose weights are the predictor's."""

    predictors: Predictors
    name: str

    def encoder(self) -> TrainableEncoder:
        """Ask the predictor for it; `ValueError` if it lends none."""
        predictor = self.predictors.on({})
        if not isinstance(predictor, Lender):
            raise ValueError(
                f"{type(predictor).__name__} lends no encoder: `lent` names a predictor that has an `encoder` "
                "(`reml.contract.predictors.Lender`), such as KnnLm."
            )
        return predictor.encoder(self.name)


def index(
    name: str, indexer: Indexer, collection: Node[Any], encoder: Node[Encoding] | None, *, keep: int | None = None
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


def lent(name: str, speaker: Node[Predictors], encoder: str) -> Node[Encoding]:
    """Give an encoder that a predictor lends."""
    return Node(kind="lent", name=name, open=Lent, inputs=(speaker,), given={"name": encoder})


def derived(name: str, retriever: Node[Retriever]) -> Node[Collection]:
    """Give the collection that a retriever made of the one it indexes (`DerivingIndexer`)."""
    return Node(kind="derived", name=name, open=_derived, inputs=(retriever,), keep=0)


def _derived(retriever: Retriever) -> Collection:
    return retriever.collection


def _index(folder: Path, collection: Collection, encoders: Encoding | None, *, indexer: Indexer) -> Retriever:
    if encoders is None or not isinstance(indexer, EncoderIndexer):
        return indexer.index(collection, folder / "index")
    retriever: Retriever = indexer.index_with(encoders.encoder(), collection, folder / "index")
    return retriever
