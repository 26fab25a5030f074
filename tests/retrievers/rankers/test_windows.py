"""Windows of long items: how texts are cut, how scores are combined, by loops and by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.examples import Item
from reml.retrievers.rankers.windows import Combine, Windows, by_owner, shown

NUMBERS = " ".join(str(number) for number in range(10))


def test_windows_overlap_by_what_the_stride_leaves_and_end_with_the_text() -> None:
    windows = Windows(words=4, stride=3)
    assert windows.cut(NUMBERS) == ["0 1 2 3", "3 4 5 6", "6 7 8 9"]
    assert Windows(words=4, stride=4).cut(NUMBERS) == ["0 1 2 3", "4 5 6 7", "8 9"]
    assert Windows(words=4, stride=3, most=2).cut(NUMBERS) == ["0 1 2 3", "3 4 5 6"]
    assert Windows(words=4, stride=3, combine="first").cut(NUMBERS) == ["0 1 2 3"]


def test_a_text_that_is_no_longer_than_a_window_is_one() -> None:
    assert Windows(words=10, stride=1).cut(NUMBERS) == [NUMBERS]
    assert Windows().cut("") == Windows().cut("  \n") == [""]
    assert Windows(words=2, stride=2).cut("北京是中国的首都") == ["北京是中", "国的首都"]  # two letters count as a word


@given(st.integers(0, 60), st.integers(1, 12), st.integers(1, 12))
def test_every_word_is_in_a_window(count: int, words: int, stride: int) -> None:
    stride = min(stride, words)
    cut = [window.split() for window in Windows(words=words, stride=stride).cut(" ".join(map(str, range(count))))]
    assert {word for window in cut for word in window} == set(map(str, range(count)))
    assert all(len(window) <= words for window in cut)
    assert all(int(window[0]) == place * stride for place, window in enumerate(cut) if window)
    assert len(cut) < 2 or cut[-2][-1] != cut[-1][-1], "a window says nothing new"


def test_the_title_stands_before_each_window() -> None:
    item = Item(0, "a b c d", "Chad")
    assert shown([item], None, title=True) == [["Chad a b c d"]]
    assert shown([item] * 2, Windows(words=2, stride=2), title=True) == [["Chad a b", "Chad c d"]] * 2
    assert shown([item], Windows(words=2, stride=2), title=False) == [["a b", "c d"]]


@pytest.mark.parametrize(
    ("combine", "top", "expected"),
    [("max", None, [3.0, -5.0, 4.0]), ("sum", None, [3.0, -5.0, 8.0]), ("sum", 2, [4.0, -5.0, 7.0])],
)
def test_scores_are_combined(combine: Combine, top: int | None, expected: list[float]) -> None:
    """Items of three, one and three windows."""
    scores = torch.tensor([1.0, -1.0, 3.0, -5.0, 4.0, 3.0, 1.0])
    assert Windows(combine=combine, top=top).combined(scores, [3, 1, 3]).tolist() == expected


def test_the_gradient_reaches_the_best_window_alone() -> None:
    scores = torch.tensor([1.0, 2.0, -3.0], requires_grad=True)
    Windows().combined(scores, [2, 1]).sum().backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert scores.grad.tolist() == [0.0, 1.0, 1.0]


def test_rows_of_owners() -> None:
    assert by_owner(torch.tensor([1.0, 2.0, 3.0]), [1, 2]).tolist() == [[1.0, -torch.inf], [2.0, 3.0]]
    assert by_owner(torch.zeros(0), []).shape == (0, 1)


def test_windows_that_leave_words_out_are_refused() -> None:
    with pytest.raises(ValueError, match="stride is 3, but windows have 2 words: what lies between two would never"):
        Windows(words=2, stride=3)
    with pytest.raises(ValueError, match="top is of a sum, and combine is max: choose `combine: sum`"):
        Windows(top=3)
    with pytest.raises(ValueError, match=r"Windows\.words is 0, but must be 1 or more"):
        Windows(words=0)
