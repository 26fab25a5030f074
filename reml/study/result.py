"""The folder of a study: its tables, all figures, what made them, and the page.

cells.csv, gains.csv         every cell's means, every gain
experiments/seed-N.yaml      the experiment of each seed, as `reml run` takes it
manifest.json                the stages of each
report.html                  the page
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from reml.comparison.comparisons import Comparison, gains
from reml.comparison.conditions import Condition
from reml.comparison.matrix import Matrix
from reml.experiment.runner import Runner
from reml.files.atomic import digest, write_manifest, write_text
from reml.reporting.table import Table
from reml.study.cells import shown_measures
from reml.study.page import write_page
from reml.study.tables import all_cells, all_gains, averages, gained


def write_result(
    runners: Sequence[Runner], conditions: Sequence[Condition], matrix: Matrix
) -> tuple[Path, list[Table]]:
    """Write all files, those of another study elsewhere; give the folder, and the tables to show."""
    folder, by_access = _folder(runners), {condition.access: condition for condition in conditions}
    found = {task: _gains(matrix, conditions, task) for task in matrix.measures}
    tables: list[Table] = []
    for task in matrix.measures:
        tables.append(averages(matrix, conditions, task, shown_measures(matrix, task)))
        tables.append(gained(found[task], by_access, task))
    every = [gain for of_task in found.values() for gain in of_task]
    write_text(folder / "cells.csv", all_cells(matrix, by_access).comma_separated())
    write_text(folder / "gains.csv", all_gains(every, by_access).comma_separated())
    write_page(folder / "report.html", runners[0].experiment.name, tables, matrix=matrix, conditions=conditions)
    _write_experiments(folder, runners)
    return folder, tables


def _gains(matrix: Matrix, conditions: Sequence[Condition], task: str) -> list[Comparison]:
    return [gain for measure in shown_measures(matrix, task) for gain in gains(matrix, conditions, task, measure)]


def _folder(runners: Sequence[Runner]) -> Path:
    name = runners[0].experiment.name
    return runners[0].stages.home / "studies" / f"{name}-{digest(*(dict(runner.config) for runner in runners))[:8]}"


def _write_experiments(folder: Path, runners: Sequence[Runner]) -> None:
    for runner in runners:
        path = folder / "experiments" / f"seed-{runner.experiment.seed}.yaml"
        write_text(path, yaml.safe_dump(dict(runner.config), sort_keys=False, allow_unicode=True))
    stages = {f"seed {one.experiment.seed}": [stage.to_json() for stage in one.stages.done.values()] for one in runners}
    write_manifest(folder, "study", {"stages": stages})
