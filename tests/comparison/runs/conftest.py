from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import reml
from tests.comparison.runs.small_runs import TWO_WORDS, made


@pytest.fixture(scope="package")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of the experiments are."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="package")
def kept(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[reml.Results, reml.Results]:
    """Two runs in one home, `titles` by titles and `words` by the first two words; tests change copies of it."""
    home = tmp_path_factory.mktemp("kept")
    return made(data, home, name="titles"), made(data, home, name="words", predictor=TWO_WORDS)


@pytest.fixture
def home(kept: tuple[reml.Results, reml.Results], tmp_path: Path) -> Path:
    """A copy of the home with the two runs, and nothing that they were made of."""
    shutil.copytree(kept[0].folder.parent, tmp_path / "home" / "runs")
    return tmp_path / "home"
