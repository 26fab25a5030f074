"""`reml study FILE`: runs what a study plans and writes the comparison."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml
from rich.console import Console

from reml.cli.loading import load
from reml.experiment.runner import Runner
from reml.files.atomic import digest, write_manifest, write_text
from reml.reporting.terminal import print_whole
from reml.study.cells import Cell, measure_cell, shown_measures
from reml.study.comparison import gains
from reml.study.page import write_page
from reml.study.plan import Study, read_study, with_seed
from reml.study.tables import averages, cells_csv, gained, gains_csv

USAGE = """usage: reml study FILE.yaml [--home DIR] [settings of the experiment]

Compare feedback objectives: FILE is an experiment with a further part `study` (see benchmarks/configs/feedback.yaml).
It runs objectives x learners x seeds beside their controls and writes tables, CSV and report.html.
"""


def study(arguments: Sequence[str], console: Console) -> Path | None:
    """Run a study, go on with one that was stopped, or show what is done; give its result folder.

    With `--help` it says how it is called. `ValueError` for a file that is no study.
    """
    if not arguments or arguments[0] in {"-h", "--help"}:
        console.print(USAGE, highlight=False, markup=False)
        return None
    if arguments[0].startswith("-"):
        raise ValueError(f"name the study's file first, not {arguments[0]}: reml study FILE.yaml [settings].")
    planned, experiment = read_study(Path(arguments[0]))
    runners = [_runner(with_seed(planned, experiment, seed), arguments[1:]) for seed in planned.seeds]
    cells = [cell for runner in runners for cell in _cells(planned, runner)]
    folder = _folder(runners)
    _write(folder, planned, runners, cells=cells, console=console)
    console.print(f"results: {folder}\nreport:  {folder / 'report.html'}", highlight=False, soft_wrap=True)
    return folder


def _runner(written: object, settings: Sequence[str]) -> Runner:
    """Load an experiment as `reml run` would load it from a file."""
    with tempfile.TemporaryDirectory(prefix="reml-study-") as folder:
        path = Path(folder) / "experiment.yaml"
        path.write_text(yaml.safe_dump(written, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return load("run", ["--config", str(path), *settings])[0]


def _cells(planned: Study, runner: Runner) -> list[Cell]:
    return [
        measure_cell(runner, condition, task) for condition in planned.conditions() for task in runner.experiment.tasks
    ]


def _folder(runners: Sequence[Runner]) -> Path:
    name = runners[0].experiment.name
    return runners[0].stages.home / "studies" / f"{name}-{digest(*(dict(runner.config) for runner in runners))[:8]}"


def _write(folder: Path, planned: Study, runners: Sequence[Runner], *, cells: Sequence[Cell], console: Console) -> None:
    grids, found = [], []
    for task in runners[0].experiment.tasks:
        measures = shown_measures(task.measure)
        of_task = [gain for measure in measures for gain in gains(cells, task.name, measure)]
        grids += [averages(cells, planned.conditions(), task.name, measures), gained(of_task)]
        found += of_task
    for grid in grids:
        print_whole(console, grid.terminal())
    write_text(folder / "cells.csv", cells_csv(cells))
    write_text(folder / "gains.csv", gains_csv(found))
    write_page(folder / "report.html", runners[0].experiment.name, grids, cells)
    for runner in runners:
        path = folder / "experiments" / f"seed-{runner.experiment.seed}.yaml"
        write_text(path, yaml.safe_dump(dict(runner.config), sort_keys=False, allow_unicode=True))
    stages = {f"seed {one.experiment.seed}": [stage.to_json() for stage in one.stages.done.values()] for one in runners}
    write_manifest(folder, "study", {"stages": stages})
