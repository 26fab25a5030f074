from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.collection.passages import Passage
from reml.collection.segments import PAGES, TITLES, Segment, hashes, passage_batch, write_segment
from reml.contract.examples import Span


def _segment(folder: Path, *passages: tuple[str, str], first: int = 100) -> Segment:
    """Write a segment of passages given as page id and title."""
    made = [
        Passage(page_id, title, f"text {place}", Span(1, place, 1, place + 1))
        for place, (page_id, title) in enumerate(passages)
    ]
    return Segment(folder, write_segment(folder, first, [passage_batch(made)]))


def test_rows_count_from_the_first_of_the_segment(tmp_path: Path) -> None:
    segment = _segment(tmp_path, ("a", "A"), ("b", "B"), ("b", "B"), ("c", "B"))
    assert segment.rows_of_page("b").tolist() == [101, 102]
    assert segment.rows_of_title("B").tolist() == [101, 102, 103]
    assert segment.rows_of_page("d").tolist() == segment.rows_of_title("b").tolist() == []
    assert [segment.page_number(row) for row in (100, 101, 103)] == [1, 2, 3]
    assert [item.text for item in segment.items(np.array([103, 101]))] == ["text 3", "text 1"]
    assert [(item.row, item.span and item.span.start_character) for item in segment.slice(101, 103)] == [
        (101, 1),
        (102, 2),
    ]


def test_strings_of_one_hash_are_told_apart(tmp_path: Path) -> None:
    record = _segment(tmp_path, ("a", "A"), ("b", "B"), ("c", "C")).record
    for name, wanted in ((PAGES, "b"), (TITLES, "B")):
        table = np.fromfile(tmp_path / record.name / name, "<u8").reshape(3, 3)
        table[0] = hashes([wanted])[0]
        table.tofile(tmp_path / record.name / name)
    segment = Segment(tmp_path, record, written=True)
    assert segment.rows_of_page("b").tolist() == segment.rows_of_title("B").tolist() == [101]


def test_hashes_are_the_same_in_every_process() -> None:
    assert [hex(value) for value in hashes(["", "Chad"]).tolist()] == ["0xb4b2797457a0a6e4", "0x3fcb06889735f438"]


_NAMES = st.lists(st.tuples(st.text("abé😀", max_size=3), st.text("AB", max_size=2)), min_size=1, max_size=12)


@settings(max_examples=30, deadline=None)
@given(passages=_NAMES)
def test_every_title_and_page_is_found_where_it_is(
    tmp_path_factory: pytest.TempPathFactory, passages: list[tuple[str, str]]
) -> None:
    passages = list(dict(passages).items())
    segment = _segment(tmp_path_factory.mktemp("any"), *passages, first=0)
    for place, (page_id, title) in enumerate(passages):
        assert segment.rows_of_page(page_id).tolist() == [place]
        assert segment.rows_of_title(title).tolist() == [row for row, other in enumerate(passages) if other[1] == title]
