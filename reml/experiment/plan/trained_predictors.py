"""Predictors as they come, and after their training."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console

from reml.access.composed_access import FoundAccess
from reml.access.limits import Limits
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Measure
from reml.contract.predictor_module import PredictorModule
from reml.contract.predictors import Predictor
from reml.contract.retrieved import Hits
from reml.devices.device import default_device
from reml.evaluation.kilt import evaluate
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.hits import Model
from reml.experiment.plan.identity import identity
from reml.experiment.plan.node import Node
from reml.experiment.settings.experiment import TrainOn
from reml.experiment.settings.settings_of import settings_of
from reml.files.atomic import digest
from reml.training.data.relevance_sampling import evidence_retrieved
from reml.training.data.sets import DevSet, RetrievedExamples, TrainSet
from reml.training.data.task_prefix import with_task
from reml.training.regimes.regimes import Independent
from reml.training.settings import Training


class Speaker(Protocol):
    """A predictor that can be asked."""

    def on(self, collection: Collection) -> Predictor:
        """Give the one object that all share, ready to predict from items of a collection."""


@dataclass(frozen=True, eq=False)
class Predictors:
    """Makes a predictor as often as it is asked. folder: of its training; as it comes if left out.

    prepared: keeps, for each collection, what is computed once of its items.
    """

    maker: Callable[[], PredictorModule]
    seed: int
    prepared: Path
    folder: Path | None = None
    _last: dict[str, str] = field(default_factory=dict)

    def new(self, collections: Sequence[Collection]) -> PredictorModule:
        """Make a predictor of its own, ready to predict from items of these collections."""
        torch.manual_seed(self.seed)
        predictor = self.maker()
        self.prepare(predictor, collections)
        if self.folder is not None:
            from reml.training.loop.fit import open_fitted  # with Lightning, which takes long to load

            open_fitted(Independent(predictor), self.folder)
        return predictor

    def prepare(self, predictor: Predictor, collections: Sequence[Collection]) -> None:
        """Let a predictor compute what it needs of all items, unless that is kept."""
        for one in collections:
            predictor.prepare({"": one}, self.prepared / self._kind)

    def begin(self, collection: Collection) -> PredictorModule:
        """Make a predictor of its own, on the GPU if there is one."""
        predictor = self.new([collection])
        predictor.to(default_device()).eval()
        return predictor

    def on(self, collection: Collection) -> Predictor:
        """Give the predictor that all share."""
        if self._last.get("collection") != collection.fingerprint:
            self.prepare(self._shared, [collection])
            self._last["collection"] = collection.fingerprint
        return self._shared

    @cached_property
    def _shared(self) -> PredictorModule:
        predictor = self.new([])
        predictor.to(default_device()).eval()
        return predictor

    @cached_property
    def _kind(self) -> str:
        return digest(identity(settings_of(self.maker)))


@dataclass(frozen=True, eq=False)
class Material:
    """What a predictor learns from and is judged by, of one task; or its nodes.

    asked: opens the access model, for asks that were not answered ahead.
    """

    collection: Any
    examples: Any
    hits: Any
    dev_examples: Any
    dev_hits: Any
    asked: Any

    @property
    def nodes(self) -> list[Node[Any]]:
        """The nodes, in order."""
        return [self.collection, self.examples, self.hits, self.dev_examples, self.dev_hits, self.asked]


PARTS = len(fields(Material))


@dataclass(frozen=True, eq=False)
class FoundAs:
    """The access model that answered ahead: its name, its collection, and what opens it for other asks."""

    name: str
    collection: Collection
    asked: Callable[[], Model]


def untrained(maker: Callable[[], PredictorModule], seed: int, prepared: Path) -> Node[Predictors]:
    """Give a predictor as it comes."""
    return Node(
        kind="predictors",
        name="the predictor as it comes",
        open=Predictors,
        given={"maker": maker, "seed": seed},
        beside={"prepared": prepared},
    )


def trained(
    begun: Node[Predictors],
    tasks: Mapping[tuple[str, Measure], Material],
    *,
    source: TrainOn,
    k: int,
    training: Training,
    console: Console,
) -> Node[Predictors]:
    """Give a predictor after its training on tasks, by name and measure. k: items it is judged with."""
    return Node(
        kind="models",
        name="train the predictor",
        make=_train,
        open=_open,
        inputs=(begun, *(node for material in tasks.values() for node in material.nodes)),
        given={
            "tasks": [list(task) for task in tasks],
            "source": source,
            "k": k,
            "training": training,
        },
        beside={"console": console},
        opens=1,
    )


def _open(folder: Path, begun: Predictors) -> Predictors:
    return replace(begun, folder=folder, _last={})


def _train(
    folder: Path,
    begun: Predictors,
    *materials: Any,
    tasks: Sequence[tuple[str, Measure]],
    source: TrainOn,
    k: int,
    training: Training,
    console: Console,
) -> None:
    from reml.training.loop.fit import fit

    learnt, dev, collections = [], [], []
    for (name, measure), start in zip(tasks, range(0, len(materials), PARTS), strict=True):
        material = Material(*materials[start : start + PARTS])
        access = FoundAs(source.access, material.collection, material.asked)
        read = functools.partial(_read, access, name if source.prefix else "")
        learnt.append(_learnable(read(material.examples, material.hits, source.k or k), material, source))
        dev.append(_judged(name, measure, read(material.dev_examples, material.dev_hits, k)))
        collections.append(material.collection)
    train = TrainSet.tempered([part for part in learnt if len(part)], source.temperature)
    regime = Independent(begun.new(list({one.fingerprint: one for one in collections}.values())))
    fit(regime, train, dev=dev, settings=training, folder=folder, console=console)


def _read(access: FoundAs, prefix: str, examples: Examples, hits: Hits, k: int) -> RetrievedExamples:
    """Let k items of the hits be handed over, to examples that may be shown under the name of their task."""
    shown = with_task(prefix, examples) if prefix else examples
    if not hits.k:
        return RetrievedExamples(shown, {}, {})
    found = FoundAccess(access.collection, Limits(depth=k, k=k), access.name, live=access.asked)
    return RetrievedExamples(shown, {access.name: hits.first(k)}, {access.name: found}, examples if prefix else None)


def _learnable(read: RetrievedExamples, material: Material, source: TrainOn) -> RetrievedExamples:
    read = _kept(read, _answered(read))
    if not source.relevant or not len(read):
        return read
    return _kept(read, evidence_retrieved(material.collection, read.examples, read.hits))


def _judged(name: str, measure: Measure, read: RetrievedExamples) -> DevSet:
    return DevSet(name, _kept(read, _answered(read)), functools.partial(_kilt_score, measure))


def _answered(read: RetrievedExamples) -> npt.NDArray[np.bool_]:
    return np.array([bool(example.answers) for example in read.examples], dtype=np.bool_)


def _kept(read: RetrievedExamples, kept: npt.NDArray[np.bool_]) -> RetrievedExamples:
    return read.only(np.flatnonzero(kept))


def _kilt_score(measure: Measure, examples: Sequence[Example], answers: Sequence[Answer]) -> float:
    return evaluate(examples, answers).kilt(measure)
