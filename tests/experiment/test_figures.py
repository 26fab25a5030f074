"""The two things that are called R-precision, experiments that only retrieve, and systems of several access models."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

import reml
from reml.__main__ import main
from reml.comparison.runs.stored import stored_results
from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.kilt import evaluate
from reml.evaluation.passages import evaluate_passages
from reml.evaluation.trec.page_measures import PageScorer
from reml.experiment.differences import OF_PAGES
from reml.experiment.figures import Found, Measured, difference_rows, retrieval_of
from reml.files.records import write_examples
from reml.reporting.summary import show_figures
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from tests.backwards import Backwards
from tests.small_experiment import FACTS, read_lines, write_experiment

QUIET = Console(quiet=True)
BM25_SETTINGS = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
LEARNS = ("predictor", "train_on", "training")


def run(folder: Path, **changes: Any) -> reml.Results:
    """Run a small experiment; each example asks for one page by its own words."""
    write_experiment(folder)
    parts: dict[str, Any] = {
        "tasks": [task(folder)],
        "access": {"bm25": reml.Access(BM25()), "flat": reml.Access(BM25(b=0.0)), "closed_book": reml.Access()},
        "predictor": Backwards,
        "reading": reml.Reading(k=2, depth=4, words=40),
        "name": "two figures",
    }
    return reml.run(reml.Experiment(**{**parts, **changes}), folder / "home", QUIET)


def task(folder: Path, name: str = "places", *, degree: int = 1) -> Jsonl:
    """Give a task that asks with the words of each page; degree: of relevance of the page."""
    meta = None if degree == 1 else {"relevance": degree}
    examples = [
        Example(place, text, (Answer(place, (Provenance(place.lower(), place, meta=meta),)),))
        for place, text in FACTS.items()
    ]
    path = folder / f"{name}.jsonl"
    write_examples(examples, path)
    return Jsonl(name, {"dev": path}, knowledge_source=folder / "pages.jsonl")


def printed(folder: Path) -> list[list[str]]:
    stream = io.StringIO()
    show_figures(Console(file=stream, width=80), folder)
    return [line.split() for line in stream.getvalue().splitlines() if line.strip()]


def test_a_retriever_is_not_charged_with_what_its_reader_cites(tmp_path: Path) -> None:
    results = run(tmp_path)
    metrics = json.loads((results.folder / "metrics.json").read_text())["bm25"]["places"]
    assert metrics["retrieval"]["Rprec"] == 0.0, "KILT's figure is that of the provenance, under KILT's name"
    assert metrics["prediction"]["Rprec"] == {"mean": 0.0, "low": 0.0, "high": pytest.approx(0.390, abs=1e-3), "n": 6}
    own = metrics["retriever"]["bm25"]
    assert own["Rprec"] == {"mean": 1.0, "low": pytest.approx(0.610, abs=1e-3), "high": 1.0, "n": 6}
    assert {own[name]["mean"] for name in ("precision@1", "recall@5", "RR@10", "nDCG@10", "passage_recall@5")} == {1.0}
    (bm25,) = [row for row in printed(results.folder) if "bm25" in row]
    assert " ".join(bm25).startswith("bm25 1.00 ±.20 1.00 ±.20 1.00 ±.20")
    assert ".00 ±.20" in " ".join(bm25)
    report = results.report.read_text(encoding="utf-8")
    assert 'data-label="Retrieved: R-precision"' in report
    assert 'data-label="Predicted: provenance"' in report


def test_of_a_closed_book_only_answers_are_measured(tmp_path: Path) -> None:
    results = run(tmp_path)
    metrics = json.loads((results.folder / "metrics.json").read_text())["closed_book"]["places"]
    assert metrics["retriever"] == {}
    assert set(metrics["prediction"]) == {"accuracy", "em", "f1", "rougel"}
    assert metrics["downstream"]["kilt"]["KILT-em"] == 0.0, "KILT gives it nothing"
    (row,) = [row for row in printed(results.folder) if "closed_book" in row]
    assert row == ["closed_book", ".00", "±.20"]


def test_significant_differences_are_marked(tmp_path: Path) -> None:
    results = run(tmp_path)
    rows = json.loads((results.folder / "differences.json").read_text())
    (one,) = [
        row
        for row in rows
        if (row["of"], row["figure"], row["first"], row["second"]) == ("prediction", "score", "bm25", "closed_book")
    ]
    # All six differ by 1: of 64 ways to sign them two are as extreme; three pairs are a family.
    assert (one["difference"], one["p"], one["corrected"]) == (1.0, 2 / 64, pytest.approx(6 / 64))
    assert {row["figure"] for row in rows if row["of"] == "retriever"} >= {"Rprec", "recall@5", "RR@10", "nDCG@10"}
    assert not any("closed_book" in (row["first"], row["second"]) for row in rows if row["figure"] != "score")


def test_without_a_predictor_what_is_retrieved_is_measured_alone(tmp_path: Path) -> None:
    results = run(tmp_path, predictor=None)
    assert results.systems == ("bm25", "flat")
    assert results.mean("bm25", "places", "Rprec") == 1.0
    assert results.compare("bm25", "flat").column("measure").to_pylist() == ["Rprec", *OF_PAGES]
    assert [one.answer.provenance[0].title for one in results.examples("flat", "places")] == list(FACTS)
    metrics = json.loads((results.folder / "metrics.json").read_text())["bm25"]["places"]
    assert list(metrics) == ["retriever"]
    assert {path.name for path in (results.folder / "bm25" / "places").iterdir()} == {"run.trec", "retrieved.jsonl"}
    assert len(read_lines(results.folder / "bm25" / "places" / "retrieved.jsonl")) == 6
    shown = printed(results.folder)
    assert shown[0] == ["places,", "n", "=", "6"]
    assert shown[1][:3] == ["access", "R-precision", "P@1"]
    assert not any("em" in row or "KILT-em" in row for row in shown)
    report = results.report.read_text(encoding="utf-8")
    assert "Predicted" not in report
    assert 'id="results"' not in report
    assert 'data-outcome="found"' in report
    again = run(tmp_path, predictor=None)
    assert again.folder == results.folder


def test_degrees_of_relevance_bring_their_measures(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    results = run(tmp_path, tasks=[task(tmp_path, "graded", degree=3)])
    assert [row for row in printed(results.folder) if row[0] == "access"] == [
        ["access", "R-precision", "recall@5", "RR@10", "nDCG@10", "em", "KILT-em", "provenance"]
    ]


def test_a_system_of_several_access_models_has_the_figures_of_each_apart(tmp_path: Path) -> None:
    systems = {"one": reml.System("predictor", ["bm25"]), "flat": reml.System("predictor", ["bm25", "flat"])}
    results = run(tmp_path, systems=systems)
    metrics = json.loads((results.folder / "metrics.json").read_text())
    assert list(metrics["flat"]["places"]["retriever"]) == ["bm25", "flat"]
    found = json.loads((results.folder / "retrieval.json").read_text())
    assert list(found["places"]) == ["bm25", "flat"], "what both systems find alike stands once"
    rows = {row[0]: row for row in printed(results.folder)}
    assert len(rows["one"]) == len(rows["flat"]) + 4, "two figures and their intervals of its only access model"


def measured(*rankings: list[str], answer: str = "a") -> Measured:
    examples = [Example(str(n), "?", (Answer("a", (Provenance(f"p{n}"),)),)) for n in range(len(rankings))]
    answers = [Answer(answer, tuple(map(Provenance, pages))) for pages in rankings]
    scorer = PageScorer()
    for example, pages in zip(examples, rankings, strict=True):
        scorer.add(example, pages)
    passages = evaluate_passages(examples, [one.provenance for one in answers])
    return Measured("em", passages, {"g": Found(scorer.result(), passages)}, evaluate(examples, answers))


def test_what_finds_otherwise_under_each_system_is_named_with_it() -> None:
    one, other = measured(["p0"], ["x"]), measured(["p0"], ["p1"])
    assert list(retrieval_of({"s": {"t": one}, "z": {"t": one}})["t"]) == ["g"]
    assert list(retrieval_of({"s": {"t": one}, "z": {"t": other}})["t"]) == ["g", "z: g"]


def test_a_family_is_one_figure_over_all_tasks_and_pairs() -> None:
    right, wrong = measured(*[[f"p{n}"] for n in range(8)]), measured(*[["x"]] * 8)
    rows = difference_rows({"a": {"t": right, "u": right}, "b": {"t": wrong, "u": right}})
    kept = {
        (row["task"], row["p"], row["corrected"])
        for row in rows
        if row["figure"] == "Rprec" and row["of"] == "prediction"
    }
    assert kept == {("t", 2 / 256, 4 / 256), ("u", 1.0, 1.0)}


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_examples_are_not_tested(count: int) -> None:
    one = measured(*[["p0"]] * count)
    assert difference_rows({"a": {"t": one}, "b": {"t": one}}) == []
    if not count:
        assert one.to_json()["prediction"] == {}


SHOWN = ["R-precision", "P@1", "recall@5", "recall@20", "RR@10", "nDCG@10", "passages@5", "answers@5"]


def named(results: reml.Results, system: str, access: str | None) -> dict[str, tuple[float, int]]:
    rows = results.figures.to_pylist()
    return {
        row["figure"]: (row["value"], row["n"]) for row in rows if (row["system"], row["access"]) == (system, access)
    }


def test_figures_in_python_are_those_of_the_table_by_the_names_of_its_columns(tmp_path: Path) -> None:
    results = run(tmp_path)
    own, said = named(results, "bm25", "bm25"), named(results, "bm25", None)
    assert list(own) == SHOWN
    assert (own["R-precision"], own["P@1"], own["recall@5"]) == ((1.0, 6),) * 3
    assert list(said) == ["em", "KILT-em", "provenance"]
    assert said["provenance"] == (0.0, 6), "the pages that the reader names, backwards"
    assert results.mean("bm25", "places", "Rprec") == 0.0
    assert list(named(results, "closed_book", None)) == ["em"]
    assert "closed_book" not in results.figures.column("access").to_pylist()
    first = results.figures.to_pylist()[0]
    assert list(first) == ["system", "task", "seed", "access", "figure", "value", "low", "high", "n"]
    assert (first["low"], first["high"]) == (pytest.approx(0.610, abs=1e-3), 1.0)
    heads = [row for row in printed(results.folder) if row[0] == "access"]
    assert set(heads[0][1:]) <= {*own, *said}
    assert stored_results(results.folder).figures.equals(results.figures)


def test_figures_in_python_name_the_access_model_where_a_system_has_several(tmp_path: Path) -> None:
    systems = {"both": reml.System("predictor", ["bm25", "flat"])}
    results = run(tmp_path, systems=systems)
    assert [list(named(results, "both", access)) for access in ("bm25", "flat")] == [SHOWN, SHOWN]


def test_figures_in_python_of_retrieval_alone(tmp_path: Path) -> None:
    results = run(tmp_path, predictor=None)
    assert list(named(results, "flat", "flat")) == SHOWN
    assert named(results, "flat", None) == {}


def test_costs_are_gathered_where_nothing_is_predicted(tmp_path: Path) -> None:
    access = {"bm25": reml.Access(BM25()), "flat": reml.Access(BM25(b=0.0)), "both": reml.Access(fuse=["bm25", "flat"])}
    results = run(tmp_path, predictor=None, access=access)
    costs = {row["system"]: row for row in results.costs.to_pylist()}
    assert list(costs) == ["bm25", "flat", "both"]
    for row in costs.values():
        assert min(row["index"], row["retrieve"], row["index_bytes"], row["peak_memory_bytes"]) > 0
        assert (row["train"], row["predict"], row["words"]) == (0.0, 0.0, None)
    assert costs["both"]["index"] == costs["bm25"]["index"] + costs["flat"]["index"], "it searches both"
    assert list(results.runs[0].parts) == ["collection", "index", "retrieval"]
    again = run(tmp_path, predictor=None, access=access)
    assert again.costs.equals(results.costs), "what was made before costs what it did"


def test_the_command_tells_what_retrieval_alone_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(tmp_path, access={"bm25": BM25_SETTINGS})
    settings = {name: value for name, value in yaml.safe_load(config.read_text()).items() if name not in LEARNS}
    config.write_text(yaml.safe_dump(settings))
    for made in ("1", "0"):
        assert main(["run", "--config", str(config), "--home", str(tmp_path / "home")]) == 0
        rows = {row[0]: row[1:3] for line in capsys.readouterr().out.splitlines() if (row := line.split())}
        assert rows["collection"] == rows["index"] == rows["retrieval"] == ["1", made]
        assert rows["all"] == ["3", str(3 * int(made))]
        assert "prediction" not in rows
