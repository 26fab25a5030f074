from __future__ import annotations

import json
from pathlib import Path

import pytest

from reml.__main__ import main


def test_one_command_builds_kills_and_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--json", str(tmp_path / "ingest.json"), "--page", str(tmp_path / "ingest.html")]
    work = tmp_path / "work"
    given = ["--pages", "200", "--segment_rows", "150"]
    assert main(["benchmark", "ingest", *given, *files, "--folder", str(work)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Killed with SIGKILL" in told
    assert "byte for byte those of the undisturbed build" in told
    written = json.loads((tmp_path / "ingest.json").read_text())
    assert [built["pages"] for built in written["builds"]] == [20, 66, 200]
    assert [built["segments"] > 1 for built in written["builds"]] == [False, True, True]
    assert written["interruption"]["pages"] <= 200
    assert "From a knowledge source to a collection" in (tmp_path / "ingest.html").read_text()
    assert list(work.iterdir()) == [], "sources and collections are removed"


@pytest.mark.parametrize("option", ["--pages", "--segment_rows"])
def test_wrong_settings_are_named(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "ingest", option, "0"]) == 2
    assert "are 1 or more" in capsys.readouterr().err
