"""Every shipped configuration parses, and opens with the command that runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml.command_line import experiment_parser

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "benchmarks" / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_parses(path: Path) -> None:
    parsed = experiment_parser("run").parse_args(["--config", str(path)])
    assert parsed.tasks
    assert f"--config benchmarks/configs/{path.name}" in path.read_text(encoding="utf-8")
