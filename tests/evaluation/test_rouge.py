"""ROUGE-L by hand, against a table filled cell by cell, and against the package it reproduces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge import Rouge

from reml.evaluation.rouge import rouge_l

texts = st.lists(st.sampled_from(["a", "b", "c", "d", "e", ".", " .", ". ", "..", " ", "a."]), max_size=30).map(
    " ".join
)


@pytest.mark.parametrize(
    ("guess", "answer", "expected"),
    [
        ("the cat sat", "the cat sat", 2 / (2 + 1e-8)),
        # LCS "the sat": precision 2/3, recall 2/4.
        ("the cat sat", "the dog also sat", 2 * (1 / 3) / (7 / 6 + 1e-8)),
        # Repeated words count once: 2 distinct words against 1, the LCS is {a}.
        ("a a b", "a a a", 2 * 0.5 / (1.5 + 1e-8)),
        # Two sentences: {x, y} from one and {z} from the other, all three words found.
        ("z. x y", "x y. z", 2 / (2 + 1e-8)),
        # A blank sentence is one empty word, which both have: {"", "a"} against {"", "b"}.
        ("a. ", "b. ", 2 * 0.25 / (1 + 1e-8)),
        ("...", "a", 0.0),
        ("a", "...", 0.0),
        ("...", "...", 0.0),
        ("a", "b", 0.0),
        # Case and punctuation count.
        ("Paris", "paris", 0.0),
    ],
)
def test_by_hand(guess: str, answer: str, expected: float) -> None:
    assert rouge_l(guess, [answer]) == pytest.approx(expected, abs=1e-15)


def test_the_best_answer_counts() -> None:
    assert rouge_l("x y", ["z", "x", "x y z"]) == rouge_l("x y", ["x y z"])
    assert rouge_l("x y", []) == 0.0


def test_long_texts_need_no_recursion() -> None:
    words = [f"w{number}" for number in range(3000)]
    # Every other word is left out: precision 1, recall 1/2.
    assert rouge_l(" ".join(words[::2]), [" ".join(words)]) == pytest.approx(2 / 3)


@given(texts, texts)
def test_equals_the_table(guess: str, answer: str) -> None:
    assert rouge_l(guess, [answer]) == _from_table(guess, answer)


@given(texts, texts)
def test_equals_the_package(guess: str, answer: str) -> None:
    try:
        expected = Rouge().get_scores(guess, answer, avg=True)["rouge-l"]["f"]
    except ValueError:  # KILT's code gives 0 where the package refuses
        expected = 0.0
    assert rouge_l(guess, [answer]) == expected


def _from_table(guess: str, answer: str) -> float:
    sentences = [[" ".join(part.split()).split(" ") for part in text.split(".") if part] for text in (guess, answer)]
    if not all(sentences):
        return 0.0
    guess_words, answer_words = ({word for sentence in side for word in sentence} for side in sentences)
    found = {word for right in sentences[1] for wrong in sentences[0] for word in _subsequence(right, wrong)}
    precision, recall = len(found) / len(guess_words), len(found) / len(answer_words)
    return 2.0 * ((precision * recall) / (precision + recall + 1e-8))


def _subsequence(first: list[str], second: list[str]) -> list[str]:
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, left in enumerate(first, start=1):
        for j, right in enumerate(second, start=1):
            table[i][j] = table[i - 1][j - 1] + 1 if left == right else max(table[i - 1][j], table[i][j - 1])
    i, j, words = len(first), len(second), []
    while i and j:
        if first[i - 1] == second[j - 1]:
            i, j = i - 1, j - 1
            words.append(first[i])
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return words
