"""ROUGE-L as the package `rouge` 1.0.1 computes it, which is the one KILT's scores are made with.

It is the summary-level measure of Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (2004), section 3.2,
with three habits of that package kept: sentences end at every full stop, words count once however often they occur,
and 1e-8 is added to the denominator of F. Where several longest common subsequences exist, the same one is taken.

The package fills a table of n x m cells for every pair of sentences. Here a row of the table is one integer whose bits
say where the row increases (Hyyro, "Bit-parallel LCS-length computation revisited", 2004), only words that both
sentences have make a row, and a pair that cannot add a word is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_SMOOTHING = 1e-8


def rouge_l(guess: str, answers: Collection[str]) -> float:
    """Give the F score, from 0 to 1, of the answer that fits best; 0 for texts of nothing but full stops."""
    if guess in answers and guess.strip("."):
        return _f(1, 1, 1)
    sentences = _sentences(guess)
    guess_words = {word for words in sentences for word in words}
    best = 0.0
    for answer in answers:
        answer_sentences = _sentences(answer)
        answer_words = {word for words in answer_sentences for word in words}
        shared = answer_words & guess_words
        if shared and _f(len(shared), len(guess_words), len(answer_words)) > best:
            common = _common(answer_sentences, sentences, shared) if len(shared) > 1 else 1
            best = max(best, _f(common, len(guess_words), len(answer_words)))
    return best


@dataclass(frozen=True, slots=True)
class _Sentence:
    """The columns of the table: for each word of a sentence of `width` words, a bit for each place it stands at."""

    columns: dict[str, int]
    width: int

    @classmethod
    def of(cls, words: Sequence[str]) -> _Sentence:
        columns: dict[str, int] = {}
        for place, word in enumerate(words):
            columns[word] = columns.get(word, 0) | 1 << place
        return cls(columns, len(words))


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the table that has matches: its number, and bits for where it matches and where it increases."""

    number: int
    matches: int
    increases: int


def _f(common: int, guess_words: int, answer_words: int) -> float:
    if not common:
        return 0.0
    recall, precision = common / answer_words, common / guess_words
    return 2.0 * ((precision * recall) / (precision + recall + _SMOOTHING))


def _sentences(text: str) -> list[list[str]]:
    # A blank sentence between two full stops counts as one empty word, as it does in the package.
    return [sentence.split() or [""] for sentence in text.split(".") if sentence]


def _common(answer: Sequence[Sequence[str]], guess: Sequence[Sequence[str]], shared: set[str]) -> int:
    """Count the distinct words in the longest common subsequences of all pairs of sentences."""
    missing = set(shared)
    sentences = [_Sentence.of(words) for words in guess]
    for answer_words in answer:
        for sentence in sentences:
            if len(missing) == 0:
                return len(shared)
            pair = sentence.columns.keys() & answer_words
            if len(pair) == 1:
                missing -= pair
            elif not missing.isdisjoint(pair):
                missing.difference_update(_longest_common_subsequence(answer_words, sentence))
    return len(shared) - len(missing)


def _longest_common_subsequence(first: Sequence[str], second: _Sentence) -> list[str]:
    """Give the words, last first, of a longest common subsequence.

    Of several, it is the one found by walking the table back from its last cell: along a match where there is one, else
    up where the row increases, else left.
    """
    words: list[str] = []
    left, below = second.width, len(first)
    for row in reversed(_rows(first, second)):
        increase = (row.increases & (1 << left) - 1).bit_length()
        if row.number + 1 < below:  # a row without match was passed: the walk left it where it increases
            left = increase
        match = (row.matches & (1 << left) - 1).bit_length()
        below = row.number
        if match and match >= increase:
            words.append(first[row.number])
            left = match - 1
        else:
            left = increase
    return words


def _rows(first: Sequence[str], second: _Sentence) -> list[_Row]:
    full = (1 << second.width) - 1
    level, rows = full, []
    for number, word in enumerate(first):
        matches = second.columns.get(word, 0)
        if matches:
            step = level & matches
            level = (level + step | level - step) & full
            rows.append(_Row(number, matches, ~level & full))
    return rows
