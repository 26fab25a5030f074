"""A ranker of an experiment: a scorer that access models name, and how it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reml.contract.arguments.checked import checked
from reml.contract.retrievers import Scorer
from reml.experiment.settings.retriever_training import RetrieverTraining


@checked("rankers")
@dataclass(frozen=True)
class Ranker:
    """A scorer that processors of access models name (`Rerank`), made and trained once for all of them.

    Args:
        scorer: what scores.
        train: how it is trained; without it, it is used as it comes. It needs the lists of a teacher or of negatives,
            since it finds nothing itself: an access model, whose queries it learns on.
    """

    scorer: Scorer
    train: RetrieverTraining | None = None

    def __post_init__(self) -> None:
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

    @property
    def needs(self) -> Sequence[str]:
        """The access models that it cannot do without."""
        return self.train.needs if self.train is not None else ()
