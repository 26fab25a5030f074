"""Reading lists that were drawn: how likely outputs are given the items of a list, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional

from reml.contract.examples import Example
from reml.contract.retrieved import Responses
from reml.predictors.reading.pair_builder import Reading
from reml.predictors.reading.pairs import Pairs
from reml.predictors.reading.sampling import Output


class Read(Protocol):
    """A batch that was read."""

    @property
    def reading(self) -> Reading:
        """What was read."""


R = TypeVar("R", bound=Read)


@runtime_checkable
class ReadsLists(Protocol[R]):
    """A predictor that encodes each item on its own and decodes from a list of them, such as FiD."""

    def encoded(self, examples: Sequence[Example], responses: Responses) -> R:
        """Encode each item with its question."""

    def right(self, read: R) -> list[Output]:
        """Give the right output of each example."""

    def draw(self, read: R) -> list[Output]:
        """Draw an output for each example, given all items."""

    def list_log_likelihood(self, read: R, rounds: Sequence[Sequence[Output]], drawn: Tensor) -> Tensor:
        """Give log p(output | x, list) of S outputs for each example, [B, S], with the gradient of the list.

        drawn: 1 where an item of K stands at a place of n of the list, else 0, [B, n, K].
        """


def drawn_inputs(inputs: Pairs, states: Tensor, drawn: Tensor) -> tuple[Pairs, Tensor]:
    """Give the inputs of drawn lists, and their states [P, L, D] as sums over the items, weighted by `drawn` [B, n, K].

    The sums are the drawn items' own states, and their gradient tells what another item in its place would change: how
    Stochastic RAG takes a list's gradient. An example without items keeps its question alone.
    """
    laid = _apart(inputs, states)
    weights = functional.pad(drawn, (0, laid.shape[1] - drawn.shape[2], 0, int(drawn.shape[1] == 0))).clone()
    weights[inputs.owners[inputs.alone], 0, 0] = 1.0
    hard = weights.detach() > 0.5
    owners, slots = hard.any(2).nonzero(as_tuple=True)
    places = hard.int().argmax(2)[owners, slots]
    mixed = torch.einsum("bnk,bkld->bnld", weights.to(laid.dtype), laid)[owners, slots]

    def taken(part: Tensor) -> Tensor:
        return _apart(inputs, part)[owners, places]

    lone = torch.zeros(inputs.examples, dtype=torch.bool, device=states.device)
    lone[inputs.owners[inputs.alone]] = True
    ids, parts, mask = (taken(part) for part in (inputs.ids, inputs.parts, inputs.mask))
    return Pairs(ids, parts, mask, owners, slots, lone[owners], inputs.examples), mixed


def _apart(inputs: Pairs, part: Tensor) -> Tensor:
    laid = inputs.gather(part)
    return laid.reshape(len(laid), -1, *part.shape[1:])  # [B, K*L, ...] -> [B, K, L, ...]
