"""What training reads: examples of one task or several, with what was retrieved for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from reml.access.composed_access import FoundAccess
from reml.access.joint_session import joint_session, stacked
from reml.access.limits import Limits
from reml.contract.access import Access
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array
from reml.files.atomic import digest
from reml.training.data.answered import check_answered
from reml.training.data.samplers import PerTask, Sampler, Temperature, Uniform
from reml.training.refresh.policies import RefreshedIndex

Score = Callable[[Sequence[Example], Sequence[Answer]], float]


@dataclass(frozen=True, eq=False)
class RetrievedExamples:
    """Examples of one task and, by access model, the hits of each [B, depth] that were found ahead.

    access: opens the sessions of batches. asked: the examples as the access models see them, if they are shown
    otherwise to the predictor.
    """

    examples: Sequence[Example]
    ahead: Mapping[str, Hits]
    access: Mapping[str, Access]
    asked: Sequence[Example] | None = None

    def __post_init__(self) -> None:
        for name, hits in self.ahead.items():
            if len(self.examples) != len(hits):
                raise ValueError(
                    f"{len(self.examples)} examples but hits of {len(hits)} by {name!r}: give one row for each."
                )

    @classmethod
    def of(cls, collection: Collection, examples: Sequence[Example], hits: Hits) -> RetrievedExamples:
        """Hand over the items of a collection as they were found: all of a list, and nothing else can be asked."""
        return cls(
            examples,
            {"": hits} if hits.k else {},
            {"": FoundAccess(collection, Limits(hits.k, hits.k))} if hits.k else {},
        )

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def hits(self) -> Hits:
        """The hits of the only access model; none where there is no access model."""
        if len(self.ahead) > 1:
            raise ValueError(f"there are hits of {', '.join(self.ahead)}: take them by name, from `ahead`.")
        return next(iter(self.ahead.values()), Hits.empty(len(self.examples)))

    def take(self, positions: Int64Array) -> Batch:
        """Give the examples at these positions, in this order."""
        asked = self._chosen(self.asked if self.asked is not None else self.examples, positions)
        return Batch(
            self._chosen(self.examples, positions),
            {name: self.access[name].open(asked, hits.take(positions)) for name, hits in self.ahead.items()},
        )

    def only(self, positions: Int64Array) -> RetrievedExamples:
        """Keep the examples at these positions."""
        return replace(
            self,
            examples=self._chosen(self.examples, positions),
            ahead={name: hits.take(positions) for name, hits in self.ahead.items()},
            asked=None if self.asked is None else self._chosen(self.asked, positions),
        )

    def of_access(self, name: str) -> RetrievedExamples:
        """Keep the hits of one access model, if it has any, under no name: batches lay such lists below others."""
        if name not in self.ahead:
            return replace(self, ahead={}, access={})
        return replace(self, ahead={"": self.ahead[name]}, access={"": self.access[name]})

    def check_learnable(self) -> None:
        """Raise `ValueError` for an example without a right answer: a predictor cannot learn from it."""
        check_answered(self.examples)

    @property
    def fingerprint(self) -> str:
        """A digest of the examples and their hits."""
        texts = [[example.id, example.input, list(example.answers)] for example in self.examples]
        shown = [hits.shown for hits in self.ahead.values() if hits.shown is not None]
        changed = [part.texts[number] for part in shown for number in part.at[part.at >= 0].tolist()]
        rows = (np.ascontiguousarray(hits.rows).tobytes() for hits in self.ahead.values())
        return digest(texts, *([changed] if changed else []), *rows)

    def _chosen(self, examples: Sequence[Example], positions: Int64Array) -> tuple[Example, ...]:
        return tuple(examples[int(position)] for position in positions)


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
    """Held-out examples of one task and how answers to them are scored (larger is better).

    measure: names what the newest score is the mean of, for who reads it.
    """

    name: str
    retrieved: RetrievedExamples
    score: Score
    measure: Callable[[], str] = lambda: "score"

    def __post_init__(self) -> None:
        if not len(self.retrieved):
            raise ValueError(f"the dev set {self.name!r} is empty: leave it out or give it at least one example.")


def _joined(batches: Sequence[Batch]) -> Batch:
    """Put batches one after the other; an access model that one of them does not have finds nothing there."""
    if len(batches) == 1:
        return batches[0]
    given = [batch.given for batch in batches if batch.given is not None]
    if given and len(given) < len(batches):
        raise ValueError("some batches come with what is to be read, others ask for it: learn from them one by one.")
    names = dict.fromkeys(name for batch in batches for name in batch.sessions)
    return Batch(
        tuple(example for batch in batches for example in batch.examples),
        {name: joint_session([(batch.sessions.get(name), len(batch.examples)) for batch in batches]) for name in names},
        given=stacked(given) if given else None,
    )
