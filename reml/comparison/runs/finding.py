"""A run by its folder, its name or its key, or the beginning of either."""

from __future__ import annotations

import difflib
from pathlib import Path

from reml.comparison.runs.kept import RUNS, is_run, name_and_key, run_folders


def find_run(given: Path | str, home: Path) -> Path:
    """Give the folder of a run: one that is named by its path, or the run of a home with this name or key.

    A beginning that no other run has is enough. `ValueError` names the runs that are meant or nearest.
    """
    path = Path(given).expanduser()
    if str(given).strip() and is_run(path):
        return path
    runs, text = run_folders(home), str(given).rstrip("/")
    exact = [run for run in runs if text in (run.name, name_and_key(run)[1])]
    begun = exact or [
        run for run in runs if text and any(one.startswith(text) for one in (run.name, name_and_key(run)[1]))
    ]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise ValueError(f"{text!r} may be each of {_list(begun)}: give more of the name, or the key.")
    raise ValueError(f"there is no run {text!r}{_beside(path)}; {_nearest(text, runs, home)}")


def _beside(path: Path) -> str:
    """Say what there is of that name if it is no run."""
    if path.is_file():
        return ", but a file: name the folder of a run"
    if str(path) != "." and path.is_dir():
        return ", but a folder without what a run leaves (manifest.json)"
    return ""


def _nearest(text: str, runs: list[Path], home: Path) -> str:
    if not runs:
        return f"{home / RUNS} has none yet. `reml run --config FILE.yaml` makes one."
    names = {name: run for run in runs for name in (*name_and_key(run), run.name)}
    near = dict.fromkeys(names[one] for one in difflib.get_close_matches(Path(text).name, names, n=3, cutoff=0.5))
    said = f"the nearest: {_list(list(near))}" if near else f"there are {_list(runs)}"
    return f"{said}. `reml runs` lists all of {home}."


def _list(runs: list[Path], most: int = 5) -> str:
    more = f" and {len(runs) - most} more" if len(runs) > most else ""
    return ", ".join(run.name for run in runs[:most]) + more
