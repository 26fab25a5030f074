"""Rounds of training a retriever: each goes on from the weights of the one before, on lists that they find.

Xiong et al., "Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval" (ANCE), ICLR 2021,
https://arxiv.org/abs/2007.00808: negatives are what the retriever itself finds and should not, found anew as it learns.
CL-DRD (`reml.training.data.curriculum`) does the same with a teacher that re-ranks what is found.

    train: {negatives: bm25, rounds: [{self_mined: false}, {}, {}]}    # on BM25's negatives first, then on its own
    train:
      teacher: reranker
      list_depth: 200
      objective: {class_path: reml.feedback.cldrd.Cldrd}
      rounds:                                                          # as CL-DRD does; two more with larger tops
        - {curriculum: {top: 5, hard: 12, semi_hard: 13}, rate: 7.0e-6, epochs: 4}
        - {curriculum: {top: 10, hard: 10, semi_hard: 10}, rate: 3.0e-6, epochs: 2}

Deviations: there, a second process refreshes the index of a running training; here, training waits for it. The rate
rises and falls anew in every round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reml.training.data.curriculum import Curriculum
from reml.training.settings import Training


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round. What is left out of steps, epochs, rate and rates is as in the training of all rounds.

    Args:
        self_mined: learn on lists that the retriever finds with the weights it has when the round starts; else on
            those of another access model, as without rounds.
        curriculum: learn the order of groups of a teacher's list, as CL-DRD does.
        steps: updates of the weights.
        epochs: if given, takes the place of steps.
        rate: the peak learning rate.
        rates: other peak rates of parts, by the start of a parameter's name; 0 freezes the part.
    """

    self_mined: bool = True
    curriculum: Curriculum | None = None
    steps: int | None = None
    epochs: float | None = None
    rate: float | None = None
    rates: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        self.of(Training())

    def of(self, training: Training) -> Training:
        """Give the settings of this round; `ValueError` for what training does not allow."""
        fresh = self.steps is not None or self.epochs is not None
        return replace(
            training,
            steps=training.steps if self.steps is None else self.steps,
            epochs=self.epochs if fresh else training.epochs,
            rate=training.rate if self.rate is None else self.rate,
            rates=training.rates if self.rates is None else self.rates,
        )
