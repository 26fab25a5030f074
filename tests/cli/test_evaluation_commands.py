"""`reml evaluate`: the table, the JSON, and that it starts without the heavy libraries."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reml.cli.evaluation_commands import evaluate
from reml.evaluation.kilt_files import InvalidFilesError

GOLD = (
    '{"id": "x", "input": "q", "output": [{"answer": "Oslo", "provenance": [{"wikipedia_id": "1", "title": "T"}]}]}\n'
)
GUESS = """{"id": "x", "output": [{"answer": "oslo!", "provenance": [{"wikipedia_id": "1"}]}]}
{"id": "y", "output": [{"answer": ""}]}
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "gold.jsonl").write_text(GOLD)
    (tmp_path / "guess.jsonl").write_text(GUESS)
    return tmp_path / "gold.jsonl", tmp_path / "guess.jsonl"


def test_prints_tables_and_writes_json(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(*files, json=tmp_path / "new" / "scores.json", depths=(1, 3))
    scores = json.loads((tmp_path / "new" / "scores.json").read_text())
    assert scores["downstream"]["downstream"] == {"accuracy": 0.0, "em": 1.0, "f1": 1.0, "rougel": 0.0}
    assert scores["downstream"]["retrieval"] == {"Rprec": 1.0, "recall@5": 1.0}
    assert scores["retrieval"]["precision@3"] == pytest.approx(1 / 3)
    printed = capsys.readouterr().out
    assert "answers of 1 examples" in printed
    assert "0.3333" in printed
    assert "1 predictions are for ids" in printed


def test_bad_files_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidFilesError):
        evaluate(tmp_path / "no", tmp_path / "none", json=tmp_path / "scores.json")
    assert not (tmp_path / "scores.json").exists()


def test_starts_without_heavy_libraries() -> None:
    heavy = {"torch", "transformers", "scipy", "numba"}
    code = f"import reml.cli.evaluation_commands, sys; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
