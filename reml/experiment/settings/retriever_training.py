"""How a retriever is trained before it indexes: what a configuration says under `train`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Several, Share, Size, Temper
from reml.contract.objective import Objective
from reml.contract.predictors import Feedback
from reml.feedback.weak_supervision import Rank
from reml.training.data.negatives import Denoising
from reml.training.data.pseudo_queries import PseudoQueries
from reml.training.data.rounds import Round
from reml.training.data.samplers import SamplerMaker
from reml.training.regimes.sparsity import Regulariser
from reml.training.settings import Training


@checked("train")
@dataclass(frozen=True, kw_only=True)
class RetrieverTraining:
    """How a retriever is trained before it indexes: on the train split of tasks, from labels or by a teacher.

    Args:
        teacher: the access model whose lists and scores teach it (weak supervision: no label is read, unless a round's
            curriculum asks for it); the labels do, items that hold the evidence of right answers, if left out.
        negatives: with labels, the access model whose lists wrong items come from; the whole collection if left out.
        objective: a `Feedback` on items' utilities: RankProb, Contrastive, MarginMse, KlDistillation, Cldrd; Rank if
            left out.
        regularisers: losses on the vectors (`reml.training.regimes.sparsity`).
        denoise: with labels, which items of a list are not to be learnt as wrong (`reml.training.data.negatives`).
        rounds: if given, it learns in so many rounds, each from the weights of the one before and, unless it says
            otherwise, on lists that it finds itself with them (`reml.training.data.rounds`); a teacher re-ranks those.
        pseudo_queries: queries made from items, which the lists of `teacher` or `negatives` teach on as well.
        least_start: if given, a share: an encoder that, untrained, finds the item of fewer fresh pseudo-queries than
            this share of what `teacher` or `negatives` finds is refused before hours of training.
        items_per_query: items that a query is taught on at a time; with a round's curriculum, all of its own.
        list_depth: so many first items of a list teach; wrong items beside labels come from all of it. Lists that a
            round finds itself are of this length.
        random_negatives: chance of each but the first to come from anywhere in the collection, and not from a list.
        page_negatives: with labels that say which passages are right, whether the others of their pages are wrong; if
            not, as where a label may have missed some, they are neither.
        first_hop: with labels and a list, whether of several places that an answer needs only the one that the list
            has first is right: what a further hop is to find is not asked for yet.
        tasks: whose examples it learns from, all tasks of the same knowledge source if left out.
        temperature: if given, a task with n examples has a share of n^(1 / temperature) in what is learnt.
        sampler: in which order examples come, by what was found for them if it asks: those lists of `teacher`,
            `negatives` or a round's own (`reml.training.data.neighbours`); in place of `temperature`.
        held_out: of each task, the examples that training is judged on while it runs, and does not learn from.
        training: how it is trained; the experiment's seed takes the place of its own.
    """

    teacher: str | None = None
    negatives: str | None = None
    objective: Objective | None = None
    regularisers: Sequence[Regulariser] = ()
    denoise: Denoising | None = None
    rounds: Sequence[Round] | None = None
    pseudo_queries: PseudoQueries | None = None
    least_start: Share | None = None
    items_per_query: Several = 2
    list_depth: Count = 100
    random_negatives: Share = 0.5
    page_negatives: bool = False
    first_hop: bool = False
    tasks: Sequence[str] = ()
    temperature: Temper | None = None
    sampler: SamplerMaker | None = None
    held_out: Size = 50
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        if self.teacher is not None and self.negatives is not None:
            raise ValueError("a teacher's lists have its own negatives: leave out `negatives`, or learn from labels.")
        if self.pseudo_queries is not None and self.lists is None:
            raise ValueError("pseudo_queries have no labels: name the `teacher` or `negatives` whose lists teach them.")
        if self.least_start is not None and self.pseudo_queries is None:
            raise ValueError("train.least_start is measured on pseudo-queries: give `pseudo_queries`, or leave it out.")
        if self.temperature is not None and self.sampler is not None:
            raise ValueError("train.temperature and train.sampler both say how examples are mixed: leave out one.")
        self._check_rounds()

    def _check_rounds(self) -> None:
        if self.rounds is not None and not self.rounds:
            raise ValueError("train.rounds is empty: give at least one round, or leave it out.")
        if self.teacher is None and any(part.curriculum is not None for part in self.rounds or ()):
            raise ValueError("a curriculum is one of a teacher's list: name the `teacher`.")
        if self.denoise is not None and self.teacher is not None:
            raise ValueError("denoise drops wrong items beside labels, and a teacher's list has none: leave it out.")
        if (
            self.denoise is not None
            and self.negatives is None
            and not any(part.self_mined for part in self.rounds or ())
        ):
            raise ValueError("denoise drops items of lists: name the access model of `negatives`, or give `rounds`.")

    @property
    def feedback(self) -> Feedback:
        """The objective, or the default one."""
        return self.objective if self.objective is not None else Rank()

    @property
    def lists(self) -> str | None:
        """The access model whose lists it needs."""
        return self.teacher if self.teacher is not None else self.negatives

    @property
    def needs(self) -> Sequence[str]:
        """The access models that it cannot do without."""
        return [*([self.lists] if self.lists is not None else []), *self.scorers]

    @property
    def all_rounds(self) -> Sequence[Round]:
        """The rounds; one on the lists of others if it has none."""
        return self.rounds if self.rounds is not None else (Round(self_mined=False),)

    @property
    def scorers(self) -> Sequence[str]:
        """The access models that score what others found: a teacher of lists found in rounds, or of denoising."""
        mined = self.teacher if any(part.self_mined for part in self.rounds or ()) else None
        denoising = self.denoise.teacher if self.denoise is not None else None
        return [name for name in (mined, denoising) if name is not None]
