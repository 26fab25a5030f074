"""From text to terms: lower case, a token pattern, stop words, a Snowball stemmer; and terms to numbers.

The English stop words are Lucene's, the list of bm25s's default, so that scores on the same text can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain

import numpy as np
import Stemmer

from reml.files import digest
from reml.term_counting import count_terms
from reml.types import Int32Array, Int64Array

# fmt: off
ENGLISH_STOP_WORDS = (
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
    "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
)
# fmt: on
# What stands for a token that is a stop word, and for one whose term has no number.
STOPPED, UNKNOWN = -1, -2


@dataclass(frozen=True)
class Analyser:
    """Makes the terms of a text: what matches `pattern` in it, in lower case, without `stop_words`, stemmed.

    stemmer: a language that PyStemmer knows, such as "english", or "none".
    """

    pattern: str = r"\b\w\w+\b"
    stop_words: tuple[str, ...] = ENGLISH_STOP_WORDS
    stemmer: str = "english"

    def __post_init__(self) -> None:
        if self.stemmer != "none" and self.stemmer not in Stemmer.algorithms():
            allowed = ", ".join(["none", *Stemmer.algorithms()])
            raise ValueError(f"there is no stemmer for {self.stemmer!r}: choose one of {allowed}.")
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"the token pattern {self.pattern!r} is not a regular expression: {error}.") from error

    @property
    def fingerprint(self) -> str:
        """A digest of the settings."""
        return digest("analyser", asdict(self))

    def __call__(self, text: str) -> list[str]:
        """Give the terms of a text in order."""
        stopped = set(self.stop_words)
        return self.stems([token for token in self.tokens(text) if token not in stopped])

    def tokens(self, text: str) -> list[str]:
        """Split a text into tokens, in lower case, stop words included."""
        return re.findall(self.pattern, text.lower())

    def stems(self, tokens: Sequence[str]) -> list[str]:
        """Stem tokens, one by one."""
        return list(tokens) if self.stemmer == "none" else Stemmer.Stemmer(self.stemmer).stemWords(list(tokens))


@dataclass(frozen=True, eq=False, slots=True)
class TermCounts:
    """How often each term stands in each text: rows of CSR, as `reml.types.SparseVectors` has them.

    lengths: int64 [n], the number of terms of each text, unknown ones included, stop words not.
    """

    indptr: Int64Array
    numbers: Int32Array
    counts: Int32Array
    lengths: Int64Array


@dataclass(slots=True)
class Vocabulary:
    """Numbers terms 0, 1, 2, ... in the order they are met, and counts those of texts.

    Each distinct token is stemmed once, whatever number of texts it stands in.
    """

    analyser: Analyser
    terms: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(init=False, repr=False)
    _known: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._numbers = {term: number for number, term in enumerate(self.terms)}
        self._known = dict.fromkeys(self.analyser.stop_words, STOPPED)

    def __len__(self) -> int:
        return len(self.terms)

    def learn(self, texts: Iterable[str]) -> TermCounts:
        """Count the terms of texts; new ones get the next numbers."""
        tokens = [self.analyser.tokens(text) for text in texts]
        flat = list(chain.from_iterable(tokens))
        # One look-up for each token is what analysis costs: only unmet ones get a second.
        numbers = list(map(self._known.get, flat))
        unmet = sorted({token for token, number in zip(flat, numbers, strict=True) if number is None})
        for token, stem in zip(unmet, self.analyser.stems(unmet), strict=True):
            self._known[token] = self._number(stem)
        known = [self._known[t] if n is None else n for t, n in zip(flat, numbers, strict=True)]
        return _counted(tokens, known)

    def count(self, texts: Iterable[str]) -> TermCounts:
        """Count the terms of texts that it has learned; it stays as it is."""
        tokens = [self.analyser(text) for text in texts]
        return _counted(tokens, [self._numbers.get(token, UNKNOWN) for token in chain.from_iterable(tokens)])

    def _number(self, stem: str) -> int:
        number = self._numbers.setdefault(stem, len(self.terms))
        if number == len(self.terms):
            self.terms.append(stem)
        return number


def _counted(tokens: list[list[str]], numbers: list[int]) -> TermCounts:
    sizes = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    return TermCounts(*count_terms(np.array(numbers, dtype=np.int32), sizes, STOPPED))
