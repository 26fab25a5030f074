"""The networks NDRM1 (latent), NDRM2 (exact matches) and NDRM3 (both): a score for each term of a query alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, NamedTuple, Self, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Bounds, Count
from reml.contract.examples import Json
from reml.retrievers.encoders.token_batches import TokenBatch
from reml.retrievers.rankers.conformer_kernel.conformer import ConformerLayer
from reml.retrievers.rankers.conformer_kernel.explicit import ExactMatch
from reml.retrievers.rankers.kernel_pooling import cosines, kernels, sinusoids, window_sums, windows_begun
from reml.retrievers.rankers.pair_network import Cut, PairNetwork
from reml.retrievers.rankers.word_pieces import WordPieces, centred

KERNELS = 10
LEAST = 1e-6
Kind = Literal["ndrm1", "ndrm2", "ndrm3"]


@checked()
@dataclass(frozen=True, kw_only=True)
class Form:
    """Form of a new network, the paper's unless given.

    kind: ndrm1 by latent likeness, ndrm2 by exact matches, ndrm3 by both. hidden: width of the layers, that of the
    model's embeddings unless given. heads: of attention, and groups of the convolution. window: words of the
    convolution, odd. pool, stride: words over which kernels are added up, and between the first ones of two such
    windows. query_tokens, item_tokens: word pieces that are read, what is longer is cut; the paper's texts have 4,000
    words. title: whether an item's title stands before its text.
    """

    kind: Kind = "ndrm1"
    hidden: Count | None = None
    heads: Count = 32
    layers: Count = 2
    window: Count = 31
    pool: Count = 300
    stride: Count = 100
    dropout: Annotated[float, Bounds(least=0, below=1)] = 0.2
    query_tokens: Count = 20
    item_tokens: Count = 4_000
    title: bool = True

    def __post_init__(self) -> None:
        if self.window % 2 == 0:
            raise ValueError(f"window is {self.window}, but must be odd: a word stands in the middle of its own.")
        if self.stride > self.pool:
            raise ValueError(f"stride {self.stride} is above pool {self.pool}: words between windows would not count.")
        if self.hidden is not None:
            check_heads(self.hidden, self.heads)


class Shown(NamedTuple):
    """Items of P pairs: their pieces [P, L], the mask [P, L], and their words' vectors [P, L, D] if there are any."""

    pieces: Tensor
    mask: Tensor
    states: Tensor | None

    def take(self, places: Tensor) -> Shown:
        """Give the items at these places, in this order."""
        return Shown(self.pieces[places], self.mask[places], None if self.states is None else self.states[places])


