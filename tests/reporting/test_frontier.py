"""What effectiveness costs: which points there are, which are on the frontier, and that all is said in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.examples import Json
from reml.reporting.figures import Figure, Retrieved
from reml.reporting.frontier import Point, frontier, frontier_plot
from reml.reporting.plots import draw, written

STYLES = {"bm25": 0, "slow": 1, "cascade": 2, "dear": 3}


def step(seconds: float, queries: int = 4, **more: Json) -> dict[str, Json]:
    return {"name": "search", "queries": queries, "items": 40, "seconds": seconds, **more}


def found(**means: float) -> dict[str, Retrieved]:
    return {name: Retrieved({"nDCG@10": Figure(mean)}, (), graded=False) for name, mean in means.items()}


STEPS: dict[str, Json] = {
    "bm25": [step(0.004)],
    "slow": [step(0.04)],
    "cascade": [step(0.004), step(0.036)],
    "dear": [step(0.4)],
}
MEANS = found(bm25=0.4, slow=0.45, cascade=0.6, dear=0.6)


def test_points_are_all_steps_of_a_question_and_the_frontier_is_joined() -> None:
    plot = frontier_plot("nq", STEPS, MEANS, STYLES)
    assert plot is not None
    joined, *points = plot.lines
    assert [(one.name, one.style) for one in points] == list(STYLES.items())
    assert [one.xs[0] for one in points] == pytest.approx([1, 10, 10, 100])
    assert [one.ys[0] for one in points] == [0.4, 0.45, 0.6, 0.6]
    assert joined.name == "frontier of bm25, cascade"
    assert joined.xs == pytest.approx((1, 10))
    assert joined.ys == (0.4, 0.6)


def test_several_queries_of_a_question_are_its_cost() -> None:
    """Twelve queries of four questions, three each."""
    steps: dict[str, Json] = {"bm25": [step(0.004)], "slow": [step(0.024, queries=12, examples=4)]}
    plot = frontier_plot("nq", steps, MEANS, STYLES)
    assert plot is not None
    assert plot.lines[-1].xs == pytest.approx((6,))


@pytest.mark.parametrize(
    "steps",
    [
        None,
        {},
        {"bm25": [step(0.1)]},
        {"bm25": [step(0.1)], "slow": [step(0.0)]},
        {"bm25": [step(0.1)], "slow": [step(0.1, queries=0)]},
        {"bm25": [step(0.1)], "slow": "nothing"},
        {"bm25": [step(0.1)], "unmeasured": [step(0.1)]},
    ],
)
def test_without_two_points_there_is_no_plot(steps: Json) -> None:
    assert frontier_plot("nq", steps, MEANS, STYLES) is None


def test_it_is_drawn_with_names_ticks_and_words() -> None:
    plot = frontier_plot("nq", STEPS, MEANS, STYLES)
    assert plot is not None
    drawn = draw(plot)
    assert drawn.get("aria-label") == (
        "nq: nDCG@10, over milliseconds a question. frontier of bm25, cascade: 0.4 to 0.6; "
        "bm25: 0.4 at 1; slow: 0.45 at 10; cascade: 0.6 at 10; dear: 0.6 at 100"
    )
    said = [text.text for text in drawn.iter("text")]
    assert {"1", "2", "5", "10", "20", "50", "100", *STYLES} <= set(said)
    assert next(line.get("class") for line in drawn.iter("polyline")) == "line joining"
    assert len(list(drawn.iter("circle"))) == 4, "the frontier has no dots of its own"


def test_one_point_that_beats_all_is_joined_to_nothing() -> None:
    plot = frontier_plot("nq", STEPS, found(bm25=0.9, slow=0.5), STYLES)
    assert plot is not None
    assert [line.name for line in plot.lines] == ["bm25", "slow"]


COST = st.sampled_from([0.003, 0.01, 0.2, 1.0, 4.0, 70.0, 123456.0])
POINTS = st.lists(st.tuples(st.sampled_from(list(STYLES)), COST, st.sampled_from([0.0, 0.25, 0.5, 1.0])), min_size=2)


@given(POINTS)
def test_the_frontier_is_what_nothing_beats(points: list[Point]) -> None:
    best = frontier(points)
    for _, cost, mean in points:
        beaten = any((c <= cost and m > mean) or (c < cost and m >= mean) for _, c, m in points)
        assert ((cost, mean) in {(c, m) for _, c, m in best}) is not beaten
    assert [one[1:] for one in best] == sorted({one[1:] for one in best}), "each once, cheapest first"


@given(POINTS)
def test_any_points_can_be_drawn_on_round_numbers(points: list[Point]) -> None:
    steps: dict[str, Json] = {f"{name} {n}": [step(cost / 250)] for n, (name, cost, _) in enumerate(points)}
    means = found(**{f"{name} {n}": mean for n, (name, _, mean) in enumerate(points)})
    plot = frontier_plot("nq", steps, means, {name: n for n, name in enumerate(steps)})
    assert plot is not None
    drawn = draw(plot)
    assert "nan" not in written(drawn)
    for circle in drawn.iter("circle"):
        assert 45 <= float(circle.get("cx", "")) <= 347
    ticks = [text for text in drawn.iter("text") if text.get("y") == "220"]
    assert 2 <= len(ticks) <= 10
