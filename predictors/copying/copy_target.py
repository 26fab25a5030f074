"""What a copying decoder learns to say: the tokens of an answer, each with its case, and an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from reml.contract.examples import Example
from reml.contract.vectors import Int64Array
from reml.predictors.copying.quoting import Case, cased_ids
from reml.predictors.reading.pairs import occurrences
from reml.predictors.reading.right_answers import right_answers
from reml.text.models.transformers_types import PreTrainedTokenizerFast
from reml.text.token_table import ItemTokens


@dataclass(frozen=True, eq=False, slots=True)
class Target:
    """Answer tokens and their cases, int64 [B, T], the last of each the end; mask, bool [B, T], is false after it."""

    ids: Tensor
    cases: Tensor
    mask: Tensor

    @classmethod
    def of(cls, rows: Sequence[Sequence[Sequence[int]]]) -> Target:
        """Make the target of each row's tokens and cases."""
        # The padding is masked, so that its token does not matter.
        padded = pad_sequence([torch.tensor([*row]) for row in rows], batch_first=True)  # [B, T, 2]
        lengths = torch.tensor([len(row) for row in rows])
        return cls(padded[..., 0], padded[..., 1], torch.arange(padded.shape[1]) < lengths[:, None])

    def rows(self) -> list[tuple[tuple[int, ...], ...]]:
        """Give the tokens with their cases of each, without padding: what `of` takes."""
        pairs = torch.stack([self.ids, self.cases], dim=2).tolist()
        return [tuple(map(tuple, row[:count])) for row, count in zip(pairs, self.mask.sum(1).tolist(), strict=True)]

    def take(self, owners: Tensor) -> Target:
        """Give the target of each owner."""
        return Target(self.ids[owners], self.cases[owners], self.mask[owners])

    def to(self, device: torch.device) -> Target:
        """Move to a device."""
        return Target(self.ids.to(device), self.cases.to(device), self.mask.to(device))


def target_of(ids: Tensor, cases: Tensor, *, end: int, limit: int) -> Target:
    """Make what was decoded a target: tokens and cases, [B, T], anything after the first `end`; at most `limit` long.

    Where nothing ended before the limit, there is no end to learn.
    """
    room = int(ids.shape[1] < limit)
    ids = functional.pad(ids, (0, room), value=end)
    cases = functional.pad(cases.long(), (0, room), value=int(Case.LOWER))
    ended = (ids == end).long()
    return Target(ids, cases, ended.cumsum(1) - ended == 0)


def targets(
    examples: Sequence[Example],
    items: Sequence[Mapping[int, ItemTokens]],
    tokeniser: PreTrainedTokenizerFast,
    *,
    end: int,
    limit: int,
    before: Sequence[str] = (),
) -> Target:
    """Give for each example the first right answer that stands in an item, else the first, cut to `limit` tokens.

    before: what is said before each answer, if anything is.
    """
    rows = []
    for example, given, first in zip(examples, items, before or [""] * len(examples), strict=True):
        said = zip(cased_ids(tokeniser, first), _chosen(example, given, tokeniser), strict=True)
        ids, cases = (np.concatenate(both)[: limit - 1].tolist() for both in said)
        rows.append([*zip(ids, cases, strict=True), (end, int(Case.LOWER))])
    return Target.of(rows)


def _chosen(
    example: Example, items: Mapping[int, ItemTokens], tokeniser: PreTrainedTokenizerFast
) -> tuple[Int64Array, Int64Array]:
    # With the space before it, a byte-level tokeniser gives the tokens that the answer has inside a passage.
    candidates = [cased_ids(tokeniser, f" {answer}") for answer in right_answers(example)]
    texts = [stretch for item in items.values() for stretch in (item.text, item.title)]
    standing = (ids for ids in candidates if any(len(occurrences(ids[0], text)) for text in texts))
    return candidates[0] if len(candidates) == 1 else next(standing, candidates[0])
