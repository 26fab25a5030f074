from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reml.contract.examples import Answer, Example, Provenance
from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array
from reml.testing import MemoryCollection
from reml.training.data.ranked_examples import FromLabels, FromTeacher, RankedExamples, reciprocal_rank
from reml.training.data.sets import TrainSet
from tests.training.pages import Paged

COLLECTION = MemoryCollection([f"text {number}" for number in range(30)])
# The teacher finds 4 and 5 for the first example, nothing for the second and 7 for the third.
HITS = Hits(
    np.array([[4, 5, 9], [-1, -1, -1], [7, -1, -1]]),
    np.array([[8.0, 3.0, 1.0], [-np.inf] * 3, [2.0, -np.inf, -np.inf]], dtype=np.float32),
)
EXAMPLES = [Example(name, f"query {name}") for name in "abc"]
NOTHING = np.empty(0, dtype=np.int64)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rows(*numbers: int) -> Int64Array:
    return np.array(numbers, dtype=np.int64)


def test_a_teachers_items_come_with_its_scores_and_others_with_none() -> None:
    sampler = FromTeacher(HITS, COLLECTION.rows())
    seen: dict[int, float] = {}
    for seed in range(200):
        drawn, useful = sampler(0, 3, generator(seed))
        assert len(set(drawn.tolist())) == len(drawn) <= 3
        assert {4, 5, 9} & set(drawn.tolist()), "at least one is on the list"
        seen |= dict(zip(drawn.tolist(), useful.tolist(), strict=True))
    assert {row: score for row, score in seen.items() if score} == {4: 8.0, 5: 3.0, 9: 1.0}
    assert len(seen) > 20, "the others come from anywhere"


def test_the_chance_of_an_item_from_anywhere() -> None:
    for random, expected in ((0.0, 0), (1.0, 100)):
        sampler = FromTeacher(HITS, rows(20, 21), random)
        draws = [sampler(0, 2, generator(seed))[0] for seed in range(100)]
        assert sum(bool(set(drawn.tolist()) & {20, 21}) for drawn in draws) == expected


def test_an_item_off_a_list_of_scores_below_zero_is_as_good_as_its_last() -> None:
    hits = Hits(rows(4, 5)[None], np.array([[-1.0, -3.0]], dtype=np.float32))
    drawn, useful = FromTeacher(hits, rows(20), 1.0)(0, 2, generator())
    assert dict(zip(drawn.tolist(), useful.tolist(), strict=True))[20] == -3.0


def labels(hits: Hits | None = HITS, random_negatives: float = 0.5) -> FromLabels:
    return FromLabels(
        [rows(5), rows(1, 2), NOTHING], [rows(4), rows(3), NOTHING], COLLECTION.rows(), hits, random_negatives
    )


def test_labels_give_one_right_item_and_wrong_ones_of_other_pages() -> None:
    """Row 4 is of the right page but not the evidence: neither right nor wrong."""
    for seed in range(100):
        drawn, useful = labels()(0, 4, generator(seed))
        assert drawn[0] == 5
        assert useful.tolist() == [1.0] + [0.0] * (len(drawn) - 1)
        assert 4 not in drawn
        assert len(set(drawn.tolist())) == len(drawn) >= 2
    assert {int(labels()(1, 2, generator(seed))[0][0]) for seed in range(30)} == {1, 2}


def test_wrong_items_come_from_the_list_or_from_anywhere() -> None:
    assert {int(labels(random_negatives=0.0)(0, 2, generator(seed))[0][1]) for seed in range(30)} == {9}
    anywhere = {int(labels(hits=None)(0, 2, generator(seed))[0][1]) for seed in range(200)}
    assert len(anywhere) > 20
    assert not anywhere & {4, 5}


def test_right_rows_are_those_that_hold_the_evidence() -> None:
    second = Provenance("3", start_paragraph_id=2, start_character=0, end_paragraph_id=2, end_character=4)
    whole, nowhere = Example("b", "?", (Answer("x", (Provenance("5"),)),)), Example("c", "?")
    example = Example("a", "?", (Answer("x", (second,)),))
    sampler = FromLabels.of(Paged(["text"] * 20), [example, whole, nowhere], None)
    assert [right.tolist() for right in sampler.right] == [[7], [10, 11], []]
    assert [near.tolist() for near in sampler.near] == [[6, 7], [10, 11], []]
    assert sampler.without_items().tolist() == [2]


def ranked(count: int = 3) -> RankedExamples:
    return RankedExamples.of(COLLECTION, EXAMPLES, FromTeacher(HITS, COLLECTION.rows()), count)


