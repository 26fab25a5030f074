"""The retrievers that learn in one regime: of the one access model that a predictor reads, or of some of several.

What a predictor reads of several access models is one list an example. It is taken apart by origin, so that each
retriever scores and learns from its own items, and put together again for the predictor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

import torch
from torch import Tensor, nn

from reml.access.responses import empty
from reml.contract.examples import Example
from reml.contract.joining import apart, joined
from reml.contract.predictors import Batch
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal
from reml.training.regimes.retriever_objective import Rescored, RetrieverObjective

Learning = RetrieverObjective | Mapping[str, RetrieverObjective]


@dataclass(frozen=True, eq=False)
class Learners:
    """Retrievers by the name of their access model; one without a name learns from all that is read."""

    by_name: Mapping[str, RetrieverObjective]

    @classmethod
    def of(cls, learning: Learning) -> Learners:
        """Take one learner, or several by name; `ValueError` if there is none."""
        if isinstance(learning, RetrieverObjective):
            return cls({"": learning})
        if not learning:
            raise ValueError("no retriever learns: give at least one, by the name of its access model.")
        return cls(dict(learning))

    @property
    def module(self) -> nn.Module:
        """The parameters of the only learner, or of all by name."""
        if len(self.by_name) == 1:
            return next(iter(self.by_name.values())).module
        return nn.ModuleDict({name: learner.module for name, learner in self.by_name.items()})

    @property
    def asks(self) -> Signal:
        """What the predictor's loss must give."""
        return reduce(or_, (learner.asks for learner in self.by_name.values()))

    @property
    def taught(self) -> bool:
        """Whether any of them has an objective."""
        return any(learner.feedback is not None for learner in self.by_name.values())

    @property
    def untaught(self) -> str:
        """Those that have no objective, by name; empty if there are none."""
        without = [name for name, learner in self.by_name.items() if learner.feedback is None]
        return ", ".join(f"the retriever of {name!r}" if name else "the retriever" for name in without)

    def rescored(self, batch: Batch) -> dict[str, Rescored]:
        """Give what each access model found, with scores computed anew where its retriever learns."""
        read = batch.read
        if "" in self.by_name:
            return {"": self.by_name[""].rescored(batch.examples, read)}
        missing = sorted(set(self.by_name) - set(read.names))
        if missing:
            raise ValueError(f"retrievers of {missing} learn, but the predictor reads {', '.join(read.names)}.")
        parts = {name: read.pick(positions) for name, positions in apart(read).items()}
        return {name: self._part(name, batch.examples, part) for name, part in parts.items()}

    def losses(
        self, examples: Sequence[Example], rescored: Mapping[str, Rescored], credit: Credit
    ) -> dict[str, Tensor]:
        """Give the loss of each learner that has an objective, [B]. credit: of the whole list that was read."""
        of_each = _of_each(rescored, credit)
        return {
            self._called(name): learner.loss(examples, rescored[name], of_each[name])
            for name, learner in self.by_name.items()
            if learner.feedback is not None
        }

    def _called(self, name: str) -> str:
        return "retriever" if len(self.by_name) == 1 else f"retriever/{name}"

    def _part(self, name: str, examples: Sequence[Example], part: Responses) -> Rescored:
        learner = self.by_name.get(name)
        named = replace(part, names=(name,), origins=part.origins * 0)
        return learner.rescored(examples, named) if learner is not None else Rescored(named, empty(len(part)))


def read_again(rescored: Mapping[str, Rescored], count: int) -> Responses:
    """Put the lists together again as the predictor reads them."""
    if "" in rescored:
        return rescored[""].own
    return joined({name: one.own for name, one in rescored.items()}, count)


def _of_each(rescored: Mapping[str, Rescored], credit: Credit) -> dict[str, Credit]:
    if "" in rescored:
        return {"": credit}
    some = next(iter(rescored.values())).own
    places = apart(read_again(rescored, len(some)))
    return {name: credit.take(torch.from_numpy(chosen).to(some.mask.device)) for name, chosen in places.items()}
