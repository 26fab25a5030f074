from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reml.access.responses import gather
from reml.contract.retrieved import Hits, Responses
from reml.predictors.reading.pairs import Frame, Part, occurrences, pairs, readable, window
from reml.testing import MemoryCollection
from reml.text.token_table import ItemTokens

FRAME = Frame((1,), (2,), (3,), (4,))


def _ids(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def test_an_input_is_framed_and_the_text_is_cut_to_fit() -> None:
    item = ItemTokens(_ids(20), _ids(30, 31, 32, 33))
    built = pairs([_ids(10, 11)], [{0: item}], FRAME, limit=9, pad=0)
    # 1 question 2 title 3 text 4: nine tokens leave room for two of the text.
    assert built.ids.tolist() == [[1, 10, 11, 2, 20, 3, 30, 31, 4]]
    frame, question, title, text = Part.FRAME, Part.QUESTION, Part.TITLE, Part.TEXT
    assert built.parts.tolist() == [[frame, question, question, frame, title, frame, text, text, frame]]


def test_an_example_without_items_is_its_question_alone() -> None:
    item = ItemTokens(_ids(20), _ids(30))
    built = pairs([_ids(10), _ids(11)], [{}, {0: item, 2: item}], FRAME, limit=16, pad=0)
    assert built.ids[0, :3].tolist() == [1, 10, 4]
    assert built.mask.sum(1).tolist() == [3, 7, 7]
    assert (built.owners.tolist(), built.positions.tolist()) == ([0, 1, 1], [0, 0, 2])
    assert built.alone.tolist() == [True, False, False]


def test_gather_lays_inputs_side_by_side_and_by_position_spreads_them() -> None:
    item = ItemTokens(_ids(), _ids())
    built = pairs([_ids(), _ids()], [{}, {0: item, 1: item}], Frame((), (), (), (9,)), limit=16, pad=0)
    states = torch.tensor([[[1.0]], [[2.0]], [[3.0]]])
    assert built.gather(states).squeeze(2).tolist() == [[1.0, 0.0], [2.0, 3.0]]
    spread = built.by_position(3, torch.tensor([1.0, 2.0, 3.0]), -1.0)
    assert spread.tolist() == [[-1.0, -1.0, -1.0], [2.0, 3.0, -1.0]]


def test_masked_items_are_not_read() -> None:
    collection = MemoryCollection(["a", "b"])
    given_items = gather(collection, Hits(np.array([[0, 1]]), np.zeros((1, 2), np.float32)))
    masked = Responses(given_items.items, given_items.rows, given_items.scores, torch.tensor([[False, True]]))
    assert [{place: item.text for place, item in items.items()} for items in readable(masked)] == [{1: "b"}]


@pytest.mark.parametrize(
    ("question", "limit", "kept"),
    [
        ([1, 2, 3], 3, [1, 2, 3]),
        ([1, 2, 3, 4, 5], 2, [4, 5]),
        ([1, 2, 9, 4, 5, 6, 7], 4, [1, 2, 9, 4]),
        ([9, 2, 3, 4, 5], 2, [9, 2]),
        ([1, 2, 3, 4, 9], 2, [4, 9]),
    ],
)
def test_a_long_question_keeps_its_mention_else_its_end(question: list[int], limit: int, kept: list[int]) -> None:
    assert window(_ids(*question), _ids(9), limit).tolist() == kept


@given(st.lists(st.integers(0, 2), max_size=3), st.lists(st.integers(0, 2), max_size=12))
def test_occurrences_are_all_places(pattern: Sequence[int], tokens: Sequence[int]) -> None:
    width = len(pattern)
    starts = range(len(tokens) - width + 1) if width else range(0)
    expected = [start for start in starts if list(tokens[start : start + width]) == list(pattern)]
    assert occurrences(_ids(*pattern), _ids(*tokens)).tolist() == expected
