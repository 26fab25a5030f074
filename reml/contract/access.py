"""The access model g, the session it opens for a batch of examples, and the parts that g is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from reml.contract.arguments.several import hold_mappings, hold_several
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.retrievers import Retriever, Scorer
from reml.contract.signals import FeedbackRecord
from reml.contract.vectors import Int64Array

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Entries:
    """Things to store, n of them, each of an example. owners: int64 [n]. contents: texts. states: [n, D].

    values: numbers by column, [n, ...]. at: rows to replace, int64 [n], or weights [n, M] to write softly into M slots
    after erasing by `erase` [n, D]; none: append.
    """

    owners: Int64Array
    contents: tuple[str, ...] = ()
    states: Tensor | None = None
    values: Mapping[str, Tensor] = field(default_factory=dict)
    at: Int64Array | Tensor | None = None
    erase: Tensor | None = None

    def __post_init__(self) -> None:
        hold_several(self, "contents")
        hold_mappings(self, "values")
        parts = {"contents": self.contents or None, "states": self.states, "places": self.at, "erasures": self.erase}
        for name, part in {**parts, **{f"values of {key}": value for key, value in self.values.items()}}.items():
            if part is not None and len(part) != len(self.owners):
                raise ValueError(f"{len(part)} {name} but {len(self.owners)} owners: give one for each entry.")

    def __len__(self) -> int:
        return len(self.owners)


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """One list that an access model gave to one example.

    queries: the texts it answers, several where it is fused of several; empty texts are of queries that are states.
    shown: the rows of its items, best first, int64. used: those of them that the answer's provenance names. note: what
    was out of the ordinary.
    """

    access: str
    queries: tuple[str, ...]
    shown: Int64Array
    used: Int64Array
    note: str = ""

    def __post_init__(self) -> None:
        hold_several(self, "queries")


@dataclass(frozen=True, eq=False, slots=True)
class Trajectory:
    """How one example was predicted: all its asks in order, the answer, and the answer's reward where there is one."""

    example: str
    asks: tuple[Asked, ...]
    answer: Answer
    reward: float | None = None

    def __post_init__(self) -> None:
        hold_several(self, "asks")


@runtime_checkable
class Session(Protocol):
    """g while one batch of B examples is computed: all per-example state is here, so that g itself can be shared."""

    @property
    def left(self) -> Int64Array:
        """Asks that the budget still allows each example, int64 [B]; asking past it finds nothing, on record."""

    @property
    def asked(self) -> Sequence[tuple[Queries, Responses]]:
        """What was asked and what came back, in order: what feedback, trajectories and costs are made of."""

    def ask(
        self, queries: Queries | None = None, k: int | None = None, *, owners: Int64Array | None = None
    ) -> Responses:
        """Query (g's own queries if none), search to g's depth, process, cut to k (g's own if none): [Q, k].

        g's own queries, where it makes several of an example, are fused to one list an example, [B, k]; queries that
        are given are answered one by one. k = 0: every row, for soft reading; `ValueError` where those are too many.
        owners: the only examples for which its own queries are asked, ascending, one list for each; all if left out.
        """

    def values(self, column: str, responses: Responses) -> Tensor:
        """Give numbers kept beside the items, [Q, K, ...]; `KeyError` names the columns there are."""

    def write(self, entries: Entries) -> Int64Array:
        """Store for later asks: of this session, of others once it is committed. `RuntimeError` if g does not store."""


@runtime_checkable
class Access(Protocol):
    """g: mediates access to a collection. category: 1 retrieval only, 2 with storing, 3 with feedback, 4 with both."""

    @property
    def name(self) -> str:
        """How a configuration calls it."""

    @property
    def collection(self) -> Collection:
        """What it gives access to."""

    @property
    def category(self) -> int:
        """What it can do."""

    def open(self, examples: Sequence[Example], ahead: Hits | None = None) -> Session:
        """Give the session of one batch. ahead: what its own queries find, [B, depth], where that is known."""


