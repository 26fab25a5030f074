"""A collection of chunks with their continuations, found by any retriever of ours: what RETRO asks.

Borgeaud et al., "Improving language models by retrieving from trillions of tokens", ICML 2022,
https://arxiv.org/abs/2112.04426, section 2.3: the key of a chunk is the mean of the states that a frozen BERT gives its
tokens, neighbours are nearest by l2 (SCaNN), and the value is the chunk with its continuation.

Implemented: documents cut into chunks of the predictor's tokens; keys by any encoder, indexed by any maker of indexes;
token ids as columns. `Retro` (`reml.predictors.retro`) asks it and excludes the chunks of its own document.

Deviations: the frozen encoder is MiniLM with mean pooling, of length 1, by products (of length 1 the order of l2);
exact search unless an index says otherwise. A sparse retriever (BM25, SPLADE) finds chunks as well as a dense one.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import Indexer, Retriever
from reml.files.atomic import digest
from reml.files.origin import Origin, build_once
from reml.retrievers.chunks.chunk_table import COLUMNS, ChunkTable, write_chunks
from reml.retrievers.dense import Dense
from reml.text.chunks import CHUNK
from reml.text.language_model import SMOLLM2, load_language_tokeniser
from reml.text.token_table import tokeniser_fingerprint


@checked()
@dataclass(frozen=True)
class Chunks:
    """Settings of the chunks of a collection's documents.

    model: the language model whose tokens are cut; the one that reads them. retriever: what finds chunks by the text of
    a chunk, `Dense` with MiniLM unless given; `Dense(keep_states=True)` encodes no chunk a second time that stands in
    the collection or was asked for before, so that from its second epoch on training encodes nothing. chunk: tokens.
    """

    model: str = SMOLLM2
    _: KW_ONLY
    retriever: Indexer | None = None
    chunk: Count = CHUNK

    @property
    def columns(self) -> tuple[str, ...]:
        """The tokens of a chunk and of its continuation, and the number of its document."""
        return COLUMNS

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Cut and index a collection in `folder/table` and `folder/index`, or open them if they are there and fit.

        `StaleError` if they were built for another collection, version of it, tokeniser, chunk or retriever.
        """
        tokeniser = load_language_tokeniser(self.model)
        table = folder / "table"
        cut = Origin.of(collection, digest(tokeniser_fingerprint(tokeniser), self.chunk))
        build_once(table, cut, lambda draft: write_chunks(draft / "rows", collection, tokeniser, self.chunk))
        chunks = ChunkTable(collection, tokeniser, table / "rows")
        return (self.retriever or Dense()).index(chunks, folder / "index")
