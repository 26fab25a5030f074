"""How sure an answer without retrieval is: the larger, the surer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from reml.contract.access import Likelihoods
from reml.contract.arguments.checked import checked
from reml.contract.examples import Answer, Example
from reml.contract.vectors import Float64Array


@runtime_checkable
class Confidence(Protocol):
    """Says how sure answers are."""

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Float64Array:
        """Give a number for each answer, [B], -inf for one that says nothing; `ValueError` where it cannot tell."""


@checked()
class AnswerLikelihood:
    """The mean of log p over the tokens of an answer after its question, by a language model.

    prompt: holds `{question}`; the answer comes behind it and a space.
    """

    def __init__(self, model: Likelihoods, prompt: str = "Question: {question}\nAnswer:") -> None:
        if prompt.count("{question}") != 1:
            raise ValueError(f"the prompt must hold {{question}}, once; it is {prompt!r}.")
        self.model, self.prompt = model, prompt

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Float64Array:
        """Ask once for all answers that say something."""
        sure = np.full(len(answers), -math.inf)
        saying = [place for place, answer in enumerate(answers) if (answer.text or "").strip()]
        prompts = [self.prompt.replace("{question}", examples[place].input) for place in saying]
        texts = [f" {answers[place].text}" for place in saying]
        for place, tokens in zip(saying, self.model.log_likelihoods(prompts, texts) if saying else [], strict=True):
            sure[place] = sum(tokens) / len(tokens) if tokens else -math.inf
        return sure


@checked()
class ToldConfidence:
    """A number that the predictor itself puts beside its answers, in their `meta`. name: of it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Float64Array:
        """Read it; `ValueError` names an example whose answer has none."""
        return np.array([self._of(*pair) for pair in zip(examples, answers, strict=True)], dtype=np.float64)

    def _of(self, example: Example, answer: Answer) -> float:
        told = (answer.meta or {}).get(self.name)
        if not (answer.text or "").strip():
            return -math.inf
        if not isinstance(told, int | float) or isinstance(told, bool) or math.isnan(told):
            raise ValueError(
                f"the answer to example {example.id!r} has no number {self.name!r} in its meta, which has "
                f"{', '.join(answer.meta or {}) or 'nothing'}: name one that the predictor tells, or choose "
                "AnswerLikelihood."
            )
        return float(told)
