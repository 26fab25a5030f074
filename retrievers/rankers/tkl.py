"""TKL: words in local context, compared by kernels, in the regions of a long text that match a query best.

Hofstaetter, Zamani, Mitra, Craswell and Hanbury, "Local Self-Attention over Long Text for Efficient Document
Retrieval", SIGIR 2020, https://arxiv.org/abs/2005.04908. Queries as a whole, and items in chunks of 40 words that see 5
more on each side, go through transformer layers, and a learnt mixture of embedding and context stands for each word.
Of the cosines 11 kernels (mu = 1, 0.9, 0.7, ..., -0.9) are summed in regions of 30 words, one every 2:

    v_k(t, r) = a K_k(t, r)^(1 / b) - c        (a, b, c) = W [w . q_t ; |r| / 30] + 100
    s(r) = sum over t and k of u_k v_k(t, r)

and the score is a weighted sum of 15: the best three regions that share no word, and two neighbours on each side of
each. With a = b = c = 100, where it begins, the saturation v is within a few hundredths of log K. Deviations:

- word pieces of a transformers model, and its input embeddings less their mean, where the paper has words and GloVe;
- regions begin on each second word of the text, also where they reach past its end, so that a text scores the same in
  any batch; in the public code the last ones depend on the padding;
- where a text has no second or third region that shares no word with the first, nothing is added; the public code
  then counts a region twice. Neighbours past an end are, as there, the region at that end;
- |r| is divided by 30 and the layer norm over the two numbers (w . q_t, |r|) left out: of two numbers it tells only
  which is larger;
- trained by whatever objective is chosen (`reml.training.regimes.ranking`).

Published: documents of TREC 2019, significantly better than TK, and more long ones found (abstract). Here: not run on
TREC 2019. BM25's first 50 of minikilt anew, nDCG@10 of pages, the first 100 dev questions of nq and of squad, one seed:
BM25 .808 .781, TKL .517 .745 after 100 steps of 8 train questions with 3 passages (54 CPU-seconds), far from trained.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Self, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Bounds, Count, Size
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Item, Json, texts_of
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.devices.device import default_device
from reml.retrievers.encoders.token_batches import TokenBatch
from reml.retrievers.rankers.kernel_pooling import cosines, kernels, sinusoids, window_sums, windows_begun
from reml.retrievers.rankers.pair_network import Cut, PairNetwork, load_network, save_network, score_pairs
from reml.retrievers.rankers.word_pieces import WordPieces, centred

CENTRES = (1.0, 0.9, 0.7, 0.5, 0.3, 0.1, -0.1, -0.3, -0.5, -0.7, -0.9)
LEAST = 1e-10
SATURATION, SPREAD = 100.0, 0.014
# The first position of a chunk's words, so that they are told from a query's.
FIRST = 500


@checked()
@dataclass(frozen=True, kw_only=True)
class Form:
    """Form of a new network, the paper's unless given.

    heads, layers, feed_forward, dropout: of the transformer. chunk, overlap: words that are contextualised together,
    and those on each side that they see as well. region, stride: words over which kernels are added up, and between the
    first ones of two such regions. best: regions that count. neighbours: of each, on each side. query_tokens,
    item_tokens: word pieces that are read; what is longer is cut. title: whether an item's title stands before its
    text.
    """

    heads: Count = 8
    layers: Count = 2
    feed_forward: Count = 100
    dropout: Annotated[float, Bounds(least=0, below=1)] = 0.0
    chunk: Count = 40
    overlap: Size = 5
    region: Count = 30
    stride: Count = 2
    best: Count = 3
    neighbours: Size = 2
    query_tokens: Count = 30
    item_tokens: Count = 2_000
    title: bool = True

    def __post_init__(self) -> None:
        if self.stride > self.region:
            raise ValueError(
                f"stride {self.stride} is above region {self.region}: words between regions would not count."
            )


class Contextualiser(nn.Module):
    """Mixes vectors of words with what a transformer makes of those beside them."""

    def __init__(self, width: int, form: Form) -> None:
        super().__init__()
        if width % form.heads:
            raise ValueError(
                f"vectors of {width} cannot be divided among {form.heads} heads: choose `heads` that divides it."
            )
        layer = nn.TransformerEncoderLayer(width, form.heads, form.feed_forward, form.dropout, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, form.layers, enable_nested_tensor=False)
        self.mixture = nn.Parameter(torch.tensor(0.5))
        self.asked = nn.Parameter(sinusoids(form.query_tokens, width))
        self.shown = nn.Parameter(sinusoids(form.chunk + 2 * form.overlap, width, first=FIRST))
        self.chunk, self.overlap = form.chunk, form.overlap

    def queries(self, words: Tensor, mask: Tensor) -> Tensor:
        """Contextualise queries [N, Q, D] where the mask [N, Q] is true; zeros elsewhere."""
        return self._mixed(words, mask, self.asked[: words.shape[1]])

    def items(self, words: Tensor, mask: Tensor) -> Tensor:
        """Contextualise items [N, L, D] chunk by chunk where the mask [N, L] is true; zeros elsewhere."""
        length, chunk, near = words.shape[1], self.chunk, self.overlap
        after = near + -length % chunk
        wide = chunk + 2 * near
        chunks = functional.pad(words, (0, 0, near, after)).unfold(1, wide, chunk).mT  # [N, chunks, wide, D]
        masks = functional.pad(mask, (near, after)).unfold(1, wide, chunk)  # [N, chunks, wide]
        packed = masks[:, :, near : near + chunk].any(dim=2)  # chunks of padding alone are not computed
        mixed = self._mixed(chunks[packed], masks[packed], self.shown)[:, near : near + chunk]
        whole = words.new_zeros(*packed.shape, chunk, words.shape[2])
        return whole.index_put((packed,), mixed).flatten(1, 2)[:, :length]

    def _mixed(self, words: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        if not len(words):
            return words
        empty = ~mask.any(dim=1, keepdim=True)  # attends to its padding, which is masked below, as not to nothing
        context = self.layers(words + positions, src_key_padding_mask=~(mask | empty))
        mixed: Tensor = self.mixture * words + (1 - self.mixture) * context
        return mixed * mask[:, :, None]


class Saturation(nn.Module):
    """How the counts of a kernel grow into scores, by a term's salience and the words of a region."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.salience, self.shape = nn.Linear(width, 1, bias=False), nn.Linear(2, 3)
        nn.init.uniform_(self.shape.weight, -SPREAD, SPREAD)
        nn.init.constant_(self.shape.bias, SATURATION)

    def forward(self, sums: Tensor, terms: Tensor, filled: Tensor) -> Tensor:
        """Saturate sums [P, Q, R, kernels] of terms [P, Q, D] in regions of which a share is words, [P, R]."""
        salience = self.salience(terms).expand(-1, -1, filled.shape[1])  # [P, Q, R]
        told = torch.stack([salience, filled[:, None, :].expand_as(salience)], dim=-1)  # [P, Q, R, 2]
        scale, root, shift = self.shape(told).unsqueeze(-2).unbind(dim=-1)  # 3 x [P, Q, R, 1]
        saturated: Tensor = scale * sums.clamp(min=LEAST) ** (1 / root) - shift
        return saturated


