"""What a retriever is taught on in a round of its training: examples, and a list for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reml.access.information_access import InformationAccess
from reml.contract.access import QueryGenerator
from reml.contract.examples import Example
from reml.contract.retrieved import Hits
from reml.contract.retrievers import Retriever
from reml.contract.vectors import Int64Array
from reml.experiment.plan.hits import Model
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.feedback.judges.teacher import Teacher
from reml.files.hits import has_hits, open_hits, save_hits
from reml.training.data.curriculum import FromCurriculum
from reml.training.data.negatives import Denoiser
from reml.training.data.ranked_examples import FromLabels, FromTeacher, ItemSampler, PagedCollection, RankedExamples
from reml.training.data.rounds import Round

PSEUDO, LISTS = "pseudo-queries", "lists"
# Queries that are made, none of which is trained on, and items that are looked at of each.
QUERIES, DEPTH = 500, 100


@dataclass(frozen=True, eq=False)
class Given:
    """What a training is given. examples, lists: by task; there are no lists where labels alone teach.

    lister: finds the lists of pseudo-queries. teacher: re-ranks what a round finds. denoiser: says which items are not
    to be learnt as wrong.
    """

    collection: PagedCollection
    examples: Mapping[str, Sequence[Example]]
    lists: Mapping[str, Hits] | None = None
    lister: Model | None = None
    teacher: Teacher | None = None
    denoiser: Teacher | None = None


@dataclass(frozen=True, eq=False)
class MinedLists:
    """Makes the parts of a training set for one round.

    own: opens the retriever that is trained, with the weights it has when the round starts. folder: keeps the lists
    that it finds, or that were denoised, so that a training that goes on learns on the same.
    """

    given: Given
    settings: RetrieverTraining
    round: Round
    queries: QueryGenerator
    own: Callable[[], Retriever]
    folder: Path

    def parts(self, seed: int) -> dict[str, RankedExamples]:
        """Give the training examples by task, those of pseudo-queries too, each with what it is taught on."""
        parts = {task: self._of(task, examples) for task, examples in self.given.examples.items()}
        return parts if self.settings.pseudo_queries is None else {**parts, PSEUDO: self._made(seed)}

    def _of(self, task: str, examples: Sequence[Example]) -> RankedExamples:
        lists = self._lists(task, examples)
        if self.settings.teacher is not None and lists is not None:
            return self._taught(examples, lists)
        sampler = FromLabels.of(
            self.given.collection,
            examples,
            lists,
            self.settings.random_negatives,
            page_negatives=self.settings.page_negatives,
            first_hop=self.settings.first_hop,
        )
        return RankedExamples.of(self.given.collection, examples, sampler, self.settings.items_per_query, hits=lists)

    def _made(self, seed: int) -> RankedExamples:
        """Give queries made from the items of the collection; beside labels, the lists of negatives teach them."""
        queries, lister = self.settings.pseudo_queries, self.given.lister
        assert queries is not None and lister is not None  # noqa: S101, PT018 - `RetrieverTraining` refuses others
        examples = queries.examples(self.given.collection, seed)
        if self.round.self_mined and self.settings.teacher is not None:
            return self._taught(examples, self._kept(PSEUDO, lambda: self._found(examples)))
        return self._taught(examples, lister.search(examples, self.settings.list_depth))

    def _taught(self, examples: Sequence[Example], lists: Hits) -> RankedExamples:
        collection, depth, curriculum = self.given.collection, self.settings.list_depth, self.round.curriculum
        sampler: ItemSampler = FromTeacher(lists.first(depth), collection.rows(), self.settings.random_negatives)
        if curriculum is not None:
            sampler = FromCurriculum.of(collection, examples, lists.first(depth), curriculum)
        count = curriculum.size if curriculum is not None else self.settings.items_per_query
        return RankedExamples.of(collection, examples, sampler, count, hits=lists)

    def _lists(self, task: str, examples: Sequence[Example]) -> Hits | None:
        if self.settings.denoise is not None and (self.round.self_mined or self.settings.negatives is not None):
            return self._kept(task, lambda: self._denoised(task, examples))
        if self.round.self_mined:
            return self._kept(task, lambda: self._found(examples))
        return self._listed(task)

    def _listed(self, task: str) -> Hits | None:
        return None if self.given.lists is None else self.given.lists[task]

    def _found(self, examples: Sequence[Example]) -> Hits:
        """Let the retriever search with the weights it has; a teacher then says the order."""
        hits = InformationAccess(self.own(), self.queries).search(examples, self.settings.list_depth)
        if self.settings.teacher is None or self.given.teacher is None:
            return hits
        return self.given.teacher.reordered(examples, hits)

    def _denoised(self, task: str, examples: Sequence[Example]) -> Hits:
        hits = self._found(examples) if self.round.self_mined else self._listed(task)
        settings = self.settings.denoise
        assert hits is not None and settings is not None  # noqa: S101, PT018 - asked only where there are lists
        return Denoiser(settings, self.given.collection, self.given.denoiser)(examples, hits)

    def _kept(self, name: str, make: Callable[[], Hits]) -> Hits:
        folder = self.folder / name
        if not has_hits(folder):
            save_hits(folder, make())
        return open_hits(folder)


def check_start(
    settings: RetrieverTraining, given: Given, queries: QueryGenerator, own: Callable[[], Retriever], seed: int
) -> None:
    """Refuse an encoder whose start finds less than `settings.least_start` says, with a sentence, before it is trained.

    seed: that the queries to be trained on are made from; these are made from another.
    """
    made, lister = settings.pseudo_queries, given.lister
    if settings.least_start is None or made is None or lister is None:
        return
    examples, rows = replace(made, count=QUERIES).drawn(given.collection, seed + QUERIES)
    theirs = _found(lister.search(examples, DEPTH), rows)
    ours = _found(InformationAccess(own(), queries).search(examples, DEPTH), rows)
    if ours < settings.least_start * theirs:
        raise ValueError(
            f"untrained, it finds the item of {ours:.3f} of {QUERIES} pseudo-queries among its first {DEPTH}, and "
            f"{settings.lists} of {theirs:.3f}: less than train.least_start, {settings.least_start:g}, of it. What "
            "starts so low stays low however long it is trained. Let it start better (SNRM from codes, with `pooling: "
            "log`), or lower `least_start`."
        )


def _found(hits: Hits, rows: Int64Array) -> float:
    return float((hits.rows == rows[:, None]).any(axis=1).mean())
