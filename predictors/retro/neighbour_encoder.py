"""Reads neighbours: a bidirectional transformer that has the chunk they were found for in view (RETRO, section 2.4)."""

from __future__ import annotations

from torch import Tensor, nn

from reml.predictors.retro.attention import DistanceAttention


class EncoderLayer(nn.Module):
    """Attention of a neighbour's tokens to each other, to the states of the chunk, and a feed-forward block."""

    def __init__(self, width: int, source: int, *, heads: int, chunk: int, length: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.RMSNorm(width, eps=1e-6) for _ in range(3))
        self.attention = DistanceAttention(width, width, heads=heads, queries=length, keys=length)
        self.chunk_attention = DistanceAttention(width, source, heads=heads, queries=length, keys=chunk)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, states: Tensor, there: Tensor, chunk: Tensor) -> Tensor:
        """Read on, [M, r, E]. there: bool [M, r]; chunk: [M, m, D]."""
        normed = self.norms[0](states)
        states = states + self.attention(normed, normed, there)
        whole = there.new_ones(chunk.shape[:2])
        states = states + self.chunk_attention(self.norms[1](states), chunk, whole)
        read: Tensor = states + self.feed_forward(self.norms[2](states))
        return read


class NeighbourEncoder(nn.Module):
    """From embeddings of neighbours' tokens, and states of chunks, to what chunked cross-attention reads.

    source: dimensions D of embeddings and states. width: E. depth: layers. chunk, length: tokens of a chunk and of a
    neighbour.
    """

    def __init__(self, source: int, width: int, *, heads: int, depth: int, chunk: int, length: int) -> None:
        super().__init__()
        self.width = width
        self.embedded, self.chunk = nn.RMSNorm(source, eps=1e-6), nn.RMSNorm(source, eps=1e-6)
        self.begin = nn.Linear(source, width, bias=False)
        self.layers = nn.ModuleList(
            EncoderLayer(width, source, heads=heads, chunk=chunk, length=length) for _ in range(depth)
        )
        self.end = nn.RMSNorm(width, eps=1e-6)

    def forward(self, embeddings: Tensor, there: Tensor, chunks: Tensor) -> Tensor:
        """Encode neighbours that are there, [B, U, K, r, E], zeros where there is none.

        embeddings: [M, r, D] of the M neighbours that have a token, in their order in `there`, bool [B, U, K, r];
        chunks: states [B, U, m, D].
        """
        some = there.any(dim=3)  # [B, U, K]
        texts, numbers, places = some.nonzero(as_tuple=True)
        seen = self.chunk(chunks[texts, numbers])  # [B, U, m, D] -> [M, m, D]
        states = self.begin(self.embedded(embeddings))
        for layer in self.layers:
            states = layer(states, there[some], seen)
        encoded: Tensor = states.new_zeros((*there.shape, self.width))
        return encoded.index_put((texts, numbers, places), self.end(states))
