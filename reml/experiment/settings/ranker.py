"""A ranker of an experiment: a scorer that access models name, and how it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.objective import Objective
from reml.contract.predictors import Feedback
from reml.contract.retrievers import Scorer
from reml.experiment.settings.retriever_training import RetrieverTraining
from reml.feedback.lambda_loss import LambdaLoss
from reml.training.regimes.selection import WindowScorer
from reml.training.settings import Training


@checked("rankers.selection")
@dataclass(frozen=True, kw_only=True)
class SelectionTraining:
    """How the part of a ranker that selects windows learns from the part that reads them (`IDCM`), once that learnt.

    Args:
        objective: a `Feedback` on the reader's scores of the windows of an item; LambdaLoss of `best` if left out.
        best: windows of an item that are to be found.
        training: how it is trained; the experiment's seed takes the place of its own.
    """

    objective: Objective | None = None
    best: Count = 3
    training: Training = field(default_factory=Training)

    @property
    def feedback(self) -> Feedback:
        """The objective, or the default one."""
        return self.objective if self.objective is not None else LambdaLoss(top=self.best)


@checked("rankers")
@dataclass(frozen=True)
class Ranker:
    """A scorer that processors of access models name (`Rerank`), made and trained once for all of them.

    Args:
        scorer: what scores.
        train: how it is trained; without it, it is used as it comes. It needs the lists of a teacher or of negatives,
            since it finds nothing itself: an access model, whose queries it learns on.
        selection: how what selects windows is trained after that, on the same lists; of a ranker that has such a part.
    """

    scorer: Scorer
    train: RetrieverTraining | None = None
    selection: SelectionTraining | None = None

    def __post_init__(self) -> None:
        if self.selection is not None:
            self._check_selection()
        if self.train is None:
            return
        if self.train.lists is None:
            raise ValueError(
                "a ranker learns to order what an access model finds: name it under train.negatives, to learn from "
                "labels, or under train.teacher."
            )
        if self.train.least_start is not None:
            raise ValueError("train.least_start is of what finds items, and a ranker finds none: leave it out.")
        if any(part.self_mined for part in self.train.rounds or ()):
            raise ValueError(
                "a ranker finds nothing itself: give each of train.rounds `self_mined: false`, or leave the rounds out."
            )
        if self.train.training.gradient_cache is not None:
            raise ValueError(
                "train.training.gradient_cache is of vectors, which a ranker need not make: leave it out, and lower "
                "batch_size or raise `accumulate`."
            )

    def _check_selection(self) -> None:
        if not isinstance(self.scorer, WindowScorer):
            raise ValueError(
                f"selection trains what selects windows of items, and {type(self.scorer).__name__} has no such part: "
                "leave it out, or choose IDCM."
            )
        if self.train is None:
            raise ValueError(
                "selection learns on the lists of `train`, after it: say under `train` how what reads windows learns."
            )

    @property
    def needs(self) -> Sequence[str]:
        """The access models that it cannot do without."""
        return self.train.needs if self.train is not None else ()
