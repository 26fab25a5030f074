"""How deep a ranker reads within a budget: what each depth costs and what it is worth, of one scoring of a split.

Lists are scored once, to their end. What any depth, margin and weight of former scores of `Rerank` would make of them
follows from these scores: all are compared on the same, and choosing costs as much as one run of the deepest.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from reml.access.information_access import InformationAccess
from reml.access.presenting.rerank import Margin, Rerank, both, leading, ranked
from reml.access.presenting.scoring import scores_of
from reml.access.steps import Clock, watched
from reml.contract.arguments.checked import checked, checked_call
from reml.contract.arguments.numbers import Positive, Size, Weight
from reml.contract.examples import Example, Item
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Scorer
from reml.evaluation.trec.page_measures import GAIN, PageScorer, page_measure_names

DEPTHS = (5, 10, 20, 50, 100, 200, 500, 1000)


@checked()
@dataclass(frozen=True, kw_only=True)
class Grid:
    """What is compared: each depth with each margin and each weight of former scores, as of `Rerank`."""

    depths: Sequence[Size] = DEPTHS
    margins: Sequence[Margin | None] = (None,)
    former: Sequence[Weight] = (0.0,)

    def __post_init__(self) -> None:
        if not self.margins or not self.former:
            raise ValueError(
                "there is no margin or weight to compare: give one at least, [None] and [0.0] for neither."
            )


@dataclass(frozen=True, slots=True)
class Reading:
    """What a ranker costs and is worth when it reads so much. depth 0: nothing is reranked.

    items: that it scores of a query, milliseconds: of a query, the search and all before the ranker included; value:
    the mean of the measure.
    """

    depth: int
    margin: float | None
    items: float
    milliseconds: float
    value: float
    former: float = 0.0

    def rerank(self, scorer: Scorer | str, keep: int | None = None) -> tuple[Rerank, ...]:
        """Give the processors that read so much: one, or none at depth 0."""
        return (Rerank(scorer, keep, depth=self.depth, margin=self.margin, former=self.former),) if self.depth else ()


@dataclass(frozen=True, slots=True)
class ChosenDepth:
    """The reading that was chosen, and all that were compared, cheapest first. queries: those measured by."""

    chosen: Reading
    table: tuple[Reading, ...]
    measure: str
    queries: int


@checked_call
def choose_depth(
    first: InformationAccess,
    scorer: Scorer,
    examples: Sequence[Example],
    *,
    milliseconds: Positive | None = None,
    items: Positive | None = None,
    grid: Grid | None = None,
    measure: str = GAIN,
) -> ChosenDepth:
    """Choose the depth, margin and former weight of the best mean measure within a budget, of equals the cheapest.

    first: the access model without the ranker; its `limits.depth` is the deepest list, and depths beyond it count as
    it. grid: what is compared. milliseconds, items: what a query may cost, as of `Reading`; without either, all are
    compared and the best is chosen. measure: of pages of evidence (`reml.evaluation.trec.page_measures`).

    An item of a list costs the mean of all that were scored, all queries at once, as a run scores them. A query that is
    served alone costs more; and where a scorer encodes an item once for all queries, as a bi-encoder does, so do
    shallow depths, which share fewer. `ValueError` if nothing keeps to the budget, or no example says what is right.
    """
    if measure not in page_measure_names():
        raise ValueError(f"there is no measure {measure!r} of pages; there are {', '.join(page_measure_names())}.")
    if not (judged := _judged(examples)):
        raise ValueError("no example names a page that is right, so that no depth is better: give labelled examples.")
    queries = first.queries(examples)
    if len(queries) != len(examples):
        raise ValueError(f"{len(queries)} queries of {len(examples)} examples are fused: give a generator of one each.")
    found, scores, before, each = _scored(first, scorer, queries)
    deepest = int(found.mask.sum(dim=1).max())
    grid = grid or Grid()
    below = {depth for depth in grid.depths if 0 < depth < deepest}
    table = []
    there = itertools.product(sorted({*below, deepest} - {0}), grid.margins, grid.former)
    for depth, margin, weight in [(0, None, 0.0), *there]:
        read = _read(found, depth, margin)
        joined = both(scores, found.scores.detach().cpu().float(), weight)
        count, value = float(read.sum() / len(examples)), _value(examples, found, joined, read, measure)
        table.append(Reading(depth, margin, count, before + each * count, value, weight))
    table.sort(key=lambda one: (one.milliseconds, one.depth))
    return ChosenDepth(_best(table, milliseconds, items), tuple(table), measure, judged)


def _scored(first: InformationAccess, scorer: Scorer, queries: Queries) -> tuple[Responses, Tensor, float, float]:
    """Give lists, their scores, and milliseconds: of a query before the ranker, and of an item that it scores."""
    one = queries.take(np.array([0]))
    scores_of(scorer, one, first.answer(one, first.limits.depth).first(1))  # what is loaded once is no query's cost
    with watched() as steps:
        found = first.answer(queries, first.limits.depth)
        before = sum(step.seconds for step in steps)
        clock = Clock()
        scores = scores_of(scorer, queries, found).cpu()
        count = int((found.rows >= 0).sum())
        clock.note("rank", len(queries), lambda: count)
    each = sum(step.seconds for step in steps) - before
    return found, scores, 1000 * before / len(queries), 1000 * each / max(1, count)


def _read(found: Responses, depth: int, margin: float | None) -> npt.NDArray[np.bool_]:
    """Say which items `Rerank` would score, bool [B, K]."""
    read = found.rows >= 0
    read[:, depth:] = False
    if margin is not None:
        read[leading(found, margin)] = False
    return read


def _value(
    examples: Sequence[Example], found: Responses, scores: Tensor, read: npt.NDArray[np.bool_], measure: str
) -> float:
    measured = PageScorer()
    for query, (example, items) in enumerate(zip(examples, found.items, strict=True)):
        depth = int(read[query].sum())
        order = ranked(scores[query : query + 1, :depth])[0].tolist()
        measured.add(example, _pages([*(items[place] for place in order), *items[depth:]]))
    return measured.result().scores.mean(measure)


def _pages(items: Sequence[Item]) -> list[str]:
    return [page for page in dict.fromkeys(item.page_id.strip() for item in items) if page]


def _judged(examples: Sequence[Example]) -> int:
    measured = PageScorer()
    for example in examples:
        measured.add(example, [])
    return len(measured.result().scores)


def _best(table: Sequence[Reading], milliseconds: float | None, items: float | None) -> Reading:
    within = [
        one
        for one in table
        if (milliseconds is None or one.milliseconds <= milliseconds) and (items is None or one.items <= items)
    ]
    if not within:
        raise ValueError(
            f"a query may take {milliseconds:.4g} ms, and what stands before the ranker takes "
            f"{table[0].milliseconds:.4g} ms already: allow more, or search less deep."
        )
    return max(within, key=lambda one: one.value)  # the first of equals, which is the cheapest
