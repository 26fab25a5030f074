"""Spans of inputs: where some stand, how likely they are by logits of start and end, and the best of each input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reml.contract.examples import Item
from reml.contract.vectors import Int64Array
from reml.predictors.copying.quoting import cut
from reml.predictors.reading.pairs import Pairs, Part, occurrences
from reml.text.models.transformers_types import PreTrainedTokenizerFast

NEVER = -1e9


@dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """The O places where a right answer stands in each input: first and last token [P, O], mask [P, O]."""

    starts: Tensor
    ends: Tensor
    mask: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Spans:
    """The best span of each input: its score, its first token, its number of tokens, each [P]."""

    score: Tensor
    start: Tensor
    length: Tensor


def standing(right: Sequence[Sequence[Int64Array]], inputs: Pairs) -> Standing:
    """Find where the spans of each example, by their token ids, stand in titles and texts of its inputs."""
    found = [
        _spans_of(right[owner], ids, parts)
        for owner, ids, parts in zip(
            inputs.owners.tolist(), inputs.ids.cpu().numpy(), inputs.parts.cpu().numpy(), strict=True
        )
    ]
    width = max(1, *(len(spans) for spans in found))
    table = np.full((len(found), width, 2), -1, dtype=np.int64)
    for row, spans in zip(table, found, strict=True):
        row[: len(spans)] = spans
    starts, ends = torch.from_numpy(table).to(inputs.ids.device).unbind(2)
    return Standing(starts.clamp(min=0), ends.clamp(min=0), starts >= 0)


def _spans_of(right: Sequence[Int64Array], ids: Int64Array, parts: Int64Array) -> Int64Array:
    """Give first and last token, [O, 2], of each place in title or text where an answer stands, each once."""
    pairs = [(first, first + len(answer) - 1) for answer in right for first in occurrences(answer, ids).tolist()]
    inside = {(first, last) for first, last in pairs if parts[first] >= Part.TITLE and parts[first] == parts[last]}
    return np.array(sorted(inside), dtype=np.int64).reshape(-1, 2)


def marginal(starts: Tensor, ends: Tensor, right: Standing) -> Tensor:
    """Sum in log space the scores of all places of each input, [P]; about `NEVER` where there is none."""
    scores = starts.gather(1, right.starts) + ends.gather(1, right.ends)
    return torch.logsumexp(scores.masked_fill(~right.mask, NEVER), 1)


def best_spans(starts: Tensor, ends: Tensor, parts: Tensor, limit: int) -> Spans:
    """Find the best span of at most `limit` tokens of each input, within one of its parts."""
    inputs, length = starts.shape
    # [P, L] -> [P, L, limit]: the ends that a span from each start may have, all in one part.
    ends = functional.pad(ends, (0, limit - 1), value=NEVER).unfold(1, limit, 1)
    same = functional.pad(parts, (0, limit - 1), value=-1).unfold(1, limit, 1) == parts[:, :, None]
    scores = (starts[:, :, None] + ends).masked_fill(~same, 2 * NEVER).reshape(inputs, length * limit)
    score, place = scores.max(1)
    return Spans(score, place // limit, place % limit + 1)


def shown_logits(logits: Tensor, inputs: Pairs) -> tuple[Tensor, Tensor]:
    """Give float32 logits of start and end, each [P, L], of those [P, L, 2]; `NEVER` outside of titles and texts."""
    starts, ends = logits.float().masked_fill(inputs.parts[:, :, None] < Part.TITLE, NEVER).unbind(2)
    return starts, ends


def cut_span(item: Item, parts: Tensor, spans: Spans, row: int, tokeniser: PreTrainedTokenizerFast) -> str:
    """Give the words of the span of an input. item: that the input holds. parts: of the tokens of the input, [L]."""
    start, part = int(spans.start[row]), int(parts[spans.start[row]])
    first = start - int((parts == part).int().argmax())
    return cut(item.title if part == Part.TITLE else item.text, first, int(spans.length[row]), tokeniser)
