"""The nodes of access models and of what they learn, by the names of an experiment."""

from __future__ import annotations

import abc
import functools
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from reml.access.limits import Limits
from reml.access.presenting.rankers import last_ranker, named_rankers
from reml.access.querying.query_generators import InputQuery
from reml.contract.access import QueryGenerator
from reml.contract.collections import Collection
from reml.contract.retrieved import Hits
from reml.contract.retrievers import DerivingIndexer, Indexer, Retriever, TrainableIndexer
from reml.contract.signals import Signal
from reml.experiment.plan import (
    hits,
    indexes,
    predictor_signals,
    taught_encoders,
)
from reml.experiment.plan.hits import Rankers
from reml.experiment.plan.node import Node, group, once, several
from reml.experiment.plan.task_nodes import TaskNodes, named
from reml.experiment.settings.access import Access
from reml.experiment.settings.access_feedback import AccessFeedback
from reml.experiment.settings.experiment import Experiment
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.experiment.trained import encoders as trained_encoders
from reml.experiment.trained import predictors as trained_predictors
from reml.experiment.trained import rankers as trained_rankers
from reml.experiment.trained.rounds import Material
from reml.feedback.judges.teacher import Teacher
from reml.feedback.records import FeedbackLog
from reml.training.regimes.signal_cache import kept


