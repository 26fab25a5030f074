from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.examples import Answer, Example, Item, Media, Provenance, Span
from reml.contract.retrieved import Hits, Queries, Rows
from reml.contract.signals import FeedbackRecord
from reml.contract.vectors import DenseVectors, SparseVectors


def sparse(*rows: dict[int, float]) -> SparseVectors:
    indptr = np.cumsum([0, *(len(row) for row in rows)])
    dimensions = np.array([dimension for row in rows for dimension in row], dtype=np.int32)
    weights = np.array([weight for row in rows for weight in row.values()], dtype=np.float32)
    return SparseVectors(indptr, dimensions, weights, 10)


def test_candidates_are_ranked_by_score_then_row_and_padded() -> None:
    rows = np.array([[7, 3, -1, 5], [-1, -1, -1, 2]], dtype=np.int64)
    scores = np.array([[1.0, 1.0, 9.0, 2.0], [3.0, 3.0, 3.0, -4.0]], dtype=np.float32)
    hits = Hits.ranked(rows, scores, 5)
    assert hits.rows.tolist() == [[5, 3, 7, -1, -1], [2, -1, -1, -1, -1]]
    assert hits.scores.tolist() == [[2, 1, 1, -np.inf, -np.inf], [-4, *[-np.inf] * 4]]
    assert hits.mask.sum(axis=1).tolist() == [3, 1]
    assert hits.rows.dtype == np.int64
    assert hits.scores.dtype == np.float32


def test_only_the_best_places_are_kept() -> None:
    rows = np.array([[7, 3, 5]], dtype=np.int64)
    scores = np.array([[1.0, 3.0, 2.0]], dtype=np.float32)
    assert Hits.ranked(rows, scores, 2).rows.tolist() == [[3, 5]]
    assert Hits.ranked(rows, scores, 3).first(1).rows.tolist() == [[3]]
    assert Hits.ranked(rows[:, :0], scores[:, :0], 2).rows.tolist() == [[-1, -1]]
    assert Hits.ranked(rows[:0], scores[:0], 2).rows.shape == (0, 2)


@given(
    st.lists(st.tuples(st.integers(-1, 30), st.sampled_from([-2.0, 0.0, 0.5, 3.0])), max_size=12), st.integers(1, 15)
)
def test_ranking_is_sorting(candidates: list[tuple[int, float]], k: int) -> None:
    candidates = list({row: (row, score) for row, score in candidates}.values())
    rows = np.array([[row for row, _ in candidates]], dtype=np.int64)
    hits = Hits.ranked(rows, np.array([[score for _, score in candidates]], dtype=np.float32), k)
    expected = sorted(
        (candidate for candidate in candidates if candidate[0] >= 0), key=lambda pair: (-pair[1], pair[0])
    )
    assert hits.rows[0].tolist() == [row for row, _ in expected[:k]] + [-1] * (k - min(k, len(expected)))


def test_vectors_are_cut_by_row() -> None:
    vectors = sparse({1: 0.5}, {}, {0: 1.0, 4: 2.0})
    cut = vectors.slice(1, 9)
    assert len(vectors) == 3
    assert (cut.indptr.tolist(), cut.dimensions.tolist(), cut.weights.tolist()) == ([0, 0, 2], [0, 4], [1.0, 2.0])
    dense = DenseVectors(np.arange(6, dtype=np.float32).reshape(3, 2))
    assert (len(dense), dense.width, dense.slice(1, 2).values.tolist()) == (3, 2, [[2.0, 3.0]])


def test_answers_are_distinct_and_in_order() -> None:
    example = Example("1", "?", (Answer("b"), Answer(None), Answer("a"), Answer("b"), Answer("")))
    assert example.answers == ("b", "a")


def test_provenance_points_to_the_whole_of_an_item() -> None:
    place = Provenance.of(Item(4, "text", "Title", "p", Span(1, 2, 3, 4)))
    assert (place.wikipedia_id, place.title, place.text) == ("p", "Title", "text")
    assert (place.start_paragraph_id, place.start_character, place.end_paragraph_id, place.end_character) == (
        1,
        2,
        3,
        4,
    )


