"""What a retriever is taught on in a round of its training: examples, and a list for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reml.access.information_access import InformationAccess
from reml.contract.examples import Example
from reml.contract.retrieved import Hits
from reml.contract.retrievers import Retriever
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.feedback.judges.teacher import Teacher
from reml.files.hits import has_hits, open_hits, save_hits
from reml.training.data.curriculum import FromGroups
from reml.training.data.negatives import Denoiser
from reml.training.data.pseudo_queries import PseudoQueries
from reml.training.data.ranked_examples import FromLabels, FromTeacher, ItemSampler, RankedExamples
from reml.training.data.rounds import Round

if TYPE_CHECKING:
    from reml.experiment.plan.hits import RetrievalStages

PSEUDO = "pseudo-queries"


class MinedLists:
    """Makes the parts of a training set for one round.

    own: opens the retriever that is trained, with the weights it has when the round starts. folder: keeps the lists
    that it finds, or that were denoised, so that a training that goes on learns on the same.
    """

    def __init__(
        self,
        retrieval: RetrievalStages,
        access: str,
        *,
        round_: Round,
        own: Callable[[], Retriever],
        folder: Path,
    ) -> None:
        settings = retrieval.access(access).train
        assert settings is not None  # noqa: S101 - asked only for access models that are trained
        self._retrieval = retrieval
        self._queries = retrieval.queries(access)
        self._settings: RetrieverTraining = settings
        self._round = round_
        self._own = own
        self._folder = folder

    def of(self, task: str) -> RankedExamples:
        """Give the training examples of a task, each with what it is taught on."""
        collection, examples = self._retrieval.collection(task), self._retrieval.examples(task, "train")
        lists = self._lists(task, examples)
        if self._settings.teacher is not None and lists is not None:
            return self._taught(task, examples, lists)
        sampler = FromLabels.of(collection, examples, lists, self._settings.random)
        return RankedExamples.of(collection, examples, sampler, self._settings.compared)

    def made(self, queries: PseudoQueries, task: str, seed: int) -> RankedExamples:
        """Give queries made from the items of a task's collection; beside labels, the lists of negatives teach them."""
        settings = self._settings
        assert settings.lists is not None  # noqa: S101 - `RetrieverTraining` refuses pseudo-queries without
        examples = queries.examples(self._retrieval.collection(task), seed)
        if self._round.own and settings.teacher is not None:
            hits = self._kept(PSEUDO, lambda: self._found(task, examples))
        else:
            hits = self._retrieval.search(settings.lists, task, examples, settings.listed)
        return self._taught(task, examples, hits)

    def _taught(self, task: str, examples: Sequence[Example], lists: Hits) -> RankedExamples:
        collection, listed, groups = self._retrieval.collection(task), self._settings.listed, self._round.groups
        sampler: ItemSampler = FromTeacher(lists.first(listed), collection.rows(), self._settings.random)
        if groups is not None:
            sampler = FromGroups.of(collection, examples, lists.first(listed), groups)
        count = groups.size if groups is not None else self._settings.compared
        return RankedExamples.of(collection, examples, sampler, count)

    def _lists(self, task: str, examples: Sequence[Example]) -> Hits | None:
        if self._settings.denoise is not None and (self._round.own or self._settings.negatives is not None):
            return self._kept(task, lambda: self._denoised(task, examples))
        if self._round.own:
            return self._kept(task, lambda: self._found(task, examples))
        return self._given(task)

    def _given(self, task: str) -> Hits | None:
        lists = self._settings.lists
        return None if lists is None else self._retrieval.hits(lists, task, "train")

    def _found(self, task: str, examples: Sequence[Example]) -> Hits:
        """Let the retriever search with the weights it has; a teacher then says the order."""
        hits = InformationAccess(self._own(), self._queries).search(examples, self._settings.listed)
        teacher = self._settings.teacher
        return hits if teacher is None else self._scorer(teacher, task).reordered(examples, hits)

    def _denoised(self, task: str, examples: Sequence[Example]) -> Hits:
        hits = self._found(task, examples) if self._round.own else self._given(task)
        settings = self._settings.denoise
        assert hits is not None and settings is not None  # noqa: S101, PT018 - asked only where there are lists
        teacher = self._scorer(settings.teacher, task) if settings.teacher is not None else None
        return Denoiser(settings, self._retrieval.collection(task), teacher)(examples, hits)

    def _scorer(self, name: str, task: str) -> Teacher:
        return Teacher(self._retrieval.retriever(name, task), self._retrieval.queries(name))

    def _kept(self, name: str, make: Callable[[], Hits]) -> Hits:
        folder = self._folder / name
        if not has_hits(folder):
            save_hits(folder, make())
        return open_hits(folder)
