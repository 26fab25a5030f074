"""The predictor f, what it receives, and who says how useful its items were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from reml.contract.access import Access, Session
from reml.contract.arguments.several import hold_mappings, hold_several
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.joining import joined
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import TrainableEncoder
from reml.contract.signals import Credit, InBatch, Prediction, Signal

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Batch:
    """What f receives: examples, and the sessions of g_1..g_N by name, in the order of the configuration.

    sessions: none where all that is to be read is `given`; what they give stands on the CPU until it is moved. given:
    what `read` gives instead of asking the sessions. device: where its tensors are to be; `read` is there.
    """

    examples: tuple[Example, ...]
    sessions: Mapping[str, Session] = field(default_factory=dict)
    given: Responses | None = None
    device: torch.device | None = None

    def __post_init__(self) -> None:
        hold_several(self, "examples")
        hold_mappings(self, "sessions")

    @classmethod
    def of(cls, examples: Sequence[Example], responses: Responses) -> Batch:
        """Make a batch of which all that is to be read is there."""
        return cls(tuple(examples), given=responses)

    @cached_property
    def read(self) -> Responses:
        """Each g asked once with its own queries, joined into one list an example: all that FiD and its kin use."""
        found = self.given
        if found is None:
            found = joined({name: session.ask() for name, session in self.sessions.items()}, len(self.examples))
        return found if self.device is None else found.to(self.device)

    def ask(self, queries: Queries) -> Responses:
        """Ask each g these queries, and join what comes back into one list a query, [Q, K_1 + ... + K_N]."""
        found = joined({name: session.ask(queries) for name, session in self.sessions.items()}, len(queries))
        return found if self.device is None else found.to(self.device)

    def reading(self, responses: Responses) -> Batch:
        """Give the same batch with these responses to be read."""
        return replace(self, given=responses)

    def to(self, device: torch.device) -> Batch:
        """Give the batch with its tensors on a device."""
        return replace(self, device=device)

    @property
    def unanswered(self) -> Batch:
        """The same batch without what tells the right answers: what f is given to answer."""
        examples = tuple(example.unanswered for example in self.examples)
        if all(one is other for one, other in zip(examples, self.examples, strict=True)):
            return self
        return replace(self, examples=examples, given=vars(self).get("read", self.given))


@runtime_checkable
class Predictor(Protocol):
    """f: predicts with the help of the access models it is given. Is an `nn.Module`."""

    @property
    def signals(self) -> Signal:
        """All that its loss can give beside the loss."""

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Compute once, into `folder`, what is needed of each item, by access model. May do nothing."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Score the right answers given what it reads, with gradient; `ValueError` for a signal it cannot give."""

    def generate(self, batch: Batch) -> list[Answer]:
        """Predict one answer for each example, with its provenance best first. Works with no items at all (K = 0).

        The examples that it is asked for hold no right answers (`Batch.unanswered`).
        """


@runtime_checkable
class Corrected(Protocol):
    """An f that is told what would have been right, after it has answered: never before, so that no answer knows it."""

    def see_right_answers(self, batch: Batch) -> None:
        """Take in the right answers of the examples that were answered last; `batch` has their sessions."""


@runtime_checkable
class Lender(Protocol):
    """An f whose parts a g uses: its states are what g finds by, its tables and episodes are memories that g opens."""

    def encoder(self, name: str) -> TrainableEncoder:
        """Give an encoder that shares f's weights, as they are now and as they become; `ValueError` names those it has.

        It is one object: what f learns, g encodes with, so that an index made of it must be refreshed while f learns.
        """

    def memory(self, name: str) -> Access:
        """Give an access model over what f holds; `ValueError` names those it has."""


@runtime_checkable
class Feedback(Protocol):
    """An objective that turns what is said of items into a loss for the retriever."""

    @property
    def needs(self) -> Signal:
        """What it asks for, beside the scores."""

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:
        """Give the loss of each list, [Q], from responses whose scores have a gradient. others: those of the batch."""


@runtime_checkable
class Judge(Protocol):
    """Says how useful items are where the predictor's loss does not: gold evidence, a teacher, a downstream measure."""

    def __call__(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Give the utility of each item, [B, K], finite, larger is better, without gradient; 0 where masked."""
