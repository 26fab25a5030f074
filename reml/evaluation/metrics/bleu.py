"""BLEU: words and phrases of an answer that a right answer has too.

Papineni, Roukos, Ward and Zhu, "BLEU: a Method for Automatic Evaluation of Machine Translation", ACL 2002, section 2.3:
the geometric mean of the precisions of 1 to 4 words, each clipped to what one right answer has, times the penalty
exp(1 - r/c) for an answer of c words that is shorter than r, the length of the right answer next to it.

As in Post, "A Call for Clarity in Reporting BLEU Scores", WMT 2018, and its program sacrebleu: words are those of
mteval-v13a, case counts, and a precision of 0 counts as 1/2, 1/4, ... of a match, the first, second, ... time ("exp").
Of a text with fewer than 4 words only the phrases that it can have count ("effective order"). From 0 to 1, where
sacrebleu gives per cent. Equal to sacrebleu 2.6.0 on the texts of tests/evaluation/metrics/test_bleu.py.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reml.contract.arguments.several import several
from reml.contract.examples import Answer, Example
from reml.contract.vectors import Float64Array, Int64Array

ORDER = 4

_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_BREAKS = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)


@dataclass(frozen=True)
class Bleu:
    """Measure answers by their BLEU against the right ones, sentence by sentence.

    Its figures are of examples, and a table shows their mean; `corpus_bleu` is that of a whole corpus, which is no mean
    of examples.
    """

    @property
    def headline(self) -> str:
        """The only figure, from 0 to 1."""
        return "bleu"

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Mapping[str, Float64Array]:
        """Give `bleu`, [N]."""
        pairs = zip(examples, answers, strict=True)
        scores = [sentence_bleu(answer.text or "", example.answers) for example, answer in pairs]
        return {"bleu": np.array(scores, dtype=np.float64)}


def sentence_bleu(text: str, references: Sequence[str]) -> float:
    """Give the BLEU of one text, from 0 to 1."""
    return _score(_counts(text, several(references, "references")), effective=True)


def corpus_bleu(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Give the BLEU of a corpus, from 0 to 1: its counts are added up over all texts."""
    counts = [_counts(*pair) for pair in zip(several(texts, "texts"), references, strict=True)]
    return _score(np.sum(counts, axis=0), effective=False) if counts else 0.0


def words_of(text: str) -> list[str]:
    """Divide a text into words as mteval-v13a does."""
    line = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        line = line.replace(entity, character)
    line = f" {line} "
    for pattern, parts in _BREAKS:
        line = pattern.sub(parts, line)
    return line.split()


def _counts(text: str, references: Sequence[str]) -> Int64Array:
    """Count matches and phrases of 1, 2, ... words, and the words of the text and of the reference next to it."""
    words, right = words_of(text), [words_of(reference) for reference in references]
    length = min((len(one) for one in right), key=lambda one: (abs(one - len(words)), one), default=0)
    wanted = Counter[tuple[str, ...]]()
    for one in right:
        wanted |= _phrases(one)
    given = _phrases(words)
    matches, every = np.zeros(ORDER + 1, np.int64), np.zeros(ORDER + 1, np.int64)
    for phrase, count in given.items():
        every[len(phrase) - 1] += count
        matches[len(phrase) - 1] += min(count, wanted[phrase])
    matches[ORDER], every[ORDER] = length, len(words)
    return np.stack([matches, every])


def _phrases(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    starts = [(start, order) for order in range(1, ORDER + 1) for start in range(len(words) - order + 1)]
    return Counter(tuple(words[start : start + order]) for start, order in starts)


def _score(counts: Int64Array, *, effective: bool) -> float:
    (*matches, length), (*every, words) = counts.tolist()
    if not any(matches):
        return 0.0
    logarithms, share = [], 1.0
    for matched, count in zip(matches, every, strict=True):
        if count == 0:
            break
        if matched == 0:
            share /= 2
        logarithms.append(math.log((matched or share) / count))
    if len(logarithms) < ORDER and not effective:
        return 0.0
    penalty = 1.0 if words >= length else math.exp(1 - length / words)
    return penalty * math.exp(sum(logarithms) / len(logarithms))
