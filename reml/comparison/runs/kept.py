"""What is in the folder of a run, whichever version of reml made it and whether or not it is whole."""

from __future__ import annotations

import errno
import math
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

from reml.comparison.runs.settings import SettingDifference
from reml.contract.examples import Json
from reml.files.atomic import MANIFEST, CorruptError, read_json, read_manifest
from reml.files.integrity.sealed import check_files, recorded
from reml.files.yaml_files.reading import YamlError, read_yaml

State = Literal["whole", "unfinished", "damaged", "unreadable"]
CONFIG, METRICS, RUNS = "config.yaml", "metrics.json", "runs"
# What a system predicted for a task, and what was found where nothing is predicted from it.
PREDICTIONS, FOUND = "predictions.jsonl", "retrieved.jsonl"
RPREC = "Rprec"
AGAIN = "run the experiment again to have it made anew."
_AGAIN = "Run the experiment again to have it made anew."
_ABSENT = "absent"
# What a manifest says besides what it is of; those of older versions lack some.
_SAID = ("versions", "config", "seed", "measures", "checksums", "stages")


@dataclass(frozen=True, slots=True)
class BestFigure:
    """The system that is best on a task by what the task is ranked by, and its figure; no name where several tie."""

    system: str
    measure: str
    value: float


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run as its folder tells it. `key` is short and no other run has it: the end of the folder's name.

    date: when it last ended, or began if it is unfinished. seed: none where it is not said. figures: by task.
    note: a sentence on what is not as it should be; empty if nothing is. before: the folder of the run before it, of
    the same name if there is one, where runs were listed. changed: the settings that differ from that one's, its value
    at place 0 and the run's own at place 1.
    """

    folder: Path
    name: str
    key: str
    date: datetime
    state: State
    tasks: tuple[str, ...]
    access: tuple[str, ...]
    seed: int | None
    figures: Mapping[str, BestFigure]
    note: str = ""
    before: Path | None = None
    changed: tuple[SettingDifference, ...] = ()
    settings: Mapping[str, Json] = field(default_factory=dict, repr=False)
    manifest: Mapping[str, Json] = field(default_factory=dict, repr=False)


def run_folders(home: Path) -> list[Path]:
    """List the folders of runs in a home, by name; none where there is no such home."""
    place = home / RUNS
    if not place.is_dir():
        return []
    return sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))


def is_run(folder: Path) -> bool:
    """Tell whether a folder is that of a run, whole or not."""
    return (folder / MANIFEST).is_file() or (folder / CONFIG).is_file()


def name_and_key(folder: Path) -> tuple[str, str]:
    """Split the name of a run's folder into the experiment's name and the run's key; it may lack a key."""
    whole = folder.resolve().name
    name, _, key = whole.rpartition("-")
    return (name, key) if name else (whole, whole)


def kept_run(folder: Path) -> KeptRun:
    """Read what a folder says of its run; what cannot be read is said in its note, and never raised."""
    notes: list[str] = []
    manifest, state = _manifest(folder, notes)
    settings = _settings(folder, manifest, notes)
    by_task: Mapping[str, Mapping[str, BestFigure]] = {}
    if state == "whole":
        by_task, state = _figures(folder, manifest, notes)
    name, key = name_and_key(folder)
    seed = manifest.get("seed", settings.get("seed"))
    return KeptRun(
        folder=folder,
        name=name,
        key=key,
        date=_date(folder),
        state=state,
        tasks=tuple(by_task) or tuple(_task_names(settings)),
        access=tuple(dict.fromkeys(system for of_task in by_task.values() for system in of_task)) or _access(settings),
        seed=seed if isinstance(seed, int) else None,
        figures={task: best for task, of_task in by_task.items() if (best := _best(of_task)) is not None},
        note=" ".join(notes),
        settings=settings,
        manifest=manifest,
    )


def _manifest(folder: Path, notes: list[str]) -> tuple[Mapping[str, Json], State]:
    if not (folder / MANIFEST).is_file():
        again = f"`reml run --config {shlex.quote(str(folder / CONFIG))}` goes on."
        again = again if (folder / CONFIG).is_file() else "Move it away."
        notes.append(f"Its results are not written: it is still running, or was stopped. {again}")
        return {}, "unfinished"
    try:
        manifest = read_manifest(folder, "run", _AGAIN)
    except (CorruptError, OSError) as error:
        notes.append(str(error))
        return {}, _state_by(error)
    lacking = [part for part in _SAID if part not in manifest]
    if lacking:
        notes.append(f"An older version of reml made it: its manifest lacks {', '.join(lacking)}.")
    return manifest, "whole"


def _settings(folder: Path, manifest: Mapping[str, Json], notes: list[str]) -> Mapping[str, Json]:
    """Give the settings that the manifest has, or else those of the file beside it."""
    written = manifest.get("config")
    if isinstance(written, dict):
        return written
    try:
        written = read_yaml(folder / CONFIG)
    except (YamlError, OSError):
        notes.append("Its settings cannot be read.")
        return {}
    return written if isinstance(written, dict) else {}


