"""Wrong items beside labels: which of a list are as good as right, so that they must not be learnt as wrong.

Labels name some of the items that answer a question, never all; the harder the negatives, the more of them are right.
An item may be dropped from a list because it
    holds a right answer        Karpukhin et al., "Dense Passage Retrieval for Open-Domain Question Answering", EMNLP
                                2020, section 3.2, https://arxiv.org/abs/2004.04906
    is scored above a threshold by a teacher
                                Qu et al., "RocketQA", NAACL 2021, section 3.2, https://arxiv.org/abs/2010.08191: above
                                0.1 by a cross-encoder
    is scored nearly as high as the best right item
                                Moreira et al., "NV-Retriever", 2024, https://arxiv.org/abs/2407.15831 (TopK-MarginPos)

Where the lists come from: another retriever, or the one that learns (`reml.training.data.rounds`). Items drawn from
anywhere in the collection and those of the batch are not looked at: few of them are right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reml.access.responses import gather
from reml.contract.arguments.checked import checked
from reml.contract.collections import Collection
from reml.contract.examples import Example
from reml.contract.retrieved import Hits
from reml.contract.vectors import Float32Array, Int64Array
from reml.evaluation.answer_recall import answer_clues, has_answer
from reml.feedback.judges.teacher import Teacher
from reml.training.data.ranked_examples import PagedCollection, right_rows

Flags = npt.NDArray[np.bool_]
BATCH = 64


@checked()
@dataclass(frozen=True, kw_only=True)
class Denoising:
    """Which items of a list are not to be learnt as wrong.

    Args:
        answers: those that hold a right answer.
        teacher: the access model whose scores `above` and `margin` speak of.
        above: those that it scores above this.
        margin: those that it scores above the best item with evidence, less this.
    """

    answers: bool = False
    teacher: str | None = None
    above: float | None = None
    margin: float | None = None

    def __post_init__(self) -> None:
        threshold = self.above is not None or self.margin is not None
        if threshold != (self.teacher is not None):
            raise ValueError(
                "denoise.teacher scores items for denoise.above or denoise.margin: give it and one of them, or none."
            )
        if not threshold and not self.answers:
            raise ValueError("denoise drops nothing: give denoise.answers, or denoise.teacher with above or margin.")
        if any(value is not None and not math.isfinite(value) for value in (self.above, self.margin)):
            raise ValueError(f"denoise.above and denoise.margin are finite, not {self.above} and {self.margin}.")


@dataclass(frozen=True, eq=False)
class Denoiser:
    """Drops items from lists. teacher: needed if the settings name one."""

    settings: Denoising
    collection: PagedCollection
    teacher: Teacher | None = None

    def __call__(self, examples: Sequence[Example], hits: Hits) -> Hits:
        """Give the lists [B, K] without what may be right, in their order; `ValueError` for scores that are NaN."""
        chunks = [slice(start, start + BATCH) for start in range(0, len(examples), BATCH)]
        parts = [self._denoised(examples[chunk], Hits(hits.rows[chunk], hits.scores[chunk])) for chunk in chunks]
        rows, scores = [part.rows for part in parts], [part.scores for part in parts]
        return Hits(np.concatenate(rows), np.concatenate(scores)) if parts else hits

    def _denoised(self, examples: Sequence[Example], hits: Hits) -> Hits:
        if self.settings.answers:
            hits = without(hits, holding_answers(self.collection, examples, hits))
        if self.teacher is not None:
            hits = without(hits, self.teacher.scores(examples, hits.rows) > self._limits(self.teacher, examples))
        return hits

    def _limits(self, teacher: Teacher, examples: Sequence[Example]) -> Float32Array:
        """Give the score above which an item is no negative, [B, 1]."""
        limits = np.full((len(examples), 1), np.inf, dtype=np.float32)
        if self.settings.above is not None:
            limits[:] = self.settings.above
        if self.settings.margin is not None:
            limits = np.minimum(limits, self._best(teacher, examples) - np.float32(self.settings.margin))
        return limits

    def _best(self, teacher: Teacher, examples: Sequence[Example]) -> Float32Array:
        """Give the teacher's score of the best item that holds the evidence, [B, 1]; +inf where there is none."""
        right = _padded(right_rows(self.collection, examples))
        best = teacher.scores(examples, right).max(axis=1, keepdims=True)
        return np.where((right >= 0).any(axis=1, keepdims=True), best, np.float32(np.inf))


def holding_answers(collection: Collection, examples: Sequence[Example], hits: Hits) -> Flags:
    """Tell which items hold a right answer of their example, [B, K]."""
    flags = np.zeros(hits.rows.shape, dtype=np.bool_)
    for owner, (example, items) in enumerate(zip(examples, gather(collection, hits).items, strict=True)):
        clues = answer_clues(example.answers)
        flags[owner, : len(items)] = [has_answer(item.text, clues) for item in items]
    return flags


def without(hits: Hits, dropped: Flags) -> Hits:
    """Drop items [B, K] from lists and close the gaps."""
    keep = hits.mask & ~dropped
    order = np.argsort(~keep, axis=1, kind="stable")
    kept = np.take_along_axis(keep, order, 1)
    rows, scores = (np.take_along_axis(values, order, 1) for values in (hits.rows, hits.scores))
    return Hits(np.where(kept, rows, -1), np.where(kept, scores, np.float32(-np.inf)))


def _padded(rows: Sequence[Int64Array]) -> Int64Array:
    """Give rows as a table, [B, K] with K of 1 or more, padded with -1."""
    table = np.full((len(rows), max((len(own) for own in rows), default=0) or 1), -1, dtype=np.int64)
    for line, own in zip(table, rows, strict=True):
        line[: len(own)] = own
    return table
