from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reml.benchmarks.speed.engine import ENGINES, AbsentError, load_engine


@pytest.fixture
def missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "needy_engine.py").write_text("import a_package_that_is_not_there\n\nclass Needy:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "needy_engine.Needy"
    sys.modules.pop("needy_engine", None)


def test_an_engine_is_found_by_its_name_and_by_its_class_path() -> None:
    assert type(load_engine("impact")) is type(load_engine(ENGINES["impact"]))
    assert load_engine("impact").sources["bm25"] == ("term ids", "text")


@pytest.mark.parametrize(
    "name", ["impat", "", "reml.benchmarks.speed.engines.impact.Impat", "reml.benchmarks.speed.engines.impat.Impact"]
)
def test_an_unknown_engine_is_answered_with_those_there_are(name: str) -> None:
    with pytest.raises(ValueError, match="impact, bm25s, tantivy, pisa, scipy, seismic"):
        load_engine(name)


def test_an_engine_whose_package_is_missing_says_how_to_install_it(missing_package: str) -> None:
    with pytest.raises(AbsentError, match=r"a_package_that_is_not_there is not installed: `pip install"):
        load_engine(missing_package)
