"""What goes into an access model and what comes out of it: queries, hits and responses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self, final, overload

import numpy as np
import numpy.typing as npt

from reml.contract.arguments.several import hold_several, several
from reml.contract.examples import Example, Item, Media, Span, given_examples, require_text
from reml.contract.vectors import DenseVectors, Float32Array, Int64Array, MultiVectors, Representations, SparseVectors

if TYPE_CHECKING:
    import torch
    from torch import Tensor


# So many places cost nothing: only tables of hits that are wider are cut to what there is.
PLACES = 128


def room_for(k: int, items: int) -> int:
    """Give how many places hold the k best of so many items: k, unless that is far more than there are.

    The last place is then one that is surely empty, which says that there is no more (`Hits.ended`).
    """
    return min(k, max(PLACES, items + 1))


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """A set of rows for each of Q queries, as CSR: those of query q are `rows[indptr[q]:indptr[q + 1]]`.

    excluded: these may not be found; else only these may.
    """

    indptr: Int64Array
    rows: Int64Array
    excluded: bool = False

    def __post_init__(self) -> None:
        if len(self.indptr) == 0 or self.indptr[0] != 0 or self.indptr[-1] != len(self.rows):
            raise ValueError("indptr must start with 0 and end with the number of rows given.")
        if (self.rows < 0).any():
            raise ValueError(f"rows are ids of items, 0 or more, not {self.rows[self.rows < 0][:5].tolist()}.")

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | Int64Array], *, excluded: bool = False) -> Self:
        """Take the rows of each query."""
        parts = [np.asarray(part, dtype=np.int64) for part in rows]
        indptr = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        return cls(indptr, np.concatenate([np.empty(0, np.int64), *parts]), excluded)

    def __getitem__(self, query: int) -> Int64Array:
        return self.rows[self.indptr[query] : self.indptr[query + 1]]

    def take(self, queries: Int64Array) -> Rows:
        """Give the rows of these queries, in this order."""
        return Rows.of([self[int(query)] for query in queries], excluded=self.excluded)

    def allows(self, query: int, rows: Int64Array) -> npt.NDArray[np.bool_]:
        """Tell for each of some rows whether a query may find it."""
        listed: npt.NDArray[np.bool_] = np.isin(rows, self[query])
        return ~listed if self.excluded else listed


@dataclass(frozen=True, eq=False, slots=True)
class Queries:
    """Q queries of B examples. owners: the example of each, int64 [Q], ascending. contents: Q texts or media.

    states: Q queries that are representations from the start (weighted terms of relevance feedback), or a hidden state
    with its gradient, float [Q, D]: they are searched as they are, and contents, where there are any, only say what
    they stand for. only: the rows that may, or may not, be found for each.
    """

    owners: Int64Array
    contents: tuple[str | Media, ...] = ()
    states: Tensor | Representations | None = None
    only: Rows | None = None

    def __post_init__(self) -> None:
        hold_several(self, "contents")
        for content in self.contents:
            if isinstance(content, str):
                require_text(content, "a query")
        parts = {"contents": self.contents, "states": self.states, "sets of rows": self.only}
        for name, part in parts.items():
            if part is not None and len(part) != len(self.owners) and not (name == "contents" and self._states_say):
                raise ValueError(f"{len(part)} {name} but {len(self.owners)} owners: give one for each query.")

    @property
    def _states_say(self) -> bool:
        return not self.contents and self.states is not None

    def __len__(self) -> int:
        return len(self.owners)

    @classmethod
    def of(cls, contents: Sequence[str | Media]) -> Self:
        """Make one query for each example, in order; `TypeError` for one text instead of several."""
        return cls(np.arange(len(several(contents, "contents")), dtype=np.int64), tuple(contents))

    @classmethod
    def of_inputs(cls, examples: Sequence[Example]) -> Self:
        """Ask with the input of each example; one whose input is blank asks with its media, a query for each."""
        given = given_examples(examples)
        asked = [[one.input] if one.input.strip() or not one.media else one.media for one in given]
        owners = np.repeat(np.arange(len(examples), dtype=np.int64), [len(contents) for contents in asked])
        return cls(owners, tuple(content for contents in asked for content in contents))

    @property
    def said(self) -> tuple[str | Media, ...]:
        """What an encoder reads, one for each query: the contents, or empty texts where states say all."""
        return self.contents or ("",) * len(self)

    @property
    def asking(self) -> list[int]:
        """The positions of the queries that say something: media, and texts that are not blank."""
        return [place for place, content in enumerate(self.said) if isinstance(content, Media) or content.strip()]

    @property
    def texts(self) -> tuple[str, ...]:
        """The queries as records name them: texts, empty where states say all; media by their paths.

        Who reads queries takes `said`, and what is no text is refused (`reml.contract.examples.texts_of`).
        """
        return tuple(content.written if isinstance(content, Media) else content for content in self.said)

    def take(self, positions: Int64Array) -> Queries:
        """Give the queries at these positions, in this order."""
        places = [int(position) for position in positions]
        return Queries(
            self.owners[positions],
            tuple(self.contents[place] for place in places) if self.contents else (),
            None if self.states is None else _taken(self.states, positions),
            None if self.only is None else self.only.take(positions),
        )


def given_queries(queries: Queries) -> Queries:
    """Give queries back; `TypeError` for what is none, such as a text or several."""
    if not isinstance(queries, Queries):
        raise TypeError(f"queries are a {type(queries).__name__}: make them by `Queries.of([text, ...])`.")
    return queries


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """Texts that items are shown with where they are not those of the collection, and the spans that these stand in.

    at: int64 [B, K], the number of an item's text; -1: as the collection has it. texts: T texts. spans: int64 [T, 4],
    as `Span` has them; a row of -1 where there is none.
    """

    at: Int64Array
    texts: Sequence[str]
    spans: Int64Array

    def item(self, item: Item, number: int) -> Item:
        """Give an item as it is shown. number: of its text."""
        if number < 0:
            return item
        span = self.spans[number].tolist()
        return replace(item, text=self.texts[number], span=Span(*span) if span[0] >= 0 else None)


@dataclass(frozen=True, eq=False, slots=True)
class Hits:
    """Rows int64 [B, K] and scores float32 [B, K]: best first, ties by row, padded with -1 and -inf at the end.

    shown: what a processor made of the texts of the items, if any did.
    """

    rows: Int64Array
    scores: Float32Array
    shown: Shown | None = None

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or self.rows.shape != self.scores.shape:
            raise ValueError(f"rows {self.rows.shape} and scores {self.scores.shape} must both be [B, K].")
        if self.shown is not None and self.shown.at.shape != self.rows.shape:
            raise ValueError(f"rows {self.rows.shape} and what is shown {self.shown.at.shape} must both be [B, K].")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def k(self) -> int:
        """The number of places K for each query, padding included."""
        return int(self.rows.shape[1])

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """True where there is an item, [B, K]."""
        return self.rows >= 0

    @property
    def ended(self) -> bool:
        """Whether every query has an empty place at its end: what found them found no more."""
        return self.k > 0 and not bool((self.rows[:, -1] >= 0).any())

    def narrowed(self) -> Hits:
        """Leave out places that no query needs, but for one that is empty; what is padding only costs no memory."""
        used = self.rows[:, PLACES:].max(axis=0, initial=-1) >= 0
        return self.first(room_for(self.k, PLACES + int(used.sum())))

    def first(self, k: int) -> Hits:
        """Keep the k best of each query."""
        shown = None if self.shown is None else replace(self.shown, at=self.shown.at[:, :k])
        return Hits(self.rows[:, :k], self.scores[:, :k], shown)

    def take(self, positions: Int64Array | slice) -> Hits:
        """Give the hits of the queries at these positions, in this order."""
        shown = None if self.shown is None else replace(self.shown, at=np.asarray(self.shown.at[positions]))
        return Hits(np.asarray(self.rows[positions]), np.asarray(self.scores[positions]), shown)

    @classmethod
    def empty(cls, count: int, k: int = 0) -> Self:
        """Give `count` queries k places without an item."""
        return cls(np.full((count, k), -1, dtype=np.int64), np.full((count, k), -np.inf, dtype=np.float32))

    @classmethod
    def ranked(cls, rows: Int64Array, scores: Float32Array, k: int) -> Self:
        """Sort candidates [B, C] by score, ties by row, and keep k places; rows of -1 count as padding."""
        scores = np.where(rows >= 0, scores, -np.inf).astype(np.float32)
        order = np.lexsort((np.where(rows >= 0, rows, np.iinfo(np.int64).max), -scores), axis=1)[:, :k]
        rows, scores = np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)
        missing = ((0, 0), (0, max(0, k - rows.shape[1])))
        return cls(
            np.pad(rows, missing, constant_values=-1).astype(np.int64),
            np.pad(scores, missing, constant_values=-np.inf).astype(np.float32),
        )


@dataclass(frozen=True, eq=False)
class Responses:
    """What came back for Q queries, at most K items each, best first; in a `Batch`, one list for each of B examples.

    `items[q]` are the items themselves (no padding), fetched on first use; `rows` int64 [Q, K] is padded with -1;
    `scores` [Q, K] is padded with -inf and has a gradient while the access model learns; `mask` bool [Q, K] is true
    where there is an item. `origins` int8 [Q, K]: which of `names` gave the item, 0 where there is none; rows of
    different origins are rows of different collections. `temperature`: what scores are divided by in `log_prior`.
    """

    items: Sequence[tuple[Item, ...]]
    rows: Int64Array
    scores: Tensor
    mask: Tensor
    origins: npt.NDArray[np.int8] = field(default_factory=lambda: np.empty((0, 0), np.int8))
    names: tuple[str, ...] = ("",)
    temperature: float = 1.0

    def __post_init__(self) -> None:
        hold_several(self, "items", "names")
        if self.origins.shape != self.rows.shape:
            object.__setattr__(self, "origins", np.zeros(self.rows.shape, dtype=np.int8))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def k(self) -> int:
        """The number of places K for each query, padding included."""
        return int(self.rows.shape[1])

    @property
    def as_kept(self) -> bool:
        """Whether the items are surely those of the collection, so that rows say all of them."""
        return isinstance(self.items, LazyItems) and self.items.as_kept

    @property
    def log_prior(self) -> Tensor:
        """Log p(item | x) = log softmax(scores / temperature), [Q, K], -inf where masked; with the scores' gradient."""
        import torch

        shown = (self.scores.float() / self.temperature).masked_fill(~self.mask, -torch.inf)
        safe = shown.masked_fill(~self.mask.any(dim=1, keepdim=True), 0.0)  # no item: nothing to normalise
        return torch.log_softmax(safe, dim=1).masked_fill(~self.mask, -torch.inf)

    @classmethod
    def of_scores(cls, scores: Tensor, mask: Tensor, temperature: float = 1.0) -> Self:
        """Make responses of scores and a mask [Q, K] alone: all that an objective looks at."""
        rows = np.where(mask.cpu().numpy(), np.arange(mask.shape[1]), -1).astype(np.int64)
        return cls(((),) * len(rows), rows, scores, mask, temperature=temperature)

    def to(self, device: torch.device) -> Responses:
        """Move scores and mask to a device."""
        return replace(self, scores=self.scores.to(device), mask=self.mask.to(device))

    def hits(self, k: int) -> Hits:
        """Give the rows and scores alone, cut or padded to k places; what the items are shown as is left out."""
        missing = ((0, 0), (0, max(0, k - self.k)))
        scores = self.scores.detach().float().cpu().numpy()
        return Hits(
            np.pad(self.rows[:, :k], missing, constant_values=-1),
            np.pad(scores[:, :k], missing, constant_values=-np.inf),
        )

    def first(self, k: int) -> Responses:
        """Keep the first k places of each query."""
        kept = np.arange(min(k, self.k))
        return self.pick(np.where(self.rows[:, kept] >= 0, kept, -1))

    def take(self, positions: Int64Array) -> Responses:
        """Give the lists of the queries at these positions, in this order."""
        import torch

        places, items = torch.from_numpy(positions), self.items
        return replace(
            self,
            items=LazyItems(len(positions), lambda: [items[place] for place in positions], as_kept=self.as_kept),
            rows=self.rows[positions],
            scores=self.scores[places.to(self.scores.device)],
            mask=self.mask[places.to(self.mask.device)],
            origins=self.origins[positions],
        )

    def pick(self, positions: Int64Array) -> Responses:
        """Give for each query the items at these positions [Q, k], in this order, -1 where there is none."""
        import torch

        there = positions >= 0
        index = np.where(there, positions, 0)
        places, shown = torch.from_numpy(index).to(self.scores.device), torch.from_numpy(there)
        items = self.items
        return replace(
            self,
            items=LazyItems(len(positions), lambda: _picked(items, positions), as_kept=self.as_kept),
            rows=np.where(there, np.take_along_axis(self.rows, index, 1), -1) if self.k else positions,
            scores=self.scores.gather(1, places).masked_fill(~shown.to(places.device), -torch.inf),
            mask=self.mask.gather(1, places.to(self.mask.device)) & shown.to(self.mask.device),
            origins=_origins(self, there, index),
        )


