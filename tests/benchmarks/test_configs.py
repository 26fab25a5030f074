"""Every shipped configuration parses, and opens with the command that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reml.cli.loading import Given
from reml.cli.parsers import parser_of
from reml.study.plan import Study, with_conditions
from tests import ROOT

CONFIGS = sorted((ROOT / "benchmarks" / "configs").glob("*.yaml"))
STUDIES = [path for path in CONFIGS if "study" in yaml.safe_load(path.read_text(encoding="utf-8"))]


def chosen(paths: list[Path]) -> list[Any]:
    """Each configuration by its name; what reads the data beside the checkout is skipped where they are absent."""
    reads = {path: "../shared/data/" in path.read_text(encoding="utf-8") for path in paths}
    needs = {True: (pytest.mark.data,), False: ()}
    return [pytest.param(path, id=path.name, marks=needs[reads[path]]) for path in paths]


@pytest.mark.parametrize("path", chosen([path for path in CONFIGS if path not in STUDIES]))
def test_parses(path: Path) -> None:
    parsed = parser_of("run").parse_args(["--config", str(path)])
    assert parsed.tasks
    assert f"--config benchmarks/configs/{path.name}" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", chosen(STUDIES))
def test_studies_make_experiments(path: Path, tmp_path: Path) -> None:
    given = Given("study", ("--config", str(path), "--home", str(tmp_path)))
    study, runner = given.options()["study"], given.runner(with_conditions)
    assert isinstance(study, Study)
    assert {condition.access for condition in study.conditions()} <= set(runner.experiment.access)
    assert f"reml study --config benchmarks/configs/{path.name}" in path.read_text(encoding="utf-8")
