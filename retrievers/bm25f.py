"""BM25F: BM25 in which titles count more, or less, than texts.

The simple extension of Robertson, Zaragoza and Taylor (CIKM 2004); `reml.retrievers.bm25_fields` has its formula. A
term's idf is that of the items that have it in the title or the text (in the text, if titles count 0 times), and one k1
and one b serve both. Left out are bm25l and bm25+, in which items gain from terms they do not have.

With a title weight of 1 hits and scores are those of `BM25` to the last bit, with 0 those of `BM25(title=False)`. It is
a class of its own so that what was made with `BM25` is not made again: stages are named for the source of a class too.

Reached on the 300 dev questions of factbook's qa, passages of 60 words: right page first, right passage first, nDCG@10
of passages .57 .17 .27 with title weight 1, .71 .25 .33 with 2, .78 .28 .37 with 4. The paper's figures are of
collections that are not free (TREC's): not run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, final, get_args

import numpy as np

from reml.analysis import Analyser, Vocabulary
from reml.files import digest
from reml.protocols import Collection, Retriever
from reml.retrieval import EncodedRetriever
from reml.retrievers.bm25 import BM25Encoder
from reml.retrievers.bm25_counts import Statistics
from reml.retrievers.bm25_fields import WeightedCounts, field_texts
from reml.retrievers.bm25_folder import BM25Folder
from reml.retrievers.bm25_weighting import Weighting
from reml.types import Hits, Int64Array, Item, Queries, SparseVectors

if TYPE_CHECKING:
    from torch import Tensor

FieldVariant = Literal["robertson", "lucene", "atire"]


@dataclass(frozen=True, eq=False, slots=True)
class BM25FEncoder:
    """Turns queries into idf weights, as `BM25Encoder` does, and items into weights of their weighted term counts.

    statistics: of the collection, for all title weights.
    """

    weighting: Weighting
    vocabulary: Vocabulary
    statistics: Statistics

    @property
    def fingerprint(self) -> str:
        """A digest of the settings, the statistics and the terms."""
        return digest("bm25f", self._terms.fingerprint)

    def encode_queries(self, texts: Sequence[str]) -> SparseVectors:
        """Weigh each term by its idf, times how often the query has it; terms that no item has weigh 0."""
        return self._terms.encode_queries(texts)

    def encode_items(self, items: Sequence[Item]) -> SparseVectors:
        """Weigh each term of an item by how often it stands in its text and, weighted, in its title."""
        return self.weighting.weigh(self._counts(items), self._terms.statistics.average, len(self.vocabulary))

    def query_terms(self, texts: Sequence[str]) -> SparseVectors:
        """Say how often each text has each term."""
        return self._terms.query_terms(texts)

    def item_terms(self, items: Sequence[Item]) -> SparseVectors:
        """Say how often each item has each term, in its text and, weighted, in its title."""
        counts = self._counts(items)
        return SparseVectors(counts.indptr, counts.numbers, counts.counts.astype(np.float32), len(self.vocabulary))

    def weigh_terms(self, terms: SparseVectors) -> SparseVectors:
        """Multiply how much each term counts in a query by its idf, which makes the query one to search with."""
        return self._terms.weigh_terms(terms)

    @property
    def _terms(self) -> BM25Encoder:
        return BM25Encoder(self.weighting, self.vocabulary, self.statistics.at(self.weighting.title_weight))

    def _counts(self, items: Sequence[Item]) -> WeightedCounts:
        return WeightedCounts.of(self.vocabulary.count(field_texts(items)), self.weighting.title_weight)


@final
class BM25FRetriever:
    """Ranks items by BM25F; a query without any term of the collection has no hits.

    It follows its collection: the first search after an append or a delete catches up (`catch_up`).
    """

    def __init__(self, collection: Collection, folder: BM25Folder, weighting: Weighting) -> None:
        self.collection = collection
        self._folder = folder
        self._weighting = weighting
        self.catch_up()

    @property
    def encoder(self) -> BM25FEncoder:
        """What it makes of queries and items, with the statistics of the collection as it was at the last search."""
        return self._encoder

    def catch_up(self) -> None:
        """Take in what the collection gained and lost; the costs are in `reml.retrievers.bm25_folder`.

        `LockedError` while another process does the same; `StaleError` if the version it was at is gone.
        """
        self._folder.follow(self.collection)
        opened = self._folder.open(self.collection, self._weighting)
        self._version = self.collection.version
        self._encoder = BM25FEncoder(self._weighting, opened.vocabulary, opened.statistics)
        self._sparse = EncodedRetriever(self.collection, self._encoder, opened.index)

    def search(self, queries: Queries, k: int) -> Hits:
        """Give the k best items of each query, [B, k]; items that share no term with the query are not hits."""
        return self._caught_up().search(queries, k)

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        """Compute the scores of given rows [B, K] anew, from their text; -inf for row -1. There is no gradient."""
        return self._caught_up().score(queries, rows)

    def _caught_up(self) -> EncodedRetriever:
        if self.collection.version != self._version:
            self.catch_up()
        return self._sparse


@dataclass(frozen=True, kw_only=True)
class BM25F:
    """Settings of BM25 with weighted titles over a collection.

    k1, b, variant, analyser: as of `BM25`. title_weight: how often a term in the title counts beside one in the text.
    One folder serves all title weights, k1, b and variants: what others need is computed from the counts in it.
    """

    k1: float = 0.9
    b: float = 0.4
    title_weight: float = 1.0
    variant: FieldVariant = "lucene"
    analyser: Analyser = field(default_factory=Analyser)

    def __post_init__(self) -> None:
        if self.variant not in get_args(FieldVariant):
            allowed = ", ".join(get_args(FieldVariant))
            raise ValueError(f"there is no BM25F variant {self.variant!r}: choose one of {allowed}, or use BM25.")
        _ = self._weighting

    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Build the index of a collection in `folder` in bounded memory, or open it and let it catch up.

        What the collection gained and lost since is taken in at once; nothing is analysed twice. `StaleError` if the
        folder was built by `BM25`, for another collection or with another analyser, `LockedError` while another process
        writes it.
        """
        return BM25FRetriever(collection, BM25Folder(folder, self.analyser, title=True, fields=True), self._weighting)

    @property
    def _weighting(self) -> Weighting:
        return Weighting(self.variant, self.k1, self.b, delta=0.0, title_weight=self.title_weight)
