from __future__ import annotations

import re

from reml.benchmarks.speed.workloads.words import words
from reml.text.analysis import ENGLISH_STOP_WORDS, Analyser


def test_words_are_distinct_and_short_ones_come_first() -> None:
    made = words(9_000)
    assert len(set(made)) == 9_000
    assert [len(word) for word in made] == sorted(len(word) for word in made)
    assert made[0] == "bbb"
    assert len(made[7_999]) == 3  # 20 letters: 8,000 words of three
    assert made[8_000] == "bbbb"


def test_an_analyser_leaves_them_as_they_are() -> None:
    made = words(9_000)
    assert not set(made) & set(ENGLISH_STOP_WORDS)
    assert all(re.fullmatch("[b-df-hj-np-tv-z]{3,}", word) for word in made)
    assert Analyser(stop_words=(), stemmer="none")(" ".join(made)) == made
