"""Tables of figures: how numbers are written, what is marked, and which columns and cells there are."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reml.reporting.figure_tables import Cell, FigureTable, main_table, retrieval_table
from reml.reporting.figures import Difference, Figure, Figures, Retrieved


@pytest.mark.parametrize(
    ("figure", "per_cent", "text", "interval", "brief"),
    [
        (Figure(0.48, 0.38, 0.58, 100), True, "48.0", "[38.0, 58.0]", ".48 ±.10"),
        (Figure(1.0, 0.963, 1.0, 100), True, "100.0", "[96.3, 100.0]", "1.00 ±.02"),
        (Figure(0.0, 0.0, 0.16, 20), True, "0.0", "[0.0, 16.0]", ".00 ±.08"),
        (Figure(0.48), True, "48.0", "", ".48"),
        (Figure(0.5, None, None, 1), True, "50.0", "", ".50"),
        (Figure(-3.4512, -3.6, -3.3, 50), False, "-3.451", "[-3.600, -3.300]", "-3.451 ±0.150"),
        (Figure(0.9, 0.9, 0.9, 3), False, "0.900", "[0.900, 0.900]", "0.900 ±0.000"),
        (None, True, "", "", ""),
    ],
)
def test_how_a_figure_is_written(figure: Figure | None, per_cent: bool, text: str, interval: str, brief: str) -> None:
    cell = Cell(figure, per_cent=per_cent)
    assert (cell.text, cell.interval, cell.brief(2)) == (text, interval, brief)


def test_a_thousand_examples_are_worth_a_third_digit() -> None:
    assert "48 ±.10" in terminal(main_table(figures({"a": {"em": Figure(0.48, 0.38, 0.58, 999)}}), {"t": "em"}))
    assert ".480 ±.010" in terminal(main_table(figures({"a": {"em": Figure(0.48, 0.47, 0.49, 1000)}}), {"t": "em"}))


def figures(
    predicted: Mapping[str, Mapping[str, Figure]],
    own: Mapping[str, tuple[str, Mapping[str, Figure]]] | None = None,
    retrieved: Mapping[str, Retrieved] | None = None,
    tests: tuple[Difference, ...] = (),
) -> Figures:
    """Give figures of one task, `t`."""
    of_systems = {system: {"t": (own or {}).get(system, ("", {}))} for system in predicted}
    by_task = {system: {"t": found} for system, found in predicted.items()}
    return Figures(by_task, of_systems, {"t": retrieved or {}}, tests, former=False, predicts=bool(predicted))


def terminal(table: FigureTable) -> str:
    return "\n".join("|".join(row) for one in table.terminal() for row in ((one.title,), one.columns, *one.rows))


def better(first: str, second: str, *, of: str = "prediction", figure: str = "score", p: float = 0.01) -> Difference:
    return Difference(of, figure, "t", first, second, 0.5, 0.1, 0.9, p / 3, p)


def test_letters_name_the_rows_that_a_figure_is_better_than() -> None:
    found = {name: {"em": Figure(mean, n=9)} for name, mean in (("a", 0.9), ("b", 0.4), ("c", 0.3))}
    tests = (better("a", "b"), better("a", "c"), better("b", "c", p=0.05))
    table = main_table(figures(found, tests=tests), {"t": "em"})
    assert terminal(table) == "t: em, n = 9\naccess|em\na a|.90 bc\nb b|.40\nc c|.30"
    assert [[cell.best for cell in row.cells] for row in table.groups[0].rows] == [[True], [False], [False]]


def test_without_a_significant_difference_there_are_no_letters() -> None:
    found = {name: {"em": Figure(0.4, n=9)} for name in ("a", "b")}
    table = main_table(figures(found, tests=(better("a", "b", p=0.2),)), {"t": "em"})
    assert terminal(table) == "t: em, n = 9\naccess|em\na|.40\nb|.40"
    assert not any(cell.best for row in table.groups[0].rows for cell in row.cells), "none is best where all are alike"


def test_a_system_is_marked_for_its_access_model_and_not_for_another_of_its_name() -> None:
    """The system `flat` reads bm25, and `deep` reads flat: bm25 is better than flat."""
    found = {"flat": {"em": Figure(0.5, n=9)}, "deep": {"em": Figure(0.5, n=9)}}
    own = {"flat": ("bm25", {"Rprec": Figure(0.9, n=9)}), "deep": ("flat", {"Rprec": Figure(0.2, n=9)})}
    tests = (better("bm25", "flat", of="retriever", figure="Rprec"),)
    table = main_table(figures(found, own, tests=tests), {"t": "em"})
    assert terminal(table) == "t: em, n = 9\naccess|R-precision|em\na flat|.90 b|.50\nb deep|.20|.50"


def test_what_was_measured_of_no_row_has_no_column_and_of_one_an_empty_cell() -> None:
    found = {"a": {"em": Figure(0.5, n=9), "Rprec": Figure(0.3, n=9)}, "b": {"em": Figure(0.4, n=9)}}
    table = main_table(figures(found), {"t": "em"})
    assert terminal(table) == "t: em, n = 9\naccess|em|provenance\na|.50|.30\nb|.40|"


def test_examples_are_counted_apart_where_only_some_name_a_page() -> None:
    own = {"a": ("g", {"Rprec": Figure(0.9, n=7)})}
    table = main_table(figures({"a": {"em": Figure(0.5, n=1234)}}, own), {"t": "em"})
    assert table.groups[0].title == "t: em, n = 1,234, 7 with evidence"


@pytest.mark.parametrize(
    ("found", "measure", "brief"),
    [
        ({"a": {"em": Figure(0.5)}, "b": {"em": Figure(0.6)}}, "em", "best em: b 60.0"),
        ({"a": {"em": Figure(0.5)}, "b": {"em": Figure(0.5)}}, "em", "best em: all tie at 50.0"),
        ({"a": {"em": Figure(0)}, "b": {"em": Figure(0)}, "c": {}}, "em", "best em: all tie at 0.0"),
        (
            {"a": {"em": Figure(0.5)}, "b": {"em": Figure(0.5)}, "c": {"em": Figure(0.2)}},
            "em",
            "best em: 2 tie at 50.0",
        ),
        ({"a": {"em": Figure(0.0)}}, "em", "best em: a 0.0"),
        ({"a": {}, "b": {"em": Figure(0.25)}}, "em", "best em: b 25.0"),
        ({"a": {"Rprec": Figure(0.9), "em": Figure(0.1)}, "b": {"em": Figure(0.2)}}, "em", "best em: b 20.0"),
        ({"a": {"own": Figure(-3.0)}, "b": {"own": Figure(-2.5)}}, "own", "best own: b -2.500"),
        ({"a": {"Rprec": Figure(0.9)}}, "em", "best provenance: a 90.0"),
        ({"a": {}, "b": {}}, "em", ""),
    ],
)
def test_what_is_best_is_said_briefly(found: Mapping[str, Mapping[str, Figure]], measure: str, brief: str) -> None:
    table = main_table(figures(found), {"t": measure})
    assert [table.brief(group) for group in table.groups] == [brief]


def test_of_access_models_the_best_is_that_by_r_precision() -> None:
    retrieved = {
        name: Retrieved({"Rprec": Figure(mean, n=9), "recall@5": Figure(1 - mean, n=9)}, (0.5,), graded=False)
        for name, mean in (("g", 0.2), ("h", 0.8))
    }
    table = retrieval_table(figures({}, retrieved=retrieved))
    assert [table.brief(group) for group in table.groups] == ["best R-precision: h 80.0"]


def test_nothing_scored_is_said() -> None:
    table = main_table(figures({"a": {}, "b": {}}), {"t": "em"})
    assert terminal(table) == "t: em, n = 0\naccess\na\nb"
    assert table.caption() == []


def test_what_figures_are_is_said_in_lines_that_fit_a_narrow_terminal() -> None:
    found = {
        name: {"em": Figure(mean, 0.1, 0.9, n=9), "Rprec": Figure(0.5, 0.1, 0.9, n=9)}
        for name, mean in (("a", 0.9), ("b", 0.2))
    }
    own = {"a": ("g", {"Rprec": Figure(0.9, 0.8, 1.0, n=9)})}
    said = main_table(figures(found, own, tests=(better("a", "b"),)), {"t": "em"}).caption()
    assert [line.split(":")[0] for line in said] == ["R-precision and recall", "provenance", "±", "letters"]
    assert max(map(len, said)) <= 80


def test_answers_in_passages_are_shown_where_there_are_any() -> None:
    of = {"R": {"Rprec": Figure(0.5, n=9), "answer_recall@5": Figure(0.0, n=9)}}
    retrieved = {"g": Retrieved(of["R"], (0.5,), graded=False)}
    assert terminal(retrieval_table(figures({}, retrieved=retrieved))) == "t, n = 9\naccess|R-precision\ng|.50"
    some = {**retrieved, "h": Retrieved({"answer_recall@5": Figure(0.2, n=9)}, (), graded=False)}
    assert "answers@5\ng|.50|.00\nh||.20" in terminal(retrieval_table(figures({}, retrieved=some)))


def test_many_systems_have_names_after_z() -> None:
    names = [f"s{number}" for number in range(28)]
    found = {name: {"em": Figure(0.5, n=9)} for name in names}
    table = main_table(figures(found, tests=(better("s0", "s27"),)), {"t": "em"})
    assert terminal(table).split("\n")[2] == "a s0|.50 (28)"
    assert terminal(table).split("\n")[-1] == "(28) s27|.50"
