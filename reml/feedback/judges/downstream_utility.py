"""A judge that asks a predictor what it makes of each item alone.

Salemi and Zamani, "Evaluating Retrieval Quality in Retrieval-Augmented Generation" (eRAG), SIGIR 2024,
https://arxiv.org/abs/2404.13781: the downstream measure of the answer given one item is that item's relevance.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.asking import answers_of
from reml.contract.examples import Example
from reml.contract.predictors import Batch, Judge, Predictor
from reml.contract.retrieved import Responses
from reml.evaluation.judgements import Gold
from reml.feedback.judges.answer_utility import AnswerUtility


@checked()
@dataclass(frozen=True)
class DownstreamUtility:
    """Says of an item the measure of the answer that a predictor gives when it has that item alone.

    Any predictor will do. utility: the measure. batch_size: how many items are read at once.
    """

    utility: AnswerUtility = field(default_factory=AnswerUtility)
    batch_size: int = 16

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size is a number of items, 1 or more, not {self.batch_size}.")

    @property
    def access(self) -> Sequence[str]:
        """No access model is asked."""
        return ()

    def open(self, predictor: Predictor, teachers: Mapping[str, Judge]) -> Judge:  # noqa: ARG002
        """Give the judge that asks a predictor."""
        return functools.partial(self.utilities, predictor)

    @torch.no_grad()
    def utilities(self, predictor: Predictor, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Give the utility of each item, float32 [B, K]; the predictor is in evaluation mode meanwhile."""
        utility = torch.zeros(responses.mask.shape)
        keys: list[tuple[int, int]] = [(owner, place) for owner, place in responses.mask.nonzero().tolist()]
        golds = [Gold.of(example) for example in examples]
        with _evaluating(predictor):
            for start in range(0, len(keys), self.batch_size):
                chunk = keys[start : start + self.batch_size]
                answers = answers_of(predictor, _alone(examples, responses, chunk))
                for (owner, place), answer in zip(chunk, answers, strict=True):
                    utility[owner, place] = self.utility.of(golds[owner], answer)
        return utility.to(responses.mask.device)


def _alone(examples: Sequence[Example], responses: Responses, keys: Sequence[tuple[int, int]]) -> Batch:
    """Give each item to its example, as the only one."""
    owners, places = ([key[side] for key in keys] for side in (0, 1))
    alone = Responses(
        items=tuple((responses.items[owner][place],) for owner, place in keys),
        rows=responses.rows[owners, places][:, None],
        scores=responses.scores[owners, places][:, None].detach(),
        mask=responses.mask[owners, places][:, None],
    )
    return Batch.of([examples[owner] for owner in owners], alone)


@contextlib.contextmanager
def _evaluating(predictor: Predictor) -> Iterator[None]:
    """Switch dropout off; each part of the predictor gets its own mode back."""
    parts = list(predictor.modules()) if isinstance(predictor, nn.Module) else []
    training = [part for part in parts if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True
