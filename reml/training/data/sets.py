"""What training reads: examples of one task or several, with what was retrieved for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional

from reml.access.responses import gather
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.retrieved import Hits, Responses
from reml.contract.vectors import Int64Array
from reml.files.atomic import digest
from reml.training.data.batch import Batch, check_answered
from reml.training.data.samplers import PerTask, Sampler, Temperature, Uniform
from reml.training.refresh.policies import RefreshedIndex

Respond = Callable[[Sequence[Example], Hits], Responses]
Score = Callable[[Sequence[Example], Sequence[Answer]], float]


@dataclass(frozen=True, eq=False)
class RetrievedExamples:
    """Examples of one task and the hits of each [B, K]; the items behind the hits are fetched when they are used.

    respond: turns the hits of some examples into what the predictor receives.
    """

    examples: Sequence[Example]
    hits: Hits
    respond: Respond

    def __post_init__(self) -> None:
        if len(self.examples) != len(self.hits):
            raise ValueError(f"{len(self.examples)} examples but hits of {len(self.hits)}: give one row for each.")

    @classmethod
    def of(cls, collection: Collection, examples: Sequence[Example], hits: Hits) -> RetrievedExamples:
        """Hand the items of a collection to the predictor as they were retrieved."""
        return cls(examples, hits, lambda _, found: gather(collection, found))

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, positions: Int64Array) -> Batch:
        """Give the examples at these positions, in this order."""
        examples = tuple(self.examples[position] for position in positions)
        return Batch(examples, self.respond(examples, Hits(self.hits.rows[positions], self.hits.scores[positions])))

    def check_learnable(self) -> None:
        """Raise `ValueError` for an example without a right answer: a predictor cannot learn from it."""
        check_answered(self.examples)

    @property
    def fingerprint(self) -> str:
        """A digest of the examples and their hits."""
        texts = [[example.id, example.input, list(example.answers)] for example in self.examples]
        return digest(texts, np.ascontiguousarray(self.hits.rows).tobytes())


class Part(Protocol):
    """Examples of one task, as batches of them are learnt from."""

    @property
    def fingerprint(self) -> str:
        """A digest of all that the batches are made of."""

    def __len__(self) -> int:
        """Count the examples."""

    def take(self, positions: Int64Array) -> Batch:
        """Give the examples at these positions, in this order; the same for the same positions.

        Where the items are retrieved at that moment, the same for the same index and encoder.
        """

    def check_learnable(self) -> None:
        """Raise `ValueError` if there is an example that nothing can be learnt from."""


@dataclass(frozen=True, eq=False)
class TrainSet:
    """What is learnt from: the examples of one task or several, and the order they come in.

    Positions count through the parts one after the other. refreshed: where items are retrieved when they are learnt
    from (`reml.training.refresh.live_examples`), how their index keeps up with the encoder.
    """

    parts: Sequence[Part]
    order: Sampler
    refreshed: RefreshedIndex | None = None

    def __post_init__(self) -> None:
        if not sum(len(part) for part in self.parts):
            raise ValueError("the training set is empty: give it at least one example.")
        for part in self.parts:
            part.check_learnable()

    @classmethod
    def of(cls, *parts: Part) -> TrainSet:
        """Learn from every example once an epoch."""
        return cls(parts, Uniform(sum(len(part) for part in parts)))

    @classmethod
    def balanced(cls, parts: Sequence[Part], from_each: int) -> TrainSet:
        """Learn from `from_each` examples of every part an epoch, so that a large task does not drown a small one."""
        return cls(tuple(parts), PerTask([len(part) for part in parts], from_each))

    @classmethod
    def tempered(cls, parts: Sequence[Part], temperature: float | None) -> TrainSet:
        """Learn from every part in proportion to its size to the power of 1 / temperature; as `of` without one."""
        if temperature is None:
            return cls.of(*parts)
        return cls(tuple(parts), Temperature([len(part) for part in parts], temperature))

    def take(self, positions: Int64Array) -> Batch:
        """Give the examples at these positions, those of one part together, else in this order."""
        stops = np.cumsum([len(part) for part in self.parts])
        owner = np.searchsorted(stops, positions, side="right")
        return _joined(
            [
                self.parts[number].take(positions[owner == number] - (stops[number] - len(self.parts[number])))
                for number in np.unique(owner)
            ]
        )


@dataclass(frozen=True, eq=False)
class DevSet:
    """Held-out examples of one task and how answers to them are scored (larger is better)."""

    name: str
    retrieved: RetrievedExamples
    score: Score

    def __post_init__(self) -> None:
        if not len(self.retrieved):
            raise ValueError(f"the dev set {self.name!r} is empty: leave it out or give it at least one example.")


def _joined(batches: Sequence[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    responses = [batch.responses for batch in batches]
    k = max(response.k for response in responses)
    examples = tuple(example for batch in batches for example in batch.examples)
    missing = [(0, k - response.k) for response in responses]
    return Batch(
        examples,
        Responses(
            items=tuple(items for response in responses for items in response.items),
            rows=np.concatenate(
                [
                    np.pad(response.rows, ((0, 0), pad), constant_values=-1)
                    for response, pad in zip(responses, missing, strict=True)
                ]
            ),
            scores=_stacked([response.scores for response in responses], missing, -torch.inf),
            mask=_stacked([response.mask for response in responses], missing, fill=False),
        ),
    )


def _stacked(tensors: list[torch.Tensor], missing: list[tuple[int, int]], fill: float) -> torch.Tensor:
    return torch.cat([functional.pad(tensor, pad, value=fill) for tensor, pad in zip(tensors, missing, strict=True)])
