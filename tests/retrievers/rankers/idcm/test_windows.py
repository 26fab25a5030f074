from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.retrievers.rankers.idcm.windows import Form, documents
from tests.predictors.conftest import tiny_tokeniser

WORDS = ["the", "capital", "of", "is", "what", "city", "country", "river", "chad", "france"]
SMALL = Form(window=3, overlap=1)


def cut(text: str, form: Form = SMALL) -> list[str]:
    return documents([text], tiny_tokeniser(), form)[0].windows


def test_each_window_has_tokens_of_its_neighbours() -> None:
    assert cut("the capital of the river is what city") == [
        "the capital of the",
        "of the river is what",
        "is what city",
    ]
    assert cut("the capital of the", Form(window=2, overlap=0)) == ["the capital", "of the"]


def test_what_is_no_longer_than_a_window_is_one_and_so_is_nothing() -> None:
    assert cut("the river is") == ["the river is"]
    assert cut("") == cut("  ") == [""]
    assert documents([], tiny_tokeniser(), SMALL) == []


def test_a_text_is_read_to_the_last_token_that_counts() -> None:
    (found,) = documents([" ".join(WORDS)], tiny_tokeniser(), Form(window=3, overlap=1, tokens=5))
    assert found.windows == ["the capital of is", "of is what"]
    assert (len(found.ids), found.whole) == (5, 10)


def test_a_bound_may_cut_a_word() -> None:
    """cab is three pieces."""
    assert cut("the is cab", Form(window=3, overlap=0)) == ["the is c", "ab"]


@given(st.integers(0, 40), st.integers(1, 9), st.integers(0, 12))
def test_every_token_is_in_the_window_of_its_own(count: int, window: int, overlap: int) -> None:
    words = [WORDS[place % len(WORDS)] for place in range(count)]
    found = [text.split() for text in cut(" ".join(words), Form(window=window, overlap=overlap))]
    assert len(found) == max(1, -(-count // window))
    for number, part in enumerate(found):
        start = max(0, number * window - overlap)
        assert part == words[start : (number + 1) * window + overlap]


def test_no_window_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Form\.window is 0, but must be 1 or more"):
        Form(window=0)
    with pytest.raises(ValueError, match=r"Form\.overlap is -1, but must be 0 or more"):
        Form(overlap=-1)
