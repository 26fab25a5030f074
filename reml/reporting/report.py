"""`report.html` of a result folder: one file that needs nothing else, to read, to print and to send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from operator import attrgetter
from pathlib import Path
from string import Template
from xml.etree import ElementTree as Tree

from reml.files.atomic import write_text
from reml.reporting.markup import element, render
from reml.reporting.plots import Line, Plot, figure, legend
from reml.reporting.report_cases import cases_section
from reml.reporting.report_origin import origin_section
from reml.reporting.result_folder import Curve, Figures, Results, read_results

_CASES_EACH = 6
_GROUPS: tuple[tuple[str, Callable[[Figures], float]], ...] = (
    ("R-precision", attrgetter("r_precision")),
    ("Downstream", attrgetter("downstream")),
    ("KILT score", attrgetter("kilt")),
)
# What training logs of an index that is searched meanwhile (reml/training/loop/refresh_callback.py).
_INDEX = {
    "index/age": "all vectors",
    "index/age_retrieved": "those retrieved",
    "index/overlap": "share of items that stay",
}


def write_report(run: Path, cases_each: int = _CASES_EACH) -> Path:
    """Write `report.html` into a result folder and give its path.

    It shows `cases_each` examples of each outcome, task and access model. `CorruptError` names what the folder lacks.
    """
    results = read_results(run, cases_each)
    sections = (
        _figures_section(results),
        _retrieval_section(results),
        *([_training_section(results)] if results.curves or results.taught else []),
        cases_section(results.cells),
        origin_section(results.manifest),
    )
    page = Template(_resource("report.html")).substitute(
        title=render(element("title", None, f"reml: {results.name}")),
        style=_resource("report.css"),
        script=_resource("report.js"),
        heading=render(element("h1", None, results.name)),
        links=render(*(_link(section) for section in sections)),
        body=render(*sections),
    )
    path = run / "report.html"
    write_text(path, page)
    return path


def _link(section: Tree.Element) -> Tree.Element:
    return element("a", {"href": f"#{section.get('id')}"}, section.findtext("h2") or "")


def _resource(name: str) -> str:
    return (resources.files("reml.reporting") / name).read_text(encoding="utf-8")


def _figures_section(results: Results) -> Tree.Element:
    note = (
        "Per cent. Downstream is the measure that KILT ranks the task by; the KILT score counts it only where "
        "R-precision is 1. The best access model of each task is bold."
    )
    span = {"colspan": str(len(results.accesses)), "scope": "colgroup"}
    top = element("tr", None, element("th", {"rowspan": "2", "scope": "col"}, "Task"))
    top.append(element("th", {"rowspan": "2", "scope": "col"}, "Measure"))
    top.extend(element("th", span, name) for name, _ in _GROUPS)
    names = element("tr", None, *(element("th", {"scope": "col"}, name) for _ in _GROUPS for name in results.accesses))
    rows = [_figures_row(results, task) for task in results.measures]
    table = element("table", {"class": "figures"}, element("thead", None, top, names), element("tbody", None, *rows))
    scroll = element("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Results"}, table)
    return element("section", {"id": "results"}, element("h2", None, "Results"), scroll, element("p", None, note))


def _figures_row(results: Results, task: str) -> Tree.Element:
    found = [results.figures.get((access, task)) for access in results.accesses]
    row = element("tr", None, element("th", {"scope": "row"}, task), element("td", None, results.measures[task]))
    for _, figure_of in _GROUPS:
        values = [None if figures is None else figure_of(figures) for figures in found]
        best = max((value for value in values if value is not None), default=None)
        row.extend(_figure(value, best=value == best) for value in values)
    return row


def _figure(value: float | None, *, best: bool) -> Tree.Element:
    if value is None:
        return element("td", {"class": "number"}, "–")
    text = f"{100 * value:.1f}"
    return element("td", {"class": "number"}, element("strong", None, text) if best else text)


def _retrieval_section(results: Results) -> Tree.Element:
    note = (
        "Recall of evidence sets within the first k pages: a set of several pages counts when all of them are there. "
        "The diamond on the left edge is R-precision."
    )
    plots = [figure(_recall_plot(results, task)) for task in results.measures]
    grid = element("div", {"class": "plots"}, *plots)
    heading = element("h2", None, "Retrieval against k")
    return element("section", {"id": "retrieval"}, heading, legend(results.accesses), grid, element("p", None, note))


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


def _training_section(results: Results) -> Tree.Element:
    section = element("section", {"id": "training"}, element("h2", None, "Training"))
    for stage, curves in {"train the predictor": results.curves, **results.taught}.items():
        if curves:
            plots = [_curves_figure(plot) for plot in _training_plots(curves) if plot.lines]
            section.extend((element("h3", None, stage), element("div", {"class": "plots"}, *plots)))
    return section


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


def _curves_figure(plot: Plot) -> Tree.Element:
    drawn = figure(plot)
    drawn.append(legend([line.name for line in plot.lines]))
    return drawn
