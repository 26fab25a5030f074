"""Encoders of retrievers before they learn, and after each round of a training that comes before they index."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from reml.access.similarity import EncoderScorer
from reml.contract.access import QueryGenerator
from reml.contract.collections import Collection
from reml.contract.examples import Json
from reml.contract.retrieved import Hits
from reml.contract.retrievers import Retriever, TrainableEncoder, TrainableIndexer
from reml.devices.device import default_device
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.hits import Model
from reml.experiment.plan.indexes import Encoders
from reml.experiment.plan.mined_lists import Given, MinedLists, check_start
from reml.experiment.plan.node import Node
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.experiment.settings.settings_of import settings_of
from reml.feedback.judges.teacher import Teacher
from reml.training.data.ranked_examples import RankedExamples
from reml.training.data.samplers import Population
from reml.training.data.sets import DevSet, TrainSet
from reml.training.regimes.ranking import Ranking, RankingObjective
from reml.training.scale.gradient_cache import with_gradient_cache

LISTS, INDEX = "lists", "index"
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


@dataclass(frozen=True, eq=False)
class Material:
    """The nodes of `Given`, and the encoder that is trained."""

    start: Node[Encoders]
    collection: Node[Any]
    examples: Node[Mapping[str, Examples]]
    lists: Node[Any] | None = None
    lister: Node[Model] | None = None
    teacher: Node[Teacher] | None = None
    denoiser: Node[Teacher] | None = None

    @property
    def given(self) -> list[Node[Any] | None]:
        """All but the encoder, in the order of `Given`."""
        return [self.collection, self.examples, self.lists, self.lister, self.teacher, self.denoiser]


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
        marks=_until(settings, number),
        opens=1,
    )


def _until(settings: RetrieverTraining, number: int) -> Json:
    """Tell the settings without the rounds after this one: the weights do not depend on them."""
    told = settings_of(settings, [RetrieverTraining])
    assert isinstance(told, dict)  # noqa: S101 - the arguments of a class
    rounds = told.get("rounds")
    return {**told, "rounds": rounds[: number + 1]} if isinstance(rounds, list) else told


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
    from reml.training.loop.fit import fit

    def begin() -> tuple[TrainableEncoder, Ranking]:
        return _begin(start, settings, queries) if before is None else before.regime()

    def own() -> Retriever:
        """Index with the weights that the round starts with."""
        encoder, regime = begin()
        regime.eval().to(default_device())
        return start.indexer.index_with(encoder, start.collection, folder / INDEX)

    round_ = settings.all_rounds[number]
    opened = functools.cache(own)
    if before is None:
        check_start(settings, Given(*given), queries, opened, seed)
    mined = MinedLists(Given(*given), settings, round_, queries, opened, folder / LISTS)
    learnt, dev = held_out(mined.parts(seed), settings.held_out)
    # A seed of its own, or a round shorter than an epoch would see the examples that the one before has seen.
    training = replace(round_.of(settings.training), seed=seed + number)
    fit(begin()[1], in_order(learnt, settings), dev=dev, settings=training, folder=folder, console=console)
    shutil.rmtree(folder / INDEX, ignore_errors=True)


def held_out(parts: Mapping[str, RankedExamples], count: int) -> tuple[list[RankedExamples], list[DevSet]]:
    """Hold `count` examples of each task out to judge by; `ValueError` where that leaves none to learn from."""
    learnt, dev = [], []
    for name, part in parts.items():
        order = np.random.default_rng(0).permutation(len(part))
        if len(part) <= count:
            bare = len(part.examples) - len(part)
            why = f" ({bare} of its {len(part.examples)} have no item to learn from, such as evidence)" if bare else ""
            raise ValueError(
                f"{name} has {len(part)} examples to learn from{why}, and {count} of them are to be held out: "
                "lower `train.held_out`, or leave the task out of `train.tasks`."
            )
        learnt.append(part.only(np.sort(order[count:])))
        if count:
            dev.append(part.only(np.sort(order[:count])).dev_set(name))
    return learnt, dev


def in_order(parts: Sequence[RankedExamples], settings: RetrieverTraining) -> TrainSet:
    """Mix tasks by the sampler or the temperature of a training; without either, every example comes once an epoch."""
    if settings.sampler is None:
        return TrainSet.tempered(parts, settings.temperature)
    batch = settings.training.batch_size // settings.training.accumulate
    population = Population([len(part) for part in parts], batch, functools.partial(_found, parts))
    return TrainSet(parts, settings.sampler.make(population))


def _found(parts: Sequence[RankedExamples], k: int) -> Hits:
    found = [part.found(k) for part in parts]
    return Hits(np.concatenate([hits.rows for hits in found]), np.concatenate([hits.scores for hits in found]))
