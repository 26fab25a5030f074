"""The folder of a matrix: its tables, all figures, what made them, and the page.

config.yaml, manifest.json   the experiment, its seeds, and where each seed's own results are
cells.csv                    every cell's own figures
figures.csv, costs.csv, tests.csv, published.csv
report.html                  the page
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import yaml

from reml.benchmarks.kilt.page import write_page
from reml.comparison.matrix import Matrix
from reml.contract.examples import Json
from reml.experiment.results import PACKAGES
from reml.files.atomic import digest, read_manifest, write_manifest, write_text
from reml.files.environment import without_values
from reml.files.integrity.sealed import FILES, sealed
from reml.reporting.report import REPORT
from reml.reporting.table import Table

KIND = "benchmark"


def write_result(home: Path, config: Mapping[str, Json], *, matrix: Matrix, tables: Mapping[str, Table]) -> Path:
    """Write all files, those of another experiment elsewhere; give the page's path.

    config: the experiment under its first seed.
    """
    name = str(config["name"])
    made_by = digest(dict(config), list(matrix.seeds), list(matrix.accesses))
    folder = home / "benchmarks" / f"{name}-{made_by[:8]}"
    write_text(folder / "config.yaml", yaml.safe_dump(without_values(config), sort_keys=False, allow_unicode=True))
    for file, grid in tables.items():
        write_text(folder / f"{file}.csv", grid.comma_separated())
    files: Json = sealed(folder, but=REPORT)
    written: dict[str, Json] = {"name": name, "config": without_values(config), **_described(matrix)}
    write_manifest(folder, KIND, {**written, FILES: files})
    write_page(folder / REPORT, matrix, tables=tables, manifest=read_manifest(folder, KIND))
    return folder / REPORT


def _described(matrix: Matrix) -> dict[str, Json]:
    runs: dict[str, Json] = {str(seed): run.name for seed, run in matrix.runs.items()}
    return {
        "seeds": list(matrix.seeds),
        "accesses": list(matrix.accesses),
        "measures": dict(matrix.measures),
        "runs": runs,
        "versions": {name: metadata.version(name) for name in PACKAGES},
    }
