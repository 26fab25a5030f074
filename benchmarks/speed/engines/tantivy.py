"""tantivy: a full-text engine in Rust, in the manner of Lucene. https://github.com/quickwit-oss/tantivy-py."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tantivy

from reml.benchmarks.speed.engine import Source
from reml.benchmarks.speed.scoring import ONE_BYTE, Scoring
from reml.benchmarks.speed.workloads.words import words
from reml.benchmarks.speed.workloads.workload import Model, Workload
from reml.contract.vectors import Int64Array, SparseVectors

HEAP = 512_000_000
Answers = list[tantivy.SearchResult]


class Tantivy:
    """tantivy with term frequencies and without positions."""

    sources: Mapping[Model, tuple[Source, ...]] = {"bm25": ("text",)}
    scoring: Mapping[Model, Scoring] = {"bm25": ONE_BYTE}

    def build(self, workload: Workload, source: Source, folder: Path, threads: int) -> None:  # noqa: ARG002 - it has one
        """Build the index in a folder."""
        index = tantivy.Index(_schema(), path=str(folder))
        writer = index.writer(heap_size=HEAP, num_threads=threads)
        for row, text in enumerate(workload.texts()):
            writer.add_document(tantivy.Document(row=row, text=text))
        writer.commit()
        writer.wait_merging_threads()

    def open(self, workload: Workload, folder: Path) -> TantivySearcher:
        """Open the index."""
        return TantivySearcher(tantivy.Index.open(str(folder)), words(workload.width))


class TantivySearcher:
    """An open index of tantivy, asked by a disjunction of terms."""

    def __init__(self, index: tantivy.Index, vocabulary: list[str]) -> None:
        self._schema = index.schema
        self._searcher = index.searcher()
        self._vocabulary = vocabulary

    def prepare(self, queries: SparseVectors) -> list[tantivy.Query]:
        """Make a disjunction of each query's terms."""
        ends = queries.indptr
        return [self._disjunction(queries.dimensions[start:end].tolist()) for start, end in itertools.pairwise(ends)]

    def search(self, batch: list[tantivy.Query], k: int, threads: int) -> Answers:
        """Find the k best items of each query."""
        if threads == 1:
            return [self._searcher.search(query, limit=k, count=False) for query in batch]
        with ThreadPoolExecutor(threads) as pool:
            shares = pool.map(lambda part: self.search(part, k, 1), [batch[start::threads] for start in range(threads)])
            answers = [answer for share in shares for answer in share]
        places = [place for start in range(threads) for place in range(start, len(batch), threads)]
        return [answer for _, answer in sorted(zip(places, answers, strict=True), key=lambda pair: pair[0])]

    def rows(self, found: Answers) -> list[Int64Array]:
        """Look up the row that each document keeps."""
        return [self._rows_of([address for _, address in answer.hits]) for answer in found]

    def _rows_of(self, addresses: list[tantivy.DocAddress]) -> Int64Array:
        return np.array(self._searcher.fast_field_values("row", addresses), dtype=np.int64)

    def _disjunction(self, numbers: list[int]) -> tantivy.Query:
        terms = [
            tantivy.Query.term_query(self._schema, "text", self._vocabulary[number], index_option="freq")
            for number in numbers
        ]
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("row", fast=True)
    builder.add_text_field("text", stored=False, index_option="freq")
    return builder.build()
