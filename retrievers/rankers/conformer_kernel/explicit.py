"""NDRM2: exact matches of a query's term, with a saturation like BM25's that is learnt.

Mitra, Hofstaetter, Zamani and Craswell, 2020, https://arxiv.org/abs/2007.10434, section 3.3:

    s(t, d) = idf(t) tf / (tf + ReLU(w |d| + b))         tf and |d| divided by their means (BatchScale)
    idf(t) = max(0, log((N - n + 0.5) / (n + 0.5)))      t being in n of N items

As there, the means run over what is seen in training; |d| begins with the collection's mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

LEAST = 1e-6


class BatchScale(nn.Module):
    """Divides numbers by the mean of all that it saw in training; by 1 before it saw any."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.ones(()))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    mean: Tensor
    seen: Tensor

    def forward(self, values: Tensor, there: Tensor) -> Tensor:
        """Scale values where `there` is true, both of one shape; in training, learn their mean first."""
        if self.training and bool(there.any()):
            new = values.detach()[there]
            self.seen += len(new)
            self.mean += (new.sum() - len(new) * self.mean) / self.seen
        return values / (self.mean + LEAST)

    def begin(self, mean: float, seen: int) -> None:
        """Take a mean of so many numbers that were seen elsewhere."""
        self.mean.fill_(mean)
        self.seen.fill_(seen)


class ExactMatch(nn.Module):
    """Scores terms by how often they stand in an item. pieces: how many there are."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.frequency, self.length = BatchScale(), BatchScale()
        self.weight, self.bias = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))
        self.register_buffer("idf", torch.zeros(pieces))
        self.register_buffer("items", torch.zeros((), dtype=torch.int64))

    idf: Tensor
    items: Tensor

    def count(self, texts: Iterable[Sequence[int]]) -> None:
        """Learn idf and the mean length from the pieces of all items; `ValueError` if there are none."""
        found, items, words = torch.zeros(len(self.idf), dtype=torch.float64), 0, 0
        for text in texts:
            found[list(set(text))] += 1
            items, words = items + 1, words + len(text)
        if not words:
            raise ValueError(f"{items} items hold no word piece: there is nothing to count.")
        self.idf.copy_(torch.log((items - found + 0.5) / (found + 0.5)).clamp(min=0))
        self.items.fill_(items)
        self.length.begin(words / items, items)

    def forward(self, terms: Tensor, asked: Tensor, pieces: Tensor, mask: Tensor) -> Tensor:
        """Score terms [P, Q], where `asked` is true, for items of pieces [P, L], where the mask is true; [P, Q].

        `ValueError` before `count` was called.
        """
        if not int(self.items):
            raise ValueError(
                "exact matches are weighed by how rare a term is, and nothing was counted: call `fit(collection)` "
                "once, before training; `save` keeps it."
            )
        same = (terms[:, :, None] == pieces[:, None, :]) & mask[:, None, :]  # [P, Q, L]
        lengths = mask.sum(dim=1, keepdim=True).float()  # [P, 1]
        damping = torch.relu(self.weight * self.length(lengths, torch.ones_like(mask[:, :1])) + self.bias)
        counts = self.frequency(same.sum(dim=2).float(), asked)
        scores: Tensor = self.idf[terms] * counts / (counts + damping + LEAST)
        return scores
