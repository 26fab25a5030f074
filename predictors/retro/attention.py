"""Attention with a learned logit for each distance, and chunked cross-attention (RETRO, section 2.4, appendix B.1).

    CCA(H, E)_t = CA(h_t, E_u),  u = floor((t + 1) / m),  t = 0, 1, ...;  h_t stays as it is where u = 0

so the last token of chunk u, which says what chunk u + 1 begins with, is the first to see the neighbours of chunk u,
and no token of the first chunk is told by any neighbour. m is the length of a chunk, u counts chunks from 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class DistanceAttention(nn.Module):
    """Multi-head attention; a head has a learned logit for each distance of a query's place and a key's.

    width, source: dimensions of queries and of keys. queries, keys: places that there are of each.
    """

    def __init__(self, width: int, source: int, *, heads: int, queries: int, keys: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide {width} dimensions: choose a number that does.")
        self.heads, self.keys = heads, keys
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(source, width, bias=False)
        self.value = nn.Linear(source, width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.distance = nn.Parameter(torch.zeros(heads, queries + keys - 1))

    def forward(self, states: Tensor, read: Tensor, mask: Tensor, places: Tensor | None = None) -> Tensor:
        """Attend from states [N, n, D] to what is read [N, s, E] where the mask [N, s] is true, [N, n, D].

        places: of the keys, [s]; 0, 1, ... if left out. Zeros where nothing is there to be read.
        """
        keys = torch.arange(read.shape[1], device=read.device) if places is None else places
        queries = torch.arange(states.shape[1], device=states.device)
        bias = self.distance[:, queries[:, None] - keys + self.keys - 1]  # [heads, n, s]
        any_there = mask.any(dim=1)
        seen = mask | ~any_there[:, None]
        attended = functional.scaled_dot_product_attention(
            self._split(self.query(states)),
            self._split(self.key(read)),
            self._split(self.value(read)),
            bias.masked_fill(~seen[:, None, None], -torch.inf),  # [N, heads, n, s]
        )
        joined = attended.transpose(1, 2).flatten(2)  # [N, heads, n, d] -> [N, n, D]
        projected: Tensor = self.out(joined)
        return projected * any_there[:, None, None]

    def _split(self, states: Tensor) -> Tensor:
        count, tokens, width = states.shape
        # [N, n, D] -> [N, heads, n, d]
        return states.reshape(count, tokens, self.heads, width // self.heads).transpose(1, 2)


class ChunkedCrossAttention(nn.Module):
    """Adds to the states of a decoder what they attend to in the neighbours of the chunk before them.

    width, source: dimensions of the decoder's states and of encoded neighbours. chunk: its tokens m. length: tokens of
    a neighbour. It begins as the identity: its last projection is of zeros.
    """

    def __init__(self, width: int, source: int, *, heads: int, chunk: int, length: int) -> None:
        super().__init__()
        self.chunk = chunk
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.attention = DistanceAttention(width, source, heads=heads, queries=chunk, keys=length)
        nn.init.zeros_(self.attention.out.weight)

    def forward(self, states: Tensor, encoded: Tensor, there: Tensor, start: int = 0) -> Tensor:
        """Read on from states [B, n, D] at places `start`, start + 1, ..., [B, n, D].

        encoded: neighbours [B, U, K, r, E] of all chunks that these attend to, the first one floor((start + 1) / m),
        where chunk 0 has none; there: bool [B, U, K, r], the tokens that there are.
        """
        batch, count, width = states.shape
        blocks, neighbours, length = encoded.shape[1:4]
        skipped = (start + 1) % self.chunk
        missing = blocks * self.chunk - skipped - count
        laid = functional.pad(self.norm(states), (0, 0, skipped, missing))
        added: Tensor = self.attention(
            laid.reshape(batch * blocks, self.chunk, width),  # [B, U * m, D] -> [B * U, m, D]
            encoded.reshape(batch * blocks, neighbours * length, -1),  # [B, U, K, r, E] -> [B * U, K * r, E]
            there.reshape(batch * blocks, neighbours * length),
            torch.arange(length, device=states.device).repeat(neighbours),
        )
        added = added.reshape(batch, blocks * self.chunk, width)  # [B * U, m, D] -> [B, U * m, D]
        return states + added[:, skipped : skipped + count]
