"""Which runs a home has, the newest first, and what of the settings of each is another than before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from reml.comparison.runs.kept import KeptRun, kept_run, name_and_key, run_folders
from reml.comparison.runs.settings import setting_differences, shortened
from reml.contract.examples import Json
from reml.files.atomic import home as default_home
from reml.reporting.table import Table

COLUMNS = ("key", "name", "date", "state", "seed", "tasks", "access", "best figures")
_SHOWN, _WIDE = 3, 24  # of what is in a cell; characters of a setting


def runs(home: Path | str | None = None) -> list[KeptRun]:
    """List the runs that a home has, the newest first: whole, unfinished, damaged, and those of older versions.

    home: where all is kept, REML_HOME if left out. What is wrong with a run is said in its note. Each stands beside the
    one before it, the newest older one of its name, or of any name.
    """
    place = Path(home).expanduser() if home is not None else default_home()
    found = sorted(map(kept_run, run_folders(place)), key=lambda run: (run.date, run.folder.name), reverse=True)
    return [_beside(run, found[number + 1 :]) for number, run in enumerate(found)]


def listing_table(found: Sequence[KeptRun]) -> Table:
    """Show runs, one a row; of what is long, the beginning and how much more there is."""
    return Table(COLUMNS, frozenset(COLUMNS) - {"seed"}, [_row(run) for run in found])


def differences_told(run: KeptRun, most: int = 6) -> str:
    """Say in a line which settings differ from those of the run before; of many the first, and how many more."""
    if run.before is None:
        return f"{run.key} is the first."
    said = [
        f"{one.setting}: {' -> '.join(shortened([one.shown(0), one.shown(1)], _WIDE))}" for one in run.changed[:most]
    ]
    more = [f"{len(run.changed) - most} more"] if len(run.changed) > most else []
    first = f" is the first {run.name} and" if name_and_key(run.before)[0] != run.name else ""
    return f"{run.key}{first} differs from {run.before.name}: {'; '.join([*said, *more]) or 'in no setting'}."


def listing_json(found: Sequence[KeptRun]) -> list[Json]:
    """Give all that is known of runs, in the order given."""
    return [_json(run) for run in found]


def _beside(run: KeptRun, older: Sequence[KeptRun]) -> KeptRun:
    if not older:
        return run
    before = next((one for one in older if one.name == run.name), older[0])
    return replace(run, before=before.folder, changed=tuple(setting_differences([before.settings, run.settings])))


def _row(run: KeptRun) -> tuple[str, ...]:
    figures = [f"{task} {one.measure} {one.value:.3f} {one.system or '(tie)'}" for task, one in run.figures.items()]
    return (
        *(run.key, run.name, f"{run.date:%Y-%m-%d %H:%M}", run.state, "" if run.seed is None else str(run.seed)),
        *(_some(run.tasks), _some(run.access), _some(figures)),
    )


def _some(texts: Sequence[str]) -> str:
    more = [f"{len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    return ", ".join([*texts[:_SHOWN], *more])


def _json(run: KeptRun) -> Json:
    sides = ("before", "now")
    return {
        "folder": str(run.folder),
        "name": run.name,
        "key": run.key,
        "date": run.date.isoformat(timespec="seconds"),
        "state": run.state,
        "seed": run.seed,
        "tasks": list(run.tasks),
        "access": list(run.access),
        "figures": {task: asdict(figure) for task, figure in run.figures.items()},
        "before": None if run.before is None else run.before.name,
        "changed": {one.setting: {sides[place]: value for place, value in one.values.items()} for one in run.changed},
        "note": run.note,
    }
