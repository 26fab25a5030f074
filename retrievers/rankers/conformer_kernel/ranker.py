"""Conformer-Kernel with query-term independence: a query's score is the sum of scores of its terms, each alone.

Mitra, Hofstaetter, Zamani and Craswell, "Conformer-Kernel with Query Term Independence for Document Retrieval", 2020,
https://arxiv.org/abs/2007.10434; at TREC 2020, https://arxiv.org/abs/2011.07368; and "Improving Transformer-Kernel
Ranking Model Using Conformer and Query Term Independence", SIGIR 2021, https://arxiv.org/abs/2104.09393.

    score(q, d) = sum over terms t of q of s(t, d)

NDRM1 compares the vector of t, which does not know the other terms, with those of d's words in context: cosines, 10
kernels (mu = 1, 0.8, ..., -0.8), sums over windows of 300 words every 100, logarithm, a layer of ReLU, and the best
window. NDRM2 counts exact matches. NDRM3 adds both, each normalised. Since no term knows another, s(t, d) can be
computed ahead: kept item by item (`kept`), or inverted (`reml.retrievers.ndrm`). Deviations:

- terms are the word pieces of a transformers model, stop words with them, and embeddings begin with its input ones less
  their mean; the paper stems words, drops stop words and trains fastText on the collection;
- padding has no part in convolution, attention or windows, so that a text scores the same in any batch; the public code
  pads all texts to 4,000 words, whose empty windows take part in the maximum;
- the map of a term's vector begins as the identity, the mixture with context as halves, the sum of latent and exact
  scores with weights of 1, and exact matches with the collection's mean length, so that short training is enough; the
  paper begins at random and trains on 4 million samples;
- in training, batch norm and means see real terms alone, not padded ones;
- trained by whatever objective is chosen (`reml.training.regimes.ranking`), where the paper has RankNet.

Published: documents of TREC 2020, NDRM3's nDCG@10 above all runs without neural networks and two thirds of those with
pretrained transformers (abstract). Here: not run on TREC 2020. BM25's first 50 of minikilt anew, nDCG@10 of pages, the
first 100 dev questions of nq and of squad, one seed: BM25 .808 .781, NDRM1 .803 .815, NDRM3 .832 .796, each after 150
steps of 8 train questions with 3 passages (108 CPU-seconds); NDRM2 .760 .719 after 100 of 16. No test of significance.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import final

from torch import Tensor, nn

from reml.access.similarity import EncoderScorer
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.examples import Item, texts_of
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.devices.device import default_device
from reml.devices.progress import tracked
from reml.files.atomic import digest
from reml.retrievers.rankers.conformer_kernel.network import Form, TermNetwork
from reml.retrievers.rankers.conformer_kernel.term_encoder import TermEncoder, Terms
from reml.retrievers.rankers.kept import KeptEncoder, Shelf
from reml.retrievers.rankers.pair_network import load_network, save_network, score_pairs

# Items whose terms are counted at a time.
BATCH = 256


@final
@checked()
@dataclass(frozen=True, eq=False)
class ConformerKernel:
    """A `Scorer`, loaded when it is first needed, on the GPU if there is one.

    model: a folder that `save` wrote, or `package:NAME/PATH` of one. new: the form of a new network instead, which
    ranks at random until it is trained; `model` is then a hub id, a folder or `package:NAME/PATH` of the transformers
    model whose word pieces and embeddings it begins with. kept: which scores of terms are computed ahead, for all items
    of a collection once they are asked for (`keep`), and kept on disk: scores are then sums of these, those of `NDRM`.
    None: items are read at each call. batch_size: pairs at a time; it changes speed alone.
    """

    model: str
    _: KW_ONLY
    new: Form | None = None
    kept: Terms | None = None
    batch_size: Count = 32

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self.network

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        """Score Q queries at these positions [Q, K] among N items, float32 [Q, K], with gradient; -inf at -1.

        A query without terms scores 0 with every item. `ValueError` for ndrm2 and ndrm3 before `fit`. What is kept
        serves without gradient alone, for the weights as they were when `keep` was asked for.
        """
        kept = None if self.kept is None else self._shelf.opened(self.network, self._over)
        if kept is not None:
            return EncoderScorer(kept, gradient=False).score(queries, items, positions)
        return score_pairs(self.network, texts_of(queries.said, self), items, positions, self.batch_size)

    def fit(self, collection: Collection) -> None:
        """Count how rare each term is in a collection, which exact matches need once, before training.

        An experiment asks for it; `save` keeps what was counted, and calling it again takes another collection's.
        ndrm1, which matches no term exactly, counts nothing.
        """
        network = self.network
        if network.exact is not None:
            network.exact.count(_pieces(network, collection))

    def keep(self, collection: Collection, folder: Path) -> None:
        """Have the scores of terms of a collection, if `kept` says which: made, or opened, at the first score."""
        self._shelf.keep(collection, folder)

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the word pieces and the settings that scores depend on."""
        own = self.network.fingerprint()
        return own if self.kept is None else digest(own, asdict(self.kept))

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a folder that `ConformerKernel(folder)` reads."""
        save_network(self.network, folder)

    @functools.cached_property
    def network(self) -> TermNetwork:
        """The network itself: scores of single terms."""
        if self.new is not None:
            network = TermNetwork.begun(self.model, self.new)
        else:
            network = load_network(self.model, TermNetwork.kind, TermNetwork.of)
        return network.to(default_device()).eval()

    @functools.cached_property
    def _shelf(self) -> Shelf[KeptEncoder[TermEncoder]]:
        return Shelf()

    def _over(self, collection: Collection, folder: Path) -> KeptEncoder[TermEncoder]:
        assert self.kept is not None  # noqa: S101 - nothing else asks
        encoder = TermEncoder.over_in(self.network, self.kept, collection, folder)
        return KeptEncoder.over(encoder, collection, folder, "terms", title=self.network.cut.title)


def _pieces(network: TermNetwork, collection: Collection) -> Iterator[list[int]]:
    """Go through the word pieces of all items."""
    cut, batches = network.cut, collection.batches(BATCH)
    for items in tracked(batches, "count", unit="items", size=len, total=len(collection)):
        yield from network.pieces.number([item.full_text(title=cut.title) for item in items], cut.item_tokens)
