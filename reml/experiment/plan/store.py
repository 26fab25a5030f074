"""Stages of an experiment: each is cached under the digest of all it depends on, so that a run does only what changed.

A stage's folder is finished when its `manifest.json` is there; until then whatever is in it is a state to go on from.
The manifest has its files on record, which are looked at when a run first uses it (`reml.files.integrity.sealed`); not
those of folders in it that have a manifest of their own, such as an index or a memory, which may change later.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from rich.console import Console

from reml.contract.asking import noted
from reml.contract.examples import Json
from reml.devices.disk import written
from reml.devices.progress import shown_on, working
from reml.devices.rank_zero import check_rank, is_rank_zero
from reml.experiment.plan.node import Node
from reml.experiment.said import heard, repeat
from reml.experiment.settings.asked import check_asked, made_from
from reml.files.atomic import (
    MANIFEST,
    CorruptError,
    digest,
    locked,
    read_manifest,
    repair_of,
    write_json,
    write_manifest,
)
from reml.files.environment import without_value
from reml.files.integrity.sealed import FILES, check_sealed, sealed
from reml.files.legs import Spent, leg, waited
from reml.files.shared_folder import LAYOUT
from reml.reporting.terminal import say

Value = TypeVar("Value")

# The layout of a home; in the former one, stages had keys made otherwise.
NEWEST = 2
KIND = "stage"
LABEL = 120  # letters of a stage's name that its folder shows
SAID = "warnings"  # in the manifest of a stage
FORMER = ("collections", "indexes", "hits", "models", "heard", "predictions")


@dataclass(frozen=True)
class Stage:
    """One finished stage: where it is, what it cost when it was made and whether this run found it made.

    cpu_seconds: of all threads; `None` where a former version made it.
    """

    name: str
    key: str
    folder: Path
    seconds: float
    peak_memory_bytes: int
    cached: bool
    cpu_seconds: float | None = None

    @functools.cached_property
    def bytes(self) -> int:
        """What it has on disk."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def to_json(self) -> dict[str, Json]:
        """Give what a manifest says of it."""
        return {
            "name": self.name,
            "key": self.key,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": None if self.cpu_seconds is None else round(self.cpu_seconds, 3),
            "peak_memory_bytes": self.peak_memory_bytes,
            "bytes": self.bytes,
            "cached": self.cached,
        }


