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

from dataclasses import dataclass

from reml.contract.arguments.checked import checked
from reml.training.data.curriculum import Curriculum
from reml.training.settings import Stretch


@checked("train.rounds")
@dataclass(frozen=True, kw_only=True)
class Round(Stretch):
    """One round, with settings of a stretch of training (`reml.training.settings.Stretch`).

    Args:
        self_mined: learn on lists that the retriever finds with the weights it has when the round starts; else on
            those of another access model, as without rounds.
        curriculum: learn the order of groups of a teacher's list, as CL-DRD does.
    """

    self_mined: bool = True
    curriculum: Curriculum | None = None
