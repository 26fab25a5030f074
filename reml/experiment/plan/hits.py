"""The stages of an experiment before its predictor: examples, collections, indexes, hits."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from reml.access.composed_access import FusedAccess, NoAccess
from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.querying.query_generators import InputQuery
from reml.access.rank_fusion import reciprocal_rank_fusion
from reml.collection.checks import MissingPage, missing_pages
from reml.collection.disk import DiskCollection
from reml.contract.access import QueryGenerator
from reml.contract.examples import Example, Json
from reml.contract.retrieved import Hits
from reml.contract.retrievers import Indexer, Retriever, TrainableIndexer
from reml.contract.tasks import Task
from reml.experiment.plan.collections import collection_stage, open_collection
from reml.experiment.plan.config_digest import identity, written
from reml.experiment.plan.predictions import PredictionStages
from reml.experiment.plan.store import Stage, Stages
from reml.experiment.plan.taught_encoders import FeedbackStages
from reml.experiment.plan.trained_encoders import RetrieverStages
from reml.experiment.settings.experiment import Access, Experiment
from reml.files.atomic import digest
from reml.files.hits import open_hits, save_hits
from reml.files.records import format_record

Value = TypeVar("Value")


@dataclass(frozen=True)
class RetrieverStage:
    """The stages of one retriever for one split: the rounds of its training, if any, its index and its hits."""

    trained: Sequence[Stage]
    indexed: Stage
    searched: Stage


class RetrievalStages:
    """What the access models of an experiment give for its tasks.

    config: the experiment as it was written, of which the stages' keys are made.
    """

    def __init__(self, experiment: Experiment, config: Mapping[str, Json], stages: Stages) -> None:
        self._experiment = experiment
        self._config = config
        self._stages = stages
        self._tasks = {task.name: task for task in experiment.tasks}
        self._opened: dict[str, object] = {}  # by stage: tasks share collections and indexes
        self.training = RetrieverStages(experiment, config, stages, self)
        self.prediction = PredictionStages(experiment, config, stages, self)
        self.feedback = FeedbackStages(experiment, config, stages, retrieval=self, prediction=self.prediction)

    def task(self, name: str) -> Task:
        """Give a task by name; `ValueError` names those there are."""
        return _named(name, self._tasks, "task")

    def access(self, name: str) -> Access:
        """Give the settings of an access model by name; `ValueError` names those there are."""
        return _named(name, self._experiment.access, "access model")

    @functools.cache
    def examples(self, task: str, split: str) -> tuple[Example, ...]:
        """Give the examples of a split, at most `limit` of `reading`; what is learnt from, at most that of `train_on`.

        Those without a right answer (KILT's test sets) are predicted too; they are not learnt from and not scored.
        """
        limit = self._experiment.reading.limit
        if split == "train" and self._experiment.learns:
            limit = self._experiment.train_on.limit if self._experiment.train_on is not None else None
        return tuple(self.task(task).examples(split))[:limit]

    @functools.cache
    def collection(self, task: str) -> DiskCollection:
        """Give the passages of a task's knowledge source."""
        source, words = self.task(task).source(), self._experiment.reading.words
        stage = collection_stage(self._stages, source, words, of=self.of(task))
        return self._open_once(stage, lambda: open_collection(stage, source, words))

    def absent(self, task: str, split: str) -> list[MissingPage]:
        """List the pages that answers come from and the collection lacks: no retriever can find them."""
        collection, examples = self.collection(task), self.examples(task, split)
        named = {place.wikipedia_id for example in examples for answer in example.output for place in answer.provenance}
        return missing_pages(examples, {page for page in named if collection.by_page(page)})

    def retriever(self, access: str, task: str) -> Retriever:
        """Give the retriever of an access model over a task's collection."""
        if self.access(access).feedback is not None:
            return self.feedback.retriever(access, task)
        return self._untaught(access, task)

    @functools.cache
    def _untaught(self, access: str, task: str) -> Retriever:
        stage = self._index(access, task)
        return self._open_once(stage, lambda: self._indexed(access, task, stage.folder / "index"))

    def is_joint(self, access: str) -> bool:
        """Tell whether the predictor learns with the retriever of an access model."""
        feedback = self.access(access).feedback
        return feedback is not None and feedback.joint

    def search(self, access: str, task: str, examples: Sequence[Example], k: int) -> Hits:
        """Ask an access model: at most k items for each example, [B, k]; [B, 0] if it retrieves nothing."""
        return self.model(access, task).search(examples, k)

    @functools.cache
    def model(self, access: str, task: str) -> InformationAccess | FusedAccess | NoAccess:
        """Give an access model over a task's collection."""
        asking, reading = self._asking(access), self._experiment.reading
        settings, limits = self.access(asking), Limits(depth=reading.depth, k=reading.k)
        if settings.fuse:
            parts = [self.model(child, task) for child in settings.fuse]
            return FusedAccess([part for part in parts if isinstance(part, InformationAccess)], limits, access)
        if not settings.retrieves:
            return NoAccess(self.collection(task), access)
        return InformationAccess(
            self.retriever(access, task),
            self.queries(asking),
            expansion=settings.expansion,
            processors=self.access(access).processors or settings.processors,
            limits=limits,
            name=access,
        )

    @functools.cache
    def hits(self, access: str, task: str, split: str) -> Hits:
        """Give the hits of every example of a split, [B, depth]; those of a fusion come from its parts' hits."""
        settings, depth = self.access(access), self._experiment.reading.depth
        if settings.fuse:
            return reciprocal_rank_fusion([self.hits(child, task, split) for child in settings.fuse], depth)
        examples = self.examples(task, split)
        if not settings.retrieves or not examples:
            return _nothing(len(examples))
        self._index(self._asking(access), task)  # a run that finds its hits made still tells what their index cost
        if settings.feedback is not None:
            self.feedback.stage(access, task)
        stage = self._search_all(access, task, split)
        return open_hits(stage.folder)

    def stages(self, access: str, task: str, split: str) -> dict[str, RetrieverStage]:
        """Give what the hits of a split took, by the access model that searched: itself, or those it fuses."""
        names = [name for name in self.access(access).fuse or [access] if self.access(name).retriever is not None]
        if not self.examples(task, split):
            return {}
        return {
            name: RetrieverStage(
                self.training.stages(name, task), self._index(name, task), self._search_all(name, task, split)
            )
            for name in names
        }

    def queries(self, access: str) -> QueryGenerator:
        """Give what makes the queries of an access model."""
        return self.access(access).query_generator or InputQuery()

    def depends(self, access: str, task: str, split: str, limit: int | None = None) -> Json:
        """Say what the hits of a split, at most of its first `limit` examples, depend on, as JSON."""
        settings, examples = self.access(access), self.checksum(task, split, limit)
        if settings.fuse:
            return ["fuse", *(self.depends(child, task, split, limit) for child in settings.fuse)]
        if not settings.retrieves:
            return [examples]
        asking, parts = self._asking(access), ("retriever", "query_generator", "expansion", "processors")
        made_by = [identity(written(self._config, "access", asking, part)) for part in parts]
        made_by += [identity(written(self._config, "access", access, "processors"))]
        made_by += [*self.training.depends(asking, task), *self.feedback.depends(access, task)]
        return [examples, *made_by, self.collection(task).fingerprint, self._experiment.reading.depth]

    @functools.cache
    def checksum(self, task: str, split: str, limit: int | None = None) -> str:
        """Give a digest of the examples of a split, at most of its first `limit`."""
        return digest([format_record(example) for example in self.examples(task, split)[:limit]])

    def indexer(self, access: str) -> Indexer:
        """Give the retriever's settings of an access model; `ValueError` if it has none of its own."""
        indexer = self.access(access).retriever
        if indexer is None:
            raise ValueError(f"access model {access!r} has no retriever of its own.")
        return indexer

    def _search_all(self, access: str, task: str, split: str) -> Stage:
        examples, depth = self.examples(task, split), self._experiment.reading.depth
        return self._stages.make(
            "hits",
            f"retrieve with {access} for {task} {split}",
            self.depends(access, task, split),
            lambda folder: save_hits(folder, self.search(access, task, examples, depth)),
        )

    def _index(self, access: str, task: str) -> Stage:
        made_by = [identity(written(self._config, "access", access, "retriever")), self.collection(task).fingerprint]
        self.training.stages(access, task)  # so that its cost is its own
        return self._stages.make(
            "indexes",
            f"index {access}{self.of(task)}",
            [*made_by, *self.training.depends(access, task)],
            lambda folder: self._indexed(access, task, folder / "index"),
        )

    def _indexed(self, access: str, task: str, folder: Path) -> Retriever:
        indexer, collection = self.indexer(access), self.collection(task)
        if self.access(access).train is None or not isinstance(indexer, TrainableIndexer):
            return indexer.index(collection, folder)
        return indexer.index_with(self.training.encoder(access, task), collection, folder)

    def _open_once(self, stage: Stage, open_stage: Callable[[], Value]) -> Value:
        if stage.key not in self._opened:
            self._opened[stage.key] = open_stage()
        return cast(Value, self._opened[stage.key])

    def _asking(self, access: str) -> str:
        """Name the access model whose queries an access model asks: with feedback, those of its learner."""
        feedback = self.access(access).feedback
        return feedback.learner if feedback is not None else access

    def sharing(self, task: str, chosen: Sequence[str]) -> list[str]:
        """Name the tasks of the same knowledge source, those of `chosen` if there are any; `ValueError` if unknown."""
        for name in chosen:
            self.task(name)
        source = self.task(task).source().fingerprint
        same = [other.name for other in self._experiment.tasks if other.source().fingerprint == source]
        return [name for name in same if not chosen or name in chosen]

    def of(self, task: str) -> str:
        """Name a task's knowledge source where the experiment has several."""
        first: dict[str, str] = {}
        for other in self._experiment.tasks:
            first.setdefault(other.source().fingerprint, other.name)
        return f" of {first[self.task(task).source().fingerprint]}" if len(first) > 1 else ""


def _named(name: str, known: Mapping[str, Value], kind: str) -> Value:
    if name not in known:
        raise ValueError(f"there is no {kind} {name!r}; the experiment has {', '.join(known)}.")
    return known[name]


def _nothing(count: int) -> Hits:
    return Hits(np.empty((count, 0), dtype=np.int64), np.empty((count, 0), dtype=np.float32))
