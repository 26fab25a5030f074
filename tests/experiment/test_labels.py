"""What people call a part is a label: a part is known by what it is, and nothing is shared that is not the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
import torch
from rich.console import Console

import reml
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.recorded import recorded
from reml.contract.retrieved import Hits, Queries
from reml.contract.retrievers import Retriever
from reml.contract.vectors import Int64Array
from reml.experiment.run import finish
from reml.experiment.runner import Runner
from reml.files.atomic import MANIFEST
from reml.files.records import read_examples
from reml.predictors.first_title import FirstTitle
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from tests.first_words import Echo
from tests.small_experiment import write_experiment

if TYPE_CHECKING:
    from torch import Tensor

QUIET = Console(quiet=True)


class Only:
    """A retriever that finds the page of one title, whatever is asked."""

    def __init__(self, collection: Collection, title: str) -> None:
        self.collection, self._title = collection, title

    def search(self, queries: Queries, k: int) -> Hits:
        items = self.collection.get(self.collection.rows())
        found = np.full((len(queries), k), -1, dtype=np.int64)
        found[:, 0] = next(item.row for item in items if item.title == self._title)
        return Hits(found, np.where(found >= 0, 1.0, -np.inf).astype(np.float32))

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        return torch.where(torch.from_numpy(rows) >= 0, 1.0, -torch.inf)


@dataclass(frozen=True)
class Titled:
    """Settings that tell what they were made with as a dataclass does."""

    title: str

    def index(self, collection: Collection, folder: Path) -> Retriever:
        return Only(collection, self.title)


@recorded
class Noted:
    """Settings that keep what they were made with under a name of their own."""

    def __init__(self, title: str) -> None:
        self._wanted = title

    def index(self, collection: Collection, folder: Path) -> Retriever:
        return Only(collection, self._wanted)


class Plain:
    """Settings that keep what they were made with under its own name."""

    def __init__(self, title: str) -> None:
        self.title = title

    def index(self, collection: Collection, folder: Path) -> Retriever:
        return Only(collection, self.title)


class Untold:
    """Settings that do not tell what they were made with."""

    def __init__(self, title: str) -> None:
        self._wanted = title

    def index(self, collection: Collection, folder: Path) -> Retriever:
        return Only(collection, self._wanted)


def experiment(folder: Path, access: Mapping[str, reml.Access], predictor: type = FirstTitle) -> reml.Experiment:
    task = Jsonl("places", {"dev": folder / "dev.jsonl"}, knowledge_source=folder / "pages.jsonl")
    return reml.Experiment([task], access, predictor, reading=reml.Reading(k=1, depth=2, words=40), name="labels")


def answers(runner: Runner, system: str) -> list[str | None]:
    return [example.output[0].text for example in read_examples(runner.predictions(system, "places"))]


@pytest.mark.parametrize("kind", [Titled, Noted, Plain])
@pytest.mark.parametrize("apart", [True, False], ids=["one after the other", "side by side"])
def test_retrievers_of_one_class_get_results_of_their_own(kind: type, apart: bool, tmp_path: Path) -> None:
    write_experiment(tmp_path)
    titles = ("Chad", "Peru", "Fiji")
    if apart:  # three runners, one home, one name of the access model
        experiments = [experiment(tmp_path, {"a": reml.Access(kind(one))}) for one in titles]
        runners = [Runner(one, tmp_path / "home", QUIET) for one in experiments]
        said = [set(answers(runner, "a")) for runner in runners]
        assert len({runner.folder for runner in runners}) == 3
    else:
        runner = Runner(experiment(tmp_path, {one: reml.Access(kind(one)) for one in titles}), tmp_path / "home", QUIET)
        said = [set(answers(runner, one)) for one in titles]
    assert said == [{"Chad"}, {"Peru"}, {"Fiji"}]


def test_a_retriever_that_does_not_tell_its_settings_is_refused_before_any_work(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    with pytest.raises(TypeError, match=r"Untold does not tell what it was made with .title.: keep each"):
        reml.run(experiment(tmp_path, {"a": reml.Access(Untold("Chad"))}), tmp_path / "home", QUIET)
    assert not (tmp_path / "home").exists()


def made(home: Path) -> dict[str, int]:
    """Count the stages that were made, by kind."""
    rooms = [path for path in home.iterdir() if path.is_dir()]
    return {room.name: len(list(room.glob(f"*/{MANIFEST}"))) for room in rooms if room.name != "runs"}


def test_an_access_model_that_is_called_otherwise_is_not_made_again(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    home, access = tmp_path / "home", {"bm25": reml.Access(BM25()), "flat": reml.Access(BM25(b=0.0))}
    first = finish(Runner(experiment(tmp_path, access), home, QUIET))
    before = made(home)
    assert before == {"collections": 1, "indexes": 2, "hits": 2, "predictions": 2}
    renamed = dict(zip(["on", "Wörter & so"], access.values(), strict=True))
    runner = Runner(experiment(tmp_path, renamed), home, QUIET)
    second = finish(runner)
    after = made(home)
    assert {**after, "predictions": 0} == {**before, "predictions": 0}, "what is called otherwise is the same"
    assert after["predictions"] == 4, "a predictor is handed the names, and may tell them apart"
    assert [stage.cached for stage in runner.stages.done.values() if stage.name.startswith("index")] == [True, True]
    old, new = first.evaluations["bm25"]["places"], second.evaluations["on"]["places"]
    assert old.means() == new.means()


def test_an_index_that_a_former_version_made_is_found_by_its_key(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    runner = Runner(experiment(tmp_path, {"bm25": reml.Access(BM25())}), tmp_path / "home", QUIET)
    runner.retriever("bm25", "places")
    (folder,) = (tmp_path / "home" / "indexes").glob("*")
    folder.rename(folder.with_name(f"some-former-label-{folder.name.rpartition('-')[2]}"))
    again = Runner(experiment(tmp_path, {"x": reml.Access(BM25())}), tmp_path / "home", QUIET)
    again.retriever("x", "places")
    assert [path.name.rpartition("-")[0] for path in (tmp_path / "home" / "indexes").glob("*")] == ["some-former-label"]


class Counting(Echo):
    """Answers with how many examples it was asked so far, and with what it is told of the right answer."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def generate(self, batch: Batch) -> list[Answer]:
        told = []
        for example in batch.examples:
            self.seen.append(f"{example.answers}{example.output}{dict(example.meta)}")
            told.append(Answer(f"{len(self.seen)} {self.seen[-1]}"))
        return told


