"""The folder of a study: its tables, all figures, what made them, and the page.

cells.csv, gains.csv         every cell's means, every gain
rivals.csv                   every two objectives or references of one learner
experiments/seed-N.yaml      the experiment of each seed, as `reml run` takes it
manifest.json                the stages of each
report.html                  the page
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import yaml

from reml.comparison.comparisons import Comparison, gains, rivals
from reml.comparison.conditions import Condition
from reml.comparison.matrix import Matrix
from reml.contract.examples import Json
from reml.experiment.runner import Runner
from reml.files.atomic import digest, write_manifest, write_text
from reml.files.integrity.sealed import FILES, sealed
from reml.reporting.report import REPORT
from reml.reporting.table import Table
from reml.study.cells import shown_measures
from reml.study.page import write_page
from reml.study.tables import all_cells, all_gains, averages, gained, rivalled


def write_result(
    runners: Sequence[Runner], conditions: Sequence[Condition], matrix: Matrix
) -> tuple[Path, list[Table]]:
    """Write all files, those of another study elsewhere; give the folder, and the tables to show."""
    folder, by_access = _folder(runners), {condition.access: condition for condition in conditions}
    gained_by = {task: _by_measure(gains, matrix, conditions, task) for task in matrix.measures}
    beside = {task: _by_measure(rivals, matrix, conditions, task) for task in matrix.measures}
    tables: list[Table] = []
    for task in matrix.measures:
        tables.append(averages(matrix, conditions, task, shown_measures(matrix, task)))
        tables.append(gained(gained_by[task], by_access, task))
        tables.append(rivalled(beside[task], by_access, task))
    write_text(folder / "cells.csv", all_cells(matrix, by_access).comma_separated())
    write_text(folder / "gains.csv", all_gains([*chain(*gained_by.values())], by_access).comma_separated())
    write_text(folder / "rivals.csv", all_gains([*chain(*beside.values())], by_access).comma_separated())
    write_page(
        folder / REPORT,
        runners[0].experiment.name,
        [one for one in tables if one.rows],
        matrix=matrix,
        conditions=conditions,
    )
    _write_experiments(folder, runners)
    return folder, tables


def _by_measure(
    compare: Callable[[Matrix, Sequence[Condition], str, str], list[Comparison]],
    matrix: Matrix,
    conditions: Sequence[Condition],
    task: str,
) -> list[Comparison]:
    return [one for measure in shown_measures(matrix, task) for one in compare(matrix, conditions, task, measure)]


def _folder(runners: Sequence[Runner]) -> Path:
    name = runners[0].experiment.name
    return runners[0].stages.home / "studies" / f"{name}-{digest(*(dict(runner.config) for runner in runners))[:8]}"


def _write_experiments(folder: Path, runners: Sequence[Runner]) -> None:
    for runner in runners:
        path = folder / "experiments" / f"seed-{runner.experiment.seed}.yaml"
        write_text(path, yaml.safe_dump(runner.written_config, sort_keys=False, allow_unicode=True))
    stages = {f"seed {one.experiment.seed}": [stage.to_json() for stage in one.stages.done.values()] for one in runners}
    files: Json = sealed(folder, but=REPORT)
    write_manifest(folder, "study", {"stages": stages, FILES: files})
