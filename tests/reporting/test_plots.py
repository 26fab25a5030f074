"""Line plots: where points stand, what they say, and round numbers on the axes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.reporting.plots import Line, Plot, draw, legend, ticks, written


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (1.0, 10.0, [2.0, 4.0, 6.0, 8.0, 10.0]),
        (-3.0, 7.0, [-2.0, 0.0, 2.0, 4.0, 6.0]),
        (0.0, 5000.0, [0.0, 1000.0, 2000.0, 3000.0, 4000.0, 5000.0]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == expected


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_lie_within_and_are_few(low: float, width: float) -> None:
    found = ticks(low, low + width)
    assert 2 <= len(found) <= 6
    assert low - 1e-6 * width <= found[0]
    assert found[-1] <= low + width * (1 + 1e-6)


def test_points_stand_where_their_values_say() -> None:
    line = Line("bm25", xs=(0.0, 10.0), ys=(0.0, 1.0), style=1)
    drawn = draw(Plot("recall", "k", (line,), floor=0.0, ceiling=1.0))
    polyline = drawn.find("polyline")
    assert polyline is not None
    # The plot's area reaches from (46, 12) to (346, 204).
    assert polyline.get("points") == "46.0,204.0 346.0,12.0"
    assert polyline.get("class") == "line colour1 dash1"
    assert [title.text for title in drawn.iter("title")] == ["bm25: 0 at 0", "bm25: 1 at 10"]
    assert drawn.get("aria-label") == "recall, over k. bm25: 0 to 1"


def test_numbers_of_many_digits_are_short_on_the_axes() -> None:
    drawn = draw(Plot("MB", "pages", (Line("disk", xs=(0.0, 300_000.0), ys=(0.0, 2.5e6), style=0),)))
    said = [text.text for text in drawn.iter("text")]
    assert {"100k", "200k", "300k", "500k", "1M", "2.5M"} <= set(said)
    assert not any("e+" in (text or "") for text in said)


def test_long_lines_have_no_dots() -> None:
    xs = tuple(float(number) for number in range(41))
    drawn = draw(Plot("loss", "step", (Line("train_loss", xs, xs, 0),)))
    polyline = drawn.find("polyline")
    assert polyline is not None
    assert len(polyline.get("points", "").split()) == 41
    assert drawn.find("circle") is None


@pytest.mark.parametrize("line", [Line("flat", (1.0,), (2.0,), 0), Line("none", (), (), 0)])
def test_one_point_or_none_still_makes_a_plot(line: Line) -> None:
    assert "nan" not in written(draw(Plot("title", "k", (line,))))
    assert "nan" not in written(draw(Plot("title", "k", ())))


def test_the_legend_names_lines_in_their_styles() -> None:
    entries = list(legend(["bm25", "<b>"]))
    assert [entry[0][0].get("class") for entry in entries] == ["line colour0 dash0", "line colour1 dash1"]
    assert "&lt;b&gt;" in written(entries[1])


def labels(plot: Plot) -> list[str | None]:
    return [text.text for text in draw(plot).iter("text")]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.9, 0.95, 1.0), ["0.9", "0.92", "0.94", "0.96", "0.98", "1"]),
        ((0.97, 0.98), ["0.97", "0.972", "0.974", "0.976", "0.978", "0.98"]),
        ((0.0, 0.4), ["0", "0.1", "0.2", "0.3", "0.4"]),
        ((0.1, 0.93), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ((1.0, 1.0), ["0.4", "0.6", "0.8", "1"]),
        ((0.0, 0.0), ["0", "0.2", "0.4"]),
    ],
)
def test_the_axis_shows_differences_and_never_more_than_there_can_be(
    values: tuple[float, ...], expected: list[str]
) -> None:
    xs = tuple(float(number) for number in range(1, len(values) + 1))
    said = labels(Plot("recall", "k", (Line("a", xs, values, 0),), within=(0.0, 1.0)))
    assert [one for one in said if one][: len(expected)] == expected


def test_places_are_spread_by_factors() -> None:
    line = Line("a", (1.0, 10.0, 100.0), (0.0, 0.5, 1.0), 0)
    drawn = draw(Plot("recall", "k", (line,), spread=True))
    polyline = drawn.find("polyline")
    assert polyline is not None
    assert polyline.get("points") == "46.0,204.0 196.0,108.0 346.0,12.0"
    said = labels(Plot("recall", "k", (line,), spread=True))
    assert said[-8:-1] == ["1", "2", "5", "10", "20", "50", "100"]
    alone = written(draw(Plot("recall", "k", (Line("a", (1.0,), (0.5,), 0),), spread=True)))
    assert "nan" not in alone


def test_points_have_their_names_beside_them_and_no_name_is_on_another() -> None:
    """Three at one place to the left, one to the right whose name is too long."""
    names = ("a", "bb", "ccc", "a very long name of an access model")
    lines = [Line(name, (x,), (0.5,), style) for style, (name, x) in enumerate(zip(names, (1, 1, 1, 100), strict=True))]
    drawn = draw(Plot("nDCG", "ms", (*lines, Line("two", (1, 100), (0, 1), 0)), spread=True, named=True))
    said = {text.text: text for text in drawn.iter("text")}
    assert "two" not in said, "a line is named by the legend"
    heights = sorted(float(said[name].get("y", "")) for name in names[:3])
    assert [later - first for first, later in itertools.pairwise(heights)] == [12, 12]
    assert said["ccc"].get("class") == "dot colour2", "in the colour of its dot"
    assert said["a"].get("text-anchor") == "start"
    assert said["a very long name of a…"].get("text-anchor") == "end"
    assert not {"a", "bb"} & {text.text for text in draw(Plot("nDCG", "ms", tuple(lines))).iter("text")}


def test_small_numbers_are_spread_and_many_decades_have_room() -> None:
    few = Line("a", (0.02, 0.3), (0.0, 1.0), 0)
    assert labels(Plot("ms", "k", (few,), spread=True, begins=0.02))[-5:-1] == ["0.02", "0.05", "0.1", "0.2"]
    many = Line("a", (0.01, 3000.0), (0.0, 1.0), 0)
    said = labels(Plot("ms", "k", (many,), spread=True, begins=0.01))
    assert said[-7:-1] == ["0.01", "0.1", "1", "10", "100", "1000"]


def test_a_joining_line_has_neither_dots_nor_dashes() -> None:
    drawn = draw(Plot("ms", "k", (Line("a", (1.0, 2.0), (0.0, 1.0), 1, joining=True),)))
    polyline = drawn.find("polyline")
    assert polyline is not None
    assert polyline.get("class") == "line joining"
    assert drawn.find("circle") is None