def _figures(
    folder: Path, manifest: Mapping[str, Json], notes: list[str]
) -> tuple[Mapping[str, Mapping[str, BestFigure]], State]:
    """Give the figure of each system on each task, by task, NaN where nothing is scored; and whether all is there."""
    try:
        check_files(folder, recorded(manifest, METRICS), again=_AGAIN)
        metrics = read_metrics(folder)
    except (CorruptError, OSError) as error:
        notes.append(f"{folder / METRICS} does not exist." if isinstance(error, FileNotFoundError) else str(error))
        return {}, _state_by(error)
    found: dict[str, dict[str, BestFigure]] = {}
    wrong = [] if any(metrics.values()) else [f"{folder / METRICS} has no figures"]
    for system, task, scores in ((system, task, one) for system, of in metrics.items() for task, one in of.items()):
        figure = _figure(scores, system, measure_of(manifest, task))
        found.setdefault(task, {})[system] = figure
        if math.isinf(figure.value):
            wrong.append(f"{folder / METRICS} has no {figure.measure} of {system!r} on {task!r}")
    wrong += [f"{path} does not exist" for path in _needed(folder, found) if not path.is_file()]
    if wrong:
        notes.append(f"{wrong[0]}: {AGAIN}")
    return found, "damaged" if wrong else "whole"


def _state_by(error: Exception) -> State:
    """Tell damage from what the system refuses: too many open files, or no right to read."""
    return "unreadable" if isinstance(error, OSError) and error.errno != errno.ENOENT else "damaged"


def read_metrics(folder: Path) -> Mapping[str, Mapping[str, Json]]:
    """Read the figures of a run by system, by task; `CorruptError` for what is not laid out so."""
    metrics = read_json(folder / METRICS, _AGAIN)
    if not isinstance(metrics, dict) or not all(isinstance(by_task, dict) for by_task in metrics.values()):
        raise CorruptError(f"{folder / METRICS} is not an object of objects: {AGAIN}")
    return cast("Mapping[str, Mapping[str, Json]]", metrics)


def measure_of(manifest: Mapping[str, Json], task: str) -> str:
    """Say what a task is ranked by; exact match where a manifest does not say it."""
    measures = manifest.get("measures")
    measure = measures.get(task) if isinstance(measures, dict) else None
    return measure if isinstance(measure, str) else "em"


def predictions_of(place: Path) -> Path:
    """Give the file of what a system predicted for a task, or else of what was only retrieved for it."""
    return place / FOUND if (place / FOUND).is_file() and not (place / PREDICTIONS).is_file() else place / PREDICTIONS


def _figure(scores: Json, system: str, measure: str) -> BestFigure:
    """Take what a task is ranked by, or the R-precision of what was only retrieved; infinity if neither is there."""
    found, only = _within(scores, "downstream", "downstream", measure), _within(scores, "retriever")
    if found is _ABSENT and isinstance(only, dict) and only:
        measure, found = RPREC, _within(only, next(iter(only)), RPREC, "mean")
    if found is None:
        return BestFigure(system, measure, math.nan)
    return BestFigure(system, measure, float(found) if isinstance(found, int | float) else math.inf)


def _within(value: Json, *names: str) -> Json:
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return _ABSENT
        value = value[name]
    return value


def _needed(folder: Path, found: Mapping[str, Mapping[str, BestFigure]]) -> Iterator[Path]:
    for task, by_system in found.items():
        yield folder / "gold" / f"{task}.jsonl"
        yield from (predictions_of(folder / system / task) for system in by_system)


def _best(of_task: Mapping[str, BestFigure]) -> BestFigure | None:
    scored = [figure for figure in of_task.values() if math.isfinite(figure.value)]
    best = max(scored, key=lambda figure: figure.value, default=None)
    tied = best is not None and sum(figure.value == best.value for figure in scored) > 1
    return replace(best, system="") if best is not None and tied else best


def _task_names(settings: Mapping[str, Json]) -> Iterator[str]:
    """Name the tasks that settings name; one whose name is its class's default by its class."""
    tasks = settings.get("tasks")
    for task in tasks if isinstance(tasks, list) else []:
        written = task if isinstance(task, dict) else {"class_path": task}
        arguments = written.get("init_args")
        name = arguments.get("name") if isinstance(arguments, dict) else None
        yield str(name or str(written.get("class_path")).rpartition(".")[2])


def _access(settings: Mapping[str, Json]) -> tuple[str, ...]:
    named = settings.get("systems") or settings.get("access")
    return tuple(named) if isinstance(named, dict) else ()


def _date(folder: Path) -> datetime:
    path = next((path for name in (MANIFEST, CONFIG) if (path := folder / name).is_file()), folder)
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone()
