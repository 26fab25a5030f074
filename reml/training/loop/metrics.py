"""Training metrics as CSV: one line a number, only ever appended, continued after a kill without gap or repetition."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path

from pytorch_lightning.loggers.logger import Logger

from reml.files.atomic import write_text
from reml.files.integrity.checked import reading
from reml.files.replacing.unlinked import unlinked

_COLUMNS = ("step", "name", "value")


class MetricsCsv(Logger):
    """A Lightning logger to a CSV file with the columns step, name, value.

    path: the file. after: the step that training resumes from: what was logged later is dropped, as it comes again.
    """

    def __init__(self, path: Path, after: int = 0) -> None:
        super().__init__()
        kept = [row for row in read_metrics(path) if row[0] <= after] if after else []
        write_text(path, "".join(_line(row) for row in (_COLUMNS, *kept)))
        self._stream = open(path, "a", encoding="utf-8", opener=unlinked)  # noqa: SIM115 - `finalize` closes it

    @property
    def name(self) -> str:
        """Lightning's name for it."""
        return "metrics"

    @property
    def version(self) -> str:
        """There is one version: the run's."""
        return ""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append one line for each metric; it survives the death of this process at once."""
        self._stream.write("".join(_line((step or 0, name, value)) for name, value in metrics.items()))
        self._stream.flush()

    def log_hyperparams(self, *args: object, **kwargs: object) -> None:
        """Do nothing: the settings stand in the run's manifest."""

    def save(self) -> None:
        """Make what was logged survive the death of the machine."""
        os.fsync(self._stream.fileno())

    def finalize(self, status: str) -> None:  # noqa: ARG002
        """Close the file."""
        self._stream.close()


def read_metrics(path: Path) -> list[tuple[int, str, float]]:
    """Read (step, name, value) in the order they were logged; a last line that was not written whole is left out."""
    if not path.exists():
        return []
    with reading(path, "Delete its folder to train again."):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
        return [(int(step), name, float(value)) for step, name, value in csv.reader(lines[1:])]


def _line(row: tuple[object, object, object]) -> str:
    return ",".join(str(cell) for cell in row) + "\n"
