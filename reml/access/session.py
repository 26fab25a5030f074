"""The session of an access model: what one batch of examples asks of it and writes, on record.

Own queries that were answered ahead are read from there; any other ask goes through the access model as it is now. One
code path: what is trained on is what is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reml.access.limits import Limits
from reml.access.presenting.order import in_order
from reml.access.responses import empty, gather
from reml.contract.access import Entries
from reml.contract.asking import noted
from reml.contract.collections import Collection
from reml.contract.examples import Example, given_examples
from reml.contract.retrieved import Hits, LazyItems, Queries, Responses, given_queries
from reml.contract.vectors import Int64Array
from reml.devices.device import default_device
from reml.devices.precision import autocast


class Chain(Protocol):
    """What a session asks: an access model, all of whose parts are shared by its sessions."""

    @property
    def name(self) -> str:
        """How a configuration calls it."""

    @property
    def collection(self) -> Collection:
        """What it gives access to."""

    @property
    def limits(self) -> Limits:
        """Its depth, k, budget and temperature."""

    def queries(self, examples: Sequence[Example]) -> Queries:
        """Make its own queries of examples."""

    def own(self, examples: Sequence[Example], queries: Queries, k: int) -> Responses:
        """Answer its own queries of these examples by one list an example, [B, k]."""

    def answer(self, queries: Queries, k: int) -> Responses:
        """Answer each query by at most k items, [Q, k]; k = 0: by every row."""

    def store(self, entries: Entries) -> Int64Array:
        """Keep entries; `RuntimeError` if it does not store."""


@final
class AccessSession:
    """One batch of examples at an access model. ahead: hits of its own queries, [B, depth], where they are known."""

    def __init__(self, chain: Chain, examples: Sequence[Example], ahead: Hits | None = None) -> None:
        if ahead is not None and len(ahead) != len(examples):
            raise ValueError(f"{len(examples)} examples but hits of {len(ahead)}: give one row for each.")
        self._chain, self._examples, self._ahead = chain, given_examples(examples), ahead
        self._asked: list[tuple[Queries, Responses]] = []
        self._wrote = False
        asks = chain.limits.asks
        self._left = np.full(len(examples), asks if asks is not None else np.iinfo(np.int64).max, dtype=np.int64)

    @property
    def left(self) -> Int64Array:
        """Asks that the budget still allows each example, int64 [B]."""
        return self._left.copy()

    @property
    def asked(self) -> Sequence[tuple[Queries, Responses]]:
        """What was asked and what came back, in order."""
        return tuple(self._asked)

    def ask(
        self, queries: Queries | None = None, k: int | None = None, *, owners: Int64Array | None = None
    ) -> Responses:
        """Answer queries, [Q, k], or its own, [B, k]; `ValueError` for an owner that is no example of the batch.

        owners: the only examples for which its own are asked, one list for each. In the precision of what answers, as
        it would be ahead, not in that in which a predictor computes meanwhile.
        What is handed over comes in the order in which it is to be read (`Limits.order`); every row in that of rows.
        """
        places = self._chain.limits.k if k is None else k
        with noted(f"in an ask of the access model {self._chain.name!r}"), autocast(default_device(), "float32"):
            if places < 0:
                raise ValueError(f"k is a number of items, 1 or more, or 0 for every row; not {places}.")
            if queries is None:
                asking = self._asking(owners)
                given = self._chain.queries([self._examples[owner] for owner in asking])
                found = self._own(asking, given, places)
                given = given if owners is None else replace(given, owners=asking[given.owners])
            else:
                if owners is not None:
                    raise ValueError("queries that are given say whose they are: leave `owners` out.")
                self._check(given_queries(queries))
                given, found = queries, self._live(queries, places)
        if places:
            found = in_order(found, self._chain.limits.order)
        self._asked.append((given, found))
        return found

    def values(self, column: str, responses: Responses) -> Tensor:
        """Give numbers kept beside the items, [Q, K, ...]."""
        return torch.from_numpy(self._chain.collection.values(column, responses.rows)).to(responses.scores.device)

    def write(self, entries: Entries) -> Int64Array:
        """Store entries of examples of the batch; what is asked from now on is answered anew."""
        with noted(f"in writing to the access model {self._chain.name!r}"), autocast(default_device(), "float32"):
            self._check_owners(entries.owners)
            rows = self._chain.store(entries)
        self._wrote = self._wrote or bool(len(rows))
        return rows

    def _asking(self, owners: Int64Array | None) -> Int64Array:
        """Give the examples whose own queries are asked."""
        if owners is None:
            return np.arange(len(self._examples), dtype=np.int64)
        self._check_owners(owners)
        if (np.diff(owners) <= 0).any():
            raise ValueError(f"the owners that ask must be ascending, each once, not {owners[:10].tolist()}.")
        return owners

    def _own(self, owners: Int64Array, queries: Queries, k: int) -> Responses:
        """Answer own queries of examples: from what is known, or live; those that may not ask any more find nothing."""
        allowed = self._spend(owners)
        if self._ahead is not None and not self._wrote and allowed.all() and 0 < k <= self._known(self._ahead):
            known = self._ahead.first(k).take(owners)
            return gather(self._chain.collection, known, temperature=self._chain.limits.temperature)
        asking = [self._examples[owner] for owner in owners[allowed]]
        if allowed.all():
            return self._chain.own(asking, queries, k)
        return _spread(self._chain.own(asking, self._chain.queries(asking), k), allowed)

    def _known(self, ahead: Hits) -> int:
        """Give how many of the best items are known: all that were searched for, where there are no more."""
        return max(ahead.k, self._chain.limits.depth) if ahead.ended else ahead.k

    def _live(self, queries: Queries, k: int) -> Responses:
        """Answer queries; those of examples that may not ask any more find nothing."""
        allowed = self._spend(queries.owners)
        if allowed.all():
            return self._chain.answer(queries, k)
        return _spread(self._chain.answer(queries.take(np.flatnonzero(allowed)), k), allowed)

    def _spend(self, owners: Int64Array) -> npt.NDArray[np.bool_]:
        """Take one ask of each example that has a query; tell of which queries there was one left, [Q]."""
        allowed = self._left[owners] > 0
        self._left[np.unique(owners[allowed])] -= 1
        return allowed

    def _check(self, queries: Queries) -> None:
        self._check_owners(queries.owners)
        if (np.diff(queries.owners) < 0).any():
            raise ValueError(f"the owners of queries must be ascending, not {queries.owners[:10].tolist()}.")

    def _check_owners(self, owners: Int64Array) -> None:
        wrong = owners[(owners < 0) | (owners >= len(self._examples))]
        if len(wrong):
            raise ValueError(
                f"owners are positions in the batch of {len(self._examples)} examples, not {wrong[:5].tolist()}."
            )


def _spread(found: Responses, allowed: npt.NDArray[np.bool_]) -> Responses:
    """Give the answers found to the queries that were allowed, in order, and nothing to the others."""
    if not len(found):
        return replace(empty(len(allowed)), temperature=found.temperature)
    places = np.where(allowed, np.cumsum(allowed) - 1, -1)
    index, items = np.maximum(places, 0), found.items
    chosen = torch.from_numpy(index).to(found.scores.device)
    every = replace(
        found,
        items=LazyItems(
            len(places),
            lambda: [items[place] if place >= 0 else () for place in places.tolist()],
            as_kept=found.as_kept,
        ),
        rows=np.where(allowed[:, None], found.rows[index], -1),
        scores=found.scores[chosen],
        mask=found.mask[chosen],
        origins=found.origins[index],
    )
    return every.pick(np.where(every.rows >= 0, np.arange(found.k), -1))
