"""How likely a language model finds the right text: the log-likelihood of a token, and perplexity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reml.contract.examples import Answer, Example
from reml.contract.vectors import Float64Array


@dataclass(frozen=True)
class Perplexity:
    """Measure answers by the likelihood that their predictor gave to the right text.

    A predictor says it in the `meta` of its answers: {"log_likelihood": a sum over tokens, natural, "tokens": how
    many}. `log_likelihood` is that of a token, each example weighted by its tokens so that the mean over examples is
    the mean over all tokens: exp(-mean) is the perplexity of the whole. `perplexity` is that of each example alone.

    `ValueError` names an answer that does not say it.
    """

    @property
    def headline(self) -> str:
        """The log-likelihood, for of perplexity less is better."""
        return "log_likelihood"

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Mapping[str, Float64Array]:
        """Give `log_likelihood` and `perplexity`, [N] each."""
        pairs = zip(examples, answers, strict=True)
        told = np.array([_told(example.id, answer) for example, answer in pairs], dtype=np.float64).reshape(-1, 2)
        likelihoods, tokens = told[:, 0], told[:, 1]
        weighted = likelihoods * (len(tokens) / max(1.0, float(tokens.sum())))
        return {"log_likelihood": weighted, "perplexity": np.exp(-likelihoods / tokens)}


def _told(example: str, answer: Answer) -> tuple[float, int]:
    meta = answer.meta or {}
    likelihood, tokens = meta.get("log_likelihood"), meta.get("tokens")
    sound = isinstance(likelihood, int | float) and math.isfinite(likelihood)
    if not sound or not isinstance(tokens, int) or tokens < 1:
        raise ValueError(
            f"the answer to example {example!r} does not say how likely the right text is: its meta is "
            f'{answer.meta!r}. Let the predictor give {{"log_likelihood": a finite number, "tokens": 1 or more}} in it.'
        )
    return float(likelihood), tokens  # type: ignore[arg-type]
