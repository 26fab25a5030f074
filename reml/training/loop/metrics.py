"""Training metrics as CSV: one line a number, only ever appended, continued after a kill without gap or repetition."""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from pytorch_lightning.loggers.logger import Logger

from reml.contract.examples import Json
from reml.devices.disk import written
from reml.files.atomic import CorruptError, write_text
from reml.files.integrity.checked import reading
from reml.files.replacing.unlinked import unlinked

_LOG = logging.getLogger(__name__)
_ASIDE = "Move it away: the training goes on, and its log begins where it goes on."
_COLUMNS = ("step", "name", "value")


class MetricsCsv(Logger):
    """A Lightning logger to a CSV file with the columns step, name, value.

    path: the file. after: the step that training resumes from: what was logged later is dropped, as it comes again.
    known: what `written` gave at that step; `CorruptError` if the file does not begin so. One that is not there is
    begun anew, which is said.
    """

    def __init__(self, path: Path, after: int = 0, known: Json = None) -> None:
        super().__init__()
        kept = _begun(path, after, known) if after else []
        head = "".join(_line(row) for row in (_COLUMNS, *kept))
        write_text(path, head)
        self._path = path
        self._stream = open(path, "a", encoding="utf-8", opener=unlinked)  # noqa: SIM115 - `finalize` closes it
        self._size, self._digest = len(head.encode()), blake2b(head.encode(), digest_size=8)

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
        text = "".join(_line((step or 0, name, value)) for name, value in metrics.items())
        with written(self._path):
            self._stream.write(text)
            self._stream.flush()
        self._size += len(text.encode())
        self._digest.update(text.encode())

    def written(self) -> dict[str, Json]:
        """Give the size and the digest of what was logged until now."""
        return {"size": self._size, "digest": self._digest.hexdigest()}

    def log_hyperparams(self, *args: object, **kwargs: object) -> None:
        """Do nothing: the settings stand in the run's manifest."""

    def save(self) -> None:
        """Make what was logged survive the death of the machine."""
        with written(self._path):
            os.fsync(self._stream.fileno())

    def finalize(self, status: str) -> None:  # noqa: ARG002
        """Close the file."""
        self._stream.close()


def read_metrics(path: Path) -> list[tuple[int, str, float]]:
    """Read (step, name, value) in the order they were logged; a last line that was not written whole is left out."""
    if not path.exists():
        return []
    with reading(path, _ASIDE):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
        return [(int(step), name, float(value)) for step, name, value in csv.reader(lines[1:])]


def _begun(path: Path, after: int, known: Json) -> list[tuple[int, str, float]]:
    """Read what was logged until a step, and see that it is that."""
    if not path.exists():
        _LOG.warning("%s is not there: the log of this training begins at step %d.", path, after)
        return []
    if isinstance(known, dict) and isinstance(size := known.get("size"), int):
        with path.open("rb") as stream:
            begun = stream.read(size)
        if blake2b(begun, digest_size=8).hexdigest() != known.get("digest"):
            raise CorruptError(f"{path} is not what was logged until step {after}. {_ASIDE}")
    return [row for row in read_metrics(path) if row[0] <= after]


def _line(row: tuple[object, object, object]) -> str:
    return ",".join(str(cell) for cell in row) + "\n"
