"""nDCG and reciprocal rank by ir-measures, against hand arithmetic."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from reml.cli.evaluation_commands import measure
from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.ranked import ranked_measures
from reml.evaluation.trec import RankedPage, write_relevance, write_run

pytest.importorskip("ir_measures", reason="the extra `measures` is not installed")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Question `a b` has its two pages at 1 and 3, question `c` its one page at 2, question `d` no ranking."""
    pages = {"a b": ("p", "q"), "c": ("r",), "d": ("p",)}
    examples = [
        Example(name, "?", tuple(Answer("x", (Provenance(page),)) for page in right)) for name, right in pages.items()
    ]
    rankings = {
        "a b": [RankedPage("p", 3.0), RankedPage("z", 2.0), RankedPage("q", 1.0)],
        "c": [RankedPage("z", 2.0), RankedPage("r", 1.0)],
    }
    write_relevance(tmp_path / "relevance", examples)
    write_run(tmp_path / "run.trec", rankings, tag="t")
    return tmp_path / "run.trec", tmp_path / "relevance"


def test_measures_by_hand(files: tuple[Path, Path]) -> None:
    found = ranked_measures(*files, measures=("nDCG@10", "RR@10", "R@2"))
    ideal = 1 + 1 / math.log2(3)
    assert found == {
        "nDCG@10": pytest.approx(((1 + 1 / 2) / ideal + 1 / math.log2(3) + 0) / 3),
        "RR@10": pytest.approx((1 + 1 / 2 + 0) / 3),
        "R@2": pytest.approx((1 / 2 + 1 + 0) / 3),
    }


def test_the_command_prints_them(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    measure(*files, measures="RR@10")
    assert "0.5000" in capsys.readouterr().out


def test_what_is_not_known_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ir-measur\.es"):
        ranked_measures(*files, measures=("nDGC@10",))
    (tmp_path / "bad.trec").write_text("no run\n")
    with pytest.raises(ValueError, match="not as TREC prescribes"):
        ranked_measures(tmp_path / "bad.trec", files[1])
