"""What a result was made from, and a kept result of the same settings whose examples, pages, models or code changed.

Settings name files and classes; what is in those may change from one run to the next. The result folder is known by
the settings, so that a former result of other inputs would be written over: it is moved aside, and both are told apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reml.contract.examples import Json
from reml.experiment.settings.identity import identity
from reml.files.atomic import MANIFEST, CorruptError, read_manifest
from reml.reporting.terminal import say

if TYPE_CHECKING:
    from reml.experiment.runner import Runner

# How the name of a checksum begins that is of a class of the user.
CODE = "the code of "
REPLACES = "replaces"  # in a manifest, what a former result was made from
DATA = {"tasks", "collections"}  # known by their examples and fingerprints; their files may be all of Wikipedia


def fingerprints(runner: Runner) -> dict[str, Json]:
    """Give the fingerprints of all that settings only name: examples and pages of tasks, models, classes."""
    found: dict[str, Json] = {}
    for task in runner.experiment.tasks:
        found[f"{task.name} source"] = task.source().fingerprint
    for name, split, examples in runner.plan.tasks.asked():
        found[f"{name} {split}"] = examples
    parts = {name: part for name, part in runner.config.items() if name not in DATA}
    classes: list[Json] = [{"class_path": path} for name in DATA for path in _classes(runner.config.get(name))]
    return found | dict(_marks(identity(parts))) | dict(_marks(identity(classes)))


def changed(there: Mapping[str, Json], now: Mapping[str, Json]) -> list[str]:
    """Name what has another fingerprint; what only one of the two knows, an older version say, is not compared."""
    return [name for name in now if name in there and there[name] != now[name]]


def put_aside(runner: Runner, checksums: Mapping[str, Json]) -> Json:
    """Move a result of other inputs aside and say so; give what is to be said of it in the manifest, if anything."""
    folder = runner.folder
    if not (folder / MANIFEST).is_file():
        return None
    try:
        manifest = read_manifest(folder, "run")
    except CorruptError:
        kept = _free(folder)
        say(runner.stages.console, (f"{folder.name}: ", "yellow"), f"its {MANIFEST} is damaged; kept as {kept.name}.")
        folder.rename(kept)
        return None
    known = manifest.get("checksums")
    other = changed(known if isinstance(known, dict) else {}, checksums)
    if not other:
        return manifest.get(REPLACES)
    kept = _free(folder)
    have = "has another fingerprint" if len(other) == 1 else "have other fingerprints"
    what = f"{' and '.join(other)} {have} than in the former result of the same settings, which is kept as {kept.name}"
    say(runner.stages.console, (f"{folder.name}: ", "yellow"), f"{what}.")
    folder.rename(kept)
    return what


def _free(folder: Path) -> Path:
    number = 1
    while (kept := folder.with_name(f"{folder.name}-former-{number}")).exists():
        number += 1
    return kept


def _classes(settings: Json) -> Iterator[str]:
    if isinstance(settings, Mapping):
        path = settings.get("class_path")
        yield from [path] if isinstance(path, str) else []
        settings = list(settings.values())
    if isinstance(settings, list | tuple):
        for one in settings:
            yield from _classes(one)


def _marks(known: Json) -> Iterator[tuple[str, Json]]:
    """Go through what `identity` adds: the digests of files and of the source of classes, and versions of ours."""
    if isinstance(known, Mapping):
        if isinstance(known.get("path"), str) and "files" in known:
            yield f"the files of {known['path']}", known["files"]
        for mark in ("source", "version"):
            if isinstance(known.get("class_path"), str) and mark in known:
                yield f"{CODE}{known['class_path']}", known[mark]
        known = list(known.values())
    if isinstance(known, list | tuple):
        for one in known:
            yield from _marks(one)
