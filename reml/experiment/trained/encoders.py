"""Encoders of retrievers before they learn, and after each round of a training that comes before they index."""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from reml.access.similarity import EncoderScorer
from reml.contract.access import QueryGenerator
from reml.contract.collections import Collection
from reml.contract.retrievers import Retriever, TrainableEncoder, TrainableIndexer
from reml.devices.device import default_device
from reml.experiment.plan.indexes import Encoders
from reml.experiment.plan.node import Node
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.experiment.trained.mined_lists import LISTS, Given, MinedLists, check_start
from reml.experiment.trained.rounds import Material, learn, training_of, until
from reml.training.regimes.ranking import Ranking, RankingObjective
from reml.training.scale.gradient_cache import with_gradient_cache

INDEX = "index"
Indexing = TrainableIndexer[TrainableEncoder]


@dataclass(frozen=True, eq=False)
class Start:
    """An encoder before any training. start: the folder that keeps what it takes from the items."""

    start: Path
    collection: Collection
    indexer: Indexing
    seed: int

    def encoder(self) -> TrainableEncoder:
        """Make the encoder, an object of its own."""
        torch.manual_seed(self.seed)
        return self.indexer.encoder(self.collection, self.start)


@dataclass(frozen=True, eq=False)
class Trained:
    """An encoder after a round of its training, or several. folder: of the last round."""

    folder: Path
    begun: Start
    settings: RetrieverTraining
    queries: QueryGenerator

    @property
    def start(self) -> Path:
        """The folder that the encoder is made from."""
        return self.begun.start

    def encoder(self) -> TrainableEncoder:
        """Make the encoder, on the GPU if there is one."""
        return self.regime()[0]

    def regime(self) -> tuple[TrainableEncoder, Ranking]:
        """Make the encoder and the regime that trained it, and may go on to."""
        from reml.training.loop.fit import open_fitted  # with Lightning, which takes long to load

        encoder, regime = _begin(self.begun, self.settings, self.queries)
        open_fitted(regime, self.folder)
        regime.to(default_device())
        return encoder, regime


def start(name: str, indexer: Indexing, collection: Node[Any], seed: int) -> Node[Encoders]:
    """Give an encoder as it comes."""
    return Node(
        kind="starts",
        name=name,
        make=_start,
        open=functools.partial(_open_start, indexer=indexer, seed=seed),
        inputs=(collection,),
        given={"indexer": indexer, "seed": seed},
        opens=1,
    )


def trained(
    name: str,
    material: Material,
    before: Node[Encoders] | None,
    *,
    settings: RetrieverTraining,
    number: int,
    queries: QueryGenerator,
    seed: int,
    console: Console,
) -> Node[Encoders]:
    """Give the encoder after a round. before: after the round before, none for the first, `number` 0."""
    return Node(
        kind="models",
        name=name,
        make=_train,
        open=functools.partial(_open_trained, settings=settings, queries=queries),
        inputs=(material.start, before, *material.given),
        given={"number": number, "queries": queries, "seed": seed},
        beside={"settings": settings, "console": console},
        marks=until(settings, number),
        opens=1,
    )


def _start(folder: Path, collection: Collection, *, indexer: Indexing, seed: int) -> None:
    _open_start(folder, collection, indexer=indexer, seed=seed).encoder()


def _open_start(folder: Path, collection: Collection, *, indexer: Indexing, seed: int) -> Start:
    return Start(folder / "start", collection, indexer, seed)


def _open_trained(folder: Path, begun: Start, *, settings: RetrieverTraining, queries: QueryGenerator) -> Trained:
    return Trained(folder, begun, settings, queries)


def _begin(start: Start, settings: RetrieverTraining, queries: QueryGenerator) -> tuple[TrainableEncoder, Ranking]:
    encoder = start.encoder()
    teaching = RankingObjective(settings.feedback, settings.regularisers, queries)
    scorer = EncoderScorer(with_gradient_cache(encoder, settings.training.gradient_cache))
    return encoder, Ranking(scorer, teaching, len(start.collection))


def _train(
    folder: Path,
    start: Start,
    before: Trained | None,
    *given: Any,
    settings: RetrieverTraining,
    number: int,
    queries: QueryGenerator,
    seed: int,
    console: Console,
) -> None:
    def begin() -> tuple[TrainableEncoder, Ranking]:
        return _begin(start, settings, queries) if before is None else before.regime()

    def own() -> Retriever:
        """Index with the weights that the round starts with."""
        encoder, regime = begin()
        regime.eval().to(default_device())
        return start.indexer.index_with(encoder, start.collection, folder / INDEX)

    opened = functools.cache(own)
    if before is None:
        check_start(settings, Given(*given), queries, opened, seed)
    mined = MinedLists(Given(*given), settings, settings.all_rounds[number], queries, opened, folder / LISTS)
    learn(begin()[1], mined.parts(seed), settings, training_of(settings, number, seed), folder=folder, console=console)
    shutil.rmtree(folder / INDEX, ignore_errors=True)