class LatentMatch(nn.Module):
    """Scores terms by the cosines of their vectors with those of an item's words in context. shape: of embeddings."""

    def __init__(self, shape: tuple[int, int], form: Form) -> None:
        super().__init__()
        hidden = form.hidden or shape[1]
        self.embedding = nn.Embedding(*shape)
        self.narrow = None if hidden == shape[1] else nn.Linear(shape[1], hidden, bias=False)
        self.asked, self.context = nn.Linear(hidden, hidden), nn.Linear(2, 1)
        layers = (ConformerLayer(hidden, form.heads, form.window, form.dropout) for _ in range(form.layers))
        self.layers, self.dropout = nn.ModuleList(layers), nn.Dropout(form.dropout)
        self.judge = nn.Sequential(
            nn.Linear(KERNELS, hidden), nn.ReLU(), nn.Dropout(form.dropout), nn.Linear(hidden, 1)
        )
        self.pool, self.stride = form.pool, form.stride
        self.register_buffer("centres", 1 - 2 * torch.arange(KERNELS) / KERNELS, persistent=False)
        self.register_buffer("positions", sinusoids(form.item_tokens, hidden), persistent=False)
        self._begin()

    centres: Tensor
    positions: Tensor

    def states(self, pieces: Tensor, mask: Tensor) -> Tensor:
        """Give the vectors of items' words, [N, L] -> [N, L, D]: embeddings mixed with what context makes of them."""
        words = self._embedded(pieces)
        states = self.dropout(words + self.positions[: words.shape[1]])
        for layer in self.layers:
            states = layer(states, mask)
        mixed: Tensor = self.context(torch.stack([words, states], dim=-1))[..., 0]
        return mixed

    @property
    def every_piece(self) -> Tensor:
        """The numbers of all pieces, [V]."""
        return torch.arange(self.embedding.num_embeddings, device=self.embedding.weight.device)

    def term_vectors(self, terms: Tensor) -> Tensor:
        """Give the vectors of a query's terms, which know nothing of one another, [...] -> [..., D]."""
        vectors: Tensor = self.asked(self._embedded(terms))
        return vectors

    def forward(self, terms: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """Score terms [P, Q] for items of these states [P, L, D] where the mask [P, L] is true, [P, Q]."""
        soft = kernels(cosines(self.term_vectors(terms), states), self.centres, mask)  # [P, Q, L, kernels]
        sums = window_sums(soft, self.pool, self.stride)
        scores: Tensor = self.judge((sums + LEAST).log())[..., 0]  # [P, Q, windows, kernels] -> [P, Q, windows]
        begun = windows_begun(mask, self.stride)
        first = torch.arange(begun.shape[1], device=mask.device) == 0  # an item without words has this one alone
        return scores.masked_fill(~(begun | first)[:, None, :], -torch.inf).amax(dim=2)

    def _embedded(self, pieces: Tensor) -> Tensor:
        words: Tensor = self.embedding(pieces)
        return words if self.narrow is None else self.narrow(words)

    @torch.no_grad()
    def _begin(self) -> None:
        """Let a term first be like itself, and an item's word be half itself and half its context."""
        nn.init.eye_(self.asked.weight)
        nn.init.zeros_(self.asked.bias)
        nn.init.constant_(self.context.weight, 0.5)
        nn.init.zeros_(self.context.bias)
        if self.narrow is not None:
            nn.init.orthogonal_(self.narrow.weight)


class BothMatches(nn.Module):
    """Adds latent and exact scores of terms, each brought to mean 0 and deviation 1 (batch norm), by learnt weights."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.sum = nn.BatchNorm1d(2), nn.Linear(2, 1)
        nn.init.ones_(self.sum.weight)
        nn.init.zeros_(self.sum.bias)

    def forward(self, latent: Tensor, exact: Tensor, asked: Tensor) -> Tensor:
        """Join scores [P, Q] where `asked` is true; elsewhere 0."""
        both = torch.stack([latent[asked], exact[asked]], dim=1)  # [terms, 2]
        several = len(both) > 1  # one alone has no deviation
        scaled = self.norm(both) if several or not self.training else self._by_former(both)
        return torch.zeros_like(latent).masked_scatter(asked, self.sum(scaled))

    def _by_former(self, both: Tensor) -> Tensor:
        norm = self.norm
        return functional.batch_norm(both, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)


@final
class TermNetwork(PairNetwork):
    """Adds up, over a query's terms, the score of each. shape: of the embeddings, (pieces, width)."""

    kind = "conformer-kernel network"

    def __init__(self, pieces: WordPieces, form: Form, shape: tuple[int, int]) -> None:
        super().__init__()
        check_heads(form.hidden or shape[1], form.heads)
        self.pieces, self.form, self.shape = pieces, form, shape
        self.latent = LatentMatch(shape, form) if form.kind != "ndrm2" else None
        self.exact = ExactMatch(shape[0]) if form.kind != "ndrm1" else None
        self.both = BothMatches() if form.kind == "ndrm3" else None

    @classmethod
    def begun(cls, model: str, form: Form) -> Self:
        """Make a new network of the word pieces and input embeddings of a transformers model."""
        pieces, embeddings = WordPieces.of_model(model)
        rows, width = embeddings.shape
        network = cls(pieces, form, (rows, width))
        if network.latent is not None:
            with torch.no_grad():
                network.latent.embedding.weight.copy_(centred(embeddings))
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

    def shown(self, pieces: Tensor, mask: Tensor) -> Shown:
        """Read items of pieces [N, L] where the mask is true, alone, whatever is asked."""
        return Shown(pieces, mask, None if self.latent is None else self.latent.states(pieces, mask))

    def term_scores(self, terms: Tensor, asked: Tensor, shown: Shown) -> Tensor:
        """Score terms [P, Q], where `asked` is true, for the items of P pairs, [P, Q]; 0 elsewhere."""
        latent: Tensor | None = None
        exact: Tensor | None = None
        if self.latent is not None and shown.states is not None:
            latent = self.latent(terms, shown.states, shown.mask)
        if self.exact is not None:
            exact = self.exact(terms, asked, shown.pieces, shown.mask)
        if self.both is not None and latent is not None and exact is not None:
            joined: Tensor = self.both(latent, exact, asked)
            return joined
        one = latent if latent is not None else exact
        assert one is not None  # noqa: S101 - each kind has one part at least
        return one.masked_fill(~asked, 0.0)

    def forward(self, asked: TokenBatch, shown: TokenBatch, pairs: Tensor) -> Tensor:
        """Score pairs [P, 2] of queries and items, [P]; a query without terms has 0."""
        items, (queries, places) = self.shown(shown.ids, shown.mask), pairs.T
        return self.term_scores(asked.ids[queries], asked.mask[queries], items.take(places)).sum(dim=1)


def check_heads(hidden: int, heads: int) -> None:
    """Raise `ValueError` for layers that cannot be divided among heads."""
    if hidden % heads:
        raise ValueError(
            f"layers of {hidden} cannot be divided among {heads} heads: choose `heads` that divides it, or another "
            "`hidden`."
        )