class Stages:
    """Makes stages under one home folder and remembers those of this run, in order."""

    def __init__(self, home: Path, console: Console) -> None:
        self.home = home
        self.console = console
        self.done: dict[str, Stage] = {}
        self._looked: set[str] = set()  # keys of stages whose files were looked at
        self._opened: dict[str, tuple[Node[Any], Any]] = {}
        self._known: dict[tuple[str, str], Stage] = {}  # those found made, by name and key
        self._said: set[str] = set()  # warnings of this run

    @property
    def distinct(self) -> list[Stage]:
        """The stages of this run, each folder once: two names may be of one stage, an index of two access models."""
        found: dict[Path, Stage] = {}
        for stage in self.done.values():
            found.setdefault(stage.folder, stage)
        return list(found.values())

    def make(self, room: str, name: str, depends: Json, build: Callable[[Path], object]) -> Stage:
        """Give the stage that depends on exactly `depends`, built by `build(folder)` unless it is there.

        room: the folder of its kind under home. name: what people read, unique in a run. `build` may find what an
        earlier, killed call left in the folder. While another process builds the same stage, this one waits for it.
        """
        key = digest(room, depends)
        if (known := self.done.get(name)) is not None and known.key == key:
            return known
        folder = self._folder(room, name, key)
        cached = (folder / MANIFEST).is_file() or not self._build(folder, name, depends, build)
        self.done[name] = _finished(name, key, folder, cached)
        if cached:
            self._repeat(self.done[name])
        return self.done[name]

    def stage(self, node: Node[object]) -> Stage:
        """Make a node that is a stage, and before it all that it is made of, unless it is there.

        What lies below a stage that is there is not made; it is remembered as far as it is there.
        """
        assert node.make is not None, node.name  # noqa: S101 - values have no folder
        make = node.make
        if self.is_made(node):
            self._remember(node)
        else:
            self._prepare(node)

        def build(folder: Path) -> None:
            make(folder, *map(self._open_input, node.inputs), **node.given, **node.beside)

        made = self.make(node.kind, node.name, node.depends, build)
        self._look_at(made)
        return made

    def open(self, node: Node[Value]) -> Value:
        """Open a node, after it is made; most are opened once and shared (`Node.keep`)."""
        if node.key in self._opened:
            known = self._opened.pop(node.key)  # to the end: it was asked for last
        elif node.make is None:
            known = (node, node.open(*map(self._open_input, node.inputs), **node.given, **node.beside))
        else:
            folder = self.stage(node).folder
            known = (node, node.open(folder, *map(self._open_input, node.inputs[: node.opens])))
        self._opened[node.key] = known
        self._close(node)
        return cast(Value, known[1])

    def is_made(self, node: Node[object]) -> bool:
        """Tell whether a stage is there."""
        return (self._folder(node.kind, node.name, node.key) / MANIFEST).is_file()

    def known(self, node: Node[object]) -> Stage | None:
        """Give a stage with what it cost when it was made; nothing if it is not there."""
        known = (node.name, node.key)
        if known not in self._known and self.is_made(node):
            self._known[known] = _finished(*known, self._folder(node.kind, *known), cached=True)
        return self._known.get(known)

    def _look_at(self, stage: Stage) -> None:
        """See once in a run that the files of a stage that was there are what was written."""
        if stage.cached and stage.key not in self._looked:
            again = repair_of(stage.folder)
            check_sealed(stage.folder, read_manifest(stage.folder, KIND, again), again=again)
        self._looked.add(stage.key)

    def _prepare(self, node: Node[object]) -> None:
        for one in node.known_inputs:
            if one.make is not None:
                self.stage(one)
            else:
                self._prepare(one)

    def _remember(self, node: Node[object]) -> None:
        for one in node.below():
            if one.make is not None and one.name not in self.done and (stage := self.known(one)) is not None:
                self.done[one.name] = stage
                self._repeat(stage)

    def _repeat(self, stage: Stage) -> None:
        repeat(stage.name, read_manifest(stage.folder, KIND, repair_of(stage.folder)).get(SAID), self._said)

    def _open_input(self, node: Node[object] | None) -> object:
        if node is not None and node.later:
            return functools.partial(self._open_later, node.known_inputs[0])
        return None if node is None else self.open(node)

    def _open_later(self, node: Node[Value]) -> Value:
        """Open a node in the midst of other work, whose random numbers are then the same as if it had been open."""
        from reml.devices.random_state import undisturbed  # with torch, which takes long to load

        with undisturbed():
            return self.open(node)

    def _close(self, node: Node[object]) -> None:
        """Close what was asked for longest ago, where more of a kind are open than are to be kept."""
        if node.keep is not None:
            same = [key for key, (one, _) in self._opened.items() if (one.kind, one.keep) == (node.kind, node.keep)]
            for key in same[: len(same) - node.keep]:
                del self._opened[key]

    def _folder(self, room: str, name: str, key: str) -> Path:
        """Find the folder of a stage by its key alone; a new one has the name too, as a label for people.

        So a stage that is called otherwise, since its access model is, is the same stage.
        """
        there = sorted((self.home / room).glob(f"*-{key}"))
        label = re.sub(r"[^A-Za-z0-9_.-]+", "-", without_value(name)).strip("-.")[:LABEL]
        new = self.home / room / f"{label or room}-{key}"
        begun = new if new in there else min(there, default=new)
        return next((folder for folder in there if (folder / MANIFEST).is_file()), begun)

    def _build(self, folder: Path, name: str, depends: Json, build: Callable[[Path], object]) -> bool:
        """Build a stage; false if another process did meanwhile."""
        say(self.console, (name, "dim"))
        if not is_rank_zero():
            # It comes here while the first one holds the lock, to train with it, and ends in `build`.
            check_rank(folder)
        else:
            _note_layout(self.home, self.console)
        asked = Spent.now()
        with locked(folder, wait=self._tell_waiting) if is_rank_zero() else contextlib.nullcontext():
            if (folder / MANIFEST).is_file():
                waited(Spent.now().minus(asked))
                return False
            reset_peak_memory()
            with (
                leg(folder, peak_memory) as spent,
                shown_on(self.console),
                working(name),
                noted(f"in the step {name!r}"),
                written(folder),
                heard() as said,
            ):
                build(folder)
                files: Json = sealed(folder)
                total = spent.total()
            self._said.update(what for _, what in said)
            warned: dict[str, Json] = {SAID: [[without_value(text) for text in one] for one in said]} if said else {}
            cost: dict[str, Json] = {"seconds": total.seconds, "cpu_seconds": total.cpu}
            cost["peak_memory_bytes"] = spent.memory
            write_manifest(folder, KIND, {**made_from(folder, name, depends), **cost, **warned, FILES: files})
            spent.forget()
        return True

    def _tell_waiting(self) -> None:
        say(self.console, ("another process is at it: waiting", "dim"))


def _note_layout(home: Path, console: Console) -> None:
    """Say once if a home holds stages that a former version made; nothing is deleted."""
    if (home / LAYOUT).is_file():
        return
    former = [room for room in FORMER if next((home / room).glob(f"*/{MANIFEST}"), None) is not None]
    if former:
        say(
            console,
            f"{home} holds stages of a former version of reml ({', '.join(former)}). This version knows its stages by "
            "other keys, so it makes them again and leaves those as they are: delete them when you need the room.",
        )
    write_json(home / LAYOUT, {"layout": NEWEST})


def _finished(name: str, key: str, folder: Path, cached: bool) -> Stage:
    again = repair_of(folder)
    manifest = read_manifest(folder, KIND, again)
    seconds, memory = manifest.get("seconds"), manifest.get("peak_memory_bytes")
    if not isinstance(seconds, int | float) or not isinstance(memory, int):
        raise CorruptError(f"{folder / MANIFEST} does not say what the stage cost. {again}")
    check_asked(folder, key, manifest)
    cpu = manifest.get("cpu_seconds")
    return Stage(name, key, folder, seconds, memory, cached, cpu if isinstance(cpu, int | float) else None)


def reset_peak_memory() -> None:
    """Let `peak_memory` count from now on, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return  # peak_memory then gives the peak of the whole process, an upper bound


def peak_memory() -> int:
    """Give the largest resident size in bytes since `reset_peak_memory`, or of the whole process where unknown."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return _peak_of_process()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) * 1024 if found else _peak_of_process()


def _peak_of_process() -> int:
    try:
        import resource
    except ImportError:  # Windows, which does not tell it so
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
