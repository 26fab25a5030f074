"""Access models without a search of their own: fused rankings, what was found before, and none at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import final

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.querying.query_generators import InputQuery
from reml.access.rank_fusion import FUSIONS, Fusing
from reml.access.responses import empty, gather, shown
from reml.access.session import AccessSession, Chain
from reml.contract.access import Entries, QueryGenerator
from reml.contract.collections import Collection
from reml.contract.examples import Example
from reml.contract.retrieved import Hits, Queries, Responses, room_for
from reml.contract.vectors import Int64Array


@final
class FusedAccess:
    """Asks several access models of one collection the same and fuses their rankings (`reml.access.rank_fusion`)."""

    def __init__(
        self,
        parts: Sequence[InformationAccess],
        limits: Limits | None = None,
        name: str = "",
        *,
        fusing: Fusing = "reciprocal_rank",
    ) -> None:
        if len({part.collection.fingerprint for part in parts}) != 1:
            raise ValueError(
                f"access model {name!r} fuses {len(parts)} others of different collections: only rankings of the same "
                "items can be fused; give a predictor several access models instead."
            )
        self.parts, self.name = tuple(parts), name
        self.limits = limits if limits is not None else Limits()
        self._fuse = FUSIONS[fusing]

    @property
    def collection(self) -> Collection:
        """What it gives access to."""
        return self.parts[0].collection

    @property
    def category(self) -> int:
        """1: it neither stores nor learns; its parts may."""
        return 1

    def open(self, examples: Sequence[Example], ahead: Hits | None = None) -> AccessSession:
        """Give the session of one batch."""
        return AccessSession(self, examples, ahead)

    def search(self, examples: Sequence[Example], depth: int | None = None) -> Hits:
        """Give the fused hits of everyone's own queries, [B, depth]."""
        room = room_for(depth if depth is not None else self.limits.depth, len(self.collection))
        return self._fuse([part.search(examples, room) for part in self.parts], room)

    def queries(self, examples: Sequence[Example]) -> Queries:
        """Give the inputs: each part makes queries of its own."""
        return Queries.of_inputs(examples)

    def own(self, examples: Sequence[Example], queries: Queries, k: int) -> Responses:  # noqa: ARG002
        """Answer everyone's own queries, [B, k]."""
        return self._gathered(self.search(examples, max(k, self.limits.depth)).first(k))

    def answer(self, queries: Queries, k: int) -> Responses:
        """Answer each query, [Q, k]; `ValueError` for every row: ranks have no soft reading."""
        if k == 0:
            raise ValueError(f"{self.name!r} fuses ranks, which cannot be read softly: ask for the best k.")
        depth = room_for(max(k, self.limits.depth), len(self.collection))
        hits = [shown(part.answer(queries, depth), part.collection, depth) for part in self.parts]
        return self._gathered(self._fuse(hits, min(k, depth)))

    def store(self, entries: Entries) -> Int64Array:  # noqa: ARG002
        """Refuse: it has no storage of its own."""
        raise RuntimeError(f"the access model {self.name!r} fuses others and does not store: write to one of them.")

    def _gathered(self, hits: Hits) -> Responses:
        return gather(self.collection, hits, temperature=self.limits.temperature)


@final
class FoundAccess:
    """Gives what was found before for each batch; anything else is asked of the access model itself, when it is needed.

    limits: how much of what was found is handed over. queries: its own, which the record shows; the inputs if left out.
    live: opens the access model; without it, nothing else can be asked.
    """

    def __init__(
        self,
        collection: Collection,
        limits: Limits,
        name: str = "",
        *,
        queries: QueryGenerator | None = None,
        live: Callable[[], Chain] | None = None,
    ) -> None:
        self.collection, self.limits, self.name = collection, limits, name
        self._queries, self._open = queries if queries is not None else InputQuery(), live

    @property
    def category(self) -> int:
        """1: it neither stores nor learns."""
        return 1

    def open(self, examples: Sequence[Example], ahead: Hits | None = None) -> AccessSession:
        """Give the session of one batch."""
        return AccessSession(self, examples, ahead)

    def queries(self, examples: Sequence[Example]) -> Queries:
        """Make its own queries."""
        return self._queries(examples)

    def own(self, examples: Sequence[Example], queries: Queries, k: int) -> Responses:  # noqa: ARG002
        """Answer the queries of the access model itself anew, [B, k]."""
        return self._live.own(examples, self._live.queries(examples), k)

    def answer(self, queries: Queries, k: int) -> Responses:
        """Answer each query, [Q, k]."""
        return self._live.answer(queries, k)

    def store(self, entries: Entries) -> Int64Array:
        """Keep entries, if the access model stores."""
        return self._live.store(entries)

    @cached_property
    def _live(self) -> Chain:
        if self._open is None:
            raise RuntimeError(
                f"{self.name!r} only gives what was found before: open the access model itself to ask for more."
            )
        return self._open()


@final
class NoAccess:
    """Finds nothing: a control, what a predictor says without any item."""

    def __init__(self, collection: Collection, name: str = "") -> None:
        self.collection, self.name = collection, name
        self.limits = Limits()

    @property
    def category(self) -> int:
        """1: it finds nothing, and does nothing else."""
        return 1

    def open(self, examples: Sequence[Example], ahead: Hits | None = None) -> AccessSession:  # noqa: ARG002
        """Give the session of one batch."""
        return AccessSession(self, examples)

    def search(self, examples: Sequence[Example], depth: int | None = None) -> Hits:  # noqa: ARG002
        """Give no hits, [B, 0]."""
        return Hits.empty(len(examples))

    def queries(self, examples: Sequence[Example]) -> Queries:
        """Give the inputs."""
        return Queries.of_inputs(examples)

    def own(self, examples: Sequence[Example], queries: Queries, k: int) -> Responses:  # noqa: ARG002
        """Find nothing, [B, 0]."""
        return empty(len(examples))

    def answer(self, queries: Queries, k: int) -> Responses:  # noqa: ARG002
        """Find nothing, [Q, 0]."""
        return empty(len(queries))

    def store(self, entries: Entries) -> Int64Array:  # noqa: ARG002
        """Refuse: there is nothing to store in."""
        raise RuntimeError(f"the access model {self.name!r} has no collection and does not store.")
