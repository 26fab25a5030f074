"""Predictors as they come, and after their training."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from torch import nn

from reml.access.composed_access import FoundAccess
from reml.access.limits import Limits, Order
from reml.collection.disk import DiskCollection
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictor_module import PredictorMaker, PredictorModule
from reml.contract.predictors import Predictor
from reml.contract.retrieved import Hits
from reml.contract.tasks import Metric
from reml.devices.device import default_device
from reml.evaluation.metrics import measured
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.hits import Model
from reml.experiment.plan.node import Node
from reml.experiment.settings.identity import identity
from reml.experiment.settings.settings_of import settings_of
from reml.experiment.settings.train_on import TrainOn
from reml.files.atomic import digest
from reml.training.data.relevance_sampling import evidence_retrieved
from reml.training.data.sets import DevSet, RetrievedExamples, TrainSet
from reml.training.data.task_prefix import with_task
from reml.training.regimes.regimes import Independent
from reml.training.settings import Training

_LOG = logging.getLogger(__name__)


class Speaker(Protocol):
    """A predictor that can be asked."""

    def begin(self, collections: Mapping[str, Collection]) -> Predictor:
        """Give an object of its own, ready to predict from items of collections, by access model.

        It is as it came from its training: what was asked of another one before has left nothing in it.
        """


@dataclass(frozen=True, eq=False)
class Predictors:
    """Makes a predictor as often as it is asked. folder: of its training; as it comes if left out.

    prepared: keeps, for each collection, what is computed once of its items. learns: whether a training is asked for,
    so that it is known if this one comes without. `begin` warns, once, of weights that nothing has trained.
    """

    maker: PredictorMaker
    seed: int
    prepared: Path
    folder: Path | None = None
    learns: bool = True
    _known: set[str] = field(default_factory=set)
    _warned: list[str] = field(default_factory=list)

    def new(self, collections: Mapping[str, Collection]) -> PredictorModule:
        """Make a predictor of its own, ready to predict from items of these collections."""
        torch.manual_seed(self.seed)
        predictor = cast(PredictorModule, self.maker())
        self.prepare(predictor, collections)
        if self.folder is not None:
            from reml.training.loop.fit import open_fitted  # with Lightning, which takes long to load

            open_fitted(Independent(predictor), self.folder)
        return predictor

    def prepare(self, predictor: Predictor, collections: Mapping[str, Collection]) -> None:
        """Let a predictor compute what it needs of all items, unless that is kept."""
        if collections:
            predictor.prepare(collections, self.prepared / self._kind)

    def begin(self, collections: Mapping[str, Collection]) -> PredictorModule:
        """Make a predictor of its own, on the GPU if there is one, which nothing was asked of yet."""
        predictor = self.new(collections)
        predictor.to(default_device()).eval()
        if not self.learns and not self._warned and has_first_weights(predictor):
            self._warned.append(type(predictor).__name__)
            _LOG.warning("%s is not trained (no train_on): what it says is that of its first weights.", *self._warned)
        return predictor

    def on(self, collections: Mapping[str, Collection]) -> Predictor:
        """Give the predictor that all share."""
        new = {name: one for name, one in collections.items() if one.fingerprint not in self._known}
        self.prepare(self._shared, new)
        self._known.update(one.fingerprint for one in new.values())
        return self._shared

    @cached_property
    def _shared(self) -> PredictorModule:
        predictor = self.new({})
        predictor.to(default_device()).eval()
        return predictor

    @cached_property
    def _kind(self) -> str:
        return digest(identity(settings_of(self.maker)))


@dataclass(frozen=True, eq=False)
class Material:
    """What a predictor learns from and is judged by, of one task; or its nodes.

    collections, hits, dev_hits: one for each access model that is read. asked: opens each, for asks that were not
    answered ahead.
    """

    examples: Any
    dev_examples: Any
    collections: Any
    hits: Any
    dev_hits: Any
    asked: Any

    @property
    def nodes(self) -> list[Node[Any]]:
        """The nodes, in order."""
        return [self.examples, self.dev_examples, self.collections, self.hits, self.dev_hits, self.asked]


PARTS = len(fields(Material))


def has_first_weights(predictor: nn.Module) -> bool:
    """Tell whether a predictor has weights to be trained that are of no model of transformers, which comes trained."""
    weights = {id(one) for one in predictor.parameters() if one.requires_grad}
    if weights and "transformers" in sys.modules:  # or no such model is there; to import it takes seconds
        from transformers import PreTrainedModel

        models = (part for part in predictor.modules() if isinstance(part, PreTrainedModel))
        weights -= {id(one) for model in models for one in model.parameters()}
    return bool(weights)


def untrained(name: str, maker: PredictorMaker, seed: int, prepared: Path, *, learns: bool = True) -> Node[Predictors]:
    """Give a predictor as it comes. learns: whether the experiment trains it, here or elsewhere."""
    return Node(
        kind="predictors",
        name=name,
        open=Predictors,
        given={"maker": maker, "seed": seed},
        beside={"prepared": prepared, "learns": learns},
    )


def trained(
    name: str,
    begun: Node[Predictors],
    tasks: Mapping[str, Material],
    metrics: Sequence[Metric],
    *,
    source: TrainOn,
    limits: Mapping[str, Limits],
    training: Training,
    console: Console,
) -> Node[Predictors]:
    """Give a predictor after its training. metrics: of each task. limits: what it is judged with, by access model."""
    order = {name: one.order for name, one in limits.items() if one.order != Limits.order}
    return Node(
        kind="models",
        name=name,
        make=_train,
        open=_open,
        inputs=(begun, *(node for material in tasks.values() for node in material.nodes)),
        given={
            "tasks": list(zip(tasks, metrics, strict=True)),
            "source": source,
            "k": {name: one.k for name, one in limits.items()},
            "training": training,
            **({"order": order} if order else {}),  # no key of those without changes
        },
        beside={"console": console},
        opens=1,
    )


def _open(folder: Path, begun: Predictors) -> Predictors:
    return replace(begun, folder=folder, _known=set())


def _train(
    folder: Path,
    begun: Predictors,
    *materials: Any,
    tasks: Sequence[tuple[str, Metric]],
    source: TrainOn,
    k: Mapping[str, int],
    training: Training,
    console: Console,
    order: Mapping[str, Order] = MappingProxyType({}),
) -> None:
    from reml.training.loop.fit import fit

    learnt, dev = [], []
    collections: dict[str, Collection] = {}
    for (name, metric), start in zip(tasks, range(0, len(materials), PARTS), strict=True):
        material = Material(*materials[start : start + PARTS])
        there = dict(zip(source.names, material.collections, strict=True))
        asked = dict(zip(source.names, material.asked, strict=True))
        prefix, read = name if source.prefix else "", dict.fromkeys(k, source.k) if source.k is not None else k
        learning, judged = ({one: _limits(of[one], order.get(one)) for one in k} for of in (read, k))
        whole = _read(there, asked, prefix, material.examples, material.hits, learning)
        judging = _read(there, asked, prefix, material.dev_examples, material.dev_hits, judged)
        if source.mixed:
            learnt += [_learnable(whole.of_access(one), {"": there[one]}, source) for one in source.names]
            judging = judging.of_access(source.names[0])
        else:
            learnt.append(_learnable(whole, there, source))
        dev.append(_judged(name, metric, judging))
        collections |= {one.fingerprint: one for one in there.values()}
    if not any(map(len, learnt)):
        examples = {name: materials[place * PARTS] for place, (name, _) in enumerate(tasks)}
        raise ValueError(_nothing_learnt(examples, source, k))
    train = TrainSet.tempered([part for part in learnt if len(part)], source.temperature)
    fit(Independent(begun.new(collections)), train, dev=dev, settings=training, folder=folder, console=console)


def _read(
    collections: Mapping[str, Collection],
    asked: Mapping[str, Callable[[], Model]],
    prefix: str,
    examples: Examples,
    hits: Sequence[Hits],
    limits: Mapping[str, Limits],
) -> RetrievedExamples:
    """Let k items of each list be handed over, to examples that may be shown under the name of their task."""
    found = {name: one for name, one in zip(collections, hits, strict=True) if one.k}
    access = {name: FoundAccess(collections[name], limits[name], name, live=asked[name]) for name in found}
    ahead = {name: one.first(limits[name].k) for name, one in found.items()}
    return RetrievedExamples(
        with_task(prefix, examples) if prefix else examples, ahead, access, examples if prefix else None
    )


def _limits(k: int, order: Order | None) -> Limits:
    return Limits(k, k) if order is None else Limits(k, k, order=order)


def _learnable(
    read: RetrievedExamples, collections: Mapping[str, DiskCollection], source: TrainOn
) -> RetrievedExamples:
    read = _kept(read, _answered(read))
    if not source.relevant or not len(read):
        return read
    found = [evidence_retrieved(collections[name], read.examples, hits) for name, hits in read.ahead.items()]
    return _kept(read, np.logical_or.reduce(found)) if found else _kept(read, np.zeros(len(read), dtype=np.bool_))


def _nothing_learnt(examples: Mapping[str, Examples], source: TrainOn, k: Mapping[str, int]) -> str:
    """Say why no example can be learnt from. examples: of the train split, by task."""
    answered = {task: sum(bool(one.answers) for one in given) for task, given in examples.items()}
    counts = [f"{task} has {len(given)}, {answered[task]} of them with an answer" for task, given in examples.items()]
    lead = f"no train example can be learnt from: {'; '.join(counts)}"
    if not source.relevant or not any(answered.values()):
        return f"{lead}. Give a task a train split whose examples have answers."
    read = " and ".join(f"{name} ({source.k or k[name]} read)" for name in source.names)
    return (
        f"{lead}, and for none of these the evidence is among the items of {read}, as train_on.relevant asks. Leave "
        "out train_on.relevant, raise train_on.k, or train on an access model that finds the evidence."
    )


def _judged(name: str, metric: Metric, read: RetrievedExamples) -> DevSet:
    score = _DevScore(metric, name)
    return DevSet(name, _kept(read, _answered(read)), score, lambda: score.measure)


def _answered(read: RetrievedExamples) -> npt.NDArray[np.bool_]:
    return np.array([bool(example.answers) for example in read.examples], dtype=np.bool_)


def _kept(read: RetrievedExamples, kept: npt.NDArray[np.bool_]) -> RetrievedExamples:
    return read.only(np.flatnonzero(kept))


class _DevScore:
    """Scores answers to dev examples of a task. measure: what the newest score is the mean of."""

    def __init__(self, metric: Metric, task: str) -> None:
        self.measure, self._metric, self._task = metric.headline, metric, task

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> float:
        found = measured(examples, answers, by=self._metric, task=self._task)
        self.measure = found.dev_measure(self._metric.headline)
        return found.mean(self.measure)
