"""A batch: examples and what the predictor receives for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from reml.contract.examples import Example
from reml.contract.retrieved import Responses


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """Examples and what the predictor receives for each."""

    examples: tuple[Example, ...]
    responses: Responses

    def to(self, device: torch.device) -> Batch:
        """Give the batch with its tensors on a device."""
        responses = self.responses
        moved = replace(responses, scores=responses.scores.to(device), mask=responses.mask.to(device))
        return Batch(self.examples, moved)


def check_answered(examples: Sequence[Example]) -> None:
    """Raise `ValueError` for an example without a right answer."""
    silent = next((example for example in examples if not example.answers), None)
    if silent is not None:
        raise ValueError(f"example {silent.id!r} has no right answer to learn: leave it out of the training set.")
