"""The stages of an experiment that train the retrievers of its access models, before they index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from reml.experiment import Experiment, RetrieverTraining
from reml.identity import identity, written
from reml.protocols import TrainableEncoder, TrainableIndexer
from reml.queries import InputQuery
from reml.stages import Stage, Stages
from reml.training.data import DevSet, TrainSet
from reml.training.fit import fit, open_fitted
from reml.training.pseudo_queries import PseudoQueries
from reml.training.ranking import Ranking, Teaching
from reml.training.ranking_examples import FromLabels, FromTeacher, RankedExamples, Sampler
from reml.types import Json

if TYPE_CHECKING:
    from reml.retrieval_stages import RetrievalStages

START, PSEUDO = "start", "pseudo-queries"


class RetrieverStages:
    """Trains the retrievers of an experiment that are to be trained, one for each knowledge source.

    config: the experiment as it was written, of which the stages' keys are made.
    """

    def __init__(
        self, experiment: Experiment, config: Mapping[str, Json], stages: Stages, retrieval: RetrievalStages
    ) -> None:
        self._experiment = experiment
        self._config = config
        self._stages = stages
        self._retrieval = retrieval

    def stage(self, access: str, task: str) -> Stage | None:
        """Train the retriever of an access model unless that is done; nothing if it is not to be trained."""
        if self._retrieval.access(access).train is None:
            return None
        return self._stages.make(
            "models",
            f"train {access}{self._retrieval.of(task)}",
            self.depends(access, task),
            lambda folder: self._train(access, task, folder),
        )

    def encoder(self, access: str, task: str) -> TrainableEncoder:
        """Give the trained encoder of an access model, on the GPU if there is one, ready to encode."""
        stage = self.stage(access, task)
        assert stage is not None  # noqa: S101 - asked only for access models that are trained
        encoder, regime = self._new(access, task, stage.folder)
        open_fitted(regime, stage.folder)
        regime.to("cuda" if torch.cuda.is_available() else "cpu")
        return encoder

    def depends(self, access: str, task: str) -> list[Json]:
        """Say what the weights of an access model depend on, as JSON; nothing if it is not trained."""
        if self._retrieval.access(access).train is None:
            return []
        settings, names = self._settings(access), self._names(access, task)
        parts = [written(self._config, "access", access, part) for part in ("retriever", "query_generator", "train")]
        learnt: list[Json] = [self._retrieval.checksum(name, "train") for name in names]
        if settings.lists is not None:
            learnt += [self._retrieval.depends(settings.lists, name, "train") for name in names]
        source = self._retrieval.collection(task).fingerprint
        return [[*map(identity, parts), source, self._experiment.seed, *learnt]]

    def _train(self, access: str, task: str, folder: Path) -> None:
        settings = self._settings(access)
        parts = {name: self._ranked(settings, name) for name in self._names(access, task)}
        if settings.pseudo_queries is not None:
            parts[PSEUDO] = self._made(settings, settings.pseudo_queries, task)
        train, dev = _split(parts, settings.held_out)
        fit(
            self._new(access, task, folder)[1],
            train,
            dev=dev,
            settings=replace(settings.training, seed=self._experiment.seed),
            folder=folder,
            console=self._stages.console,
        )

    def _new(self, access: str, task: str, folder: Path) -> tuple[TrainableEncoder, Ranking]:
        indexer, settings = self._retrieval.indexer(access), self._settings(access)
        assert isinstance(indexer, TrainableIndexer)  # noqa: S101 - `Access` refuses others
        collection = self._retrieval.collection(task)
        torch.manual_seed(self._experiment.seed)
        encoder: TrainableEncoder = indexer.encoder(collection, folder / START)
        queries = self._retrieval.access(access).query_generator or InputQuery()
        teaching = Teaching(settings.feedback, settings.regularisers, queries)
        return encoder, Ranking(encoder, teaching, len(collection))

    def _ranked(self, settings: RetrieverTraining, task: str) -> RankedExamples:
        collection, examples = self._retrieval.collection(task), self._retrieval.examples(task, "train")
        lists = None if settings.lists is None else self._retrieval.hits(settings.lists, task, "train")
        sampler: Sampler
        if settings.teacher is not None and lists is not None:
            sampler = FromTeacher(lists.first(settings.listed), collection.rows(), settings.random)
        else:
            sampler = FromLabels.of(collection, examples, lists, settings.random)
        return RankedExamples.of(collection, examples, sampler, settings.compared)

    def _made(self, settings: RetrieverTraining, queries: PseudoQueries, task: str) -> RankedExamples:
        assert settings.lists is not None  # noqa: S101 - `RetrieverTraining` refuses pseudo-queries without
        collection = self._retrieval.collection(task)
        examples = queries.examples(collection, self._experiment.seed)
        hits = self._retrieval.search(settings.lists, task, examples, settings.listed)
        sampler = FromTeacher(hits, collection.rows(), settings.random)
        return RankedExamples.of(collection, examples, sampler, settings.compared)

    def _names(self, access: str, task: str) -> list[str]:
        """Name the tasks that an access model learns from for the knowledge source of `task`."""
        return self._retrieval.sharing(task, self._settings(access).tasks)

    def _settings(self, access: str) -> RetrieverTraining:
        settings = self._retrieval.access(access).train
        if settings is None:
            raise ValueError(f"access model {access!r} is not trained: say how under its `train`.")
        return settings


def _split(parts: Mapping[str, RankedExamples], held_out: int) -> tuple[TrainSet, list[DevSet]]:
    """Hold examples of each task out; `ValueError` where that leaves none to learn from."""
    learnt, dev = [], []
    for name, part in parts.items():
        order = np.random.default_rng(0).permutation(len(part))
        if len(part) <= held_out:
            raise ValueError(
                f"{name} has {len(part)} examples to learn from, and {held_out} of them are to be held out: "
                "lower `train.held_out`, or leave the task out of `train.tasks`."
            )
        learnt.append(part.only(np.sort(order[held_out:])))
        if held_out:
            dev.append(part.only(np.sort(order[:held_out])).dev_set(name))
    return TrainSet.of(*learnt), dev
