"""A round of training a retriever or a ranker: the nodes that it learns from, and how it learns on mined lists."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from reml.contract.examples import Json
from reml.contract.retrieved import Hits
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.hits import Model
from reml.experiment.plan.node import Node
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.experiment.settings.settings_of import settings_of
from reml.feedback.judges.teacher import Teacher
from reml.training.data.ranked_examples import RankedExamples
from reml.training.data.samplers import Population
from reml.training.data.sets import DevSet, TrainSet
from reml.training.regimes.regimes import Regime
from reml.training.settings import Training


@dataclass(frozen=True, eq=False)
class Material:
    """The nodes of `Given`, and of what is trained, as it comes."""

    start: Node[Any]
    collection: Node[Any]
    examples: Node[Mapping[str, Examples]]
    lists: Node[Any] | None = None
    lister: Node[Model] | None = None
    teacher: Node[Teacher] | None = None
    denoiser: Node[Teacher] | None = None

    @property
    def given(self) -> list[Node[Any] | None]:
        """All but what is trained, in the order of `Given`."""
        return [self.collection, self.examples, self.lists, self.lister, self.teacher, self.denoiser]


def until(settings: RetrieverTraining, number: int) -> Json:
    """Tell the settings without the rounds after this one: the weights do not depend on them."""
    told = settings_of(settings, [RetrieverTraining])
    assert isinstance(told, dict)  # noqa: S101 - the arguments of a class
    rounds = told.get("rounds")
    return {**told, "rounds": rounds[: number + 1]} if isinstance(rounds, list) else told


def training_of(settings: RetrieverTraining, number: int, seed: int) -> Training:
    """Give how a round is trained. Its seed is its own: shorter than an epoch, it would see the former's examples."""
    return replace(settings.all_rounds[number].of(settings.training), seed=seed + number)


def learn(
    regime: Regime,
    parts: Mapping[str, RankedExamples],
    settings: RetrieverTraining,
    training: Training,
    *,
    folder: Path,
    console: Console,
) -> None:
    """Train on the lists of a round, in a folder that a killed call leaves its states in."""
    from reml.training.loop.fit import fit  # with Lightning, which takes long to load

    learnt, dev = held_out(parts, settings.held_out)
    fit(regime, in_order(learnt, settings), dev=dev, settings=training, folder=folder, console=console)


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
