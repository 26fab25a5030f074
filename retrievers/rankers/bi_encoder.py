"""A bi-encoder as a ranker: query and item are encoded apart, and relevance is the similarity of their vectors.

As a searcher it needs a vector of every item; as a ranker of what another search found it needs those of the found ones
alone, computed when they are asked for (`reml.access.presenting.Rerank`), or read where they are kept (`kept`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, final

from torch import nn

from reml.access.similarity import EncoderScorer
from reml.contract.arguments.checked import checked
from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.retrievers.encoders.dense_encoder import DenseEncoder, Encoding
from reml.retrievers.rankers.kept import KeptEncoder, Shelf

if TYPE_CHECKING:
    from torch import Tensor


@final
@checked()
@dataclass(frozen=True, eq=False)
class BiEncoder:
    """A `Scorer`, loaded when it is first needed, on the GPU if there is one.

    model: a hub id, a folder or `package:NAME/PATH` of a transformers encoder with safetensors. encoding: how a text
    becomes a vector; what it leaves unset is as the model's folder says. kept: the form in which the vectors of a
    collection are kept on disk once they are asked for (`keep`); none: items are encoded at each call.
    trust_remote_code: whether code in that folder is run.
    """

    model: str
    _: KW_ONLY
    encoding: Encoding | None = None
    kept: Literal["float16", "int8"] | None = None
    trust_remote_code: bool = False

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self.encoder.module

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        """Score Q queries at these positions [Q, K] among N items, float32 [Q, K], with gradient; -inf at -1.

        What is kept serves without gradient alone, for the weights as they were when `keep` was asked for.
        """
        kept = None if self.kept is None else self._shelf.opened(self.module, self._over)
        if kept is not None:
            return EncoderScorer(kept, gradient=False).score(queries, items, positions)
        return EncoderScorer(self.encoder).score(queries, items, positions)

    def keep(self, collection: Collection, folder: Path) -> None:
        """Have the vectors of a collection, if `kept` names a form: made, or opened, at the first score."""
        self._shelf.keep(collection, folder)

    @functools.cached_property
    def encoder(self) -> DenseEncoder:
        """What makes the vectors."""
        return DenseEncoder.load(self.model, self.encoding, trust_remote_code=self.trust_remote_code)

    @functools.cached_property
    def _shelf(self) -> Shelf[KeptEncoder[DenseEncoder]]:
        return Shelf()

    def _over(self, collection: Collection, folder: Path) -> KeptEncoder[DenseEncoder]:
        assert self.kept is not None  # noqa: S101 - nothing else asks
        return KeptEncoder.over(self.encoder, collection, folder, self.kept, title=bool(self.encoder.encoding.title))
