"""A predictor that asks only where it is not sure without.

Jiang et al., "Active Retrieval Augmented Generation" (FLARE), EMNLP 2023, https://arxiv.org/abs/2305.06983: retrieval
where what was written without it is not likely enough. Jeong et al., "Adaptive-RAG", NAACL 2024,
https://arxiv.org/abs/2403.14403: some questions need none.

Implemented: the predictor answers without items; where its confidence is below a threshold, which can be chosen for a
budget of asks (`reml.predictors.gating.threshold`), it asks and answers again.

Deviations: FLARE decides anew for each sentence, by its least likely token; here it is once for an answer, by the mean.
Adaptive-RAG's gate is a classifier of the question alone, which costs no first answer: not implemented.

Numbers: not run on the data of the papers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reml.access.joint_session import part_of
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Finite
from reml.contract.asking import answers_of
from reml.contract.examples import Answer
from reml.contract.predictor_module import PredictorMaker
from reml.contract.predictors import Batch, Corrected
from reml.predictors.around import Around
from reml.predictors.gating.confidence import Confidence


@checked()
class Gated(Around):
    """Lets a predictor answer without items, and asks for those examples alone whose answer is not sure.

    predictor: makes the one that answers. confidence: how sure it is of an answer. threshold: below it is asked; an
    answer that says nothing is always below. The `meta` of an answer says `asked` and `confidence`.

    It learns as the predictor does that it holds, with what it reads: one that never answers without items in training
    is not sure without.
    """

    def __init__(
        self,
        predictor: PredictorMaker,
        confidence: Confidence,
        threshold: Finite,
    ) -> None:
        super().__init__(predictor)
        self.confidence, self.threshold = confidence, threshold

    def generate(self, batch: Batch) -> list[Answer]:
        """Answer without items, then those that are not sure again with them."""
        batch = batch.unanswered
        answers = answers_of(self.predictor, Batch(batch.examples, device=batch.device))
        sure = self.confidence(batch.examples, answers)
        if sure.shape != (len(answers),) or np.isnan(sure).any():
            raise ValueError(
                f"{type(self.confidence).__name__} gave {sure} for {len(answers)} answers: give a number for each."
            )
        unsure = np.flatnonzero(sure < self.threshold)
        if len(unsure):
            again = answers_of(self.predictor, part_of(batch, unsure))
            for place, answer in zip(unsure.tolist(), again, strict=True):
                answers[place] = answer
        return _on_record(answers, sure.tolist(), set(unsure.tolist()))

    def see_right_answers(self, batch: Batch) -> None:
        """Tell the predictor inside, if it wants to know."""
        if isinstance(self.predictor, Corrected):
            self.predictor.see_right_answers(batch)


def _on_record(answers: Sequence[Answer], sure: Sequence[float], asked: set[int]) -> list[Answer]:
    """Say of each answer how sure the first one was (none: it said nothing) and whether more was asked for."""
    return [
        replace(
            answer,
            meta={
                **(answer.meta or {}),
                "asked": place in asked,
                "confidence": sure[place] if math.isfinite(sure[place]) else None,
            },
        )
        for place, answer in enumerate(answers)
    ]
