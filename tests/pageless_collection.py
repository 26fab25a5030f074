"""Items of no page: numbers, or texts that stand nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from numpy.typing import NDArray
from torch import Tensor

from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrieved import Hits, Queries
from reml.contract.retrievers import Retriever
from reml.contract.vectors import Int64Array
from reml.retrievers.states import States


@final
class Pageless:
    """A collection whose items have neither page nor title; their numbers are those of another one."""

    def __init__(self, source: Collection) -> None:
        self.source = source

    @property
    def fingerprint(self) -> str:
        return f"pageless {self.source.fingerprint}"

    @property
    def version(self) -> int:
        return self.source.version

    def __len__(self) -> int:
        return len(self.source)

    def rows(self) -> Int64Array:
        return self.source.rows()

    def get(self, rows: Int64Array) -> list[Item]:
        return [_bare(item) for item in self.source.get(rows)]

    def batches(self, size: int, start: int = 0) -> Iterator[list[Item]]:
        return ([_bare(item) for item in batch] for batch in self.source.batches(size, start))

    def values(self, column: str, rows: Int64Array) -> NDArray[Any]:
        return self.source.values(column, rows)


@dataclass(frozen=True)
class PagelessStates:
    """States whose rows have no page."""

    model: str

    @property
    def columns(self) -> tuple[str, ...]:
        return States().columns

    def index(self, collection: Collection, folder: Path) -> Retriever:
        return _Finds(States(self.model).index(collection, folder))


class _Finds:
    def __init__(self, found: Retriever) -> None:
        self.found, self.collection = found, Pageless(found.collection)

    def search(self, queries: Queries, k: int) -> Hits:
        return self.found.search(queries, k)

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        return self.found.score(queries, rows)


def _bare(item: Item) -> Item:
    return replace(item, page_id="", title="", span=None)