def test_examples_without_items_are_left_out() -> None:
    assert [ranked().take(rows(place)).examples[0].id for place in range(len(ranked()))] == ["a", "c"]
    assert FromTeacher(HITS, COLLECTION.rows()).without_items().tolist() == [1]
    everything = replace(ranked(), places=rows(0, 1))
    with pytest.raises(ValueError, match="example 'b' has no item to learn from"):
        TrainSet.of(everything)
    with pytest.raises(ValueError, match="2 items or more, not 1"):
        ranked(1)


def test_a_batch_is_drawn_again_as_it_was_and_another_one_otherwise() -> None:
    train = TrainSet.of(ranked(8))
    one, same, other = (train.take(places).read for places in (rows(0, 1), rows(0, 1), rows(1, 0)))
    assert one.rows.tolist() == same.rows.tolist()
    assert one.rows[0].tolist() != other.rows[1].tolist()
    assert one.scores[0].tolist() == sorted(one.scores[0].tolist(), reverse=True)


def test_the_fingerprint_changes_with_examples_lists_and_collection() -> None:
    changed = (
        ranked(4),
        ranked().only(rows(1)),
        replace(ranked(), sampler=FromTeacher(HITS.first(2), COLLECTION.rows())),
        replace(ranked(), sampler=FromTeacher(HITS, COLLECTION.rows(), 0.1)),
        replace(ranked(), sampler=labels()),
        replace(ranked(), collection=MemoryCollection(["other"])),
    )
    prints = [part.fingerprint for part in (ranked(), *changed)]
    assert len(set(prints)) == len(prints)
    assert ranked().fingerprint == prints[0]


def test_a_dev_set_asks_for_the_most_useful_item_and_does_not_give_it_away() -> None:
    dev = ranked().only(rows(0)).dev_set("toy", count=12)
    (example,), hits = dev.retrieved.examples, dev.retrieved.hits
    (place,) = example.output[0].provenance
    shown = hits.rows[0][hits.rows[0] >= 0]
    assert shown.tolist() == sorted(shown.tolist()), "by row, not by utility"
    best = shown[np.argmax(hits.scores[0][: len(shown)])]
    assert place.wikipedia_id == str(best)
    assert best in {4, 5, 9}


def test_reciprocal_rank_by_hand() -> None:
    first, second, third = (Provenance.of(item) for item in COLLECTION.get(rows(0, 1, 2)))
    asked = [Example(name, "?", (Answer(None, (second,)),)) for name in "abc"]
    answers = [Answer(None, order) for order in ((second, first), (first, third, second), (first, third))]
    assert reciprocal_rank(asked, answers) == pytest.approx((1 + 1 / 3 + 0) / 3)


def test_other_passages_of_a_right_page_are_wrong_where_that_is_asked_for() -> None:
    second = Provenance("1", start_paragraph_id=2, start_character=0, end_paragraph_id=2, end_character=4)
    example, collection = Example("a", "?", (Answer("x", (second,)),)), Paged(["text"] * 6)
    samplers = [FromLabels.of(collection, [example], None, page_negatives=asked) for asked in (False, True)]
    drawn = [{row for seed in range(40) for row in one(0, 3, generator(seed))[0].tolist()} for one in samplers]
    assert drawn == [{3, 0, 1, 4, 5}, {0, 1, 2, 3, 4, 5}]
    assert samplers[0].fingerprint != samplers[1].fingerprint


def test_of_several_places_the_one_that_the_list_has_first_is_right() -> None:
    places = tuple(
        Provenance(page, start_paragraph_id=1, start_character=0, end_paragraph_id=1, end_character=4) for page in "12"
    )
    chained, single = Example("a", "?", (Answer("x", places),)), Example("b", "?", (Answer("x", places[:1]),))
    hits = Hits(np.array([[9, 4, 2], [4, 9, 8]]), np.array([[3, 2, 1]] * 2, dtype=np.float32))
    sampler = FromLabels.of(Paged(["text"] * 10), [chained, single], hits, 0.0, page_negatives=True, first_hop=True)
    assert [right.tolist() for right in sampler.right] == [[4], [2]]
    assert 2 not in {row for seed in range(40) for row in sampler(0, 3, generator(seed))[0].tolist()}
    unfound = FromLabels.of(Paged(["text"] * 10), [chained], HITS.take(np.array([1])), first_hop=True)
    assert [right.tolist() for right in unfound.right] == [[2]]
