"""A result folder read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reml.evaluation.cases import PREDICTED, Outcome
from reml.files.atomic import CorruptError
from reml.reporting.figures import Figure
from reml.reporting.result_folder import Curve, read_results
from tests.reporting.conftest import HOSTILE, make_former


def test_all_of_it_is_read(run: Path) -> None:
    results = read_results(run, cases_each=1)
    assert results.name == f"capitals {HOSTILE}"
    assert results.accesses == ("bm25", "dense")
    assert results.measures == {"qa": "em"}
    predicted = results.figures.predicted["bm25"]["qa"]
    assert {name: (predicted[name].mean, predicted[name].n) for name in ("Rprec", "em", "KILT-em")} == {
        "Rprec": (0.25, 4),
        "em": (0.5, 4),
        "KILT-em": (0.25, 4),
    }
    access, own = results.figures.own["bm25"]["qa"]
    assert (access, own["Rprec"].mean, own["RR@10"].mean) == ("bm25", 0.5, 0.625)
    assert results.figures.retrieved["qa"]["bm25"].recall == (0.5, 0.75)
    assert results.cells[0].counts == {**dict.fromkeys(PREDICTED, 1), Outcome.WRONG: 0}
    assert [question.example.id for question in results.questions] == ["a", "b", "c", "d"]
    assert all(list(question.cases) == ["bm25", "dense"] for question in results.questions)
    assert not results.figures.former


def test_a_folder_of_a_former_version_is_read_as_far_as_it_goes(run: Path) -> None:
    make_former(run)
    figures = read_results(run, cases_each=1).figures
    assert figures.former
    assert figures.predicts
    assert figures.predicted["bm25"]["qa"] == {"Rprec": Figure(0.25), "em": Figure(0.5), "KILT-em": Figure(0.25)}
    assert (figures.own["bm25"]["qa"], dict(figures.retrieved), figures.tests) == (("", {}), {}, ())


def test_a_former_version_named_its_experiment_in_the_configuration_or_not(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["name"], manifest["signature"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert read_results(run, cases_each=1).name == HOSTILE
    others: tuple[object, ...] = ({}, {"name": " "}, {"name": 3}, [])
    for config in others:
        (run / "manifest.json").write_text(json.dumps({**manifest, "config": config}))
        assert read_results(run, cases_each=1).name == "a run"


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
    del manifest["measures"], manifest["signature"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert read_results(run, cases_each=1).measures == {"qa": "em"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("metrics.json", "[]", "not an object of objects"),
        ("metrics.json", '{"bm25": {"qa": {}}}', r"lacks retrieval\.Rprec"),
        ("metrics.json", "{", "not readable JSON"),
        (
            "metrics.json",
            '{"bm25": {"qa": {"retriever": {}, "prediction": {"em": {"n": 4}}}}}',
            "no figures as they are",
        ),
        ("metrics.json", '{"bm25": {"qa": {"retriever": {}, "prediction": {"em": 0.5}}}}', "no figures as they are"),
        ("metrics.json", '{"bm25": {"qa": {"retriever": {"a": {"x": []}}}}}', "no figures as they are"),
        ("retrieval.json", '{"qa": {"bm25": {"figures": {}, "recall": ["?"], "graded": false}}}', "no figures as they"),
        ("retrieval.json", "[]", "no figures as they are"),
        ("differences.json", '[{"of": "prediction"}]', "no figures as they are"),
        ("manifest.json", '{"kind": "index"}', "does not describe a run"),
        ("manifest.json", '{"kind": "run", "measures": {"qa": "bleu"}}', r"none of KILT's measures"),
        ("manifest.json", '{"kind": "run", "measures": {"qa": 1}}', "by 1, which names no measure"),
    ],
)
def test_what_is_broken_is_named(run: Path, name: str, text: str, message: str) -> None:
    (run / name).write_text(text)
    with pytest.raises(CorruptError, match=message):
        read_results(run, cases_each=1)


def test_a_former_folder_that_lacks_its_measure_says_so(run: Path) -> None:
    make_former(run)
    (run / "manifest.json").write_text('{"kind": "run", "measures": {"qa": "bleu"}}')
    with pytest.raises(CorruptError, match=r"lacks downstream\.downstream\.bleu"):
        read_results(run, cases_each=1)


def test_missing_files_are_named(run: Path) -> None:
    (run / "gold" / "qa.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match=r"qa\.jsonl"):
        read_results(run, cases_each=1)