def test_what_does_not_fit_is_refused() -> None:
    one = np.zeros((1, 2), dtype=np.int64)
    with pytest.raises(ValueError, match="2 contents but 1 owners"):
        Queries(np.zeros(1, dtype=np.int64), ("a", "b"))
    with pytest.raises(ValueError, match="2 states but 1 owners"):
        Queries(np.zeros(1, dtype=np.int64), ("a",), sparse({}, {}))
    with pytest.raises(ValueError, match="0 contents but 1 owners"):
        Queries(np.zeros(1, dtype=np.int64))
    with pytest.raises(ValueError, match="1 sets of rows but 2 owners"):
        Queries(np.arange(2), ("a", "b"), only=Rows.of([[3]]))
    with pytest.raises(ValueError, match=r"must both be \[B, K\]"):
        Hits(one, np.zeros((1, 3), dtype=np.float32))
    with pytest.raises(ValueError, match=r"not float64 \(1, 2\)"):
        DenseVectors(one.astype(np.float64))
    with pytest.raises(ValueError, match="indptr must start with 0"):
        SparseVectors(np.array([0, 2]), np.zeros(1, np.int32), np.zeros(1, np.float32), 3)
    with pytest.raises(ValueError, match="1 dimensions but 2 weights"):
        SparseVectors(np.array([0, 1]), np.zeros(1, np.int32), np.zeros(2, np.float32), 3)
    with pytest.raises(ValueError, match="do not fit"):
        FeedbackRecord(("a", "b"), one, np.zeros((1, 2), np.float32), "judge")
    with pytest.raises(ValueError, match="finite"):
        FeedbackRecord(("a",), one, np.array([[0, np.nan]], np.float32), "judge")


def test_an_item_without_span_is_a_place_without_places() -> None:
    place = Provenance.of(Item(4, "text", page_id="p"))
    assert place == Provenance("p", "", text="text")


def test_items_are_keys_whatever_fields_they_have() -> None:
    media = (Media("video", "a.mp4", 1.0, 2.5),)
    item = Item(1, media=media, fields={"answer": "yes"})
    assert {item: 1}[Item(1, media=media, fields={"answer": "yes"})] == 1
    assert item != Item(1, media=media)
    assert Item(2).fields == {}


def test_the_title_is_read_before_the_text_where_it_is_wanted() -> None:
    item = Item(0, "text", "Title")
    assert (item.full_text(), item.full_text(title=False)) == ("Title text", "text")


@pytest.mark.parametrize("wrong", [("film", "a", 0.0, None), ("video", "a", 3.0, 3.0), ("audio", "a", -1.0, None)])
def test_media_that_cannot_be_are_refused(wrong: tuple[str, str, float, float | None]) -> None:
    with pytest.raises(ValueError, match=r"name image, video or audio|stop comes after start"):
        Media(*wrong)  # type: ignore[arg-type]


def test_sets_of_rows_hold_ids() -> None:
    with pytest.raises(ValueError, match=r"rows are ids of items, 0 or more, not \[-1\]"):
        Rows.of([[3, -1]])


HALVES = ["\ud83d", "capital \udc09", "\udfff\ud800", "caf\udce9", "\ud83d\udc09"]


@pytest.mark.parametrize("text", HALVES)
def test_half_a_surrogate_pair_is_refused_where_a_text_is_made_in_python(text: str) -> None:
    """No encoder reads one: what is not refused here is a traceback of a tokenizer, or a term that nothing matches."""
    makers: dict[str, Callable[[], object]] = {
        "a query": lambda: Queries.of(["chad", text]),
        "the input of example 'q1'": lambda: Example("q1", text),
        "the id of an example": lambda: Example(text, "chad"),
        "an answer": lambda: Answer(text),
    }
    for what, make in makers.items():
        with pytest.raises(ValueError, match=rf"{what} has half a surrogate pair, '.ud.*Leave it out"):
            make()


def test_whole_characters_beyond_the_basic_plane_are_texts() -> None:
    dragon = b"\xf0\x9f\x90\x89\xef\xbf\xbd\xee\x80\x80".decode()
    assert Queries.of([dragon]).contents == (Example(dragon, dragon, (Answer(dragon),)).input,)


@pytest.mark.parametrize("value", [None, 3, b"chad", ["chad"]])
def test_what_is_no_string_is_no_input(value: object) -> None:
    with pytest.raises(ValueError, match=r"the input of example .q1. is .*: give a string"):
        Example("q1", value)  # type: ignore[arg-type]
