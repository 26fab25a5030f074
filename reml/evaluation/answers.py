"""Measures of a predicted answer against the right ones, as KILT computes them.

Accuracy compares as written; exact match and F1 compare after SQuAD's normalisation (lower case, no ASCII punctuation,
no English articles, single spaces). Each measure of an example is that of the right answer that fits best.

Source: Petroni et al., "KILT: a Benchmark for Knowledge Intensive Language Tasks" (NAACL 2021), section 5, and the
behaviour of its public evaluation code.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Collection

_PUNCTUATION = string.punctuation.encode()
_ARTICLES = frozenset({"a", "an", "the"})
_BOUND_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def normalise(text: str) -> str:
    """Lower the case and drop ASCII punctuation, English articles and surplus white space."""
    return without_articles(without_punctuation(text))


def without_punctuation(text: str) -> str:
    """Lower the case and drop ASCII punctuation: the first half of `normalise`, and the cheap one."""
    # Bytes lose characters ten times as fast as text does, and no byte of a longer UTF-8 character is ASCII.
    data = text.lower().encode("utf-8", "surrogatepass")
    return data.translate(None, delete=_PUNCTUATION).decode("utf-8", "surrogatepass")


def without_articles(text: str) -> str:
    """Drop English articles and surplus white space: the second half of `normalise`."""
    if text.isascii() and text.isprintable():  # then nothing but spaces can bound a word
        return " ".join([word for word in text.split() if word not in _ARTICLES])
    return " ".join(_BOUND_ARTICLES.sub(" ", text).split())


def exact_match(guess: str, answers: Collection[str]) -> float:
    """Give 1 if the guess is one of the answers, all of them normalised, else 0."""
    return float(guess in answers)


def f1(guess: str, answers: Collection[str]) -> float:
    """Give the best harmonic mean of precision and recall over words, all texts normalised."""
    if guess in answers:
        return float(guess != "")
    words = guess.split()
    return max([_overlap_f1(words, answer.split()) for answer in answers], default=0.0)


def _overlap_f1(guess: list[str], answer: list[str]) -> float:
    common = _shared(guess, answer)
    if common == 0:
        return 0.0
    precision, recall = common / len(guess), common / len(answer)
    return 2 * precision * recall / (precision + recall)


def _shared(guess: list[str], answer: list[str]) -> int:
    """Count the words that both have, each as often as both have it."""
    distinct = set(guess)
    common = distinct.intersection(answer)
    if not common or len(distinct) == len(guess):
        return len(common)
    return (Counter(guess) & Counter(answer)).total()
