"""The folders are the architecture: what is packaged, and who may import whom."""

from __future__ import annotations

import ast
import os
import tomllib
from pathlib import Path

import pytest

from tests import ROOT

ROOMS = ("benchmarks", "predictors", "retrievers", "tasks")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
VAGUE = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}


def sources(folder: str) -> list[Path]:
    """All Python files of one of our folders; the links inside reml/ are not followed."""
    return [
        Path(root, name)
        for root, _, names in os.walk(ROOT / folder, followlinks=False)
        for name in names
        if name.endswith(".py")
    ]


def pages(folder: str) -> list[Path]:
    """All templates, styles and scripts of one of our folders."""
    return [
        Path(root, name)
        for root, _, names in os.walk(ROOT / folder, followlinks=False)
        for name in names
        if name.endswith((".html", ".css", ".js"))
    ]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return names


def test_every_package_is_listed_for_the_wheel() -> None:
    found = {"reml"}
    for folder in ("reml", *ROOMS):
        for path in sources(folder):
            inside = path.parent.relative_to(ROOT).parts
            if path.name == "__init__.py":
                found.add(".".join(inside if folder == "reml" else ("reml", *inside)))
    assert set(PROJECT["packages"]) == found


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_are_linked_and_mapped(room: str) -> None:
    link = ROOT / "reml" / room
    assert link.is_symlink()
    assert link.readlink() == Path("..") / room
    assert PROJECT["package-dir"][f"reml.{room}"] == room


def test_reml_imports_no_room() -> None:
    for path in sources("reml"):
        wrong = [name for name in imported(path) if name.startswith(tuple(f"reml.{room}" for room in ROOMS))]
        assert not wrong, f"{path} imports {wrong}: dependencies point the other way"


@pytest.mark.parametrize("room", ["predictors", "retrievers", "tasks"])
def test_rooms_import_only_reml_and_themselves(room: str) -> None:
    others = tuple(f"reml.{other}" for other in ROOMS if other != room)
    for path in sources(room):
        wrong = [name for name in imported(path) if name.startswith(others)]
        assert not wrong, f"{path} imports {wrong}"


def test_data_files_are_packaged() -> None:
    patterns = {(package, pattern) for package, chosen in PROJECT["package-data"].items() for pattern in chosen}
    packaged: set[Path] = set()
    for package, pattern in patterns:
        parts = package.split(".")
        folder = ROOT / Path(*(parts[1:] if len(parts) > 1 and parts[1] in ROOMS else parts))
        fitting = list(folder.glob(pattern))
        assert fitting, f"{package}: nothing fits {pattern}"
        packaged.update(fitting)
    missing = {path for folder in ("reml", *ROOMS) for path in pages(folder)} - packaged
    assert not missing, f"in no wheel: {missing}"


def test_files_are_named_for_an_idea_and_short() -> None:
    for folder in ("reml", *ROOMS):
        for path in sources(folder):
            assert path.name not in VAGUE, path
            assert len(path.read_text().splitlines()) <= 400, path
