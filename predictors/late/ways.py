"""The ways in which right answers come out of items: by a template, and a place of the text where its span stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from reml.predictors.late.late_network import Logits, log_sums
from reml.predictors.late.sheets import Sheet
from reml.predictors.late.templates import Fit
from reml.predictors.reading.pairs import occurrences
from reml.text.models.transformers_types import PreTrainedTokenizerFast
from reml.text.token_table import token_ids


@dataclass(frozen=True, eq=False, slots=True)
class Ways:
    """W ways: the pair, the template, first and last token of the span, -1 where there is none; int64 [W, 4]."""

    table: Tensor

    def unbind(self, device: torch.device) -> tuple[Tensor, ...]:
        """Give the four columns on a device."""
        return self.table.to(device).unbind(1)


def ways(
    read: Sheet, found: Sequence[Sequence[Sequence[Fit]]], known: Sequence[str], tokeniser: PreTrainedTokenizerFast
) -> Ways:
    """List each way once, for the fits of each pair's answers."""
    rows = {pattern: row for row, pattern in enumerate(known)}
    wanted = {
        (pair, fit) for pair, answers in enumerate(found) for fits in answers for fit in fits if fit.pattern in rows
    }
    spans = sorted({fit.span for _, fit in wanted if fit.span})
    # With the space before it, a byte-level tokeniser gives the tokens that a span has inside a text.
    ids = dict(zip(spans, map(np.array, token_ids(tokeniser, [f" {span}" for span in spans])), strict=True))
    laid = set()
    for pair, fit in wanted:
        if not fit.span:
            laid.add((pair, rows[fit.pattern], -1, -1))
            continue
        title, tokens = read.titles[pair], read.ids[pair]
        for first in occurrences(ids[fit.span], tokens[title:]).tolist():
            start = title + first
            laid.add((pair, rows[fit.pattern], start, start + len(ids[fit.span]) - 1))
    return Ways(torch.tensor(sorted(laid), dtype=torch.long).reshape(-1, 4))


def likelihood(found: Ways, logits: Logits) -> Tensor:
    """Give log p(a right answer | x, item) of each pair, [P]; `NEVER` where no way leads to one."""
    pair, template, first, last = found.unbind(logits.item.device)
    starts, ends, templates = (torch.log_softmax(one, 1) for one in (logits.starts, logits.ends, logits.templates))
    span = starts[pair, first.clamp_min(0)] + ends[pair, last.clamp_min(0)]
    odds = templates[pair, template] + torch.where(first >= 0, span, 0.0)  # [W]
    return log_sums(odds, pair, len(logits.item))
