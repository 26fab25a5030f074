"""NDRM: Conformer-Kernel as a search of its own, from an inverted index of scores that are computed ahead.

Mitra, Hofstaetter, Zamani and Craswell, "Conformer-Kernel with Query Term Independence for Document Retrieval", 2020,
section 3.2, https://arxiv.org/abs/2007.10434: since score(q, d) = sum over terms t of q of s(t, d), and no term knows
another, all s(t, d) that are worth it are computed once and kept as postings. Which are, and what is left of the sum:

- kept of an item are the terms that stand in it, and `expand` more, those whose vectors are nearest to one of its words
  in context; the paper keeps a term for the items that another search finds for it;
- an index holds weights of 0 and more, and a term that is not kept adds 0. So each term has a floor f(t), the lowest
  score it has in a sample of the collection, where it stands and where not: what is kept is max(s(t, d) - f(t), 0).

A search then finds exactly the items of the largest sum over t of max(s(t, d), f(t)) where t is kept, f(t) where it is
not, and its scores are these less the sum of floors, which is the same for all items. With all terms of the vocabulary
kept, and the whole collection as sample, that is the order of the network itself.

Published: TREC 2020, full retrieval (`reml.retrievers.rankers.conformer_kernel.ranker`). Here: not run there.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.indexing import index_encoded
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import IndexMaker
from reml.index.impact import Impact
from reml.retrievers.rankers.conformer_kernel.ranker import ConformerKernel
from reml.retrievers.rankers.conformer_kernel.term_encoder import TermEncoder, Terms


@checked()
@dataclass(frozen=True)
class NDRM:
    """Settings of a search by Conformer-Kernel over a collection.

    model: a folder that `ConformerKernel.save` wrote, of a trained network. expand: terms that are kept of an item
    beside those that stand in it, the nearest. sampled: items in which the floor of each term is looked for, spread
    over the collection; each takes all terms through the network. (Of 30,522 pieces and a passage of 54 that takes 0.4
    CPU seconds, to encode the passage 0.01, and 0.05 where other terms are kept.)
    index_maker: what finds the vectors, an impact index unless given.
    """

    model: str
    _: KW_ONLY
    expand: Size = 0
    sampled: Count = 64
    index_maker: IndexMaker | None = None

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> EncodedRetriever[TermEncoder]:
        """Index a collection, or open the index if it is there and fits; a killed call leaves its work to the next.

        `StaleError` if the folder was built from something else.
        """
        terms = Terms(expand=self.expand, sampled=self.sampled)
        encoder = TermEncoder.over(ConformerKernel(self.model).network, terms, collection, folder / "floors")
        return index_encoded(encoder, self.index_maker or Impact(), collection, folder / "index")
