from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from reml.contract.examples import Answer, Example, Provenance
from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array
from reml.feedback.cldrd import cldrd_loss
from reml.training.data.curriculum import Curriculum, FromCurriculum
from reml.training.data.ranked_examples import RankedExamples
from tests.training.pages import Paged

NOTHING = np.empty(0, dtype=np.int64)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rows(*numbers: int) -> Int64Array:
    return np.array(numbers, dtype=np.int64)


def listed(count: int, depth: int | None = None) -> Hits:
    """One list: rows 0 to count - 1, the teacher's scores falling."""
    depth = depth or count
    found = np.where(np.arange(depth) < count, np.arange(depth), -1)
    return Hits(found[None], np.where(found >= 0, -np.arange(depth), -np.inf).astype(np.float32)[None])


def draws(sampler: FromCurriculum, count: int = 30) -> list[tuple[list[int], list[float]]]:
    return [(a.tolist(), b.tolist()) for a, b in (sampler(0, count, generator(seed)) for seed in range(200))]


@pytest.mark.parametrize(("top", "hard", "semi_hard"), [(5, 12, 13), (10, 10, 10), (20, 5, 5), (30, 0, 0)])
def test_the_rounds_of_the_paper(top: int, hard: int, semi_hard: int) -> None:
    """30 items: the first by their place in the teacher's list, then -1/4 for hard and -1/2 for semi-hard ones."""
    curriculum = Curriculum(top=top, hard=hard, semi_hard=semi_hard)
    for drawn, labels in draws(FromCurriculum(listed(200), curriculum, [NOTHING])):
        assert len(set(drawn)) == curriculum.size == 30
        assert drawn[:top] == list(range(top))
        assert labels == pytest.approx([1 / place for place in range(1, top + 1)] + [-0.25] * hard + [-0.5] * semi_hard)
        assert all(top <= row < 50 for row in drawn[top : top + hard])
        assert all(50 <= row < 200 for row in drawn[top + hard :])


def test_hard_and_semi_hard_items_are_drawn_anew_from_all_their_places() -> None:
    sampler = FromCurriculum(listed(12), Curriculum(top=2, hard=2, semi_hard=2, hard_until=6), [NOTHING])
    drawn = draws(sampler)
    assert {row for found, _ in drawn for row in found[2:4]} == {2, 3, 4, 5}
    assert {row for found, _ in drawn for row in found[4:]} == {6, 7, 8, 9, 10, 11}


def test_items_with_evidence_stand_first_and_are_never_negatives() -> None:
    """Row 9 is last on the list and row 40 not on it; both hold the evidence, so the teacher's first comes third."""
    sampler = FromCurriculum(listed(10), Curriculum(top=3, hard=2, semi_hard=2, hard_until=6), [rows(9, 40)])
    for drawn, labels in draws(sampler):
        assert drawn[:3] == [9, 40, 0]
        assert labels[:3] == pytest.approx([1, 1 / 2, 1 / 3])
        assert set(drawn[3:5]) <= {1, 2, 3}
        assert set(drawn[5:]) <= {4, 5, 6, 7, 8}
    many = FromCurriculum(listed(10), Curriculum(top=1, hard=2, semi_hard=2, hard_until=4), [rows(0, 1, 2)])
    for drawn, _ in draws(many):
        assert drawn[0] == 0
        assert not {1, 2} & set(drawn[1:]), "right items that have no place at the top are no hard ones"


def test_the_order_within_a_group_is_not_learnt_and_that_between_groups_is() -> None:
    """Swapping two hard items' scores changes nothing; swapping a hard and a semi-hard one does."""
    labels = np.array([[1.0, -0.25, -0.25, -0.5]], dtype=np.float32)
    _, drawn = FromCurriculum(listed(9), Curriculum(top=1, hard=2, semi_hard=1, hard_until=5), [NOTHING])(
        0, 4, generator()
    )
    np.testing.assert_array_equal(drawn[None], labels)
    mask = torch.ones(1, 4, dtype=torch.bool)
    loss, alike, worse = (
        cldrd_loss(torch.tensor([row]), torch.tensor(labels), mask).item()
        for row in ([9.0, 3.0, 2.0, 1.0], [9.0, 2.0, 3.0, 1.0], [9.0, 1.0, 2.0, 3.0])
    )
    assert loss == pytest.approx(alike)
    assert worse > 2 * loss


def test_lists_that_are_too_short() -> None:
    curriculum = Curriculum(top=2, hard=2, semi_hard=2, hard_until=4)
    drawn, labels = FromCurriculum(listed(3, 8), curriculum, [NOTHING])(0, 6, generator())
    assert (drawn.tolist(), labels.tolist()) == ([0, 1, 2], [1.0, 0.5, -0.25])
    for count, right, silent in ((0, NOTHING, [0]), (1, NOTHING, [0]), (1, rows(5), []), (1, rows(0), [0])):
        assert FromCurriculum(listed(count, 8), curriculum, [right]).without_items().tolist() == silent


def test_where_the_evidence_is() -> None:
    example = Example("a", "?", (Answer("x", (Provenance("3"),)),))
    collection = Paged(["text"] * 20)
    known = FromCurriculum.of(collection, [example], listed(8), Curriculum())
    assert [right.tolist() for right in known.right] == [[6, 7]]
    alone = FromCurriculum.of(collection, [example], listed(8), Curriculum(evidence_first=False))
    assert [right.tolist() for right in alone.right] == [[]]
    examples = RankedExamples.of(collection, [example], known, Curriculum().size)
    assert examples.take(rows(0)).read.rows[0, :4].tolist() == [6, 7, 0, 1]


def test_the_fingerprint_changes_with_lists_evidence_and_sizes() -> None:
    one = FromCurriculum(listed(12), Curriculum(), [NOTHING])
    others = (
        replace(one, hits=listed(11)),
        replace(one, curriculum=Curriculum(hard_until=40)),
        replace(one, right=[rows(1)]),
    )
    assert len({sampler.fingerprint for sampler in (one, *others)}) == 4
    assert one.fingerprint == FromCurriculum(listed(12), Curriculum(), [NOTHING]).fingerprint


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"top": 0}, "top must be 1 or more"),
        ({"hard": -1}, "0 or more"),
        ({"top": 1, "hard": 0, "semi_hard": 0}, "2 or more"),
        ({"hard_until": 5}, "no place for hard items between top"),
    ],
)
def test_groups_that_cannot_be_are_refused(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Curriculum(**sizes)  # type: ignore[arg-type]
