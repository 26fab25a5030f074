"""Encoders of retrievers after they have learnt from the feedback of a predictor, which may learn with them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from torch import nn

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.query_side import FrozenItems, QuerySideEncoder
from reml.contract.access import QueryGenerator
from reml.contract.collections import Collection
from reml.contract.predictor_module import PredictorModule
from reml.contract.predictors import Predictor
from reml.contract.retrievers import Indexer, Retriever, TrainableEncoder, TrainableIndexer
from reml.contract.signals import Signal
from reml.devices.device import default_device
from reml.experiment.plan.indexes import Encoders
from reml.experiment.plan.node import Node
from reml.experiment.plan.predictor_signals import Lists
from reml.experiment.settings.access_feedback import AccessFeedback
from reml.experiment.trained.predictors import Predictors
from reml.feedback.judges.judges import Judges
from reml.feedback.judges.teacher import Teacher
from reml.files.weights import load_weights
from reml.training.data.sets import TrainSet
from reml.training.refresh.index_versions import Rebuild
from reml.training.refresh.live_examples import LiveExamples, LiveRetrieval
from reml.training.refresh.live_index import LiveIndex
from reml.training.refresh.policies import RefreshedIndex
from reml.training.regimes.regimes import Regime
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.regimes.signal_cache import CachedPredictor
from reml.training.scale.gradient_cache import with_gradient_cache
from reml.training.scale.shared_items import SharedItems

# Trained retrievers that are kept open: a study has many, each with a model of its own.
OPEN = 2


@dataclass(frozen=True, eq=False)
class Taught:
    """What a training has made: an encoder, and a predictor where that was asked at each step.

    learner: makes the encoder as it was before.
    """

    folder: Path
    learner: Encoders
    speaker: Predictors | None
    collection: Collection

    @property
    def start(self) -> Path:
        """The folder that the encoder is made from."""
        return self.learner.start

    def encoder(self) -> TrainableEncoder:
        """Make the encoder."""
        return self._made()[0]

    def begin(self, collections: Mapping[str, Collection]) -> Predictor:
        """Make the predictor that learnt with the encoder, one of its own each time."""
        if self.speaker is None:
            raise ValueError("no predictor learnt with this retriever: choose feedback.regime joint.")
        predictor = self._made()[1]
        assert predictor is not None  # noqa: S101 - there is a speaker
        self.speaker.prepare(predictor, collections)
        return predictor

    def _made(self) -> tuple[TrainableEncoder, PredictorModule | None]:
        from reml.training.loop.fit import WEIGHTS  # with Lightning, which takes long to load

        encoder = self.learner.encoder()
        parts, predictor = nn.ModuleDict({"retriever": encoder.module}), None
        if self.speaker is not None:
            predictor = parts["predictor"] = self.speaker.new({"": self.collection})
        load_weights(parts, self.folder / WEIGHTS)
        parts.eval().to(default_device())
        return encoder, predictor


@dataclass(frozen=True, eq=False)
class Material:
    """What a training is made of, or its nodes.

    learner: makes the encoder that learns. base: its retriever before. items: vectors that stay, where queries alone
    learn. lists: by task. signals: files of what is said of them, by task; none where the predictor is asked at each
    step. speaker: the predictor, where it is asked. teachers: by the names that the judge calls them.
    """

    learner: Any
    base: Any
    speaker: Any
    items: Any
    lists: Any
    signals: Any
    teachers: Any

    @property
    def nodes(self) -> list[Node[Any] | None]:
        """The nodes, in order; what a trained one is opened with comes first."""
        return [self.learner, self.base, self.speaker, self.items, self.lists, self.signals, self.teachers]


def taught(
    name: str,
    material: Material,
    *,
    settings: AccessFeedback,
    indexer: Indexer,
    queries: QueryGenerator,
    temperature: float,
    seed: int,
    console: Console,
) -> Node[Taught]:
    """Give the encoder, and the predictor, after the feedback."""
    return Node(
        kind="models",
        name=name,
        make=_train,
        open=functools.partial(_open, live=settings.live),
        inputs=material.nodes,
        given={"settings": settings, "indexer": indexer, "queries": queries, "temperature": temperature, "seed": seed},
        beside={"console": console},
        opens=3,
        keep=OPEN,
    )


def frozen_items(base: Node[Retriever]) -> Node[FrozenItems]:
    """Give the vectors of items by the encoder of a retriever, which all share that learn its queries."""
    return Node(kind="frozen", name=f"vectors of {base.name}", open=_freeze, inputs=(base,))


def query_side(name: str, base: Node[Retriever], items: Node[FrozenItems], made: Node[Taught]) -> Node[Retriever]:
    """Give a retriever whose queries learnt, over the index that was there."""
    return Node(kind="query sides", name=name, open=_query_side, inputs=(base, items, made), keep=OPEN)


def _open(folder: Path, learner: Encoders, base: Retriever, speaker: Predictors | None, *, live: bool) -> Taught:
    return Taught(folder, learner, speaker if live else None, _encoded(base).collection)


def _freeze(base: Retriever) -> FrozenItems:
    return FrozenItems(_trainable(_encoded(base)))


def _query_side(base: Retriever, items: FrozenItems, made: Taught) -> Retriever:
    return _scoring(_encoded(base), made.encoder(), items)


def _encoded(retriever: Retriever) -> EncodedRetriever[Any]:
    if not isinstance(retriever, EncodedRetriever):
        raise ValueError(
            f"the retriever of a learner is a {type(retriever).__name__}; one that learns from feedback is an "
            "encoder and an index (`reml.access.encoded_retriever.EncodedRetriever`)."
        )
    return retriever


def _trainable(retriever: EncodedRetriever[Any]) -> TrainableEncoder:
    assert isinstance(retriever.encoder, TrainableEncoder)  # noqa: S101 - its indexer is a `TrainableIndexer`
    return retriever.encoder


def _scoring(
    base: EncodedRetriever[Any], encoder: TrainableEncoder, items: FrozenItems | None
) -> EncodedRetriever[Any]:
    """Let an encoder score and search: over the items as they are, or encoding them itself."""
    scored = encoder if items is None else QuerySideEncoder(encoder, items)
    return EncodedRetriever(base.collection, scored, base.index)


def _learning(base: EncodedRetriever[Any], settings: AccessFeedback) -> EncodedRetriever[Any]:
    """Let an encoder score as it does, with a gradient cache; in-batch negatives are encoded once for all devices."""
    cached = with_gradient_cache(_trainable(base), settings.training.gradient_cache)
    learnt = SharedItems(cached) if Signal.IN_BATCH in settings.asks else cached
    return EncodedRetriever(base.collection, learnt, base.index)


def _train(
    folder: Path,
    *opened: Any,
    settings: AccessFeedback,
    indexer: Indexer,
    queries: QueryGenerator,
    temperature: float,
    seed: int,
    console: Console,
) -> None:
    from reml.training.loop.fit import fit

    given = Material(*opened)
    encoder = given.learner.encoder()
    scoring = _scoring(_encoded(given.base), encoder, given.items)
    asked = _asked(settings, given.speaker, scoring.collection)
    objective = RetrieverObjective(
        _learning(scoring, settings),
        encoder.module,
        settings.feedback,
        queries=queries,
        weight=settings.weight,
        temperature=temperature,
        judges=_judges(settings, asked, given.teachers),
    )
    regime = _regime(settings, objective, asked, _cached(given.lists, given.signals))
    rebuild = functools.partial(_rebuild, indexer, scoring.collection, given.learner.start)
    train = _train_set(settings, given.lists, scoring, queries=queries, rebuild=rebuild)
    fit(regime, train, dev=[], settings=replace(settings.training, seed=seed), folder=folder, console=console)


def _asked(settings: AccessFeedback, speaker: Predictors | None, collection: Collection) -> Predictor | None:
    """Give the predictor that is asked while training goes on, one of its own."""
    if speaker is None:
        return None
    return speaker.begin({settings.learner: collection})


def _judges(settings: AccessFeedback, asked: Predictor | None, teachers: Mapping[str, Teacher]) -> Judges:
    if settings.judge is None or asked is None:
        return Judges()
    return Judges(items=settings.judge.open(asked, teachers))


def _cached(lists: Mapping[str, Lists], signals: Mapping[str, Sequence[Path]] | None) -> CachedPredictor | None:
    """Give a predictor that repeats the signals of one that stays as it is."""
    if signals is None:
        return None
    return CachedPredictor([(one.read.examples, signals[name]) for name, one in lists.items()])


def _regime(
    settings: AccessFeedback, objective: RetrieverObjective, asked: Predictor | None, cached: CachedPredictor | None
) -> Regime:
    if cached is not None:
        return settings.make_regime(cached, {settings.lists: objective} if settings.beside else objective)
    assert asked is not None  # noqa: S101 - without what was said, the predictor is asked
    return settings.make_regime(asked, objective)


def _rebuild(indexer: Indexer, collection: Collection, start: Path) -> Rebuild[TrainableEncoder]:
    assert isinstance(indexer, TrainableIndexer)  # noqa: S101 - `Experiment` refuses others
    return Rebuild(indexer, collection, start)


def _train_set(
    settings: AccessFeedback,
    lists: Mapping[str, Lists],
    scoring: EncodedRetriever[Any],
    *,
    queries: QueryGenerator,
    rebuild: functools.partial[Rebuild[TrainableEncoder]],
) -> TrainSet:
    """Give what is learnt from: lists that are there, or retrieval at each step."""
    if not any(len(one.read) for one in lists.values()):
        raise ValueError(f"no train example of {', '.join(lists)} has a right answer, and no other can be learnt from.")
    if settings.refresh is None:
        return TrainSet.of(*(one.read for one in lists.values()))
    retrieval = LiveRetrieval(LiveIndex(scoring), settings.items, queries, settings.reembed)
    parts = [LiveExamples.of(one.read.examples, retrieval) for one in lists.values()]
    return replace(TrainSet.of(*parts), refreshed=RefreshedIndex(retrieval, settings.refresh, rebuild()))
