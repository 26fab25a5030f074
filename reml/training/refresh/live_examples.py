"""Retrieval inside the training loop: the items of a batch come from the index as it is when the batch is learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reml.access.querying.query_generators import InputQuery, one_query_each
from reml.access.responses import gather
from reml.contract.access import QueryGenerator, queries_over
from reml.contract.examples import Example
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array
from reml.files.atomic import digest
from reml.training.data.answered import check_answered
from reml.training.refresh.live_index import LiveIndex


@dataclass(frozen=True, eq=False)
class LiveRetrieval:
    """Retrieves for examples with what a live index holds at this moment.

    k: items of each example. queries: makes exactly one query for each example. reembed: so many are retrieved, scored
    anew with the vectors that the encoder would give them now, and the best k of these are taken.
    """

    live: LiveIndex
    k: int
    queries: QueryGenerator = field(default_factory=InputQuery)
    reembed: int | None = None

    def __post_init__(self) -> None:
        if self.k < 1 or (self.reembed is not None and self.reembed < self.k):
            raise ValueError(f"k is 1 or more and reembed at least k, not {self.k} and {self.reembed}.")

    def __call__(self, examples: Sequence[Example]) -> Hits:
        """Give the hits of examples, [B, k]."""
        queries = queries_over(self.queries, self.live.collection)
        return self.live.search(one_query_each(queries, examples), self.k, reembed=self.reembed)


@dataclass(frozen=True, eq=False)
class LiveExamples:
    """Examples of one task that are retrieved for when they are learnt from: a part of a `TrainSet`.

    start: a digest of the encoder that training begins with.
    """

    examples: Sequence[Example]
    retrieval: LiveRetrieval
    start: str

    @classmethod
    def of(cls, examples: Sequence[Example], retrieval: LiveRetrieval) -> LiveExamples:
        """Take examples before training has begun."""
        return cls(examples, retrieval, retrieval.live.encoder.fingerprint())

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def fingerprint(self) -> str:
        """A digest of the examples and of all that their first hits depend on."""
        texts = [[example.id, example.input, list(example.answers)] for example in self.examples]
        retrieval = self.retrieval
        return digest(texts, self.start, retrieval.live.collection.fingerprint, retrieval.k, retrieval.reembed)

    def take(self, positions: Int64Array) -> Batch:
        """Give the examples at these positions, in this order, with what is retrieved for them now."""
        examples = tuple(self.examples[position] for position in positions)
        return Batch.of(examples, gather(self.retrieval.live.collection, self.retrieval(examples)))

    def check_learnable(self) -> None:
        """Raise `ValueError` for an example without a right answer: a predictor cannot learn from it."""
        check_answered(self.examples)
