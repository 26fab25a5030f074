"""Retrieval of images by texts, of texts by images, and of either by its like: CLIP and FAISS.

Media are known by their paths; an example without text asks with its images (`reml.access.querying.InputQuery`).
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
from reml.retrievers.encoders.clip_encoder import ClipEncoder


@checked()
@dataclass(frozen=True)
class Clip:
    """Settings of retrieval by CLIP over a collection of items with images, texts or both (images then count).

    model: a hub id, a folder or `package:NAME/PATH`. index_maker: what finds the vectors, exact search unless given.
    batch_size: images or texts encoded at once.
    """

    model: str
    _: KW_ONLY
    index_maker: IndexMaker | None = None
    batch_size: int = 32

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size is 1 or more, not {self.batch_size}.")

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Encode and index a collection in `folder`, or open it if it is there and fits; errors as of `Dense`."""
        return self.index_with(self.encoder(collection, folder), collection, folder)

    @takes_paths
    def encoder(self, collection: Collection, folder: Path) -> ClipEncoder:  # noqa: ARG002
        """Give the encoder before its training: the model that `model` names."""
        return ClipEncoder.load(self.model, self.batch_size)

    @takes_paths
    def index_with(self, encoder: ClipEncoder, collection: Collection, folder: Path) -> EncodedRetriever[ClipEncoder]:
        """Do the same with an encoder at hand, one that was just trained, say."""
        return index_encoded(encoder, self.index_maker or Faiss(), collection, folder)
