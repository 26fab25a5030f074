from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from reml.experiment.plan.config_digest import identity, written


def fresh(part: dict[str, object]) -> object:
    """Give the identity as a new process would: nothing is remembered."""
    importlib.invalidate_caches()
    from reml.experiment.plan import config_digest as module

    module._source.cache_clear()
    return identity(part)  # type: ignore[arg-type]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's package on the path: `mine.parts` beside `mine.other`."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("__init__", "parts", "other"):
        (folder / f"{name}.py").write_text(f"class Part:\n    name = {name!r}\n\n    class Inner:\n        pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("mine", "mine.parts", "mine.other"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return folder


@pytest.mark.parametrize("class_path", ["mine.parts.Part", "mine.parts.Part.Inner"])
def test_it_changes_with_the_source_of_the_class_only(package: Path, class_path: str) -> None:
    part: dict[str, object] = {"retriever": {"class_path": class_path, "init_args": {"k": 1}}}
    before = fresh(part)
    assert fresh(part) == before
    (package / "other.py").write_text("class Part: ...\n")
    assert fresh(part) == before
    (package / "parts.py").write_text("class Part: ...\n")
    assert fresh(part) != before


def test_a_class_of_a_package_changes_with_every_file_of_it(package: Path) -> None:
    part: dict[str, object] = {"class_path": "mine.Part"}
    before = fresh(part)
    (package / "other.py").write_text("class Part: ...\n")
    assert fresh(part) != before


def test_settings_stand_beside_the_source(package: Path) -> None:
    found = fresh(
        {"class_path": "mine.Part", "init_args": {"inner": [{"class_path": "mine.parts.Part"}, 3, None, "x"]}}
    )
    assert isinstance(found, dict)
    assert len(found["source"]) == 16
    first, *rest = found["init_args"]["inner"]
    assert (set(first), rest) == ({"class_path", "source"}, [3, None, "x"])
    assert first["source"] != found["source"]


def test_a_class_that_comes_with_python_has_no_source() -> None:
    assert identity({"class_path": "builtins.dict"}) == {"class_path": "builtins.dict", "source": ""}


def test_a_part_of_a_configuration_is_found_by_its_names() -> None:
    config = {"access": {"bm25": {"retriever": {"class_path": "x.Y"}, "fuse": None}}}
    assert written(config, "access", "bm25", "retriever") == {"class_path": "x.Y"}
    assert written(config, "access", "bm25", "fuse", "deeper") is None
    assert written(config, "access", "dense") is None
    assert written(config) == config
