from __future__ import annotations

import pytest

from reml.text import analysis
from reml.text.analysis import ENGLISH_STOP_WORDS, Analyser, Vocabulary


def test_makes_terms() -> None:
    assert Analyser()("The Running of the BULLS, in N'Djamena: 42 é a 7") == ["run", "bull", "djamena", "42"]
    assert Analyser(stemmer="none", stop_words=())("The bulls") == ["the", "bulls"]
    assert Analyser(pattern=r"\w")("a-bc") == ["b", "c"]


def test_stop_words_are_those_of_bm25s() -> None:
    stopwords = pytest.importorskip("bm25s.stopwords")
    assert stopwords.STOPWORDS_EN == ENGLISH_STOP_WORDS


def test_terms_are_those_of_bm25s() -> None:
    """But for marks and pairs of letters, of which bm25s knows nothing."""
    bm25s = pytest.importorskip("bm25s")
    import Stemmer

    texts = ["Straße and café; naïve Ísafjörður, 北京 2024's well-known \u0301x", "", "to be or not to be"]
    expected = bm25s.tokenize(texts, stemmer=Stemmer.Stemmer("english"), return_ids=False, show_progress=False)
    assert [Analyser()(text) for text in texts] == expected


def test_counts_terms_by_hand() -> None:
    vocabulary = Vocabulary(Analyser())
    learned = vocabulary.learn(["the cat saw cats", "", "dog cat"])
    assert vocabulary.terms == ["cat", "saw", "dog"]
    assert learned.indptr.tolist() == [0, 2, 2, 4]
    assert learned.numbers.tolist() == [0, 1, 0, 2]
    assert learned.counts.tolist() == [2, 1, 1, 1]
    assert learned.lengths.tolist() == [3, 0, 2]
    counted = vocabulary.count(["the cat saw horses"])
    assert (counted.numbers.tolist(), counted.counts.tolist(), counted.lengths.tolist()) == ([0, 1], [1, 1], [3])
    assert len(vocabulary) == 3, "counting does not learn"


def test_numbers_go_on_after_terms_that_were_kept() -> None:
    first = Vocabulary(Analyser())
    first.learn(["one two"])
    again = Vocabulary(Analyser(), list(first.terms))
    assert again.learn(["two three"]).numbers.tolist() == [1, 2]
    assert again.terms == ["one", "two", "three"]


def test_a_number_is_known_by_the_settings() -> None:
    assert Analyser().fingerprint == Analyser().fingerprint
    assert Analyser().fingerprint != Analyser(stemmer="german").fingerprint


def test_refuses_unknown_settings() -> None:
    with pytest.raises(ValueError, match=r"klingon.*none.*english"):
        Analyser(stemmer="klingon")
    with pytest.raises(ValueError, match="not a regular expression"):
        Analyser(pattern="(")


def test_compiled_code_learns_what_a_regular_expression_does() -> None:
    texts = ["The naïve CATS of Ísafjörður", "", "cats? a b c 42 naïve\ncat's", "ΟΔΟΣ οδος the нью-йорк x"]
    compiled, slow = Vocabulary(Analyser()), Vocabulary(Analyser(pattern=r"\b\w\w+\b"))
    for batch in texts[:2], texts[2:]:
        one, other = compiled.learn(batch), slow.learn(batch)
        assert compiled.terms == slow.terms
        for field in ("indptr", "numbers", "counts", "lengths"):
            assert getattr(one, field).tolist() == getattr(other, field).tolist()


def test_a_pattern_of_your_own_is_searched_in_canonical_form() -> None:
    analyser = Analyser(pattern=r"\w+", stemmer="none")
    assert analyser("Beyonce\u0301 東京") == analyser("Beyoncé 東京") == ["beyoncé", "東京"]


def test_items_have_letters_of_pairs_that_queries_ask_for_alone() -> None:
    vocabulary = Vocabulary(Analyser())
    learned = vocabulary.learn(["東京都"])
    assert vocabulary.terms == ["東", "東京", "京", "京都", "都"]
    assert vocabulary.count(["東京都"]).numbers.tolist() == learned.numbers.tolist()
    for query, asked in (("東京都", ["東京", "京都"]), ("京", ["京"]), ("都 東", ["東", "都"])):
        numbers = vocabulary.count([query], asked=True).numbers.tolist()
        assert [vocabulary.terms[number] for number in numbers] == asked


def test_rules_are_in_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Analyser().fingerprint
    monkeypatch.setattr(analysis, "RULES", analysis.RULES + 1)
    assert Analyser().fingerprint != before