@runtime_checkable
class QueryGenerator(Protocol):
    """x -> queries."""

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make at least one query for each example; `owners` says whose."""


@runtime_checkable
class CollectionQueryGenerator(QueryGenerator, Protocol):
    """A query generator that looks at the collection that is searched, as one that says what may not be found."""

    def over(self, collection: Collection) -> QueryGenerator:
        """Give the generator for a collection: what searches in one asks with that."""


def queries_over(queries: QueryGenerator, collection: Collection) -> QueryGenerator:
    """Give what makes the queries that are searched for in a collection."""
    return queries.over(collection) if isinstance(queries, CollectionQueryGenerator) else queries


@runtime_checkable
class QueryExpansion(Protocol):
    """Changes queries by what a first search with them finds."""

    def __call__(self, queries: Queries, retriever: Retriever) -> Queries:
        """Give as many queries, with the same owners, for this retriever; their `states` hold what they became."""


@runtime_checkable
class ResponseProcessor(Protocol):
    """Changes what comes back for each query, at the depth of the search, before the cut: rerank, deduplicate."""

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        """Give the new responses of the same queries."""


@runtime_checkable
class ScoredProcessor(ResponseProcessor, Protocol):
    """A response processor that asks a scorer: one of its own, or a ranker of the experiment, by its name."""

    @property
    def scorer(self) -> Scorer | str | None:
        """What it asks, nothing where it does without."""

    def with_scorer(self, scorer: Scorer) -> ScoredProcessor:
        """Give the same processor with this scorer."""


@runtime_checkable
class SparingProcessor(ResponseProcessor, Protocol):
    """A response processor that may leave items unread, so that it costs less than what it is given."""

    def reads(self, responses: Responses) -> int:
        """Count the items that it reads of these."""


@runtime_checkable
class Writer(Protocol):
    """Writes texts as it is told to: a language model, here or at a server."""

    def write(self, prompts: Sequence[str]) -> list[str]:
        """Give one text for each prompt, in order, each the same whatever else is asked.

        `ValueError` for a prompt that is longer than it reads.
        """


@dataclass(frozen=True, slots=True)
class Written:
    """What a language model wrote after one prompt.

    text: up to the stop, which is not part of it. stop: the stop that ended it; empty if none did, or where a server
    does not say which. whole: whether it ended, of itself or at a stop; if not it was cut at the tokens that were
    allowed. read, wrote: tokens of the prompt and of the text, as the model counts them, whether they were paid for now
    or before; 0 where it does not say.
    """

    text: str
    stop: str = ""
    whole: bool = True
    read: int = 0
    wrote: int = 0


@runtime_checkable
class Continuing(Protocol):
    """Goes on from texts as they are, up to a stop: a language model that is asked step by step, as agents ask it."""

    def go_on(
        self, prompts: Sequence[str], stops: Sequence[str] = (), *, max_tokens: int | None = None
    ) -> list[Written]:
        """Give what comes after each prompt, in order, up to the first of the stops, or its own end.

        max_tokens: of each, at most; its own setting if left out. `ValueError` for a prompt that does not fit.
        """


@runtime_checkable
class Likelihoods(Protocol):
    """Says how likely texts are after prompts."""

    def log_likelihoods(self, prompts: Sequence[str], texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Give log p of each token of each text after its prompt, natural.

        `ValueError` of a server that gives none says so by name.
        """


class StorageHandler(Protocol):
    """Lets a predictor write what it may need later: a memory that is open."""

    @property
    def retriever(self) -> Retriever:
        """What finds in the memory, all that was stored included."""

    @property
    def pending(self) -> Int64Array:
        """Rows that were stored since the last commit, which only who stored them may find."""

    def store(self, entries: Entries) -> Int64Array:
        """Keep these entries as items of the memory and make them findable; give their row ids, int64 [n].

        `ValueError` for what it cannot keep, with nothing stored.
        """

    def commit(self) -> int:
        """Let everyone find what was stored; give the version that a later process goes on from."""


@runtime_checkable
class Storage(Protocol):
    """What a configuration names as the storage of an access model: settings that open a memory in a folder."""

    def open(self, retriever: Retriever, folder: Path, version: int | None = None) -> StorageHandler:
        """Begin a memory for what a retriever finds, or go on at a version that `commit` gave.

        What was stored after that version is forgotten; without one, all that is in the folder. The retriever and its
        collection stay as they are. `ValueError` for a retriever that cannot find what is written, or over a collection
        that cannot grow.
        """

    def collection(self, folder: Path) -> Collection:
        """Give what a memory holds, as it was committed last, to be read."""


class FeedbackHandler(Protocol):
    """Takes what the predictor found useful, so that the access model improves."""

    def receive(self, record: FeedbackRecord) -> None:
        """Learn from the record, or keep it for learning later."""
