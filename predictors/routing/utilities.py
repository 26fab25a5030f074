"""How much better an answer is for what an access model found: by the predictor, by a measure, or by records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from reml.contract.examples import Answer, Example
from reml.evaluation.judgements import Gold, distinct_pages
from reml.evaluation.ranking import r_precision
from reml.feedback.judges.answer_utility import NAMES, AnswerUtility
from reml.feedback.records import FeedbackLog

LIKELIHOOD, R_PRECISION = "likelihood", "r_precision"
UTILITIES = (LIKELIHOOD, R_PRECISION, *NAMES)


def of_losses(losses: Tensor) -> Tensor:
    """Give p(y | x, what was found), [B, C], of losses that are -log p; without gradient."""
    return losses.detach().float().neg().exp()


def of_answers(measure: str, examples: Sequence[Example], answers: Sequence[Answer]) -> Tensor:
    """Score one answer to each example by a measure, [B]."""
    return torch.tensor([_of(measure, Gold.of(one), given) for one, given in zip(examples, answers, strict=True)])


def _of(measure: str, gold: Gold, answer: Answer) -> float:
    if measure != R_PRECISION:
        return AnswerUtility(measure).of(gold, answer)
    return r_precision(distinct_pages(place.wikipedia_id for place in answer.provenance), gold.page_sets)


class Recorded:
    """What records say of each access model: the utility of the most useful item that it found for a question.

    logs: folders of `FeedbackRecord`s (`reml.feedback.records.FeedbackLog`) by the name of their access model; their
    queries are the inputs of examples, and a later record of a question counts.
    """

    def __init__(self, logs: Mapping[str, Path]) -> None:
        self._known = {name: _best(name, Path(folder)) for name, folder in logs.items()}

    def __call__(self, names: Sequence[str], examples: Sequence[Example]) -> Tensor:
        """Give the utility of each access model for each example, float32 [B, N]; `ValueError` for one unknown."""
        return torch.tensor([[self._said(name, example) for name in names] for example in examples])

    def _said(self, name: str, example: Example) -> float:
        known = self._known[name]
        if example.input not in known:
            raise ValueError(
                f"the records of {name!r} say nothing of example {example.id!r} ({example.input[:60]!r}), but of "
                f"{len(known)} other questions, such as {next(iter(known))[:60]!r}: keep records of the examples that "
                "are learnt from, whose queries are their inputs, or leave `records` out."
            )
        return known[example.input]


def _best(name: str, folder: Path) -> dict[str, float]:
    found: dict[str, float] = {}
    for record in FeedbackLog(folder):
        there = np.where(record.rows >= 0, record.utilities, -np.inf).max(axis=1, initial=-np.inf)
        found.update(zip(record.queries, np.where(np.isfinite(there), there, 0.0).tolist(), strict=True))
    if not found:
        raise ValueError(f"there are no feedback records of {name!r} in {folder}: name the folder of a FeedbackLog.")
    return found
