"""Flips bytes of, cuts and empties files of a finished home, and runs commands on it, each in a process of its own.

    python -m tests.experiment.integrity.flipping --cases 640

Two homes: one of an experiment with BM25, FAISS, a training, a retriever that learns from feedback, and signals; one
whose access model stores. After each damage: `reml verify`; then `reml report` for results, `reml run` for all else,
where what is made of the damaged file is taken away before, so that it is read. An outcome is `told` (a sentence),
`same` (nothing else came out), `wrong` (figures changed without a word), `fault` (a traceback) or `crash` (the process
ended by a signal, or never).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import re
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from reml.__main__ import main
from reml.reporting.report import REPORT
from tests.experiment.plan.test_storing_predictions import small
from tests.truths import feedback, write_truths

SECONDS = 180
COSTS = {REPORT, "manifest.json"}
SERVER = multiprocessing.get_context("forkserver")
_PRELOADED = ["tests.fuzz.imported", "tests.experiment.plan.test_storing_predictions", "pandas", "faiss"]
SERVER.set_forkserver_preload(
    [*_PRELOADED, "reml.cli.integrity_commands", "reml.index.impact", "reml.experiment.results"]
)
DAMAGES = ("flip", "flip", "flip", "cut", "empty")
# What is made of the files of a room: taken away, so that the next run reads them.
MADE_OF = {
    "collections": ("hits/*", "predictions/*"),
    "indexes": ("hits/*", "predictions/*"),
    "starts": ("hits/*", "predictions/*"),
    "hits": ("predictions/*",),
    "models": ("predictions/*", "hits/*"),
    "signals": ("models/teach-*", "hits/*", "predictions/*"),
}
NO_TRACEBACK = re.compile(r"Traceback|this is a fault of reml")


@dataclass(frozen=True, slots=True)
class Case:
    """A file of a home, by its path there, and what is done to it: where, as a share of its bytes, and which bit."""

    home: Path
    name: str
    damage: str
    where: float
    bit: int

    @property
    def room(self) -> str:
        """The room of the home that it is in."""
        return Path(self.name).parts[0]

    @property
    def kind(self) -> str:
        """Say what kind of file it is: its room, and its name without keys and numbers."""
        room, *rest = Path(self.name).parts
        told = [re.sub(r"[0-9a-f]{8,}|\d+", "*", part) for part in rest[1:]]
        return "/".join([room, *told[-2:]])


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a case: what the command did, and whether `reml verify` named the file."""

    case: Case
    outcome: str
    verified: bool
    said: str


def small_homes(folder: Path) -> list[Path]:
    """Run two small experiments; give their folders, each with experiment.yaml and home."""
    bm25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
    learning = write_truths(folder / "learning", {"fed": feedback(), "bm25": bm25})
    storing = small(folder / "storing")
    for config in (learning, storing):
        with contextlib.redirect_stdout(sys.stderr):
            assert main(["run", "--config", str(config), "--home", str(config.parent / "home")]) == 0
    return [config.parent for config in (learning, storing)]


def files_of(folder: Path) -> list[str]:
    """Name the files of a home, by their paths in it; not what is hidden or notes what was seen."""
    home = folder / "home"
    names = (path.relative_to(home).as_posix() for path in sorted(home.rglob("*")) if path.is_file())
    return [name for name in names if not re.search(r"(^|/)\.|^(verified|digests|logs)/|^layout.json$", name)]


