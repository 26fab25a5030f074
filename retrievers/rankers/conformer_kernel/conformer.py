"""Conformer layers whose self-attention needs memory in a line with the number of words.

Mitra, Hofstaetter, Zamani and Craswell, "Conformer-Kernel with Query Term Independence for Document Retrieval", 2020,
section 3.1, https://arxiv.org/abs/2007.10434. Separable self-attention, for each head:

    softmax over D (Q / sqrt(D)) . (softmax over L (K^T) . V)          Q = K, shared; [L, D] . ([D, L] . [L, D])

so that no matrix of L x L is ever made. A layer is: a convolution over neighbouring words, grouped by head; attention;
residual, dropout and layer norm; a feed-forward part with the same around it.
"""

from __future__ import annotations

from torch import Tensor, finfo, nn
from torch.nn import functional


def separable_attention(keys: Tensor, values: Tensor, mask: Tensor, dropout: float = 0.0) -> Tensor:
    """Attend from keys, which are the queries as well, to values, all [B, heads, L, D] where the mask [B, L] is true.

    A text without words attends to nothing: zeros. dropout: of both softmaxes.
    """
    there = mask[:, None, :, None]
    among = keys.masked_fill(~there, finfo(keys.dtype).min).softmax(dim=2) * there  # over L
    summary = functional.dropout(among, dropout).mT @ values  # [B, heads, D, L] x [B, heads, L, D] -> [.., D, D]
    read = (keys * keys.shape[-1] ** -0.5).softmax(dim=3)  # over D
    return functional.dropout(read, dropout) @ summary


class SeparableAttention(nn.Module):
    """Self-attention of several heads by `separable_attention`."""

    def __init__(self, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.keys_and_values = nn.Linear(hidden, 2 * hidden)
        self.output = nn.Linear(hidden, hidden)
        nn.init.xavier_uniform_(self.keys_and_values.weight)
        for layer in (self.keys_and_values, self.output):
            nn.init.zeros_(layer.bias)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Attend among states [B, L, D] where the mask [B, L] is true."""
        split = self.keys_and_values(states).unflatten(2, (2, self.heads, -1))
        keys, values = split.permute(2, 0, 3, 1, 4)  # [B, L, 2, heads, D / heads] -> 2 x [B, heads, L, D / heads]
        read = separable_attention(keys, values, mask, self.dropout if self.training else 0.0)
        mixed: Tensor = self.output(read.transpose(1, 2).flatten(2))  # [B, heads, L, D / heads] -> [B, L, D]
        return mixed


class ConformerLayer(nn.Module):
    """Convolution, separable self-attention and a feed-forward part; window: words of the convolution, odd."""

    def __init__(self, hidden: int, heads: int, window: int, dropout: float) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(hidden, hidden, window, padding=window // 2, groups=heads)
        self.attention = SeparableAttention(hidden, heads, dropout)
        self.forth, self.back = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.after_attention, self.after_forward = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Contextualise states [B, L, D]; what the mask [B, L] leaves out is as nothing to the words beside it."""
        words = states * mask[:, :, None]
        near = self.convolution(words.mT).mT  # [B, L, D] -> [B, D, L] -> [B, L, D]
        states = self.after_attention(states + self.dropout(self.attention(near, mask)))
        inner = self.dropout(functional.relu(self.forth(states)))
        contextual: Tensor = self.after_forward(states + self.dropout(self.back(inner)))
        return contextual
