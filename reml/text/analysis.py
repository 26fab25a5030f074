"""From text to terms: words in lower case, stop words, a Snowball stemmer; and terms to numbers.

The English stop words are Lucene's, the list of bm25s's default, so that scores on the same text can be compared.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import Stemmer

from reml.contract.arguments.checked import checked
from reml.contract.arguments.several import several
from reml.contract.vectors import Int32Array, Int64Array
from reml.files.atomic import digest
from reml.text.words import lowered, words

if TYPE_CHECKING:
    from reml.text.word_kernel import WordNumbers

# fmt: off
ENGLISH_STOP_WORDS = (
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
    "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
)
# fmt: on
# What stands for a token that is a stop word, and for one whose term has no number.
STOPPED, UNKNOWN = -1, -2
# Raised when the terms of a text change that the settings stay the same for: what was made of it is then not served.
RULES = 2


@checked()
@dataclass(frozen=True)
class Analyser:
    """Makes the terms of a text: its words in lower case (`reml.text.words`), without `stop_words`, stemmed.

    pattern: a regular expression, for tokens of your own: what matches it in the text in canonical form and lower case.
    stemmer: a language that PyStemmer knows, such as "english", or "none".
    """

    pattern: str | None = None
    stop_words: tuple[str, ...] = ENGLISH_STOP_WORDS
    stemmer: str = "english"

    def __post_init__(self) -> None:
        if self.stemmer != "none" and self.stemmer not in Stemmer.algorithms():
            allowed = ", ".join(["none", *Stemmer.algorithms()])
            raise ValueError(f"there is no stemmer for {self.stemmer!r}: choose one of {allowed}.")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"the token pattern {self.pattern!r} is not a regular expression: {error}.") from error

    @property
    def fingerprint(self) -> str:
        """A digest of the settings, and of the rules that texts are cut into words by."""
        return digest("analyser", RULES, asdict(self))

    def __call__(self, text: str, *, singles: bool = False) -> list[str]:
        """Give the terms of a text in order; with `singles` those of an item, which one letter of a pair finds."""
        stopped = set(self.stop_words)
        return self.stems([token for token in self.tokens(text, singles=singles) if token not in stopped])

    def tokens(self, text: str, *, singles: bool = False) -> list[str]:
        """Split a text into tokens, in lower case, stop words included."""
        if self.pattern is None:
            return words(text, singles=singles)
        return re.findall(self.pattern, lowered(text))

    def stems(self, tokens: Sequence[str]) -> list[str]:
        """Stem tokens, one by one."""
        return list(tokens) if self.stemmer == "none" else Stemmer.Stemmer(self.stemmer).stemWords(list(tokens))


@dataclass(frozen=True, eq=False, slots=True)
class TermCounts:
    """How often each term stands in each text: rows of CSR, as `reml.contract.vectors.SparseVectors` has them.

    lengths: int64 [n], the number of terms of each text, unknown ones included, stop words not.
    """

    indptr: Int64Array
    numbers: Int32Array
    counts: Int32Array
    lengths: Int64Array

    @classmethod
    def of(cls, numbers: Int32Array, sizes: Int64Array) -> Self:
        """Count numbers, or `STOPPED` or `UNKNOWN`, of texts of these sizes, one text behind the other."""
        from reml.text.count_kernel import count_terms  # which loads numba

        return cls(*count_terms(numbers, sizes, STOPPED))


class TokenNumbers:
    """Numbers distinct tokens, what matches a pattern in lower case, 0, 1, 2, ... in the order they are met."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self._numbers: defaultdict[str, int] = defaultdict(itertools.count().__next__)

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, texts: Sequence[str]) -> tuple[Int32Array, Int64Array]:
        """Give the numbers of all tokens of texts, one text behind the other, and how many each text has."""
        tokens = [self._pattern.findall(lowered(text)) for text in texts]
        sizes = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
        numbers = map(self._numbers.__getitem__, itertools.chain.from_iterable(tokens))
        return np.fromiter(numbers, dtype=np.int32, count=int(sizes.sum())), sizes

    def since(self, number: int) -> list[str]:
        """Give the tokens from this number on."""
        return list(itertools.islice(self._numbers, number, None))


class Vocabulary:
    """Numbers terms 0, 1, 2, ... in the order they are met, and counts those of texts.

    Each distinct token is stemmed once, whatever number of texts it stands in. Without a pattern words are found by
    compiled code (`reml.text.word_kernel`): one core learns 60,000 real passages of 93 words a second while most words
    are new and 129,000 once they are known; `re.findall` and a look-up for each token, which a pattern takes, gave
    22,000 and 25,000 in the same run.
    """

    def __init__(self, analyser: Analyser, terms: Sequence[str] = ()) -> None:
        from reml.text.word_kernel import WordNumbers  # which loads numba

        self.analyser = analyser
        self.terms = list(terms)
        self._numbers = {term: number for number, term in enumerate(self.terms)}
        self._stopped = frozenset(analyser.stop_words)
        pattern = analyser.pattern
        self._tokens: WordNumbers | TokenNumbers = WordNumbers() if pattern is None else TokenNumbers(pattern)
        self._term_of_token = np.empty(0, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.terms)

    def learn(self, texts: Iterable[str]) -> TermCounts:
        """Count the terms of items' texts; new ones get the next numbers."""
        return TermCounts.of(*self.number(texts))

    def number(self, texts: Iterable[str]) -> tuple[Int32Array, Int64Array]:
        """Give the number of each token's term or `STOPPED`, one item's text behind the other, and how many each has.

        New terms get the next numbers.
        """
        tokens, sizes = self._tokens.number(list(several(texts, "texts")))
        unmet = self._tokens.since(len(self._term_of_token))
        terms = map(self._learn, unmet, self.analyser.stems(unmet))
        met = np.fromiter(terms, dtype=np.int32, count=len(unmet))
        self._term_of_token = np.concatenate([self._term_of_token, met])
        return self._term_of_token[tokens], sizes

    def count(self, texts: Iterable[str], *, asked: bool = False) -> TermCounts:
        """Count the terms of items' texts, or of queries if `asked`, that it has learned; it stays as it is."""
        terms = [self.analyser(text, singles=not asked) for text in several(texts, "texts")]
        sizes = np.fromiter(map(len, terms), dtype=np.int64, count=len(terms))
        numbers = list(map(self.number_of, itertools.chain.from_iterable(terms)))
        return TermCounts.of(np.array(numbers, dtype=np.int32), sizes)

    def number_of(self, term: str) -> int:
        """Give the number of a term, or `UNKNOWN`."""
        return self._numbers.get(term, UNKNOWN)

    def _learn(self, token: str, stem: str) -> int:
        if token in self._stopped:
            return STOPPED
        number = self._numbers.setdefault(stem, len(self.terms))
        if number == len(self.terms):
            self.terms.append(stem)
        return number
