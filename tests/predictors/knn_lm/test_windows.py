from __future__ import annotations

import pytest

from reml.predictors.knn_lm.windows import Window, windows


@pytest.mark.parametrize(
    ("tokens", "size", "stride"), [(2, 8, 4), (8, 8, 4), (9, 8, 4), (40, 8, 4), (23, 7, 6), (9, 2, 1)]
)
def test_each_token_but_the_first_is_scored_once_after_enough_others(tokens: int, size: int, stride: int) -> None:
    scored: list[int] = []
    for window in windows(tokens, size, stride):
        assert window.end - window.start <= size
        assert window.start < window.first < window.end
        for token in range(window.first, window.end):
            assert token - window.start >= min(token, size - stride)
        scored += range(window.first, window.end)
    assert scored == list(range(1, tokens))


def test_a_text_that_fits_is_read_at_once() -> None:
    assert list(windows(8, 8, 3)) == [Window(0, 1, 8)]
    assert list(windows(9, 8, 3)) == [Window(0, 1, 8), Window(3, 8, 9)]


@pytest.mark.parametrize("tokens", [0, 1])
def test_where_nothing_comes_next_there_is_no_window(tokens: int) -> None:
    assert list(windows(tokens, 8, 4)) == []
