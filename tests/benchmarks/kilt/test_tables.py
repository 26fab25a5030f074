from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from rich.console import Console

from reml.benchmarks.kilt import tables
from reml.benchmarks.kilt.published import read_published
from reml.comparison.comparisons import comparisons
from reml.reporting.table import Table
from tests.benchmarks.kilt.small_matrix import matrix


def rows(grid: Table) -> list[dict[str, str]]:
    return [dict(zip(grid.columns, row, strict=True)) for row in grid.rows]


def test_figures_stand_by_task_and_access() -> None:
    shown = rows(tables.figures(matrix()))
    assert [(row["task"], row["access"], row["n"]) for row in shown] == [
        ("nq", "bm25", "6"),
        ("nq", "dense", "6"),
        ("places", "bm25", "3"),
        ("places", "dense", "3"),
    ]
    assert (shown[0]["measure"], shown[0]["KILT score"]) == ("em", "41.7 ± 105.9")
    assert shown[2]["downstream"] == "66.7 ± 0.0"


def test_costs_are_means_and_peaks_maxima() -> None:
    first, second, *_ = rows(tables.costs(matrix()))
    assert first == {
        "task": "nq", "access": "bm25", "train s": "10.5", "index s": "2.0", "retrieve s": "0.6", "predict s": "2.4",
        "peak MiB": "4", "index MiB": "1.00", "words read": "100",
    }  # fmt: skip
    assert second["words read"] == "–"


def test_tests_are_starred_after_correction_only() -> None:
    found = rows(tables.paired(matrix(), comparisons(matrix())))
    assert len(found) == 8
    assert found[0]["difference"] == "-50.0"
    assert (found[0]["p"], found[0]["p corrected"]) == ("0.1250", "0.2500")


def test_published_results_stand_beside_ours_and_say_why_they_do_not_compare() -> None:
    why: Mapping[str, Sequence[str]] = {"nq": ["dev split", "not KILT's own examples"], "places": []}
    shown = rows(tables.beside(matrix(), read_published(), why))
    assert {row["task"] for row in shown} == {"nq"}, "nothing is published on places"
    ours = [row for row in shown if row["system"].startswith("ours")]
    assert {row["not comparable"] for row in ours} == {"dev split; not KILT's own examples"}
    assert [row["figure"] for row in ours] == ["KILT score"] * 2 + ["downstream"] * 2
    (stochastic,) = [row for row in shown if row["system"] == "Stochastic RAG with FiD-Light, T5-XL"]
    assert (stochastic["value"], stochastic["split"], stochastic["not comparable"]) == ("53.0", "test", "")
    (other,) = [row for row in shown if row["system"] == "EMDR²"]
    assert other["not comparable"] == "not KILT's data"


def test_cells_are_written_unrounded_as_csv() -> None:
    text = tables.cells(matrix()).comma_separated()
    found = list(csv.DictReader(io.StringIO(text)))
    assert len(found) == 8
    assert float(found[0]["R-precision"]) == 2 / 6


def test_a_grid_is_shown_in_the_terminal() -> None:
    grid = Table(("task", "n", "p"), frozenset({"task"}), [("nq", "12", "0.5")]).only(("task", "n"))
    console = Console(width=120, file=io.StringIO())
    with console.capture() as captured:
        console.print(grid.terminal())
    assert [line.split() for line in captured.get().splitlines() if "n" in line] == [["task", "n"], ["nq", "12"]]
