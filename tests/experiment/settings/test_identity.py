from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from reml.contract.examples import Json
from reml.experiment.settings import identity as module
from reml.experiment.settings.identity import identity
from reml.retrievers.fusion import Fusion


def fresh(part: Json) -> Json:
    """Give the identity as a new process would: nothing is remembered."""
    importlib.invalidate_caches()
    module._source.cache_clear()
    return identity(part)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's package on the path: `mine.parts` beside `mine.other`."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("__init__", "parts", "other"):
        (folder / f"{name}.py").write_text(f"class Part:\n    name = {name!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("mine", "mine.parts", "mine.other"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return folder


def test_a_user_s_class_changes_with_all_source_of_its_package(package: Path) -> None:
    part: Json = {"retriever": {"class_path": "mine.parts.Part", "init_args": {"k": 1}}}
    before = fresh(part)
    assert fresh(part) == before
    (package / "other.py").write_text("class Part: ...\n")
    assert fresh(part) != before


def test_settings_stand_beside_the_source(package: Path) -> None:
    found = fresh(
        {"class_path": "mine.Part", "init_args": {"inner": [{"class_path": "mine.parts.Part"}, 3, None, "x"]}}
    )
    assert isinstance(found, dict)
    assert len(str(found["source"])) == 16
    arguments = found["init_args"]
    assert isinstance(arguments, dict)
    assert arguments["inner"] == [{"class_path": "mine.parts.Part", "source": found["source"]}, 3, None, "x"]


def test_a_class_that_comes_with_python_has_no_source() -> None:
    assert identity({"class_path": "builtins.dict"}) == {"class_path": "builtins.dict", "source": ""}


def test_a_class_of_ours_changes_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    part: Json = {"class_path": "reml.retrievers.fusion.Fusion"}
    assert identity(part) == part
    monkeypatch.setattr(Fusion, "version", 2, raising=False)
    assert identity(part) == {"class_path": "reml.retrievers.fusion.Fusion", "version": 2}


@pytest.mark.parametrize("name", ["model", "encoder"])
def test_a_local_model_changes_with_its_files(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "t5"
    folder.mkdir()
    (folder / "weights").write_bytes(b"one")
    before = identity({name: str(folder)})
    assert identity({name: str(folder)}) == before
    (folder / "weights").write_bytes(b"other")
    assert identity({name: str(folder)}) != before


def test_what_names_no_file_is_itself() -> None:
    settings: Json = {"model": "google-t5/t5-base", "prompt": "a/b " * 2000, "tasks": ["tests"], "split": "dev"}
    assert identity(settings) == settings
