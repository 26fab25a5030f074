"""Memory is bounded before it is asked for: no more places than there are items, however many are wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.access.composed_access import FusedAccess
from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.contract.examples import Example
from reml.contract.retrieved import PLACES, Hits, Queries, room_for
from reml.files.hits import open_hits, save_hits
from reml.testing.memory_collection import MemoryCollection
from reml.testing.word_retriever import WordRetriever

HUGE = 2**31 - 1
EXAMPLES = [Example("a", "copper in the harbour"), Example("b", "penguins and zinc"), Example("c", "nothing")]
TEXTS = [f"copper and zinc number {number}" for number in range(300)]


def access(texts: list[str], depth: int = 100) -> InformationAccess:
    return InformationAccess(WordRetriever(MemoryCollection(texts)), limits=Limits(depth=depth))


@pytest.mark.parametrize(
    ("k", "items", "room"),
    [
        (1, 0, 1),
        (5, 2, 5),
        (100, 6, 100),
        (PLACES, 2, PLACES),
        (PLACES + 1, 2, PLACES),
        (HUGE, 2, PLACES),
        (HUGE, PLACES, PLACES + 1),
        (HUGE, 5_000, 5_001),
        (4_000, 5_000, 4_000),
        (5_000, 5_000, 5_000),
        (5_001, 5_000, 5_001),
        (5_002, 5_000, 5_001),
    ],
)
def test_there_is_room_for_all_items_and_no_more(k: int, items: int, room: int) -> None:
    assert room_for(k, items) == room


@pytest.mark.parametrize("texts", [TEXTS[:1], TEXTS[:2], TEXTS[:127], TEXTS])
def test_whoever_asks_for_more_gets_all_there_is(texts: list[str]) -> None:
    one = access(texts, depth=HUGE)
    fused = FusedAccess([one, access(texts)], Limits(depth=HUGE))
    room = room_for(HUGE, len(texts))
    found = [
        one.search(EXAMPLES),
        one.search(EXAMPLES, HUGE),
        fused.search(EXAMPLES, HUGE),
        one(EXAMPLES, HUGE).hits(room),
        fused.open(EXAMPLES).ask(k=HUGE).hits(room),
        one.answer(Queries.of_inputs(EXAMPLES), HUGE).hits(room),
        fused.answer(Queries.of_inputs(EXAMPLES), HUGE).hits(room),
    ]
    for hits in found:
        assert hits.k == room
        assert hits.mask.sum(axis=1).tolist() == [len(texts), len(texts), 0]


def hits_of(counts: list[int], k: int) -> Hits:
    rows = np.where(np.arange(k) < np.array(counts)[:, None], np.arange(k), -1).astype(np.int64)
    return Hits(rows, np.where(rows >= 0, -rows, -np.inf).astype(np.float32))


@given(st.lists(st.integers(0, 400), min_size=1, max_size=5), st.integers(1, 400))
def test_hits_are_kept_without_padding(counts: list[int], k: int) -> None:
    """What there is stays as it is; an empty place at the end says that there is no more."""
    whole = hits_of(counts, k)
    kept, most = whole.narrowed(), min(max(counts), k)
    assert kept.k == min(k, max(PLACES, most) + 1) or kept.k == k <= PLACES
    np.testing.assert_array_equal(kept.rows, whole.rows[:, : kept.k])
    np.testing.assert_array_equal(kept.scores, whole.scores[:, : kept.k])
    assert not whole.mask[:, kept.k :].any()
    assert kept.ended == whole.ended


@pytest.mark.parametrize("k", [1, 10, 100, PLACES])
def test_hits_of_a_usual_depth_are_kept_byte_for_byte(k: int, tmp_path: Path) -> None:
    whole = hits_of([0, 3], k)
    save_hits(tmp_path, whole)
    assert (tmp_path / "rows.npy").stat().st_size == 128 + 8 * 2 * k
    np.testing.assert_array_equal(open_hits(tmp_path).rows, whole.rows)


def test_what_was_found_before_answers_as_if_it_were_padded() -> None:
    """Of what is known to be all there is, nothing is searched for again."""
    one = access(TEXTS[:200], depth=1_000)
    ahead = one.search(EXAMPLES).narrowed()
    assert ahead.k == 201
    session = one.open(EXAMPLES, ahead)
    for k in (1, 5, 200, 201, 500, 1_000):
        known, live = session.ask(k=k), one(EXAMPLES, k)
        np.testing.assert_array_equal(known.rows[:, : live.k], live.rows[:, : known.k])
        assert (known.rows >= 0).sum() == (live.rows >= 0).sum()


def test_a_depth_of_millions_takes_no_memory(tmp_path: Path) -> None:
    save_hits(tmp_path, access(TEXTS[:2], depth=4_000_000).search(EXAMPLES))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 10_000
