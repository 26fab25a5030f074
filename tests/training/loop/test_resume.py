from __future__ import annotations

from pathlib import Path

from reml.files.atomic import write_manifest
from reml.training.loop.checkpoint import KIND
from reml.training.loop.resume import newest_state


def test_the_newest_whole_state_counts(tmp_path: Path) -> None:
    assert newest_state(tmp_path) is None
    for name in ("step-00000009", "step-00000010", ".step-00000011.draft"):
        (tmp_path / name).mkdir()
        write_manifest(tmp_path / name, KIND, {})
    assert newest_state(tmp_path) == tmp_path / "step-00000010"
