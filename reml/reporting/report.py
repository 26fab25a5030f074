"""`report.html` of a result folder: one file that needs nothing else, to read, to print and to send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reml.contract.arguments.paths import takes_paths
from reml.evaluation.kilt import KILT, MEASURES
from reml.reporting.figure_tables import main_table, retrieval_table
from reml.reporting.figures import PREDICTION, PROVENANCE, RETRIEVER, SHOWN_OF_RETRIEVERS, Difference, Figures
from reml.reporting.frontier import frontier_plot
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot
from reml.reporting.report_cases import shown_examples
from reml.reporting.report_origin import origin_of
from reml.reporting.result_folder import Curve, Results, read_results
from reml.reporting.table import Table

REPORT = "report.html"
_CASES_EACH = 3
# What training logs of an index that is searched meanwhile (reml/training/loop/refresh_callback.py).
_INDEX = {
    "index/age": "all vectors",
    "index/age_retrieved": "those retrieved",
    "index/overlap": "share of items that stay",
}


@takes_paths
def write_report(run: Path, cases_each: int = _CASES_EACH) -> Path:
    """Write `report.html` into a result folder and give its path.

    It shows at least `cases_each` examples of each outcome, task and access model. `CorruptError` names what the folder
    lacks.
    """
    results = read_results(run, cases_each)
    figures = results.figures
    values = {
        "title": f"reml: {results.name}",
        "heading": results.name,
        "figures": figures,
        "folder": run.resolve().name,
        "main": main_table(figures, results.measures) if figures.predicts else None,
        "retrieval": retrieval_table(figures),
        "own": any(measure not in MEASURES for measure in results.measures.values()),
        "tests": _tests(figures, results.measures),
        "accesses": _access_names(figures),
        "recalls": [plot for task in figures.retrieved for plot in _recall_plots(figures, task)],
        "frontiers": _frontiers(results),
        "trainings": _trainings(results),
        "examples": shown_examples(results.cells, results.questions, predicts=figures.predicts, each=cases_each),
        "origin": origin_of(results.manifest),
    }
    path = run / REPORT
    write_whole_page(path, "reml.reporting/templates/report.html", values)
    return path


def _access_names(figures: Figures) -> list[str]:
    return list(dict.fromkeys(name for found in figures.retrieved.values() for name in found))


def _styles(figures: Figures) -> dict[str, int]:
    return {access: style for style, access in enumerate(_access_names(figures))}


def _frontiers(results: Results) -> list[Plot]:
    """Plot effectiveness against costs, by task, where steps of access models are known."""
    steps, figures = results.manifest.get("steps"), results.figures
    by_task = steps if isinstance(steps, dict) else {}
    styles = _styles(figures)
    plots = [frontier_plot(task, by_task.get(task), found, styles) for task, found in figures.retrieved.items()]
    return [plot for plot in plots if plot is not None]


def _recall_plots(figures: Figures, task: str) -> list[Plot]:
    """Plot the recall of every access model, if any page is known to be right."""
    styles = _styles(figures)
    lines = tuple(
        Line(access, tuple(float(k) for k in range(1, len(one.recall) + 1)), one.recall, styles[access])
        for access, one in figures.retrieved[task].items()
        if one.recall and "Rprec" in one.figures
    )
    return [Plot(f"{task}: recall", "first k pages", lines, within=(0.0, 1.0), spread=True)] if lines else []


def _tests(figures: Figures, measures: Mapping[str, str]) -> dict[str, Table]:
    """Give the tests of each task as a table."""
    columns = ("of", "figure", "first", "second", "difference", "95 % interval", "p", "p (Holm)")
    words = frozenset({"of", "figure", "first", "second"})
    rows: dict[str, list[list[str]]] = {}
    for one in figures.tests:
        rows.setdefault(one.task, []).append(_test_row(one, measures.get(one.task, "")))
    return {task: Table(columns, words, of_task) for task, of_task in rows.items()}


def _test_row(one: Difference, measure: str) -> list[str]:
    figure = {"score": measure, "KILT score": f"{KILT}{measure}"}.get(one.figure)
    names = SHOWN_OF_RETRIEVERS if one.of == RETRIEVER else {"Rprec": PROVENANCE}
    known = names.get(one.figure, one.figure) if figure is None else figure
    scale, digits = (1, 3) if one.of == PREDICTION and figure and measure not in MEASURES else (100, 1)
    difference, low, high = (f"{scale * value:+.{digits}f}" for value in (one.difference, one.low, one.high))
    star = "*" if one.better else ""
    return [
        one.of,
        known,
        *(one.first, one.second, difference),
        f"[{low}, {high}]",
        f"{one.p:.4f}",
        f"{one.corrected:.4f}{star}",
    ]


def _trainings(results: Results) -> dict[str, list[Plot]]:
    """Plot the curves of every training that left any, by its stage."""
    stages = {"train the predictor": results.curves, **results.taught}
    return {
        stage: [plot for plot in _training_plots(curves) if plot.lines] for stage, curves in stages.items() if curves
    }


def _training_plots(curves: Sequence[Curve]) -> list[Plot]:
    step = "optimisation step"
    plots = [Plot("Loss", step, _lines(curves, "train/")), Plot("Scores on dev", step, _lines(curves, "dev/"))]
    if any(any(curve.values) for curve in curves if curve.name in _INDEX):  # else no vector aged or was made anew
        ages, moved = _lines(curves, "index/age"), _lines(curves, "index/overlap")
        plots.append(Plot("Mean age of vectors, in steps", step, ages, floor=0.0))
        plots.append(Plot("Overlap of top k at a refresh", step, moved, floor=0.0, ceiling=1.0))
    return plots


def _lines(curves: Sequence[Curve], prefix: str) -> tuple[Line, ...]:
    chosen = [curve for curve in curves if curve.name.startswith(prefix)]
    return tuple(
        Line(_INDEX.get(curve.name, curve.name), curve.steps, curve.values, style) for style, curve in enumerate(chosen)
    )
