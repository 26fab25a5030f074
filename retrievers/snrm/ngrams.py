"""The n-grams of a batch of texts, each distinct one once, and outputs added up over those of a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, eq=False, slots=True)
class Ngrams:
    """words: of each of U distinct n-grams, [U, window]. texts, ngrams, counts: who has which and how often, [E].

    Entries are in the order of texts. total: the number of texts.
    """

    words: Tensor
    texts: Tensor
    ngrams: Tensor
    counts: Tensor
    total: int

    @classmethod
    def of(cls, ids: Tensor, mask: Tensor, window: int, words: int) -> Self:
        """Take those of ids [B, L] where the mask is true; a text has as many as words, with padding (0) at its ends.

        words: how many there are.
        """
        padded = functional.pad(ids.masked_fill(~mask, 0), ((window - 1) // 2, window // 2))
        each = padded.unfold(1, window, 1)[mask]  # [B, L + window - 1] -> [B, L, window] -> [N, window]
        texts = mask.nonzero()[:, 0]
        numbers = each[:, 0]
        for place in range(1, window):  # two columns at a time, so that no number grows too large
            numbers = torch.unique(numbers * words + each[:, place], return_inverse=True)[1]
        distinct, numbers = torch.unique(numbers, return_inverse=True)
        one_of_each = torch.empty_like(distinct)
        one_of_each[numbers] = torch.arange(len(numbers), device=ids.device)
        among = max(1, len(distinct))
        entries, counts = torch.unique(texts * among + numbers, return_counts=True)
        return cls(each[one_of_each], entries // among, entries % among, counts, len(ids))

    def sums(self, outputs: Outputs) -> Tensor:
        """Add up over each text the outputs of its n-grams, [B, V]."""
        sizes = outputs.sizes[self.ngrams]
        pairs = within(outputs.starts[self.ngrams], sizes)
        rows = self.texts.repeat_interleave(sizes)
        values = outputs.values[pairs] * self.counts.repeat_interleave(sizes)
        flat = values.new_zeros(self.total * outputs.width)
        return flat.index_add(0, rows * outputs.width + outputs.dimensions[pairs], values).view(self.total, -1)

    def dense_sums(self, outputs: Tensor) -> Tensor:
        """Add up over each text the outputs [U, V] of its n-grams, [B, V]."""
        weights = torch.sparse_coo_tensor(
            torch.stack([self.texts, self.ngrams]),
            self.counts.to(outputs.dtype),
            (self.total, len(outputs)),
            check_invariants=False,
        )
        summed: Tensor = torch.sparse.mm(weights, outputs)
        return summed


@dataclass(frozen=True, eq=False, slots=True)
class Outputs:
    """The outputs above 0 of U n-grams: of the i-th `sizes[i]`, from `starts[i]` on among dimensions and values [P].

    width: the number of dimensions V.
    """

    starts: Tensor
    sizes: Tensor
    dimensions: Tensor
    values: Tensor
    width: int

    @classmethod
    def of(cls, ngrams: Tensor, dimensions: Tensor, values: Tensor, shape: tuple[int, int]) -> Self:
        """Take them from pairs in the order of n-grams. shape: U and V."""
        sizes = torch.bincount(ngrams, minlength=shape[0])
        return cls(sizes.cumsum(0) - sizes, sizes, dimensions, values, shape[1])


def within(starts: Tensor, sizes: Tensor) -> Tensor:
    """Give the places starts[i], starts[i] + 1, ... , `sizes[i]` of them for each i, one behind the other."""
    firsts = sizes.cumsum(0) - sizes
    places = torch.arange(int(sizes.sum()), device=sizes.device)
    return places + (starts - firsts).repeat_interleave(sizes)
