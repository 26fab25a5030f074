"""The folder of a matrix: its tables, all figures, what made them, and the page.

config.yaml, manifest.json   the experiment, its seeds, and where each seed's own results are
cells.csv                    every cell's own figures
figures.csv, costs.csv, tests.csv, published.csv
report.html                  the page
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from reml.benchmarks.kilt.grid import Grid
from reml.benchmarks.kilt.matrix import Matrix
from reml.benchmarks.kilt.page import write_page
from reml.files import digest, write_manifest, write_text
from reml.types import Json

KIND = "benchmark"


def write_result(home: Path, config: Mapping[str, Json], matrix: Matrix, tables: Mapping[str, Grid]) -> Path:
    """Write all files, those of another experiment elsewhere; give the page's path.

    config: the experiment under its first seed.
    """
    name = str(config["name"])
    made_by = digest(dict(config), list(matrix.seeds), list(matrix.accesses))
    folder = home / "benchmarks" / f"{name}-{made_by[:8]}"
    write_text(folder / "config.yaml", yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))
    for file, grid in tables.items():
        write_text(folder / f"{file}.csv", grid.comma_separated())
    runs: dict[str, Json] = {str(cell.seed): cell.report.parent.name for cell in matrix.cells}
    measures: dict[str, Json] = dict(matrix.measures)
    content: dict[str, Json] = {"config": dict(config), "measures": measures, "runs": runs}
    write_manifest(folder, KIND, {**content, "accesses": list(matrix.accesses), "seeds": list(matrix.seeds)})
    write_page(folder / "report.html", name, matrix, tables)
    return folder / "report.html"
