"""ROUGE-L as the package `rouge` 1.0.1 computes it, which is the one KILT's scores are made with.

It is the summary-level measure of Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (2004), section 3.2,
with three habits of that package kept: sentences end at every full stop, words count once however often they occur,
and 1e-8 is added to the denominator of F. Where several longest common subsequences exist, the same one is taken.

The package fills a table of n x m cells for every pair of sentences. Here a row of the table is one integer whose bits
say where the row increases (Hyyro, "Bit-parallel LCS-length computation revisited", 2004), and the subsequence is
read back from those bits.
"""

from __future__ import annotations

from collections.abc import Sequence

_SMOOTHING = 1e-8


def rouge_l(guess: str, answer: str) -> float:
    """Give the F score of two texts, from 0 to 1; 0 if either has nothing but full stops."""
    guess_sentences, answer_sentences = _sentences(guess), _sentences(answer)
    if not guess_sentences or not answer_sentences:
        return 0.0
    guess_words = {word for sentence in guess_sentences for word in sentence}
    answer_words = {word for sentence in answer_sentences for word in sentence}
    common = _common(answer_sentences, guess_sentences, guess_words & answer_words)
    recall, precision = common / len(answer_words), common / len(guess_words)
    return 2.0 * ((precision * recall) / (precision + recall + _SMOOTHING))


def longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Give a longest common subsequence of two lists of words.

    Of several, it is the one found by walking the table back from its last cell: along a match where there is one, else
    up where the row increases, else left.
    """
    rows = _increases(first, second)
    found: list[str] = []
    i, j = len(first), len(second)
    while i and j:
        if first[i - 1] == second[j - 1]:
            i, j = i - 1, j - 1
            found.append(first[i])
        elif rows[i - 1] >> (j - 1) & 1:
            i -= 1
        else:
            j -= 1
    return found[::-1]


def _sentences(text: str) -> list[list[str]]:
    # A blank sentence between two full stops counts as one empty word, as it does in the package.
    return [sentence.split() or [""] for sentence in text.split(".") if sentence]


def _common(answer: list[list[str]], guess: list[list[str]], shared: set[str]) -> int:
    """Count the distinct words in the longest common subsequences of all pairs of sentences."""
    if len(shared) < 2:
        return len(shared)
    found: set[str] = set()
    for answer_sentence in answer:
        for guess_sentence in guess:
            if len(found) == len(shared):
                return len(found)
            if not shared.isdisjoint(answer_sentence):
                found.update(longest_common_subsequence(answer_sentence, guess_sentence))
    return len(found)


def _increases(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """For each word of `first`, the row of the table: bit j is set where cell j + 1 is one more than cell j."""
    positions: dict[str, int] = {}
    for place, word in enumerate(second):
        positions[word] = positions.get(word, 0) | 1 << place
    full = (1 << len(second)) - 1
    level, rows = full, []
    for word in first:
        matches = level & positions.get(word, 0)
        level = (level + matches | level - matches) & full
        rows.append(~level & full)
    return rows
