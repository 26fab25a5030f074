"""What a stage was made from, as its manifest says it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from reml.contract.examples import Json
from reml.experiment.plan.store import Stages
from reml.files.atomic import SIGNATURE, CorruptError, digest
from reml.files.environment import take


def make(home: Path, depends: Json) -> Path:
    return Stages(home, Console(quiet=True)).make("room", "a stage", depends, Path.exists).folder


def test_a_stage_that_was_made_from_something_else_is_not_used(tmp_path: Path) -> None:
    one = make(tmp_path, {"words": 40, "rate": 1e-05})
    assert make(tmp_path, {"words": 40, "rate": 1e-05}) == one
    one.rename(one.with_name(f"a-stage-{digest('room', {'words': 41})}"))
    with pytest.raises(CorruptError, match="was made from other settings"):
        make(tmp_path, {"words": 41})


@pytest.mark.parametrize("change", [{"key": "0" * 16}, {"depends": {"words": 41}}])
def test_a_manifest_that_tells_of_other_settings_is_not_believed(tmp_path: Path, change: dict[str, object]) -> None:
    path = make(tmp_path, {"words": 40}) / "manifest.json"
    manifest = json.loads(path.read_text()) | change
    del manifest[SIGNATURE]  # a former version signed none
    path.write_text(json.dumps(manifest))
    with pytest.raises(CorruptError, match="was made from other settings"):
        make(tmp_path, {"words": 40})


def test_a_stage_of_a_former_version_is_used(tmp_path: Path) -> None:
    path = make(tmp_path, {"words": 40}) / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["key"], manifest[SIGNATURE]
    path.write_text(json.dumps(manifest))
    assert make(tmp_path, {"words": 40}) == path.parent


def test_what_is_hidden_of_the_environment_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter3-sesame")
    one = make(tmp_path, {"token": take("TOKEN")})
    assert "hunter3" not in (one / "manifest.json").read_text()
    assert make(tmp_path, {"token": "hunter3-sesame"}) == one
