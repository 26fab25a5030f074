"""Who says how useful items and outputs are, where an objective asks for more than a predictor's likelihoods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Judge
from reml.contract.retrieved import Responses
from reml.contract.signals import Signal
from reml.feedback.judges.answer_utility import AnswerUtility

SampleJudge = Callable[[Sequence[Example], Sequence[Sequence[Answer]]], Tensor]


@checked()
@dataclass(frozen=True)
class Judges:
    """Judges of a training run.

    items: says the utility of each item, for objectives that need ITEM_UTILITY. samples: says that of each sampled
    output [B, S], for objectives that need SAMPLES. likelihoods: says log p(y | x, item) in the place of the predictor,
    for objectives that need ITEM_LIKELIHOOD: what a predictor once said (`RecordedUtility`).
    """

    items: Judge | None = None
    samples: SampleJudge = field(default_factory=AnswerUtility)
    likelihoods: Judge | None = None

    @property
    def gives(self) -> Signal:
        """What no predictor need give any more."""
        items = Signal.NONE if self.items is None else Signal.ITEM_UTILITY
        return items if self.likelihoods is None else items | Signal.ITEM_LIKELIHOOD

    def utility(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Let the judge of items say their utility, [B, K], of the type and on the device of the scores."""
        if self.items is None:
            raise ValueError("nobody judges items here: give `Judges` one, such as `Judges(items=GoldEvidence())`.")
        return _said(self.items, examples, responses).masked_fill(~responses.mask, 0.0)

    def likelihood(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Let who knows say log p(y | x, item), [B, K], -inf where masked."""
        if self.likelihoods is None:
            raise ValueError("nobody knows likelihoods here: give `Judges` one, such as `RecordedUtility(log)`.")
        return _said(self.likelihoods, examples, responses).masked_fill(~responses.mask, -torch.inf)


def _said(judge: Judge, examples: Sequence[Example], responses: Responses) -> Tensor:
    said = judge(examples, responses)
    if said.shape != responses.mask.shape:
        raise ValueError(
            f"{judge!r} gave utilities of shape {tuple(said.shape)} for items of shape "
            f"{tuple(responses.mask.shape)}: a judge gives one for each item, [B, K]."
        )
    return said.detach().to(responses.scores)
