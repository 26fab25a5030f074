"""Runs without a predictor, read back and compared: by all measures of their own tables, with the same values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import reml
from reml.comparison.runs.stored import stored_results
from reml.contract.examples import Answer, Example, Provenance
from reml.experiment.differences import OF_PAGES
from reml.files.records import write_examples
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from tests.comparison.runs.small_runs import QUIET, TWO_WORDS, made
from tests.small_experiment import FACTS, write_experiment


def right(*pages: str, text: str | None = "a", degree: int = 1) -> Answer:
    meta = None if degree == 1 else {"relevance": degree}
    return Answer(text, tuple(Provenance(page, meta=meta) for page in pages))


# What is right for a question that names Chad, so that its page is found first.
JUDGED = {
    "found": (right("chad"),),
    "one of two answers": (right("fiji"), right("chad")),
    "a set of two": (right("chad", "peru"),),
    "the set twice": (right("chad", "peru"), right("peru", "chad", text="b")),
    "not found": (right("nowhere"),),
    "graded": (right("chad", degree=1), right("peru", degree=3)),
    "graded and last": (right("laos", degree=7),),
    "all": tuple(right(name.lower()) for name in FACTS),
    "with spaces": (right(" chad "),),
    "an id with spaces ": (right("chad"),),
    "evidence alone": (right("chad", text=None),),
    "an answer alone": (right(),),
    "nothing": (),
    "a page without id": (right("", "chad"),),
}
EVERY = " ".join(FACTS)


def retrieved(folder: Path, name: str = "only", *, b: float = 0.75, **changes: Any) -> reml.Results:
    write_experiment(folder)
    examples = [Example(one, f"Chad {EVERY}", outputs) for one, outputs in JUDGED.items()]
    write_examples(examples, folder / "judged.jsonl")
    task = Jsonl("judged", {"dev": folder / "judged.jsonl"}, knowledge_source=folder / "pages.jsonl")
    parts: dict[str, Any] = {
        "tasks": [task],
        "access": {"bm25": reml.Access(BM25(b=b)), "both": reml.Access(fuse=["bm25"])},
        "reading": reml.Reading(depth=9, words=40),
    }
    return reml.run(reml.Experiment(**{**parts, "name": name, **changes}), folder / "home", QUIET)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> reml.Results:
    return retrieved(tmp_path_factory.mktemp("retrieved"))


def test_every_measure_is_read_back_as_the_run_wrote_it(results: reml.Results) -> None:
    stored = stored_results(results.folder)
    assert stored.scores.equals(results.scores)
    metrics = json.loads((results.folder / "metrics.json").read_text(encoding="utf-8"))
    for system in ("bm25", "both"):
        own = metrics[system]["judged"]["retriever"][system]
        values = {name: stored.mean(system, "judged", name) for name in ("Rprec", *OF_PAGES)}
        assert values == {name: own[name]["mean"] for name in values}
        assert {own[name]["n"] for name in values} == {len(stored.runs[0].evaluation(system, "judged"))}
    assert len({stored.mean("bm25", "judged", name) for name in ("Rprec", *OF_PAGES)}) > 4
    assert dict(stored.runs[0].questions["judged"]) == results.runs[0].questions["judged"]


@pytest.mark.parametrize("name", JUDGED)
def test_each_kind_of_question_has_the_scores_that_it_had(name: str, results: reml.Results) -> None:
    (one,) = [each for each in results.examples("bm25", "judged") if each.example.id == name]
    (other,) = [each for each in stored_results(results.folder).examples("bm25", "judged") if each.example.id == name]
    assert one == other
    named = any(place.wikipedia_id for output in JUDGED[name] for place in output.provenance)
    assert bool(other.scores) == named, "a question that names a page is judged, and no other"


def test_two_runs_are_compared_by_the_columns_of_their_tables(tmp_path: Path) -> None:
    runs = retrieved(tmp_path, "one"), retrieved(tmp_path, "two", b=0.0)
    (pair,) = reml.compare("one", "two", home=tmp_path / "home").pairs
    assert [one.measure for one in pair.differences if one.first == "bm25"] == ["Rprec", *OF_PAGES]
    for one in pair.differences:
        for results, mean in zip(runs, (one.first_mean, one.second_mean), strict=True):
            metrics = json.loads((results.folder / "metrics.json").read_text(encoding="utf-8"))
            assert metrics[one.first]["judged"]["retriever"][one.first][one.measure]["mean"] == pytest.approx(mean)
    assert pair.differences == reml.compare(*runs).pairs[0].differences


def test_questions_with_evidence_alone_are_compared(tmp_path: Path) -> None:
    """Nothing answers them, and nothing needs to where only pages are scored."""
    runs = []
    for name in ("one", "two"):
        write_experiment(tmp_path)
        examples = [Example(page, page, (right(page.lower(), text=None),)) for page in FACTS]
        write_examples(examples, tmp_path / "evidence.jsonl")
        task = Jsonl("evidence", {"dev": tmp_path / "evidence.jsonl"}, knowledge_source=tmp_path / "pages.jsonl")
        runs.append(retrieved(tmp_path, name, tasks=[task]))
    for found in (reml.compare(*runs), reml.compare("one", "two", home=tmp_path / "home")):
        assert {one.n for one in found.pairs[0].differences} == {len(FACTS)}
        assert len(found.pairs[0].shared["evidence"]) == len(FACTS)


def test_what_is_cited_beside_what_is_found_is_said(data: Path, tmp_path: Path) -> None:
    one = made(data, tmp_path, predictor=TWO_WORDS)
    other = made(data, tmp_path, predictor=None, access={"bm25": reml.Access(BM25())})
    (pair,) = reml.compare(one.folder, other.folder, home=tmp_path).pairs
    assert pair.remarks[-1] == (
        "figures of pages are of the provenance of predictions in A, of what was retrieved in B."
    )