def best_regions(scores: Tensor, count: int, apart: int) -> Tensor:
    """Choose the best regions one after the other, none nearer to a better one than `apart`, [P, R] -> [P, count].

    Scores are -inf where there is no region; places are -1 where none is left.
    """
    left, places, chosen = scores.detach().clone(), torch.arange(scores.shape[1], device=scores.device), []
    for _ in range(count):
        value, best = left.max(dim=1)
        chosen.append(best.masked_fill(value == -torch.inf, -1))
        left = left.masked_fill((places - best[:, None]).abs() < apart, -torch.inf)
    return torch.stack(chosen, dim=1)


@final
class RegionNetwork(PairNetwork):
    """Scores an item by its best regions. shape: of the embeddings, (pieces, width)."""

    kind = "TKL network"

    def __init__(self, pieces: WordPieces, form: Form, shape: tuple[int, int]) -> None:
        super().__init__()
        self.pieces, self.form, self.shape = pieces, form, shape
        self.embedding = nn.Embedding(*shape)
        self.context, self.saturation = Contextualiser(shape[1], form), Saturation(shape[1])
        self.kernel_weights = nn.Parameter(torch.empty(len(CENTRES)).uniform_(-SPREAD, SPREAD))
        self.region_weights = nn.Parameter(torch.ones(form.best, 1 + 2 * form.neighbours))
        steps = [step for far in range(1, form.neighbours + 1) for step in (-far, far)]
        self.register_buffer("steps", torch.tensor([0, *steps]), persistent=False)
        self.register_buffer("centres", torch.tensor(CENTRES), persistent=False)

    steps: Tensor
    centres: Tensor

    @classmethod
    def begun(cls, model: str, form: Form) -> Self:
        """Make a new network of the word pieces and input embeddings of a transformers model."""
        pieces, embeddings = WordPieces.of_model(model)
        rows, width = embeddings.shape
        network = cls(pieces, form, (rows, width))
        with torch.no_grad():
            network.embedding.weight.copy_(centred(embeddings))
        return network

    @classmethod
    def of(cls, pieces: WordPieces, settings: Mapping[str, Any]) -> Self:
        """Make one as a manifest says."""
        rows, width = settings["shape"]
        return cls(pieces, Form(**settings["form"]), (rows, width))

    @property
    def cut(self) -> Cut:
        """How much of a text is read."""
        return Cut(self.form.query_tokens, self.form.item_tokens, self.form.title)

    @property
    def settings(self) -> dict[str, Json]:
        """Its form and the shape of the embeddings."""
        return {"form": asdict(self.form), "shape": list(self.shape)}

    def forward(self, asked: TokenBatch, shown: TokenBatch, pairs: Tensor) -> Tensor:
        """Score pairs [P, 2] of queries and items, [P]; 0 where either has no word."""
        queries, items = pairs.T
        terms = self.context.queries(self.embedding(asked.ids), asked.mask)[queries]
        words = self.context.items(self.embedding(shown.ids), shown.mask)[items]
        regions = self.region_scores(terms, asked.mask[queries], words, shown.mask[items])
        return self.pooled(regions)

    def region_scores(self, terms: Tensor, asked: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """Score each region for terms [P, Q, D] where `asked` is true, of words [P, L, D], [P, R]; -inf for none."""
        soft = kernels(cosines(terms, words), self.centres, mask)  # [P, Q, L, kernels]
        sums = window_sums(soft, self.form.region, self.form.stride)  # [P, Q, R, kernels]
        begun = windows_begun(mask, self.form.stride)
        starts = torch.arange(begun.shape[1], device=mask.device) * self.form.stride
        filled = (mask.sum(dim=1, keepdim=True) - starts).clamp(0, self.form.region) / self.form.region  # [P, R]
        saturated = self.saturation(sums, terms, filled) * asked[:, :, None, None]
        scores: Tensor = saturated.sum(dim=1) @ self.kernel_weights
        return scores.masked_fill(~begun, -torch.inf)

    def pooled(self, regions: Tensor) -> Tensor:
        """Weigh the best of regions [P, R] and their neighbours, [P]."""
        there = regions.isfinite()
        apart = -(-self.form.region // self.form.stride)
        best = best_regions(regions, self.form.best, apart)  # [P, best]
        last = (there.sum(dim=1) - 1).clamp(min=0)[:, None, None]
        near = torch.minimum((best[:, :, None] + self.steps).clamp(min=0), last)  # [P, best, 1 + 2 neighbours]
        scores = regions.masked_fill(~there, 0.0).gather(1, near.flatten(1)).view_as(near)
        return (scores * self.region_weights * (best >= 0)[:, :, None]).sum(dim=(1, 2))


@final
@checked()
@dataclass(frozen=True, eq=False)
class TKL:
    """A `Scorer`, loaded when it is first needed, on the GPU if there is one.

    model: a folder that `save` wrote, or `package:NAME/PATH` of one. new: the form of a new network instead, which
    ranks at random until it is trained; `model` is then a hub id, a folder or `package:NAME/PATH` of the transformers
    model whose word pieces and embeddings it begins with. batch_size: pairs at a time; it changes speed alone.
    """

    model: str
    _: KW_ONLY
    new: Form | None = None
    batch_size: Count = 32

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self.network

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        """Score Q queries at these positions [Q, K] among N items, float32 [Q, K], with gradient; -inf at -1.

        A query or an item without words scores 0.
        """
        return score_pairs(self.network, texts_of(queries.said, self), items, positions, self.batch_size)

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the word pieces and the settings that scores depend on."""
        return self.network.fingerprint()

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a folder that `TKL(folder)` reads."""
        save_network(self.network, folder)

    @functools.cached_property
    def network(self) -> RegionNetwork:
        """The network itself."""
        if self.new is not None:
            network = RegionNetwork.begun(self.model, self.new)
        else:
            network = load_network(self.model, RegionNetwork.kind, RegionNetwork.of)
        return network.to(default_device()).eval()
