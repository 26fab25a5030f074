"""Real texts as term numbers: analysed once, so that all engines search the same terms."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from reml.benchmarks.speed.workloads.real_texts import RealTexts
from reml.contract.vectors import Int32Array, Int64Array
from reml.text.analysis import Analyser


class RealCorpus:
    """The passages and queries of real texts; terms are numbered in the order they are met."""

    def __init__(self, texts: RealTexts) -> None:
        self._texts = texts
        self._analyser = Analyser()

    @property
    def width(self) -> int:
        """The number of terms."""
        return len(self._numbers)

    def token_batches(self) -> Iterator[tuple[Int32Array, Int64Array]]:
        """Give all passages as one batch: their tokens, one passage behind the other, and their lengths."""
        yield self._passages

    def queries(self, count: int) -> Mapping[str, list[Int32Array]]:
        """Give, of the first `count` queries of each set, those that have a term of the passages, each term once."""
        _ = self._passages  # numbers the terms
        return {name: list(map(np.unique, self._known(texts))) for name, texts in self._texts.queries(count).items()}

    def _known(self, texts: list[str]) -> Iterator[Int32Array]:
        for terms in map(self._analyser, texts):
            numbers = [self._numbers[term] for term in terms if term in self._numbers]
            if numbers:
                yield np.array(numbers, dtype=np.int32)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {}

    @cached_property
    def _passages(self) -> tuple[Int32Array, Int64Array]:
        texts = [self._analyser(text) for text in self._texts.texts()]
        numbers = [self._numbers.setdefault(term, len(self._numbers)) for term in itertools.chain.from_iterable(texts)]
        return np.array(numbers, dtype=np.int32), np.array([len(terms) for terms in texts], dtype=np.int64)
