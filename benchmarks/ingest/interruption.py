"""A build that is killed at a random moment and gone on with, beside one that was left in peace."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from reml.benchmarks.ingest.building import Built
from reml.benchmarks.speed.isolation import FailedError, run_isolated
from reml.collection.versions import read_building
from reml.files.atomic import MANIFEST, file_digest

POLL_SECONDS = 0.002
# A build that ends before it is killed is begun again, to be killed earlier.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """When a build is killed: so many seconds after so many of its segments are on record."""

    segments: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Interruption:
    """A killed build: the moment, the pages then on record, what going on cost; the files, and those that differ."""

    moment: Moment
    pages: int
    resumed: Built
    files: int
    differing: tuple[str, ...]


def interrupt(
    build: Callable[[Path], Built], folder: Path, *, whole: Path, built: Built, seed: int, patience: float
) -> Interruption:
    """Build in `folder` what is built in `whole`, kill the build with SIGKILL, go on in a fresh process, compare files.

    built: what the undisturbed build made and cost. seed: for the moment. patience: seconds for going on.
    `FailedError` if a process does not end well, or if no build could be killed before its end.
    """
    moment, pages = kill_some(build, folder, moment=random_moment(built, seed))
    resumed = run_isolated(partial(build, folder), seconds=patience, log=folder.with_suffix(".log"))
    expected, found = digests(whole), digests(folder)
    differing = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    return Interruption(moment, pages, resumed, len(expected), tuple(differing))


def random_moment(built: Built, seed: int) -> Moment:
    """Draw a moment before the end of such a build."""
    generator = random.Random(seed)
    return Moment(generator.randrange(built.segments), generator.uniform(0, 0.8) * built.cost.wall / built.segments)


def kill_some(build: Callable[[Path], Built], folder: Path, *, moment: Moment) -> tuple[Moment, int]:
    """Kill a build at a moment, or earlier where it has ended before; give the moment and the pages then on record.

    `FailedError` if it ends too soon every time, or not well by itself.
    """
    for _ in range(ATTEMPTS):
        if _killed(partial(build, folder), folder, moment):
            begun = read_building(folder)
            return moment, begun.pages if begun else 0
        shutil.rmtree(folder)
        moment = Moment(moment.segments // 2, moment.seconds / 4)
    raise FailedError(f"the build ended {ATTEMPTS} times before it was killed. Give more pages.")


def digests(folder: Path) -> dict[str, str]:
    """Give the digest of every file in a folder by its path there."""
    return {str(path.relative_to(folder)): file_digest(path) for path in folder.rglob("*") if path.is_file()}


def _killed(build: Callable[[], Built], folder: Path, moment: Moment) -> bool:
    """Start a build in a process of its own, kill it, and say whether it had not committed its collection before."""
    process = multiprocessing.get_context("spawn").Process(target=build, daemon=True)
    process.start()
    try:
        while process.is_alive() and not _reached(folder, moment.segments):
            time.sleep(POLL_SECONDS)
        process.join(moment.seconds)
    finally:
        process.kill()
        process.join()
    if process.exitcode not in (0, -signal.SIGKILL):
        raise FailedError(f"the build to be killed ended with status {process.exitcode}.")
    return not (folder / MANIFEST).is_file()


def _reached(folder: Path, segments: int) -> bool:
    try:
        begun = read_building(folder)
    except FileNotFoundError:  # the build has just ended
        return True
    return begun is not None and len(begun.segments) >= segments
