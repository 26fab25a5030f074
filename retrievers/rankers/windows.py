"""Items longer than a ranker reads at once, in windows whose scores are combined: FirstP, MaxP, SumP.

Dai and Callan, "Deeper Text Understanding for IR with Contextual Neural Language Modeling", SIGIR 2019,
https://arxiv.org/abs/1905.09217: windows of 150 words, one every 75 words, the title before each; an item's score is
that of its first window, of its best, or the sum over all. Deviations: a sum may be of the best few alone; windows are
cut when they are asked for, so gradients reach the windows that count, where the paper trains on passages.

Published: Robust04 titles nDCG@20 0.444 (FirstP), 0.469 (MaxP), 0.467 (SumP), BERT base. Here: not run on Robust04.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, final

import torch
from torch import Tensor

from reml.collection.passages.words import words_of
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.examples import Item

Combine = Literal["max", "first", "sum"]


@final
@checked()
@dataclass(frozen=True, kw_only=True)
class Windows:
    """How the text of an item is cut into windows, and what their scores make.

    words: of a window, counted as passages count them. stride: words from the start of a window to that of the next;
    fewer than `words` of them let windows overlap. most: windows that are read of an item, from its start; all if left
    out. combine: the best window's score (MaxP), the first window's (FirstP: no other is read), or the sum. top: how
    many of the best windows a sum takes, all if left out. A sum of logits, which are below 0 where nothing is relevant,
    makes long items lose.
    """

    words: Count = 150
    stride: Count = 75
    most: Count | None = None
    combine: Combine = "max"
    top: Count | None = None

    def __post_init__(self) -> None:
        if self.stride > self.words:
            raise ValueError(
                f"stride is {self.stride}, but windows have {self.words} words: what lies between two would never be "
                "read. Choose a stride of at most `words`."
            )
        if self.top is not None and self.combine != "sum":
            raise ValueError(
                f"top is of a sum, and combine is {self.combine}: choose `combine: sum`, or leave top out."
            )

    def cut(self, text: str) -> list[str]:
        """Cut a text into its windows, one at least; none begins after one that reaches the end."""
        places = words_of(text)
        further = -(-max(0, len(places) - self.words) // self.stride)
        most = 1 if self.combine == "first" else self.most
        parts = [places[start : start + self.words] for start in range(0, (further + 1) * self.stride, self.stride)]
        return [text[part[0][0] : part[-1][1]] if part else text.strip() for part in parts[:most]]

    def combined(self, scores: Tensor, counts: Sequence[int]) -> Tensor:
        """Give the scores [P] of items of so many windows each, from those of all windows, [W], one after the other."""
        table = by_owner(scores, counts)  # [P, W]
        if self.combine != "sum":
            return table.amax(dim=1)
        best = table.sort(dim=1, descending=True).values[:, : self.top]
        return best.masked_fill(best == -torch.inf, 0.0).sum(dim=1)


def shown(items: Sequence[Item], windows: Windows | None, *, title: bool) -> list[list[str]]:
    """Give what is read of each item: all of it at once, or its windows, each after the title."""
    distinct = {id(item): item for item in items}  # each is looked at once, however often it is asked for
    read = {key: _parts(item, windows, title=title) for key, item in distinct.items()}
    return [read[id(item)] for item in items]


def _parts(item: Item, windows: Windows | None, *, title: bool) -> list[str]:
    if windows is None:
        return [item.full_text(title=title)]
    return [replace(item, text=text).full_text(title=title) for text in windows.cut(item.text)]


def by_owner(values: Tensor, counts: Sequence[int]) -> Tensor:
    """Put values [W] of P owners, of so many each, into rows, [P, largest count]; -inf where there is none."""
    width = max(counts, default=1)
    mask = (torch.arange(width) < torch.tensor(list(counts), dtype=torch.long)[:, None]).to(values.device)
    return torch.full(mask.shape, -torch.inf, dtype=values.dtype, device=values.device).masked_scatter(mask, values)