def cases_of(folder: Path, count: int, seed: int = 0) -> Iterator[Case]:
    """Draw damages to all kinds of files in turn."""
    drawn = random.Random(seed)
    by_kind: dict[str, list[str]] = defaultdict(list)
    for name in files_of(folder):
        by_kind[Case(folder, name, "", 0, 0).kind].append(name)
    kinds = sorted(by_kind)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        damage = DAMAGES[(number // len(kinds)) % len(DAMAGES)]
        yield Case(folder, drawn.choice(by_kind[kind]), damage, drawn.random(), drawn.randrange(8))


def damaged(case: Case, home: Path) -> bool:
    """Damage the file of a case; false where that changes nothing."""
    path = home / case.name
    data = bytearray(path.read_bytes())
    before, place = bytes(data), int(case.where * len(data))
    if case.damage == "flip" and data:
        data[place] ^= 1 << case.bit
    elif case.damage == "cut":
        del data[place:]
    elif case.damage == "empty":
        data.clear()
    path.write_bytes(data)
    return bytes(data) != before


def figures_of(home: Path) -> dict[str, object]:
    """Give all that people read of a run: each file of its folder; of its manifest what the stages cost."""
    (run,) = [path for path in (home / "runs").iterdir() if "-former-" not in path.name]
    files = {path.relative_to(run).as_posix(): path for path in run.rglob("*") if path.is_file()}
    found: dict[str, object] = {}
    for name, path in files.items():
        if name == "manifest.json":
            stages = json.loads(path.read_bytes())["stages"]
            found[name] = [[one["name"], one["key"], one["seconds"], one["peak_memory_bytes"]] for one in stages]
        elif not name.startswith("damaged-"):
            found[name] = path.read_bytes()
    return found


def looked(case: Case, expected: dict[str, object], folder: Path) -> Seen | None:
    """Copy the home of a case, damage it and run the commands; nothing where the damage changes nothing."""
    home = folder / "home"
    shutil.copytree(case.home / "home", home)
    if not damaged(case, home):
        return None
    (run,) = (home / "runs").iterdir()
    words = ["report", str(run)] if case.room == "runs" else _run_words(case.home, home)
    (verified, found), (status, told) = _run([["verify", str(home)], words], folder, take_away=case.room)
    named = verified == 2 and case.name in found
    if status is None or status < 0:
        return Seen(case, "crash", named, told)
    if status not in {0, 2} or NO_TRACEBACK.search(told):
        return Seen(case, "fault", named, told)
    if status == 2:
        return Seen(case, "told", named, told)
    now = figures_of(home)
    if words[0] == "report":
        now, expected = {REPORT: now[REPORT]}, {REPORT: expected[REPORT]}
    elif case.room in MADE_OF:  # made again, it costs something else
        now, expected = ({name: one[name] for name in one if name not in COSTS} for one in (now, expected))
    same = now == expected
    return Seen(case, "same" if same else "wrong", named, told)


def _run_words(folder: Path, home: Path) -> list[str]:
    return ["run", "--config", str(folder / "experiment.yaml"), "--home", str(home)]


def _run(commands: list[list[str]], folder: Path, *, take_away: str) -> list[tuple[int | None, str]]:
    """Run commands, one after the other; before the last, take away what is made of the files of a room."""
    process = SERVER.Process(target=_commands, args=(commands, folder, take_away), daemon=True)
    process.start()
    process.join(SECONDS)
    ended = process.exitcode
    if process.is_alive():
        process.kill()
        process.join()
    found: list[tuple[int | None, str]] = []
    for number in range(len(commands)):
        out, done = folder / f"printed-{number}.txt", folder / f"status-{number}.txt"
        status = int(done.read_text()) if done.exists() else ended
        found.append((status, out.read_text(errors="replace") if out.exists() else ""))
    return found


def _commands(commands: list[list[str]], folder: Path, take_away: str) -> None:
    os.environ.update(REML_HOME=str(folder / "own"), COLUMNS="400", HF_HUB_OFFLINE="1", REML_PROGRESS="off")
    for number, words in enumerate(commands):
        if number == len(commands) - 1:
            _take_away(folder / "home", take_away)
        descriptor = os.open(folder / f"printed-{number}.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(descriptor, stream)
        status = main(words)
        (folder / f"status-{number}.txt").write_text(str(status))


def _take_away(home: Path, room: str) -> None:
    for pattern in MADE_OF.get(room, ()):
        for folder in home.glob(pattern):
            shutil.rmtree(folder)


def _again(folder: Path, room: str) -> dict[str, object]:
    """Give what comes of a run where nothing is damaged."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        home = Path(name) / "home"
        shutil.copytree(folder / "home", home)
        (run,) = (home / "runs").iterdir()
        words = ["report", str(run)] if room == "runs" else _run_words(folder, home)
        ((status, told),) = _run([words], Path(name), take_away=room)
        assert status == 0, told
        return figures_of(home)


def seen(cases: list[Case], workers: int = 2) -> list[Seen]:
    """Look at cases, some at a time."""
    expected = {key: _again(*key) for key in {(case.home, case.room) for case in cases}}

    def one(case: Case) -> Seen | None:
        with tempfile.TemporaryDirectory(dir=case.home.parent) as name:
            return looked(case, expected[case.home, case.room], Path(name))

    with ThreadPoolExecutor(workers) as pool:
        return [found for found in pool.map(one, cases) if found is not None]


def table(found: list[Seen]) -> str:
    """Write the outcomes by kind of file."""
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        by_kind[one.case.kind][one.outcome] += 1
        by_kind[one.case.kind]["found by verify"] += one.verified
    columns = ("told", "same", "wrong", "fault", "crash", "found by verify")
    lines = [f"| file | cases | {' | '.join(columns)} |", "|---" * (len(columns) + 2) + "|"]
    total: Counter[str] = Counter()
    for kind, counts in sorted(by_kind.items()):
        cases = sum(counts[name] for name in columns[:-1])
        total += counts + Counter(cases=cases)
        lines.append(f"| {kind} | {cases} | {' | '.join(str(counts[name] or '') for name in columns)} |")
    lines.append(f"| all | {total['cases']} | {' | '.join(str(total[name]) for name in columns)} |")
    return "\n".join(lines)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=640)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    memory = Path("/dev/shm")  # noqa: S108 - only where it is
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        homes = small_homes(Path(name))
        share = (given.cases * 2 // 3, given.cases - given.cases * 2 // 3)
        cases = [case for home, count in zip(homes, share, strict=True) for case in cases_of(home, count)]
        found = seen(cases, given.workers)
        print(table(found))  # noqa: T201 - a script
        for one in found:
            if one.outcome not in {"told", "same"} or not one.verified:
                print(one.outcome, one.verified, one.case.name, one.case.damage, one.said[-300:])  # noqa: T201


if __name__ == "__main__":
    _main()
