"""The folders are the architecture: no circle of files, no arrow up, few files in a folder, short functions."""

from __future__ import annotations

import ast
import functools
import statistics
from collections import Counter
from pathlib import Path

import pytest

from tests import ROOT
from tests.test_layout import ROOMS, sources

# From the bottom up; those on one line may import each other's files, without a circle.
FLOORS = (
    {"contract"},
    {"files", "devices"},
    {"text", "collection", "index", "evaluation"},
    {"access"},
    {"feedback"},
    {"training"},
    {"reporting"},
    {"experiment"},
    {"comparison"},
    {"kilt", "study"},
    {"cli"},
)
# One file a paper or part: more may stand side by side.
LIKE_PARTS = {"feedback", "rankers", "predictors", "testing"}


def module(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    parts = parts if parts[0] == "reml" else ["reml", *parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def files() -> dict[str, Path]:
    return {module(path): path for folder in ("reml", *ROOMS) for path in sources(folder)}


@functools.cache
def imports() -> dict[str, set[str]]:
    """What each file imports of ours, for type checkers alone too; a package counts as its own file."""
    known, found = files(), {}
    for name, path in known.items():
        there: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                there |= {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                inner = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                there |= {whole if whole in known else node.module for whole in inner.values()}
        found[name] = (there & set(known)) - {name}
    return found


def floor(name: str) -> int | None:
    room = name.split(".")[1] if "." in name else ""
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), None)


def test_every_room_of_reml_has_a_floor() -> None:
    rooms = {name.split(".")[1] for name in files() if "." in name and name.split(".")[1] not in ROOMS}
    assert rooms - {"testing", "__main__"} == set().union(*FLOORS)


def test_no_arrow_points_up() -> None:
    wrong = [
        f"{name} -> {other}"
        for name, others in imports().items()
        for other in others
        if (mine := floor(name)) is not None and (theirs := floor(other)) is not None and theirs > mine
    ]
    assert not wrong


def test_nothing_but_the_tests_of_others_uses_testing() -> None:
    users = {name for name, others in imports().items() if any(one.startswith("reml.testing") for one in others)}
    assert not {name for name in users if not name.startswith("reml.testing")}


def test_there_is_no_circle_of_files() -> None:
    graph = {
        name: {other for other in others if files()[other].name != "__init__.py"}
        for name, others in imports().items()
        if files()[name].name != "__init__.py"
    }
    while free := {name for name, others in graph.items() if not others}:
        graph = {name: others - free for name, others in graph.items() if name not in free}
    assert not graph, f"these files need themselves, or what does: {sorted(graph)}"


def test_folders_are_small_and_shallow() -> None:
    counts = Counter(path.parent.relative_to(ROOT) for path in files().values() if path.name != "__init__.py")
    assert not {str(folder): n for folder, n in counts.items() if n > (25 if folder.name in LIKE_PARTS else 15)}
    assert not [str(folder) for folder in counts if len(folder.parts) > 3]


def test_functions_are_short() -> None:
    lengths = {
        f"{name}.{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for name, path in files().items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    assert not {name: length for name, length in lengths.items() if length > 40}
    assert statistics.median(lengths.values()) <= 6


@pytest.mark.parametrize("folder", ["reml", *ROOMS])
def test_each_package_lists_its_files(folder: str) -> None:
    """Someone who opens a folder reads what is in it, a line a file."""
    for path in sources(folder):
        if path.name != "__init__.py" or path.parent == ROOT / folder:
            continue
        text = ast.get_docstring(ast.parse(path.read_text()), clean=False) or ""
        inside = {one.stem for one in path.parent.glob("*.py")} - {"__init__"}
        missing = {name for name in inside if f"\n{name} " not in text}
        assert not missing, f"{path.relative_to(ROOT)} does not list {sorted(missing)}"
