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

import functools
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.indexing import index_encoded
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.examples import Item, Media, texts_of
from reml.contract.retrievers import IndexMaker
from reml.contract.vectors import Float32Array, Similarity, SparseVectors
from reml.devices.disk import save_array
from reml.devices.evaluating import evaluating
from reml.devices.precision import autocast
from reml.devices.progress import tracked
from reml.files.atomic import digest
from reml.files.origin import Origin, build_once
from reml.index.impact import Impact
from reml.retrievers.rankers.conformer_kernel.network import Shown, TermNetwork
from reml.retrievers.rankers.conformer_kernel.ranker import ConformerKernel
from reml.retrievers.rankers.kernel_pooling import cosines

FLOORS = "floors.npy"
# Terms that are scored at a time.
TERMS = 1_024


@final
class TermEncoder:
    """An `Encoder` of items as scores of terms above their floors, and of queries as counts of terms.

    floors: of each piece, float32 [V]. expand: terms that are kept beside those of an item. `ValueError` for more than
    none with a network that has no vectors of terms.
    """

    similarity: Similarity = "dot"

    def __init__(self, network: TermNetwork, floors: Float32Array, expand: int = 0) -> None:
        if expand and network.latent is None:
            raise ValueError("ndrm2 scores exact matches alone, so that no other term is near: leave `expand` out.")
        self.network, self.floors, self.expand = network, floors, expand

    def fingerprint(self) -> str:
        """Digest the network as it is now, the floors and how many terms are kept; reads all weights."""
        return digest("ndrm", self.network.fingerprint(), np.ascontiguousarray(self.floors).tobytes(), self.expand)

    def encode_queries(self, contents: Sequence[str | Media]) -> SparseVectors:
        """Count the terms of each text, of the first `query_tokens`."""
        texts = self.network.pieces.number(texts_of(contents, self), self.network.cut.query_tokens)
        return self._stacked([np.unique(np.array(text, dtype=np.int32), return_counts=True) for text in texts])

    def encode_items(self, items: Sequence[Item]) -> SparseVectors:
        """Score the kept terms of each item; one without words keeps none."""
        kept = []
        with evaluating(self.network):
            every = self._every_term() if items else None
            for shown in tracked(_read(self.network, items), "encode", unit="items", total=len(items)):
                terms = self._terms(shown, every)
                numbers = terms.cpu().numpy()
                above = _scores(self.network, terms, shown).cpu().numpy() - self.floors[numbers]
                kept.append((numbers[above > 0], above[above > 0]))
        return self._stacked(kept)

    def _terms(self, shown: Shown, every: Tensor | None) -> Tensor:
        """Choose the terms that are kept of an item, ascending. every: the vectors of all, where some are near."""
        own: Tensor = torch.unique(shown.pieces[shown.mask])
        if every is None or shown.states is None or not len(own):
            return own
        parts = torch.split(every, TERMS)
        nearness = torch.cat([cosines(part[None], shown.states)[0].amax(dim=1) for part in parts])
        near = nearness.index_fill(0, own, -torch.inf).topk(min(self.expand, len(self.floors) - len(own)))
        return torch.cat([own, near.indices]).sort().values

    def _every_term(self) -> Tensor | None:
        """Give the vectors of all terms, once for many items; none where no other term is kept."""
        if not self.expand or self.network.latent is None:
            return None
        return self.network.latent.term_vectors(self.network.latent.every_piece)

    def _stacked(self, rows: Sequence[tuple[np.ndarray, np.ndarray]]) -> SparseVectors:
        ends = np.cumsum([0, *(len(terms) for terms, _ in rows)], dtype=np.int64)
        terms = np.concatenate([np.empty(0, np.int32), *(terms for terms, _ in rows)]).astype(np.int32)
        weights = np.concatenate([np.empty(0, np.float32), *(weights for _, weights in rows)]).astype(np.float32)
        return SparseVectors(ends, terms, weights, len(self.floors))


def floors(network: TermNetwork, items: Sequence[Item]) -> Float32Array:
    """Give the lowest score that each term has in these items, float32 [V]."""
    terms = torch.arange(network.shape[0], device=next(network.parameters()).device)
    lowest = torch.full((len(terms),), torch.inf, device=terms.device)
    with evaluating(network):
        for shown in tracked(_read(network, items), "floors", unit="items", total=len(items)):
            lowest = torch.minimum(lowest, _scores(network, terms, shown))
    found: Float32Array = lowest.cpu().numpy()
    return found


def _read(network: TermNetwork, items: Sequence[Item]) -> Iterator[Shown]:
    """Read items one by one; one without words is a place that is masked."""
    cut, device = network.cut, next(network.parameters()).device
    for item in items:
        (pieces,) = network.pieces.number([item.full_text(title=cut.title)], cut.item_tokens)
        ids = torch.tensor([pieces or [0]], device=device)
        with autocast(device, "float32"):
            yield network.shown(ids, torch.full_like(ids, bool(pieces), dtype=torch.bool))


def _scores(network: TermNetwork, terms: Tensor, shown: Shown) -> Tensor:
    """Score terms [n] for one item, [n]."""
    with autocast(terms.device, "float32"):
        parts = [
            network.term_scores(part[None], torch.ones_like(part[None]) > 0, shown)
            for part in torch.split(terms, TERMS)
        ]
        return torch.cat(parts, dim=1)[0].float()


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
        network = ConformerKernel(self.model).network
        origin = Origin.of(collection, digest("floors", network.fingerprint(), self.sampled))
        build_once(folder / "floors", origin, functools.partial(self._write_floors, network, collection))
        encoder = TermEncoder(network, np.load(folder / "floors" / FLOORS), self.expand)
        return index_encoded(encoder, self.index_maker or Impact(), collection, folder / "index")

    def _write_floors(self, network: TermNetwork, collection: Collection, draft: Path) -> None:
        rows = collection.rows()
        places = np.linspace(0, len(rows) - 1, min(self.sampled, len(rows))).astype(np.int64)
        save_array(draft / FLOORS, floors(network, collection.get(rows[places])), draft / FLOORS)
