"""`report.html` of a result folder: one file that needs nothing else, to read, to print and to send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from reml.contract.arguments.paths import takes_paths
from reml.evaluation.kilt import MEASURES
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot
from reml.reporting.report_cases import shown_examples
from reml.reporting.report_origin import origin_of
from reml.reporting.result_folder import Curve, Figures, Results, read_results

REPORT = "report.html"
_CASES_EACH = 6
DOWNSTREAM = "Downstream"
_GROUPS: tuple[tuple[str, Callable[[Figures], float | None]], ...] = (
    ("R-precision", attrgetter("r_precision")),
    (DOWNSTREAM, attrgetter("downstream")),
    ("KILT score", attrgetter("kilt")),
)
# What training logs of an index that is searched meanwhile (reml/training/loop/refresh_callback.py).
_INDEX = {
    "index/age": "all vectors",
    "index/age_retrieved": "those retrieved",
    "index/overlap": "share of items that stay",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the first table as text; the best access model's of a task is set in bold."""

    text: str
    best: bool


@dataclass(frozen=True, slots=True)
class FiguresRow:
    """The figures of a task: those of every access model by R-precision, then by the other measures."""

    task: str
    measure: str
    figures: tuple[Figure, ...]


@takes_paths
def write_report(run: Path, cases_each: int = _CASES_EACH) -> Path:
    """Write `report.html` into a result folder and give its path.

    It shows `cases_each` examples of each outcome, task and access model. `CorruptError` names what the folder lacks.
    """
    results = read_results(run, cases_each)
    values = {
        "title": f"reml: {results.name}",
        "heading": results.name,
        "groups": [name for name, _ in _GROUPS],
        "accesses": results.accesses,
        "own": any(measure not in MEASURES for measure in results.measures.values()),
        "figures": [_figures_row(results, task) for task in results.measures],
        "recalls": [_recall_plot(results, task) for task in results.measures],
        "trainings": _trainings(results),
        "examples": shown_examples(results.cells),
        "origin": origin_of(results.manifest),
    }
    path = run / REPORT
    write_whole_page(path, "reml.reporting/templates/report.html", values)
    return path


def _figures_row(results: Results, task: str) -> FiguresRow:
    found = [results.figures.get((access, task)) for access in results.accesses]
    shown: list[Figure] = []
    for group, figure_of in _GROUPS:
        per_cent = group != DOWNSTREAM or results.measures[task] in MEASURES
        values = [None if figures is None else figure_of(figures) for figures in found]
        best = max((value for value in values if value is not None), default=None)
        shown += (_figure(value, best, per_cent=per_cent) for value in values)
    return FiguresRow(task, results.measures[task], tuple(shown))


def _figure(value: float | None, best: float | None, *, per_cent: bool) -> Figure:
    if value is None:
        return Figure("–", best=False)
    return Figure(f"{100 * value:.1f}" if per_cent else f"{value:.3f}", value == best)


def _recall_plot(results: Results, task: str) -> Plot:
    styles = {access: style for style, access in enumerate(results.accesses)}
    lines = tuple(
        Line(
            name=cell.access,
            xs=tuple(float(k) for k in range(1, len(cell.recall) + 1)),
            ys=cell.recall,
            style=styles[cell.access],
            level=results.figures[cell.access, task].r_precision,
        )
        for cell in results.cells
        if cell.task == task
    )
    return Plot(title=f"{task}: recall", x_label="k", lines=lines, floor=0.0, ceiling=1.0)


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
