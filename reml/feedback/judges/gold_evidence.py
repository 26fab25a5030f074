"""A judge that knows the right answers' evidence: the gold labels that feedback is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reml.collection.evidence import holds
from reml.contract.examples import Example
from reml.contract.predictors import Judge, Predictor
from reml.contract.retrieved import Responses


@dataclass(frozen=True)
class GoldEvidence:
    """Says 1 of an item that holds a place which a right answer comes from, else 0."""

    @property
    def access(self) -> Sequence[str]:
        """No access model is asked."""
        return ()

    def open(self, predictor: Predictor, teachers: Mapping[str, Judge]) -> Judge:  # noqa: ARG002
        """Give itself: labels need nobody."""
        return self

    def __call__(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Give the relevance of each item, float32 [B, K]."""
        utility = torch.zeros(responses.mask.shape)
        for number, (example, items) in enumerate(zip(examples, responses.items, strict=True)):
            places = [place for answer in example.output for place in answer.provenance]
            for position, item in enumerate(items):
                utility[number, position] = float(any(holds(item, place) for place in places))
        return utility.to(responses.mask.device).masked_fill(~responses.mask, 0.0)