def _origins(responses: Responses, there: npt.NDArray[np.bool_], index: Int64Array) -> npt.NDArray[np.int8]:
    if not responses.k:
        return np.zeros(index.shape, dtype=np.int8)
    return np.where(there, np.take_along_axis(responses.origins, index, 1), 0).astype(np.int8)


@final
class LazyItems(Sequence[tuple[Item, ...]]):
    """The items of `count` lists, made when they are first looked at. as_kept: whether as the collection has them."""

    def __init__(self, count: int, make: Callable[[], Sequence[tuple[Item, ...]]], *, as_kept: bool = False) -> None:
        self._count, self._make, self.as_kept = count, make, as_kept

    @cached_property
    def _items(self) -> Sequence[tuple[Item, ...]]:
        return self._make()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> tuple[Item, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[Item, ...]]: ...
    def __getitem__(self, index: int | slice) -> tuple[Item, ...] | Sequence[tuple[Item, ...]]:
        return self._items[index]


def _picked(items: Sequence[tuple[Item, ...]], positions: Int64Array) -> list[tuple[Item, ...]]:
    return [
        tuple(held[position] for position in row if position >= 0)
        for held, row in zip(items, positions.tolist(), strict=True)
    ]


def _taken(states: Tensor | Representations, positions: Int64Array) -> Tensor | Representations:
    if isinstance(states, SparseVectors | DenseVectors | MultiVectors):
        return states.take(positions)
    return states[positions]