@dataclass(frozen=True, eq=False)
class PartPlanner(abc.ABC):
    """Gives the nodes of parts. home: where what predictors prepare is kept. console: shows progress."""

    experiment: Experiment
    home: Path
    console: Console

    @functools.cached_property
    def tasks(self) -> TaskNodes:
        """The nodes of what tasks give."""
        return TaskNodes(self.experiment)

    # Access models

    def access(self, name: str) -> Access:
        """Give the settings of an access model by name; `ValueError` names those there are."""
        return named(name, self.experiment.access, "access model")

    @once
    def retriever(self, access: str, task: str) -> Node[Retriever]:
        """Give the retriever of an access model over a task's collection."""
        feedback = self.access(access).feedback
        if feedback is not None:
            return self._taught_retriever(access, task, feedback)
        indexer, passages = self.indexer(access), self._passages(access, task)
        return indexes.index(self._index(access, task), indexer, passages, self._encoding(access, task))

    def _encoding(self, access: str, task: str) -> Node[indexes.Encoding] | None:
        """Give the encoder of an access model that is trained or lent; none where its retriever makes its own."""
        settings = self.access(access)
        if settings.lent is not None:
            lender = self.predictor(settings.lent.predictor)
            return indexes.lent(f"the encoder of {access}", lender, settings.lent.encoder)
        return self._trained(access, task) if settings.train is not None else None

    @once
    def model(self, access: str, task: str) -> Node[hits.Model]:
        """Give an access model over a task's collection."""
        settings = self.access(access)
        if settings.fuse:
            parts = [self.model(child, task) for child in settings.fuse]
            return hits.fused_access(access, parts, self.limits(access), settings.fusing)
        if not settings.retrieves:
            return hits.no_access(access, self.collection(access, task))
        asking = self.access(self._asking(access))
        chain = hits.Chain(self.queries(access), asking.expansion, self.experiment.processors_of(access))
        rankers = {name: self.ranker(name, task) for name in named_rankers(chain.processors)}
        kept = FeedbackLog(self.home / "feedback" / self.taught(access, task).key) if settings.feedback else None
        stores, base = settings.storage is not None, self.retriever(access, task)
        return hits.access(
            access, base, chain, self.limits(access), rankers, feedback=kept, stores=stores, home=self.home
        )

    def limits(self, access: str) -> Limits:
        """Give how much an access model searches for and hands over."""
        settings, reading = self.access(access), self.experiment.reading
        k = settings.k or reading.k
        depth = settings.depth or max(reading.depth, k)
        asks = settings.budget.asks if settings.budget is not None else None
        return Limits(depth=depth, k=k, asks=asks, temperature=settings.temperature, order=settings.order)

    @once
    def collection(self, access: str, task: str) -> Node[Collection]:
        """Give the collection that an access model finds rows of: its passages, or what its retriever made of them."""
        if isinstance(self.access(access).retriever, DerivingIndexer):
            return indexes.derived(f"rows of {access}{self.tasks.of(task)}", self.retriever(access, task))
        return self._passages(access, task)

    @once
    def _passages(self, access: str, task: str) -> Node[Collection]:
        """Give the collection that an access model is made over: the one it names, or that of the task's source."""
        name = self.access(self._asking(access)).collection
        if name is None and self.access(access).fuse:
            return self.collection(self.access(access).fuse[0], task)
        return self.tasks.collection(task) if name is None else self.tasks.named_collection(name)

    @once
    def hits(self, access: str, task: str, split: str, first: int | None = None) -> Node[Hits]:
        """Give the hits of the examples of a split, or of the first ones, [B, depth]."""
        settings, depth = self.access(access), self.limits(access).depth
        if settings.storage is not None:
            raise ValueError(f"what {access!r} finds depends on what was written to it: ask `Runner.found` for it.")
        examples = self.tasks.examples(task, split, first)
        name = f"retrieve with {access} for {examples.name}"
        if settings.fuse or not settings.retrieves or not self.tasks.read(examples):
            parts = [self.hits(child, task, split, first) for child in settings.fuse]
            return hits.fused_hits(name, parts, examples, depth, settings.fusing)
        return hits.hits(name, self.model(access, task), examples, depth)

    def queries(self, access: str) -> QueryGenerator:
        """Give what makes the queries of an access model."""
        return self.access(self._asking(access)).query_generator or InputQuery()

    def indexer(self, access: str) -> Indexer:
        """Give the retriever's settings of an access model; `ValueError` if it has none of its own."""
        indexer = self.access(access).retriever
        if indexer is None:
            raise ValueError(f"access model {access!r} has no retriever of its own.")
        return indexer

    def _asking(self, access: str) -> str:
        """Name the access model whose queries an access model asks: with feedback, those of its learner."""
        return self.experiment.asking(access)

    def _index(self, access: str, task: str) -> str:
        return f"index {access}{self.tasks.of(task)}"

    def _teacher(self, access: str, task: str) -> Node[Teacher]:
        """Give what scores items as an access model does: by its last ranker, or by its retriever."""
        if last_ranker(self.experiment.processors_of(access)) is None:
            return hits.teacher(access, self.retriever(access, task), self.queries(access))
        return hits.ranking_teacher(access, self.model(access, task), self.queries(access))

    # Rankers

    @once
    def ranker(self, name: str, task: str) -> Node[Rankers]:
        """Give a ranker, after its training if it has one, over a task's collection."""
        ranker = named(name, self.experiment.rankers, "ranker")
        seed, settings = self.experiment.seed, ranker.train
        passages = self._passages(settings.lists, task) if settings and settings.lists else self.tasks.collection(task)
        begun = trained_rankers.untrained(f"the ranker {name} as it comes", ranker.scorer, passages, seed)
        if settings is None or settings.lists is None:
            return begun
        made = None
        for number in range(len(settings.all_rounds)):
            made = trained_rankers.trained(
                f"train the ranker {name}{self.tasks.of(task)}{_round(settings, number)}",
                self._ranking(settings.lists, task, settings, number, begun),
                made,
                settings=settings,
                number=number,
                queries=self.queries(settings.lists),
                seed=seed,
                console=self.console,
            )
        if made is None or ranker.selection is None:
            return made if made is not None else begun
        return trained_rankers.selecting(
            f"train what {name} selects{self.tasks.of(task)}",
            self._ranking(settings.lists, task, settings, len(settings.all_rounds) - 1, begun),
            made,
            ranker=ranker,
            queries=self.queries(settings.lists),
            seed=seed,
            console=self.console,
        )

    # Retrievers that are trained before they index

    @once
    def _trained(self, access: str, task: str) -> Node[indexes.Encoders]:
        """Give the encoder of an access model after all rounds."""
        settings = self.access(access).train
        assert settings is not None  # noqa: S101 - asked only for access models that are trained
        made = None
        for number in range(len(settings.all_rounds)):
            made = trained_encoders.trained(
                f"train {access}{self.tasks.of(task)}{_round(settings, number)}",
                self._ranking(access, task, settings, number, self._start(access, task)),
                made,
                settings=settings,
                number=number,
                queries=self.queries(access),
                seed=self.experiment.seed,
                console=self.console,
            )
        assert made is not None  # noqa: S101 - `RetrieverTraining` refuses a training without rounds
        return made

    def _ranking(self, access: str, task: str, settings: RetrieverTraining, number: int, start: Node[Any]) -> Material:
        """Give what a round of a training learns from. access: whose items; start: what is trained, as it comes."""
        names, lists, pseudo = self.tasks.sharing(task, settings.tasks), settings.lists, settings.pseudo_queries
        mined, denoise = settings.all_rounds[number].self_mined, settings.denoise
        return Material(
            start,
            self._passages(access, task),
            group({name: self.tasks.examples(name, "train") for name in names}),
            group({name: self.hits(lists, name, "train") for name in names}) if lists is not None else None,
            self.model(lists, task) if lists is not None and pseudo is not None else None,
            self._teacher(settings.teacher, task) if settings.teacher is not None and mined else None,
            self._teacher(denoise.teacher, task) if denoise is not None and denoise.teacher is not None else None,
        )

    def _start(self, access: str, task: str) -> Node[indexes.Encoders]:
        indexer = self.indexer(access)
        assert isinstance(indexer, TrainableIndexer)  # noqa: S101 - `Experiment` refuses others
        name = f"begin {access}{self.tasks.of(task)}"
        return trained_encoders.start(name, indexer, self._passages(access, task), self.experiment.seed)

    # Retrievers that learn from feedback

    @once
    def taught(self, access: str, task: str) -> Node[taught_encoders.Taught]:
        """Give what an access model learns from feedback."""
        settings = self._feedback(access)
        return taught_encoders.taught(
            f"teach {access}{self.tasks.of(task)}",
            self._material(access, task, settings),
            settings=settings,
            indexer=self.indexer(self._asking(access)),
            queries=self.queries(access),
            temperature=self.access(access).temperature,
            seed=self.experiment.seed,
            console=self.console,
        )

    def _taught_retriever(self, access: str, task: str, settings: AccessFeedback) -> Node[Retriever]:
        """Give the retriever: over the learner's index if queries alone learnt, else over one of its own."""
        made, name = self.taught(access, task), self._index(access, task)
        if settings.learns == "query":
            base = self.retriever(settings.learner, task)
            return taught_encoders.query_side(name, base, taught_encoders.frozen_items(base), made)
        indexer, passages = self.indexer(self._asking(access)), self._passages(access, task)
        return indexes.index(name, indexer, passages, made, keep=taught_encoders.OPEN)

    def _material(self, access: str, task: str, settings: AccessFeedback) -> taught_encoders.Material:
        base, tasks = self.retriever(settings.learner, task), self.tasks.sharing(task, settings.tasks)
        learner = self.access(settings.learner)
        begun = self.taught if learner.feedback else self._trained if learner.train else self._start
        return taught_encoders.Material(
            learner=begun(settings.learner, task),
            base=base,
            items=taught_encoders.frozen_items(base) if settings.learns == "query" else None,
            lists=group({name: self._lists(access, name) for name in tasks}),
            signals=None if self._live(settings) else group({name: self._signals(access, name) for name in tasks}),
            speaker=self._speaker(access) if settings.live or _judged_in_batch(settings) else None,
            teachers=self._teachers(settings, task),
        )

    def _live(self, settings: AccessFeedback) -> bool:
        if settings.live and self.prefixed:
            raise ValueError(
                "a predictor that sees the names of tasks (train_on.prefix) cannot teach while it learns, draws "
                "samples or is given new lists: leave out train_on.prefix, or choose the regime conditional, another "
                "objective and no refresh."
            )
        return settings.live

    def _feedback(self, access: str) -> AccessFeedback:
        settings = self.access(access).feedback
        if settings is None:
            raise ValueError(f"access model {access!r} takes no feedback: say how under its `feedback`.")
        return settings

    def _teachers(self, settings: AccessFeedback, task: str) -> Node[Mapping[str, Teacher]]:
        names = settings.judge.access if settings.judge is not None else ()
        return group({name: self._teacher(name, task) for name in names})

    def _lists(self, access: str, task: str) -> Node[predictor_signals.Lists]:
        settings, examples = self._feedback(access), self.tasks.examples(task, "train")
        room = self._room(settings, task)
        read = [name for name in self.experiment.access if name in {settings.lists, *settings.beside}]
        name = f"{settings.items} items of {' and '.join(read)} for {room} examples of {task}"
        found = {one: (self.collection(one, task), self.hits(one, task, "train")) for one in read}
        return predictor_signals.lists(name, examples, found, items=settings.items, room=room)

    def _room(self, settings: AccessFeedback, task: str) -> int:
        """Count the examples of each task that the steps have room for."""
        there = len(self.tasks.read(self.tasks.examples(task, "train")))
        tasks = len(self.tasks.sharing(task, settings.tasks))
        count = there if settings.limit is None else min(there, settings.limit)
        if settings.training.epochs is not None:
            return count
        return min(count, math.ceil(settings.training.steps * settings.training.batch_size / tasks))

    # What predictors say

    def _signals(self, access: str, task: str) -> Node[Sequence[Path]]:
        """Give the files of what is said of the lists of a task: by the predictor, and by the judge."""
        needs = self._feedback(access).asks
        collected = [self._collected(access, task)] if _repeated(needs) else []
        judged = Signal.ITEM_UTILITY in needs and Signal.IN_BATCH not in needs
        return several([*collected, *([self._judgement(access, task)] if judged else [])])

    def _collected(self, access: str, task: str) -> Node[Path]:
        """Ask at once all that the access models need which learn on the same lists from the same predictor."""
        lists, source = self._lists(access, task), self._signal_source(access, task)
        asked = [needs for name, needs in self._needed(task).items() if self._signal_source(name, task) == source]
        return predictor_signals.collected(
            f"hear the {self._whose(access)} on {lists.name}",
            self._speaker(access),
            lists,
            signals=_repeated(functools.reduce(operator.or_, asked)),
            prefix=self._prefix(task),
        )

    def _judgement(self, access: str, task: str) -> Node[Path]:
        settings, lists = self._feedback(access), self._lists(access, task)
        assert settings.judge is not None  # noqa: S101 - `AccessFeedback` refuses an objective on utilities without
        return predictor_signals.judgement(
            f"judge {lists.name} with the {self._whose(access)} ({type(settings.judge).__name__})",
            self._speaker(access),
            lists,
            self._teachers(settings, task),
            judge=settings.judge,
            prefix=self._prefix(task),
        )

    def _needed(self, task: str) -> dict[str, Signal]:
        """Give what each access model asks for that learns on a task from a predictor which stays as it is."""
        fed = {name: access.feedback for name, access in self.experiment.access.items()}
        repeated = {name: one for name, one in fed.items() if one is not None and not one.live}
        return {name: one.asks for name, one in repeated.items() if task in self.tasks.sharing(task, one.tasks)}

    def _signal_source(self, access: str, task: str) -> tuple[object, ...]:
        """Tell on which lists an access model learns, and from whom."""
        settings = self._feedback(access)
        read, whose = frozenset({settings.lists, *settings.beside}), self.experiment.speaker(access)
        return read, settings.items, self._room(settings, task), whose, self.experiment.learns_from_trained(access)

    def _whose(self, access: str) -> str:
        name = self._called(self.experiment.speaker(access))
        return name if self.experiment.learns_from_trained(access) else f"untrained {name}"

    def _called(self, predictor: str) -> str:
        return "predictor" if len(self.experiment.makers) == 1 else f"predictor {predictor}"

    @abc.abstractmethod
    def predictor(self, name: str, *, trained: bool = True) -> Node[trained_predictors.Predictors]:
        """Give a predictor; `trained`: after its training, if it has one."""

    def _speaker(self, access: str) -> Node[trained_predictors.Predictors]:
        """Give the predictor that an access model learns from, as it is before that."""
        return self.predictor(self.experiment.speaker(access), trained=self.experiment.learns_from_trained(access))

    @property
    def prefixed(self) -> bool:
        """Whether the predictor sees the name of its task in front of every input."""
        return self.experiment.train_on is not None and self.experiment.train_on.prefix

    def _prefix(self, task: str) -> str:
        return task if self.prefixed else ""

    @property
    def _seed(self) -> int:
        seed = self.experiment.predictor_seed
        return seed if seed is not None else self.experiment.seed


def _round(settings: RetrieverTraining, number: int) -> str:
    return f" in round {number + 1}" if settings.rounds is not None else ""


def _judged_in_batch(settings: AccessFeedback) -> bool:
    return settings.judge is not None and Signal.IN_BATCH in settings.asks


def _repeated(needs: Signal) -> Signal:
    """Give what a predictor says the same of a list each time it is asked."""
    return kept(needs) & ~Signal.ITEM_UTILITY
