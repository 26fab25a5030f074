"""The stages of an experiment that train the retrievers of its access models, before they index."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from reml.access.similarity import EncoderScorer
from reml.contract.examples import Json
from reml.contract.retrievers import Retriever, TrainableEncoder, TrainableIndexer
from reml.devices.device import default_device
from reml.experiment.plan.config_digest import identity, written
from reml.experiment.plan.mined_lists import PSEUDO, MinedLists
from reml.experiment.plan.store import Stage, Stages
from reml.experiment.settings.experiment import Experiment
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.training.data.ranked_examples import RankedExamples
from reml.training.data.sets import DevSet, TrainSet
from reml.training.regimes.ranking import Ranking, RankingObjective
from reml.training.scale.gradient_cache import in_chunks

if TYPE_CHECKING:
    from reml.experiment.plan.hits import RetrievalStages

START, LISTS, INDEX = "start", "lists", "index"


class RetrieverStages:
    """Trains the retrievers of an experiment that are to be trained, one for each knowledge source.

    Each round of a training is a stage. config: the experiment as it was written, of which the stages' keys are made.
    """

    def __init__(
        self, experiment: Experiment, config: Mapping[str, Json], stages: Stages, retrieval: RetrievalStages
    ) -> None:
        self._experiment = experiment
        self._config = config
        self._stages = stages
        self._retrieval = retrieval

    def stages(self, access: str, task: str) -> list[Stage]:
        """Train the retriever of an access model unless that is done; nothing if it is not to be trained."""
        if self._retrieval.access(access).train is None:
            return []
        return [self._stage(access, task, number) for number in range(len(self._settings(access).all_rounds))]

    def encoder(self, access: str, task: str) -> TrainableEncoder:
        """Give the trained encoder of an access model, on the GPU if there is one, ready to encode."""
        return self._after(access, task, len(self._settings(access).all_rounds))[0]

    def depends(self, access: str, task: str) -> list[Json]:
        """Say what the weights of an access model depend on, as JSON; nothing if it is not trained."""
        if self._retrieval.access(access).train is None:
            return []
        return self._depends(access, task, len(self._settings(access).all_rounds) - 1)

    def _depends(self, access: str, task: str, number: int) -> list[Json]:
        """Say what the weights after a round depend on."""
        settings, names = self._settings(access), self._names(access, task)
        parts = [written(self._config, "access", access, part) for part in ("retriever", "query_generator")]
        parts.append(_until(written(self._config, "access", access, "train"), number))
        learnt: list[Json] = [self._retrieval.checksum(name, "train") for name in names]
        for asked in dict.fromkeys([*([settings.lists] if settings.lists is not None else []), *settings.scorers]):
            learnt += [self._retrieval.depends(asked, name, "train") for name in names]
        source = self._retrieval.collection(task).fingerprint
        return [[*map(identity, parts), source, self._experiment.seed, *learnt]]

    def _stage(self, access: str, task: str, number: int) -> Stage:
        round_name = f" in round {number + 1}" if self._settings(access).rounds is not None else ""
        return self._stages.make(
            "models",
            f"train {access}{self._retrieval.of(task)}{round_name}",
            self._depends(access, task, number),
            lambda folder: self._train(access, task, number, folder),
        )

    def _train(self, access: str, task: str, number: int, folder: Path) -> None:
        from reml.training.loop.fit import fit  # with Lightning, which takes long to load

        settings = self._settings(access)
        round_ = settings.all_rounds[number]
        own = functools.cache(lambda: self._own(access, task, number, folder))
        lessons = MinedLists(self._retrieval, access, round_=round_, own=own, folder=folder / LISTS)
        parts = {name: lessons.of(name) for name in self._names(access, task)}
        if settings.pseudo_queries is not None:
            parts[PSEUDO] = lessons.made(settings.pseudo_queries, task, self._experiment.seed)
        train, dev = held_out(parts, settings.held_out, settings.temperature)
        fit(
            self._before(access, task, number, folder)[1],
            train,
            dev=dev,
            # A seed of its own, or a round shorter than an epoch would see the examples that the one before has seen.
            settings=replace(round_.of(settings.training), seed=self._experiment.seed + number),
            folder=folder,
            console=self._stages.console,
        )
        shutil.rmtree(folder / INDEX, ignore_errors=True)

    def _own(self, access: str, task: str, number: int, folder: Path) -> Retriever:
        """Index with the weights that a round starts with."""
        encoder, regime = self._before(access, task, number, folder)
        regime.eval().to(default_device())
        return self._indexer(access).index_with(encoder, self._retrieval.collection(task), folder / INDEX)

    def _before(self, access: str, task: str, number: int, folder: Path) -> tuple[TrainableEncoder, Ranking]:
        """Give what a round starts with, objects of its own. folder: of the round."""
        return self._after(access, task, number) if number else self._new(access, task, folder)

    def _after(self, access: str, task: str, count: int) -> tuple[TrainableEncoder, Ranking]:
        """Give what the first rounds have made."""
        from reml.training.loop.fit import open_fitted

        first, last = self._stage(access, task, 0), self._stage(access, task, count - 1)
        encoder, regime = self._new(access, task, first.folder)
        open_fitted(regime, last.folder)
        regime.to(default_device())
        return encoder, regime

    def _new(self, access: str, task: str, folder: Path) -> tuple[TrainableEncoder, Ranking]:
        """Give an encoder before its training. folder: of the first round, which keeps what it takes from the items."""
        settings, collection = self._settings(access), self._retrieval.collection(task)
        torch.manual_seed(self._experiment.seed)
        encoder: TrainableEncoder = self._indexer(access).encoder(collection, folder / START)
        teaching = RankingObjective(settings.feedback, settings.regularisers, self._retrieval.queries(access))
        scorer = EncoderScorer(in_chunks(encoder, settings.training.chunk))
        return encoder, Ranking(scorer, teaching, len(collection))

    def _indexer(self, access: str) -> TrainableIndexer[TrainableEncoder]:
        indexer = self._retrieval.indexer(access)
        assert isinstance(indexer, TrainableIndexer)  # noqa: S101 - `Access` refuses others
        return indexer

    def _names(self, access: str, task: str) -> list[str]:
        """Name the tasks that an access model learns from for the knowledge source of `task`."""
        return self._retrieval.sharing(task, self._settings(access).tasks)

    def _settings(self, access: str) -> RetrieverTraining:
        settings = self._retrieval.access(access).train
        if settings is None:
            raise ValueError(f"access model {access!r} is not trained: say how under its `train`.")
        return settings


def _until(train: Json, number: int) -> Json:
    """Leave out the rounds after this one: the weights do not depend on them."""
    assert isinstance(train, Mapping)  # noqa: S101 - asked only for access models that are trained
    rounds = train.get("rounds")
    return {**train, "rounds": rounds[: number + 1]} if isinstance(rounds, Sequence) else train


def held_out(
    parts: Mapping[str, RankedExamples], count: int, temperature: float | None
) -> tuple[TrainSet, list[DevSet]]:
    """Hold `count` examples of each task out to judge by; `ValueError` where that leaves none to learn from.

    temperature: how tasks are mixed (`TrainSet.tempered`); without it, every example comes once an epoch.
    """
    learnt, dev = [], []
    for name, part in parts.items():
        order = np.random.default_rng(0).permutation(len(part))
        if len(part) <= count:
            raise ValueError(
                f"{name} has {len(part)} examples to learn from, and {count} of them are to be held out: "
                "lower `train.held_out`, or leave the task out of `train.tasks`."
            )
        learnt.append(part.only(np.sort(order[count:])))
        if count:
            dev.append(part.only(np.sort(order[:count])).dev_set(name))
    return TrainSet.tempered(learnt, temperature), dev
