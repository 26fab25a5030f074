"""Depth by budget: what is computed of one scoring is what each `Rerank` would find, and what it would read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.presenting.budget import ChosenDepth, Grid, Reading, choose_depth
from reml.access.responses import gather
from reml.access.steps import watched
from reml.contract.examples import Answer, Example, Item, Provenance
from reml.contract.retrieved import Hits, Queries
from reml.contract.vectors import Int64Array
from reml.evaluation.trec.page_measures import PageScorer
from reml.testing import MemoryCollection, WordRetriever
from tests.overlap import Overlap

WORDS = ("red", "green", "blue", "grey", "pink", "black")
TEXTS = [" ".join(np.random.default_rng(row).choice(WORDS, 3)) for row in range(30)]
FIRST = InformationAccess(WordRetriever(MemoryCollection(TEXTS)), limits=Limits(depth=12, k=5))
EXAMPLES = [
    Example(
        str(number),
        f"{other} {one.split()[0]}",
        (Answer("x", (Provenance(FIRST.collection.get(np.array([number]))[0].page_id),)),),
    )
    for number, (one, other) in enumerate(zip(TEXTS[:8], TEXTS[9:17], strict=True))
]


class Early:
    """Ranks the rows that are right before others, a millisecond an item, and counts what it reads."""

    def __init__(self) -> None:
        self.module, self.read = None, 0

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        there = positions >= 0
        self.read += int(there.sum())
        time.sleep(int(there.sum()) / 1000)
        rows = np.array([item.row for item in items])[np.where(there, positions, 0)]
        return torch.from_numpy(np.where(there, -rows, -np.inf).astype(np.float32))


def choose(former: Sequence[float] = (0.0,), **settings: object) -> ChosenDepth:
    grid = Grid(depths=(2, 5, 99), margins=(None, 0.3), former=former)
    return choose_depth(FIRST, Early(), EXAMPLES, grid=grid, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def every() -> ChosenDepth:
    return choose()


def test_each_row_is_what_rerank_finds_and_reads() -> None:
    table = choose(former=(0.0, 4.0, 50.0)).table
    assert {(one.depth, one.margin, one.former) for one in table} == {
        (0, None, 0.0),
        *((depth, margin, weight) for depth in (2, 5, 12) for margin in (None, 0.3) for weight in (0.0, 4.0, 50.0)),
    }
    assert len({one.value for one in table if one.depth == 12}) > 3, "else it is told by anything"
    for one in table:
        access = InformationAccess(FIRST.retriever, processors=one.rerank(Early()), limits=FIRST.limits)
        measured = PageScorer()
        with watched() as steps:
            found = access.answer(access.queries(EXAMPLES), 12)
        for example, items in zip(EXAMPLES, found.items, strict=True):
            measured.add(example, list(dict.fromkeys(item.page_id for item in items)))
        assert one.value == pytest.approx(measured.result().scores.mean("nDCG@10"))
        assert one.items == pytest.approx(sum(step.items for step in steps[1:]) / len(EXAMPLES))


def test_margins_read_less_and_depths_cost_by_item(every: ChosenDepth) -> None:
    by = {(one.depth, one.margin): one for one in every.table}
    assert by[12, None].items > by[12, 0.3].items > 0
    search = by[0, None].milliseconds
    for one in every.table:
        assert one.milliseconds - search >= 0.9 * one.items, "a millisecond an item, and the search"
        assert one.milliseconds - search == pytest.approx(
            (by[12, None].milliseconds - search) * one.items / by[12, None].items
        )
    assert [one.milliseconds for one in every.table] == sorted(one.milliseconds for one in every.table)
    assert every.queries == 8


def test_lists_are_scored_once() -> None:
    scorer = Early()
    chosen = choose_depth(FIRST, scorer, EXAMPLES, grid=Grid(depths=(1, 2, 3, 4, 5)))
    deepest = max(one.items for one in chosen.table)
    assert scorer.read == deepest * len(EXAMPLES) + 1, "and the first item of the first query, to begin"


def test_the_best_within_the_budget_is_chosen(every: ChosenDepth) -> None:
    assert every.chosen == max(every.table, key=lambda one: one.value)
    by_items = choose(items=3.0)
    within = [one for one in by_items.table if one.items <= 3]
    assert 1 < len(within) < len(by_items.table)
    assert by_items.chosen.value == max(one.value for one in within)
    by_time = choose(milliseconds=every.table[-1].milliseconds * 0.7)
    assert 0 < by_time.chosen.items < every.table[-1].items
    assert choose(items=0.5).chosen.depth == 0, "nothing is reranked where that is too dear"


def test_of_equals_the_cheapest_is_chosen() -> None:
    """A ranker that says nothing leaves every list as it is."""
    chosen = choose_depth(FIRST, Overlap(0.0), EXAMPLES)
    assert len({one.value for one in chosen.table}) == 1
    assert chosen.chosen.depth == 0
    assert chosen.chosen.rerank(Overlap()) == ()


def test_what_cannot_be_chosen_is_refused() -> None:
    with pytest.raises(ValueError, match=r"what stands before the ranker takes .* ms already: allow more"):
        choose(milliseconds=1e-9)
    with pytest.raises(ValueError, match="no measure 'em' of pages; there are Rprec"):
        choose(measure="em")
    with pytest.raises(ValueError, match="no example names a page that is right"):
        choose_depth(FIRST, Overlap(), [Example("1", "red")])
    with pytest.raises(ValueError, match="margins"):
        Grid(margins=(0.0,))
    with pytest.raises(ValueError, match="no margin or weight to compare"):
        Grid(former=())


def test_pages_are_counted_once_and_items_without_one_not_at_all() -> None:
    """The page that is right is the second page, though the fourth item."""
    rows, scores = np.arange(4)[None], np.array([[4, 3, 2, 1]], dtype=np.float32)
    listed = gather(MemoryCollection(["red"] * 4), Hits(rows, scores))
    items = tuple(
        replace(item, page_id=page) for item, page in zip(listed.items[0], ("x", "x ", " ", "y"), strict=True)
    )
    first = InformationAccess(FIRST.retriever, processors=[lambda _, __: replace(listed, items=(items,))])
    example = Example("1", "red", (Answer("", (Provenance("y"),)),))
    chosen = choose_depth(first, Overlap(0.0), [example], measure="RR@10")
    assert chosen.chosen == Reading(0, None, 0.0, chosen.chosen.milliseconds, 0.5)
    assert chosen.measure == "RR@10"
