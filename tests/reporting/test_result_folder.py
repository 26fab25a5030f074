"""A result folder read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reml.evaluation.cases import Outcome
from reml.files.atomic import CorruptError
from reml.reporting.result_folder import Curve, Figures, read_results


def test_all_of_it_is_read(run: Path) -> None:
    results = read_results(run, cases_each=1)
    assert results.name == "a run"
    assert results.accesses == ("bm25", "dense")
    assert results.measures == {"qa": "em"}
    assert results.figures["bm25", "qa"] == Figures(r_precision=0.25, downstream=0.5, kilt=0.25)
    assert results.figures["dense", "qa"] == Figures(1.0, 1.0, 1.0)
    bm25 = results.cells[0]
    assert bm25.counts == dict.fromkeys(Outcome, 1)
    assert bm25.recall == (0.25, 0.75)


def test_rates_and_what_is_no_number_are_left_out_of_the_training_curves(run: Path) -> None:
    assert read_results(run, cases_each=1).curves == (
        Curve("train/loss", (0.0, 20.0), (3.5, 1.5)),
        Curve("dev/score", (10.0,), (0.25,)),
    )


def test_a_run_without_training_has_no_curves(run: Path) -> None:
    (run / "training" / "metrics.csv").unlink()
    assert read_results(run, cases_each=1).curves == ()


def test_a_task_without_measure_counts_by_exact_match(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["measures"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert read_results(run, cases_each=1).measures == {"qa": "em"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("metrics.json", "[]", "not an object of objects"),
        ("metrics.json", '{"bm25": {"qa": {}}}', r"lacks retrieval\.Rprec"),
        ("metrics.json", "{", "not readable JSON"),
        ("manifest.json", '{"kind": "index"}', "does not describe a run"),
        ("manifest.json", '{"kind": "run", "measures": {"qa": "bleu"}}', r"lacks downstream\.downstream\.bleu"),
        ("manifest.json", '{"kind": "run", "measures": {"qa": 1}}', "by 1, which names no measure"),
    ],
)
def test_what_is_broken_is_named(run: Path, name: str, text: str, message: str) -> None:
    (run / name).write_text(text)
    with pytest.raises(CorruptError, match=message):
        read_results(run, cases_each=1)


def test_missing_files_are_named(run: Path) -> None:
    (run / "gold" / "qa.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match=r"qa\.jsonl"):
        read_results(run, cases_each=1)
