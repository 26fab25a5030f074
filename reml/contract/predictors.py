"""The predictor f, and who says how useful its items were."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.retrieved import Responses
from reml.contract.signals import Prediction, Signal

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Predictor(Protocol):
    """f: predicts with the help of what was retrieved. Is an `nn.Module`."""

    @property
    def signals(self) -> Signal:
        """All that its loss can give beside the loss."""

    def prepare(self, collection: Collection, folder: Path) -> None:
        """Compute once, into `folder`, what is needed of each item (its token ids, say). May do nothing."""

    def loss(self, examples: Sequence[Example], responses: Responses, signals: Signal = Signal.NONE) -> Prediction:
        """Score the right answers given the responses, with gradient; `ValueError` for a signal it cannot give."""

    def generate(self, examples: Sequence[Example], responses: Responses) -> list[Answer]:
        """Predict one answer for each example, with its provenance best first. Works with no items at all (K = 0)."""


@runtime_checkable
class Feedback(Protocol):
    """An objective that turns what a predictor says of its items into a loss for the retriever."""

    @property
    def needs(self) -> Signal:
        """What it asks for, beside the scores."""

    def __call__(self, scores: Tensor, mask: Tensor, prediction: Prediction) -> Tensor:
        """Give the loss of each example, [B], from retrieval scores [B, K] with gradient and a mask [B, K]."""


@runtime_checkable
class Judge(Protocol):
    """Says how useful items are where the predictor's loss does not: gold evidence, a teacher, a downstream measure."""

    def __call__(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Give the utility of each item, [B, K], finite, larger is better, without gradient; 0 where masked."""
