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

_DELETE_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def normalise(text: str) -> str:
    """Lower the case and drop ASCII punctuation, English articles and surplus white space."""
    bare = text.lower().translate(_DELETE_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(guess: str, answers: Collection[str]) -> float:
    """Give 1 if the guess is one of the answers, all of them normalised, else 0."""
    return float(guess in answers)


def f1(guess: str, answers: Collection[str]) -> float:
    """Give the best harmonic mean of precision and recall over words, all texts normalised."""
    words = guess.split()
    return max((_overlap_f1(words, answer.split()) for answer in answers), default=0.0)


def _overlap_f1(guess: list[str], answer: list[str]) -> float:
    common = (Counter(guess) & Counter(answer)).total()
    if common == 0:
        return 0.0
    precision, recall = common / len(guess), common / len(answer)
    return 2 * precision * recall / (precision + recall)
