"""Rankers of an experiment: scorers as they come, and after their training on what access models found."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from rich.console import Console

from reml.contract.access import QueryGenerator
from reml.contract.collections import Collection
from reml.contract.retrievers import FittingScorer, Retriever, Scorer
from reml.contract.signals import Signal
from reml.devices.device import default_device
from reml.experiment.plan.hits import Rankers
from reml.experiment.plan.node import Node
from reml.experiment.settings.ranker import Ranker, SelectionTraining
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.experiment.settings.settings_of import made_anew, settings_of
from reml.experiment.trained.mined_lists import LISTS, Given, MinedLists
from reml.experiment.trained.rounds import Material, learn, training_of, until
from reml.training.regimes.ranking import Ranking, RankingObjective
from reml.training.regimes.selection import Cascading, Selection

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Untrained:
    """A scorer as it comes. settings: a scorer of the same settings, which stays as it is. collection: of its items."""

    settings: Scorer
    seed: int
    collection: Collection | None = None

    def scorer(self) -> Scorer:
        """Make the scorer, fitted to the collection where it is one that is."""
        scorer = self.unfitted()
        if isinstance(scorer, FittingScorer) and self.collection is not None:
            scorer.fit(self.collection)
        return scorer

    def unfitted(self) -> Scorer:
        """Make the scorer; what is random in it follows the seed."""
        torch.manual_seed(self.seed)
        scorer = made_anew(self.settings)
        _ = scorer.module
        return scorer


@dataclass(frozen=True, eq=False)
class Trained:
    """A scorer after a round of its training, or several. folder: of the last round."""

    folder: Path
    begun: Untrained
    settings: RetrieverTraining
    queries: QueryGenerator

    def scorer(self) -> Scorer:
        """Make the scorer, on the GPU if there is one."""
        return self.regime()[0]

    def regime(self) -> tuple[Scorer, Ranking]:
        """Make the scorer and the regime that trained it, and may go on to."""
        from reml.training.loop.fit import open_fitted  # with Lightning, which takes long to load

        scorer, regime = _begin(self.begun.unfitted(), self.settings, self.queries)
        open_fitted(regime, self.folder)
        regime.to(default_device())
        return scorer, regime


def untrained(name: str, scorer: Scorer, collection: Node[Any], seed: int) -> Node[Rankers]:
    """Give a ranker as it comes. collection: that it is fitted to, where it is one that is."""
    given = {"settings": scorer, "seed": seed}
    if not isinstance(scorer, FittingScorer):
        return Node(kind="rankers", name=name, open=Untrained, given=given)
    return Node(kind="rankers", name=name, open=_fitted, inputs=(collection,), given=given)


def trained(
    name: str,
    material: Material,
    before: Node[Rankers] | None,
    *,
    settings: RetrieverTraining,
    number: int,
    queries: QueryGenerator,
    seed: int,
    console: Console,
) -> Node[Rankers]:
    """Give the ranker after a round. before: after the round before, none for the first, `number` 0."""
    return Node(
        kind="models",
        name=name,
        make=_train,
        open=functools.partial(Trained, settings=settings, queries=queries),
        inputs=(material.start, before, *material.given),
        given={"number": number, "queries": queries, "seed": seed},
        beside={"settings": settings, "console": console},
        marks=until(settings, number),
        opens=1,
    )


@dataclass(frozen=True, eq=False)
class Selecting:
    """A scorer whose selector of windows learnt after all else. folder: of its training. before: all else."""

    folder: Path
    before: Trained
    settings: SelectionTraining
    queries: QueryGenerator

    def scorer(self) -> Scorer:
        """Make the scorer, on the GPU if there is one."""
        from reml.training.loop.fit import open_fitted  # with Lightning, which takes long to load

        scorer = self.before.begun.unfitted()
        regime = _selection(scorer, self.settings, self.queries)
        open_fitted(regime, self.folder)
        regime.to(default_device())
        return scorer


def selecting(
    name: str,
    material: Material,
    before: Node[Rankers],
    *,
    ranker: Ranker,
    queries: QueryGenerator,
    seed: int,
    console: Console,
) -> Node[Rankers]:
    """Give the ranker after the training of what selects windows. before: after all its rounds."""
    settings, train = ranker.selection, ranker.train
    assert settings is not None and train is not None  # noqa: S101, PT018 - asked only of such, which `Ranker` checks
    return Node(
        kind="models",
        name=name,
        make=_select,
        open=functools.partial(Selecting, settings=settings, queries=queries),
        inputs=(before, *material.given),
        given={"queries": queries, "seed": seed},
        beside={"settings": settings, "train": train, "console": console},
        marks={"selection": settings_of(settings, [SelectionTraining]), "train": until(train, len(train.all_rounds))},
        opens=1,
    )


def _fitted(collection: Collection, *, settings: Scorer, seed: int) -> Untrained:
    return Untrained(settings, seed, collection)


def _begin(scorer: Scorer, settings: RetrieverTraining, queries: QueryGenerator) -> tuple[Scorer, Ranking]:
    return scorer, Ranking(scorer, RankingObjective(settings.feedback, settings.regularisers, queries), 0)


def _train(
    folder: Path,
    begun: Untrained,
    before: Trained | None,
    *given: Any,
    settings: RetrieverTraining,
    number: int,
    queries: QueryGenerator,
    seed: int,
    console: Console,
) -> None:
    scorer, regime = _begin(begun.scorer(), settings, queries) if before is None else before.regime()
    _warn_of_pairs(scorer, settings)
    mined = MinedLists(Given(*given), settings, settings.all_rounds[number], queries, _finds_nothing, folder / LISTS)
    learn(regime, mined.parts(seed), settings, training_of(settings, number, seed), folder=folder, console=console)


def _selection(scorer: Scorer, settings: SelectionTraining, queries: QueryGenerator) -> Selection:
    return Selection(cast(Cascading, scorer), RankingObjective(settings.feedback, queries=queries), settings.best)


def _select(
    folder: Path,
    before: Trained,
    *given: Any,
    settings: SelectionTraining,
    train: RetrieverTraining,
    queries: QueryGenerator,
    seed: int,
    console: Console,
) -> None:
    mined = MinedLists(Given(*given), train, train.all_rounds[-1], queries, _finds_nothing, folder / LISTS)
    regime, training = _selection(before.scorer(), settings, queries), replace(settings.training, seed=seed)
    learn(regime, mined.parts(seed), train, training, folder=folder, console=console)


def _warn_of_pairs(scorer: Scorer, settings: RetrieverTraining) -> None:
    """Say how much a step costs where each query is scored with the items of the whole batch."""
    if Signal.IN_BATCH in settings.feedback.needs:
        queries = settings.training.batch_size // settings.training.accumulate
        _LOG.warning(
            "%s scores each of %d queries with all %d items of a batch, %d pairs at once: an objective on a query's "
            "own items (`in_batch: false`) scores %d.",
            type(scorer).__name__,
            queries,
            items := queries * settings.items_per_query,
            queries * items,
            items,
        )


def _finds_nothing() -> Retriever:
    raise AssertionError("`Ranker` refuses rounds on lists that it would have to find itself")
