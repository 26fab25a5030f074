"""Where items come from and where they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from reml.contract.examples import Item, Page
from reml.contract.vectors import Int64Array


class KnowledgeSource(Protocol):
    """Pages as KILT has them, streamed."""

    @property
    def fingerprint(self) -> str:
        """A digest that changes when the pages do; cheap to compute.

        What is made of the pages, collections, indexes and hits, is kept and known by it: while it stays the same, no
        page is read again.
        """

    def pages(self) -> Iterator[Page]:
        """Yield every page once, in an order that never changes."""


@runtime_checkable
class Credited(Protocol):
    """A knowledge source whose texts are shown only with the names of those who wrote them, or with their licence."""

    @property
    def credit(self) -> str:
        """A sentence that stands where the texts are shown."""


def credit_of(source: KnowledgeSource) -> str:
    """Give the sentence that stands where the texts of a source are shown, empty where none has to."""
    return source.credit if isinstance(source, Credited) else ""


@runtime_checkable
class Collection(Protocol):
    """A versioned table of items, each with a stable row id that is never reused."""

    @property
    def fingerprint(self) -> str:
        """A digest of this version's content."""

    @property
    def version(self) -> int:
        """The number of this version, from 1."""

    def __len__(self) -> int:
        """Count the items that are not deleted."""

    def rows(self) -> Int64Array:
        """All row ids that are not deleted, ascending, int64 [N]."""

    def get(self, rows: Int64Array) -> list[Item]:
        """Give the items of these rows, in this order, duplicates included; `KeyError` for a row that is not there."""

    def batches(self, size: int, start: int = 0) -> Iterator[list[Item]]:
        """Yield all items from row id `start` on in row order, at most `size` at a time, in bounded memory."""

    def values(self, column: str, rows: Int64Array) -> NDArray[Any]:
        """Give numbers kept beside the items of these rows, [*rows.shape, *shape of the column]; no item is made.

        0 for row -1. `page` is there in every collection: a number for each distinct page, which one version never
        changes; and so is `words`: how many words a text has. `KeyError` names the columns there are, or a row that is
        not there.
        """


@runtime_checkable
class OfModel(Protocol):
    """A collection whose rows are token positions as a language model knows them: of no use to any other model."""

    @property
    def model(self) -> str:
        """The fingerprint of the language model, empty where it is not known."""

    @property
    def tokeniser(self) -> str:
        """That of its tokeniser, whose numbers the tokens are."""