def test_a_predictor_carries_nothing_from_one_system_to_the_next_and_is_told_no_right_answer(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    access = {"bm25": reml.Access(BM25()), "flat": reml.Access(BM25(b=0.0)), "closed_book": reml.Access()}
    results = reml.run(experiment(tmp_path, access, Counting), tmp_path / "home", QUIET, seeds=[0, 1])
    for run in results.runs:
        for system in access:
            said = [one.answer.text for one in run.examples(system, "places")]
            assert said == ["1 ()(){}", "2 ()(){}", "3 ()(){}"]


class Corrected(Counting):
    """Answers with what it was told after the answers before."""

    def __init__(self) -> None:
        super().__init__()
        self.right: list[str] = []

    def generate(self, batch: Batch) -> list[Answer]:
        return [Answer(f"{len(batch.examples)} {' '.join(self.right)}") for _ in batch.examples]

    def see_right_answers(self, batch: Batch) -> None:
        self.right += [example.answers[0].split()[0] for example in batch.examples]


def test_who_wants_to_know_what_was_right_is_told_after_it_has_answered(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    task = Jsonl("places", {"dev": str(tmp_path / "dev.jsonl")}, knowledge_source=str(tmp_path / "pages.jsonl"))
    reading = reml.Reading(k=1, depth=2, words=40, batch_size=1)
    told = reml.Experiment([task], {"bm25": reml.Access(BM25())}, Corrected, reading=reading)
    assert answers(Runner(told, tmp_path / "home", QUIET), "bm25") == ["1 ", "1 Frankincense", "1 Frankincense Tobacco"]


def test_an_example_without_answers_is_handed_on_as_it_is() -> None:
    example = Example("1", "?", meta={"mention": "x"})
    assert example.unanswered is example
    batch = Batch((example,))
    assert batch.unanswered is batch
    telling = Example("1", "?", (Answer("a"),), {"mention": "x", "obj_surface": ["a"], "partial_evidence": []})
    assert telling.unanswered == example
    assert cast("Sequence[object]", telling.output), "the example itself stays as it is"


def test_what_was_not_measured_is_empty(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    lines = (tmp_path / "dev.jsonl").read_text().splitlines()
    blind = [f'{{"id": "{number}", "input": "What is seen in Cuba?"}}' for number, _ in enumerate(lines)]
    (tmp_path / "dev.jsonl").write_text("\n".join(blind) + "\n")
    results = reml.run(experiment(tmp_path, {"bm25": reml.Access(BM25())}), tmp_path / "home", QUIET)
    assert set(results.scores.column("value").to_pylist()) == {None}
    assert set(results.scores.column("n").to_pylist()) == {0}
    assert np.isnan(results.mean("bm25", "places", "em"))
    assert ": 0.0" not in (results.folder / "metrics.json").read_text()
    assert ": 0.0" not in (results.folder / "passages.json").read_text()
    page = results.report.read_text(encoding="utf-8")
    assert ">0.0<" not in page
    assert "places: em, n = 0" in page
