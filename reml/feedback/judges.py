"""Who says how useful items and outputs are, where an objective asks for more than a predictor's likelihoods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from reml.feedback.answer_utility import AnswerUtility
from reml.protocols import Judge
from reml.types import Answer, Example, Responses, Signal

SampleJudge = Callable[[Sequence[Example], Sequence[Sequence[Answer]]], Tensor]


@dataclass(frozen=True)
class Judges:
    """Judges of a training run.

    items: says the utility of each item, for objectives that need ITEM_UTILITY. samples: says that of each sampled
    output [B, S], for objectives that need SAMPLES.
    """

    items: Judge | None = None
    samples: SampleJudge = field(default_factory=AnswerUtility)

    @property
    def gives(self) -> Signal:
        """What no predictor need give any more."""
        return Signal.NONE if self.items is None else Signal.ITEM_UTILITY

    def utility(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Let the judge of items say their utility, [B, K], of the type and on the device of the scores."""
        if self.items is None:
            raise ValueError("nobody judges items here: give `Judges` one, such as `Judges(items=GoldEvidence())`.")
        utility = self.items(examples, responses)
        if utility.shape != responses.mask.shape:
            raise ValueError(
                f"{self.items!r} gave utilities of shape {tuple(utility.shape)} for items of shape "
                f"{tuple(responses.mask.shape)}: a judge gives one for each item, [B, K]."
            )
        return utility.detach().to(responses.scores).masked_fill(~responses.mask, 0.0)
