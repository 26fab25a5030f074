"""Scores of terms computed ahead: what Conformer-Kernel gives each term of an item, which no other term changes.

Kept of an item are the terms that stand in it, and `expand` more, those whose vectors are nearest to one of its words
in context. Each term t has a floor f(t), the lowest score it has in a sample of the collection, where it stands and
where not: what is kept is max(s(t, d) - f(t), 0), and a term that is not kept adds 0.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, final

import numpy as np
import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.contract.collections import Collection
from reml.contract.examples import Item, Media, texts_of
from reml.contract.vectors import Float32Array, Similarity, SparseVectors
from reml.devices.disk import save_array
from reml.devices.evaluating import evaluating
from reml.devices.precision import autocast
from reml.devices.progress import tracked
from reml.files.atomic import digest
from reml.files.origin import Origin, build_once
from reml.retrievers.rankers.conformer_kernel.network import Shown, TermNetwork
from reml.retrievers.rankers.kernel_pooling import cosines

FLOORS = "floors.npy"
# Terms that are scored at a time.
TERMS = 1_024


@checked()
@dataclass(frozen=True, kw_only=True)
class Terms:
    """Which terms of an item are kept.

    expand: those beside the ones that stand in it, the nearest. sampled: items in which the floor of each term is
    looked for, spread over the collection; each takes all terms through the network. (Of 30,522 pieces and a passage of
    54 that takes 0.4 CPU seconds, to encode the passage 0.01, and 0.05 where other terms are kept.)
    """

    expand: Size = 0
    sampled: Count = 64


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

    @classmethod
    def over(cls, network: TermNetwork, terms: Terms, collection: Collection, folder: Path) -> Self:
        """Look for the floors in a collection, or read them in `folder`. `StaleError` if they are of something else."""
        return cls._built(network, terms, collection, folder, _origin(network, terms, collection))

    @classmethod
    def over_in(cls, network: TermNetwork, terms: Terms, collection: Collection, folder: Path) -> Self:
        """Do the same in a folder of its own among others in `folder`."""
        origin = _origin(network, terms, collection)
        return cls._built(network, terms, collection, folder / digest(asdict(origin)), origin)

    @classmethod
    def _built(cls, network: TermNetwork, terms: Terms, collection: Collection, folder: Path, origin: Origin) -> Self:
        build_once(folder, origin, functools.partial(_write_floors, network, collection, terms.sampled))
        return cls(network, np.load(folder / FLOORS), terms.expand)

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
        scores = torch.cat(parts, dim=1)[0].float()
    if scores.isnan().any():
        raise ValueError(
            "the network gives terms scores that are no numbers (NaN): its weights hold NaN, train it anew."
        )
    return scores


def _origin(network: TermNetwork, terms: Terms, collection: Collection) -> Origin:
    return Origin.of(collection, digest("floors", network.fingerprint(), terms.sampled))


def _write_floors(network: TermNetwork, collection: Collection, sampled: int, draft: Path) -> None:
    rows = collection.rows()
    places = np.linspace(0, len(rows) - 1, min(sampled, len(rows))).astype(np.int64)
    save_array(draft / FLOORS, floors(network, collection.get(rows[places])), draft / FLOORS)
