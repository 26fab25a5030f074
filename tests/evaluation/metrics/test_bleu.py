"""BLEU by hand, and beside sacrebleu 2.6.0 on the same texts."""

from __future__ import annotations

import math

import pytest

from reml.contract.tasks import Metric
from reml.evaluation.metrics.bleu import Bleu, corpus_bleu, sentence_bleu, words_of
from reml.testing import MetricContract

# Scores of `BLEU(effective_order=True).sentence_score(text, references)`, over 100.
SACREBLEU = {
    "the cat sat on the mat": (["the cat is on the mat", "there is a cat on the mat"], 0.3799178428257963),
    "the the the the": (["the cat is on the mat"], 0.11521590992286539),
    "Oslo": (["Oslo, Norway"], 0.13533528323661276),
    "It cost $1,000.50 - about 3-4 times more (or so), he said.": (
        ["It cost about $1,000.50, 3-4 times more, he said."],
        0.37754323999245865,
    ),
    "Paris": (["Oslo"], 0.0),
    "a long answer that goes on and on far beyond what was asked for": (["a short answer"], 0.03377156414337854),
    "N'Djamena is Chad&quot;s capital": (["N'Djamena is Chad's capital", "The capital is N'Djamena"], 0.17965205598154),
    "": (["Oslo"], 0.0),
}  # fmt: skip
CORPUS = 0.21466108058445227


class TestBleu(MetricContract):
    def make(self) -> Metric:
        return Bleu()


def test_by_hand() -> None:
    """Of 1, 2, 3, 4 words 5/6, 3/5, 1/4 and 0/3 match; the last counts as half a match, 1/6. No penalty."""
    assert sentence_bleu("the cat sat on the mat", ["the cat is on the mat"]) == pytest.approx(
        (5 / 6 * 3 / 5 * 1 / 4 * 1 / 6) ** (1 / 4)
    )


def test_papineni_s_clipping() -> None:
    """Their second example: of seven `the`, two count; no pair matches, and smoothing halves its count each time."""
    seven, references = "the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"]
    assert sentence_bleu(seven, references) == pytest.approx((2 / 7 * 1 / 12 * 1 / 20 * 1 / 32) ** (1 / 4))


def test_the_penalty_is_by_the_reference_next_in_length() -> None:
    """Two words of two, all there; the shorter of 3 and 1 words is as near as the other, and short enough."""
    assert sentence_bleu("red fox", ["red fox runs", "red"]) == pytest.approx(1.0)
    assert sentence_bleu("red fox", ["red fox runs"]) == pytest.approx(math.exp(1 - 3 / 2))


@pytest.mark.parametrize("text", SACREBLEU)
def test_it_is_sacrebleu_s(text: str) -> None:
    references, score = SACREBLEU[text]
    assert sentence_bleu(text, references) == pytest.approx(score, abs=1e-12)


def test_the_corpus_is_sacrebleu_s() -> None:
    assert corpus_bleu(list(SACREBLEU), [one for one, _ in SACREBLEU.values()]) == pytest.approx(CORPUS, abs=1e-12)
    assert corpus_bleu(["Oslo"], [["Oslo"]]) == 0.0, "a corpus without four words in a row has no four that match"
    assert corpus_bleu([], []) == 0.0


def test_words_are_divided_as_mteval_does() -> None:
    assert words_of("It's 3.5-4 &amp; so,\non.") == ["It's", "3.5", "-", "4", "&", "so", ",", "on", "."]
