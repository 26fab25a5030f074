"""A datastore of states: every token of a text, found by the state of the language model before it.

Khandelwal, Levy, Jurafsky, Zettlemoyer, Lewis, "Generalization through Memorization: Nearest Neighbor Language Models",
ICLR 2020, https://arxiv.org/abs/1911.00172. Keys are what the last layer's feed-forward block is given, after its layer
norm; values the next tokens; neighbours are found by FAISS and squared l2 distance.

Implemented: the datastore of a collection's passages, read in runs of `SHARD` passages that a killed call leaves for
the next one, kept on disk once and indexed by any index maker of l2. The predictor `reml.predictors.knn_lm.KnnLm` asks
it.

Deviations: a passage is a context of its own, where the paper slides a window of 1,536 tokens over the text; exact
search unless an index says otherwise ('IVF4096,PQ64' in the paper, with keys in float16), whose scores are its own.

Numbers: not run on WikiText-103.
"""

from __future__ import annotations

import shutil
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from reml.access.indexing import open_made
from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import IndexMaker, Retriever
from reml.contract.vectors import DenseVectors
from reml.files.atomic import digest
from reml.files.origin import Origin, build_once
from reml.index.encoded_shards import encode_collection
from reml.index.faiss import Faiss
from reml.retrievers.states.positions import COLUMNS, Keys, Positions, write_positions
from reml.retrievers.states.retriever import StatesRetriever
from reml.text.language_model import SMOLLM2, LanguageModel
from reml.text.state_encoder import StateEncoder

# Passages that are read, and written, at a time: 64 of 130 tokens and width 576 are 19 MB.
SHARD = 64


@checked()
@dataclass(frozen=True)
class States:
    """Settings of a datastore of states over the passages of a collection.

    model: a causal language model: a hub id, a folder or `package:NAME/PATH`. index_maker: finds states by l2, exact
    search unless given. block: the feed-forward block in a layer. passage: what the model reads of an item, holds
    `{text}` and may hold `{title}`. tokens: of a passage, from its start, 512 unless given, or what the model takes.
    batch_size: passages read at once.
    """

    model: str = SMOLLM2
    _: KW_ONLY
    index_maker: IndexMaker | None = None
    block: str = "mlp"
    passage: str = "{text}"
    tokens: int | None = None
    batch_size: int = 8

    @property
    def columns(self) -> tuple[str, ...]:
        """The token that came next, and the row of the passage."""
        return COLUMNS

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Build the datastore in `folder`, or open it if it is there and fits.

        A killed call leaves what it read beside the folder, and the next one goes on from there. `StaleError` if the
        folder was built for another collection, version of it, model or index; `ValueError` if the index does not
        find by l2.
        """
        return self.index_with(self._encoder(), collection, folder)

    @takes_paths
    def index_with(self, encoder: StateEncoder, collection: Collection, folder: Path) -> StatesRetriever:
        """Do the same with an encoder at hand, one that a predictor lends, say; of the settings the index counts."""
        maker = self.index_maker if self.index_maker is not None else Faiss(similarity="l2")
        maker.check(_none(encoder), encoder.similarity)
        fingerprint = encoder.fingerprint()
        read = folder.parent / f".{folder.name}.states"

        def build(draft: Path) -> None:
            origin = Origin.of(collection, fingerprint)
            shards = encode_collection(collection, encoder, read, origin=origin, size=SHARD)
            write_positions(draft / "positions", collection, encoder, shards)
            written = Positions(collection, draft / "positions", verify="never")  # this instant
            maker.make(draft / "index", encoder.model.width, Keys(written))

        build_once(folder, Origin.of(collection, digest(fingerprint, maker.fingerprint())), build)
        shutil.rmtree(read, ignore_errors=True)
        return StatesRetriever(Positions(collection, folder / "positions"), encoder, open_made(maker, folder))

    def _encoder(self) -> StateEncoder:
        model = LanguageModel(self.model, self.block)
        return StateEncoder(model, passage=self.passage, tokens=self.tokens, batch_size=self.batch_size)


def _none(encoder: StateEncoder) -> DenseVectors:
    """Give no states, of the width they have."""
    return encoder.encode_queries([])
