"""What effectiveness costs: milliseconds a question against nDCG@10, a point an access model.

On the frontier are those that no other beats in one without losing in the other. A question's milliseconds are those of
all steps, the queries of one question together, as its access model took them for all questions at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from reml.contract.examples import Json
from reml.reporting.figures import Retrieved
from reml.reporting.plots import Line, Plot

MEASURE = "nDCG@10"
Point = tuple[str, float, float]  # an access model, its milliseconds, its mean


def frontier_plot(task: str, steps: Json, found: Mapping[str, Retrieved], styles: Mapping[str, int]) -> Plot | None:
    """Plot the access models of a task, if there are two of which both is known.

    steps: those of each access model, as a run's manifest has them. styles: the colour of each.
    """
    points = list(_points(steps, found))
    if len(points) < 2:
        return None
    best = frontier(points)
    joined = Line(
        f"frontier of {', '.join(name for name, _, _ in best)}",
        tuple(cost for _, cost, _ in best),
        tuple(mean for _, _, mean in best),
        0,
        joining=True,
    )
    lines = tuple(Line(name, (cost,), (mean,), styles[name]) for name, cost, mean in points)
    return Plot(
        f"{task}: {MEASURE}",
        "milliseconds a question",
        (*((joined,) if len(best) > 1 else ()), *lines),
        within=(0.0, 1.0),
        spread=True,
        begins=_round_below(min(cost for _, cost, _ in points)),
        named=True,
    )


def frontier(points: Sequence[Point]) -> list[Point]:
    """Give those that no other is as cheap as and better, or as good as and cheaper; cheapest first, equals once."""
    best: list[Point] = []
    for point in sorted(points, key=lambda one: (one[1], -one[2])):
        if not best or point[2] > best[-1][2]:
            best.append(point)
    return best


def _round_below(value: float) -> float:
    """Give the largest of ..., 0.5, 1, 2, 5, 10, ... that is not above a number."""
    power = math.floor(math.log10(value))
    return max(one for factor in (1, 2, 5) if (one := float(f"{factor}e{power}")) <= value)


def _points(steps: Json, found: Mapping[str, Retrieved]) -> Iterator[Point]:
    for access, taken in steps.items() if isinstance(steps, dict) else ():
        cost = _milliseconds(taken)
        if access in found and MEASURE in found[access].figures and cost > 0:
            yield access, cost, found[access].figures[MEASURE].mean


def _milliseconds(taken: Json) -> float:
    """Add up the steps of a question; 0 where that is not known. Former versions did not count questions, but queries.

    Both are the same where an access model asks one query each.
    """
    known = [step for step in taken if isinstance(step, dict)] if isinstance(taken, list) else []
    counts = [step.get("examples", step.get("queries")) for step in known]
    spent = [step.get("seconds") for step in known]
    return sum(
        1000 * seconds / count
        for seconds, count in zip(spent, counts, strict=True)
        if isinstance(seconds, int | float) and isinstance(count, int | float) and count > 0
    )
