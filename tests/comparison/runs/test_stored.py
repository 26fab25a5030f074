"""The results of a run read back: those that the run gave."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reml
from reml.comparison.runs.stored import stored_results
from reml.experiment.differences import OF_PAGES
from reml.files.atomic import CorruptError
from tests.comparison.runs.small_runs import TWO_WORDS, change_manifest, forget_records, made, places


def copied(home: Path, name: str) -> Path:
    (folder,) = (home / "runs").glob(f"{name}-*")
    return folder


def test_scores_and_questions_are_those_of_the_run(kept: tuple[reml.Results, reml.Results], home: Path) -> None:
    for results in kept:
        stored = stored_results(home / "runs" / results.folder.name)
        assert (stored.systems, stored.tasks) == (results.systems, results.tasks)
        assert stored.scores.equals(results.scores)
        assert dict(stored.runs[0].questions["places"]) == results.runs[0].questions["places"]
        examples = zip(stored.examples("bm25", "places"), results.examples("bm25", "places"), strict=True)
        assert all(one == other for one, other in examples)
        assert stored.compare("bm25", "closed_book").equals(results.compare("bm25", "closed_book"))


class Letters:
    """Measures an answer by its length."""

    headline = "letters"

    def __call__(self, examples: Sequence[reml.Example], answers: Sequence[reml.Answer]) -> Mapping[str, Any]:
        return {"letters": np.array([len(answer.text or "") for answer in answers], dtype=np.float64)}


class Lengths:
    """The places, measured by a metric of their own."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        return "lengths"

    @property
    def metric(self) -> Letters:
        return Letters()

    def source(self) -> Any:
        return places(Path(self.folder)).source()

    def examples(self, split: str) -> Sequence[reml.Example]:
        return places(Path(self.folder)).examples(split)


def test_a_metric_of_a_task_s_own_is_read_back(data: Path, tmp_path: Path, kept: object) -> None:
    results = made(data, tmp_path, tasks=[Lengths(str(data))])
    other = made(data, tmp_path, tasks=[Lengths(str(data))], predictor=TWO_WORDS)
    stored = stored_results(results.folder)
    for measure in ("letters", "Rprec", "recall@5"):
        assert stored.mean("bm25", "lengths", measure) == results.mean("bm25", "lengths", measure)
    assert "em" not in stored.runs[0].evaluation("bm25", "lengths").values
    found = reml.compare(results.folder, other.folder, home=tmp_path)
    assert {(one.first, one.measure) for one in found.pairs[0].differences} == {
        (system, measure) for system in ("bm25", "closed_book") for measure in ("Rprec", "letters")
    }


def lines(name: str, change: Callable[[list[Any]], object]) -> Callable[[Path], None]:
    """Change the records of a file of a run."""

    def changed(folder: Path) -> None:
        records = [json.loads(line) for line in (folder / name).read_text().splitlines()]
        change(records)
        (folder / name).write_text("".join(f"{json.dumps(one)}\n" for one in records))

    return changed


GOLD, GUESS, SCORES = "gold/places.jsonl", "bm25/places/predictions.jsonl", "bm25/places/scores.json"


def written(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lines(GUESS, lambda found: found.pop()), r"predictions.jsonl has no answer to 'q-laos'"),
        (lines(GUESS, lambda found: found[0].pop("output")), r"has no answer to 'q-oman'"),
        (lines(GUESS, lambda found: found[1]["output"][0].pop("answer")), r"has no answer to 'q-cuba'"),
        (lines(GUESS, lambda found: found[1].update(id="q-oman")), r"predictions.jsonl, line 2: id 'q-oman' is"),
        (written(GUESS, ""), r"predictions.jsonl is empty"),
        (written(GUESS, '{"id": "q"\n'), r"predictions.jsonl, line 1"),
        (written(GOLD, "{}\n"), r"places.jsonl, line 1"),
        (written(SCORES, '{"em": {"q-oman": 1}}'), r"scores.json has no finite number as the score of 'q-cuba'"),
        (written(SCORES, '{"em": {"q-oman": 1, "q-cuba": NaN, "q-laos": 0}}'), r"no finite number as the score of"),
        (written(SCORES, '{"em": {"q-oman": "1"}}'), r"scores.json has no finite number as the score of 'q-oman'"),
        (written(SCORES, "[]"), r"scores.json has no scores by 'em'"),
        (lambda folder: (folder / GOLD).unlink(), r"is damaged\. .*places.jsonl does not exist"),
        (written("metrics.json", "{}"), r"is damaged\. .*metrics.json has no figures: run"),
        (written("manifest.json", "{"), r"is damaged\. .*manifest.json is not readable JSON"),
        (lambda folder: (folder / "manifest.json").unlink(), r"is unfinished\. Its results are not written"),
        (lambda folder: change_manifest(folder, lambda one: one.update(kind="study")), r"is damaged\."),
    ],
)  # fmt: skip
def test_what_is_damaged_is_named(change: Callable[[Path], object], sentence: str, home: Path) -> None:
    folder = copied(home, "words")
    forget_records(folder)
    change(folder)
    with pytest.raises((CorruptError, ValueError), match=sentence):
        reml.compare(copied(home, "titles"), folder, home=home)


def test_a_task_that_only_some_systems_have_is_named(home: Path) -> None:
    folder = copied(home, "words")
    forget_records(folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["closed_book"] = {}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(CorruptError, match=r"metrics.json has no figures of 'closed_book' on 'places'"):
        stored_results(folder)


def test_what_was_only_retrieved_is_compared_by_its_pages(home: Path) -> None:
    """A run without a predictor leaves no answers, and its own layout of figures."""
    folder = copied(home, "words")
    forget_records(folder)
    of_pages = {"Rprec": {"mean": 1.0, "low": 0.4, "high": 1.0, "n": 3}}
    retriever = {"bm25": {"bm25": of_pages}, "closed_book": {"closed_book": {"Rprec": {"mean": 0.0, "n": 3}}}}
    metrics = {system: {"places": {"retriever": found}} for system, found in retriever.items()}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    for system in retriever:
        (folder / system / "places" / "predictions.jsonl").rename(folder / system / "places" / "retrieved.jsonl")
    best = next(run for run in reml.runs(home) if run.name == "words").figures["places"]
    assert (best.system, best.measure, best.value) == ("bm25", "Rprec", 1.0)
    found = reml.compare(folder, folder, systems=[("bm25", "closed_book")], home=home).pairs[0]
    assert [one.measure for one in found.differences] == ["Rprec", *OF_PAGES]
    assert [one.difference for one in found.differences] == [1.0] * 6
    beside = reml.compare("titles", folder, home=home).pairs[0]
    assert {one.measure for one in beside.differences} == {"Rprec", "precision@1", "recall@5", "recall@20"}
    assert beside.changed == ()


def test_a_file_that_is_not_what_was_written_is_named(home: Path) -> None:
    folder = copied(home, "words")
    path = folder / GUESS
    path.write_bytes(path.read_bytes().replace(b"Oman", b"oman"))
    with pytest.raises(CorruptError, match=r"predictions.jsonl is not what was written. Run the experiment again"):
        stored_results(folder)
