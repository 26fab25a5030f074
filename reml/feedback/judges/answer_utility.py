"""How useful an answer is: one of KILT's measures of it, up to the KILT score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.examples import Answer, Example
from reml.evaluation.judgements import Gold, Guess
from reml.evaluation.kilt import MEASURES, answer_scores
from reml.evaluation.ranking import r_precision

KILT = "KILT-"
NAMES = (*MEASURES, *(KILT + measure for measure in MEASURES))


@checked()
@dataclass(frozen=True)
class AnswerUtility:
    """Score answers by a measure: accuracy, em, f1 or rougel, or `KILT-` and one of them.

    With `KILT-` an answer has its points only if its provenance has an R-precision of 1, as in a KILT score.
    """

    version: ClassVar[int] = 2  # an answer of the same text and another provenance counts since

    measure: str = "em"

    def __post_init__(self) -> None:
        if self.measure not in NAMES:
            raise ValueError(f"there is no measure {self.measure!r}: choose one of {', '.join(NAMES)}.")

    def __call__(self, examples: Sequence[Example], answers: Sequence[Sequence[Answer]]) -> Tensor:
        """Score S answers to each of B examples, float32 [B, S].

        An answer that repeats an earlier one of the same example, text and provenance, has 0: each counts once.
        """
        table = [self._scores(Gold.of(example), given) for example, given in zip(examples, answers, strict=True)]
        width = len(answers[0]) if answers else 0
        return torch.tensor(table, dtype=torch.float32).reshape(len(examples), width)

    def of(self, gold: Gold, answer: Answer) -> float:
        """Score one answer; one without a text has 0."""
        guess = Guess.of(gold.id, Answer(answer.text or "", answer.provenance))
        name = self.measure.removeprefix(KILT)
        points = next(value for measure, value in answer_scores(gold, guess).items() if measure == name)
        counts = not self.measure.startswith(KILT) or r_precision(guess.pages, gold.page_sets) == 1
        return points if counts else 0.0

    def _scores(self, gold: Gold, answers: Sequence[Answer]) -> list[float]:
        said = [(answer.text, answer.provenance) for answer in answers]
        return [0.0 if said.index(one) < at else self.of(gold, answers[at]) for at, one in enumerate(said)]
