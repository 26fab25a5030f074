"""An experiment in Python: the same one as from YAML, and what it gives."""

from __future__ import annotations

import functools
import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from rich.console import Console
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

import reml
from reml.__main__ import main
from reml.experiment.settings.settings_of import UntoldSettingsError
from reml.experiment.trained.predictors import has_first_weights
from reml.files.atomic import read_json
from reml.files.records import read_examples, write_examples
from reml.predictors.first_title import FirstTitle
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from tests.first_words import FirstWords
from tests.small_experiment import write_experiment

QUIET = Console(quiet=True)


def places(folder: Path, name: str = "places") -> Jsonl:
    return Jsonl(
        name,
        {split: str(folder / f"{split}.jsonl") for split in ("train", "dev")},
        knowledge_source=str(folder / "pages.jsonl"),
    )


def small(folder: Path, **changes: Any) -> reml.Experiment:
    """The experiment that `write_experiment` writes."""
    parts: dict[str, Any] = {
        "tasks": [places(folder)],
        "access": {
            "bm25": reml.Access(BM25()),
            "flat": reml.Access(BM25(b=0.0)),
            "both": reml.Access(fuse=["bm25", "flat"]),
            "closed_book": reml.Access(),
        },
        "predictor": FirstWords,
        "train_on": reml.TrainOn("both"),
        "training": reml.Training(steps=12, batch_size=2, rate=0.3, warmup=0.0, check_every=6),
        "reading": reml.Reading(k=2, depth=4, words=40),
        "name": "small",
        "seed": 7,
    }
    return reml.Experiment(**{**parts, **changes})


def titles(folder: Path, **changes: Any) -> reml.Experiment:
    """One that trains nothing."""
    access = {"bm25": reml.Access(BM25()), "closed_book": reml.Access()}
    rests = {"train_on": None, "training": reml.Training()}
    return small(folder, **{"access": access, "predictor": FirstTitle, **rests, **changes})


def made(folder: Path) -> list[str]:
    """The stages that the last run of a result folder made."""
    manifest = json.loads((folder / "manifest.json").read_text())
    return [stage["name"] for stage in manifest["stages"] if not stage["cached"]]


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a result folder but those that say when and at what cost it was made."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if path.name not in {"manifest.json", "report.html"}
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    write_experiment(folder)
    return folder


@pytest.fixture(scope="module")
def results(written: Path) -> reml.Results:
    return reml.run(titles(written), written / "titles", QUIET, seeds=[3, 4])


@pytest.mark.parametrize("yaml_first", [True, False])
def test_python_goes_on_from_yaml_and_yaml_from_python(tmp_path: Path, yaml_first: bool) -> None:
    config, home = write_experiment(tmp_path), tmp_path / "home"
    command = ["run", "--config", str(config), "--home", str(home)]
    folders, files = set(), []
    for from_yaml in (yaml_first, not yaml_first):
        if from_yaml:
            assert main(command) == 0
        else:
            folders.add(reml.run(small(tmp_path), home, QUIET).folder)
        (folder,) = (home / "runs").iterdir()
        folders.add(folder)
        files.append(contents(folder))
        assert bool(made(folder)) == (len(files) == 1), "the second of the two has nothing to do"
    assert len(folders) == 1
    assert files[0] == files[1]
    assert {"config.yaml", "metrics.json", "both/places/run.trec", "training/metrics.csv"} <= set(files[0])


def test_scores_are_those_of_the_result_folder(written: Path) -> None:
    results = reml.run(small(written), written / "home", QUIET)
    metrics: Any = read_json(results.folder / "metrics.json")
    rows = results.scores.to_pylist()
    assert results.scores.schema.names == ["system", "task", "seed", "measure", "value", "n"]
    assert [row["system"] for row in rows if row["measure"] == "Rprec"] == ["bm25", "flat", "both", "closed_book"]
    assert {(row["task"], row["seed"], row["n"]) for row in rows} == {("places", 7, 3)}
    for row in rows:
        found = metrics[row["system"]]["places"]
        known = {**found["retrieval"], **found["downstream"]["downstream"], **found["downstream"]["kilt"]}
        assert row["value"] == known[row["measure"]]
    assert results.mean("both", "places", "KILT-em") == 1.0, "trained to two words, first hit right"
    assert results.report == results.folder / "report.html"
    assert results.report.is_file()


def test_several_seeds_are_one_table_and_share_what_depends_on_none(results: reml.Results) -> None:
    assert [run.seed for run in results.runs] == [3, 4]
    assert len({run.folder for run in results.runs}) == 2
    assert set(results.scores.column("seed").to_pylist()) == {3, 4}
    assert len(results.scores) == 2 * 2 * len(results.runs[0].evaluations["bm25"]["places"].values)
    assert not any(name.startswith(("prepare", "index", "retrieve")) for name in made(results.runs[1].folder))


def test_examples_come_with_what_was_said_and_its_scores(results: reml.Results) -> None:
    first, *others = results.examples("bm25", "places", seed=4)
    assert len(others) == 2
    assert (first.example.id, first.answer.text) == ("q-oman", "Oman")
    assert first.answer.provenance[0].wikipedia_id == "oman"
    assert (first.scores["Rprec"], first.scores["em"]) == (1.0, 0.0)
    assert next(results.examples("closed_book", "places")).scores["Rprec"] == 0.0


def test_examples_without_right_answers_have_no_scores(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "dev.jsonl").read_text().splitlines()]
    del lines[0]["output"]
    (tmp_path / "dev.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    results = reml.run(titles(tmp_path), tmp_path / "home", QUIET)
    blind, *scored = results.examples("bm25", "places")
    assert (blind.answer.text, blind.scores) == ("Oman", {})
    assert [one.scores["Rprec"] for one in scored] == [1.0, 1.0]
    assert set(results.scores.column("n").to_pylist()) == {2}


def test_costs_are_those_of_the_nodes(results: reml.Results) -> None:
    costs = {(row["system"], row["seed"]): row for row in results.costs.to_pylist()}
    assert set(costs) == {(system, seed) for system in ("bm25", "closed_book") for seed in (3, 4)}
    assert costs["bm25", 3]["index_bytes"] > 0
    assert costs["bm25", 3]["index"] == costs["bm25", 4]["index"] > 0, "made once, and counted in each"
    assert costs["closed_book", 3]["index_bytes"] == 0
    assert {row["words"] for (system, _), row in costs.items() if system == "closed_book"} == {0.0}
    assert {row["words"] for (system, _), row in costs.items() if system == "bm25"} == {35 / 3}, "one page each"


def test_systems_are_compared_example_by_example(results: reml.Results) -> None:
    rows = results.compare("bm25", "closed_book").to_pylist()
    assert [row["measure"] for row in rows] == ["Rprec", "em", "KILT-em"]
    found = rows[0]
    assert (found["task"], found["first"], found["second"], found["n"]) == ("places", "bm25", "closed_book", 3)
    assert (found["first_mean"], found["second_mean"], found["difference"]) == (1.0, 0.0, 1.0)
    assert (found["low"], found["high"]) == (1.0, 1.0)
    assert found["p"] == pytest.approx(2 / 2**3), "two of the eight ways to swap three pairs are as far from 0"
    assert found["corrected"] == pytest.approx(3 * 2 / 2**3), "by Holm's method over three measures"
    (alone,) = results.compare("bm25", "closed_book", ["Rprec"]).to_pylist()
    assert alone["corrected"] == alone["p"]


def test_results_are_compared_by_the_names_of_systems(written: Path, results: reml.Results) -> None:
    other = reml.run(titles(written, access={"flat": reml.Access(BM25(b=0.0))}), written / "titles", QUIET)
    with pytest.raises(ValueError, match=r"no system of one name \(bm25, closed_book; flat\): say which to compare"):
        reml.compare(results, other)
    same = reml.compare(results, other, systems=[("closed_book", "flat")], measures=["Rprec"]).table.to_pylist()
    assert (same[0]["difference"], same[0]["second"]) == (-1.0, "flat")
    assert set(reml.compare(results, results).table.column("difference").to_pylist()) == {0.0}


def test_what_is_not_asked_in_both_is_not_compared(written: Path, results: reml.Results) -> None:
    fewer = reml.run(titles(written, reading=reml.Reading(k=2, depth=4, words=40, limit=2)), written / "titles", QUIET)
    found = reml.compare(results, fewer)
    assert set(found.table.column("n").to_pylist()) == {2}, "the two that both were asked"
    assert (found.pairs[0].shared["places"].first_only, found.pairs[0].shared["places"].second_only) == (1, 0)
    one = reml.run(titles(written, reading=reml.Reading(k=2, depth=4, words=40, limit=1)), written / "titles", QUIET)
    with pytest.raises(ValueError, match="no task has 2 or more scored examples"):
        one.compare("bm25", "closed_book")
    moved = reml.run(titles(written, tasks=[places(written, "elsewhere")]), written / "titles", QUIET)
    with pytest.raises(ValueError, match="no task in common: places; elsewhere"):
        reml.compare(results, moved)


def test_names_that_are_not_there_are_answered_with_those_that_are(results: reml.Results) -> None:
    with pytest.raises(ValueError, match="no system 'bm52'; there are bm25, closed_book"):
        next(results.examples("bm52", "places"))
    with pytest.raises(ValueError, match="no task 'place'; there are places"):
        results.mean("bm25", "place", "Rprec")
    with pytest.raises(ValueError, match="no seed 5; there are 3, 4"):
        results.examples("bm25", "places", seed=5)
    with pytest.raises(ValueError, match="no measure 'mrr'; there are accuracy, em"):
        results.compare("bm25", "closed_book", ["mrr"])
    with pytest.raises(KeyError, match="no measure 'mrr'"):
        results.mean("bm25", "places", "mrr")


def test_a_data_frame_is_given_where_pandas_is(results: reml.Results, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    frame = results.to_pandas()
    assert pyarrow.Table.from_pandas(frame).column("value") == results.scores.column("value")
    monkeypatch.setitem(sys.modules, "pandas", None)  # as where it is not installed
    with pytest.raises(ImportError, match="pip install pandas"):
        results.to_pandas()


def test_a_predictor_is_a_class_a_partial_or_a_function_of_a_module(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    folders = {
        reml.run(titles(tmp_path, predictor=maker), tmp_path / "home", QUIET).folder
        for maker in (FirstWords, functools.partial(FirstWords, words=1.0), functools.partial(FirstWords, 2.0), two)
    }
    assert len(folders) == 3, "settings at their defaults are the same experiment"


def two() -> FirstWords:
    return FirstWords(2.0)


class Closed:
    """A retriever that does not keep what it was made with."""

    def __init__(self, path: str) -> None:
        self._where = path

    def index(self, collection: Any, folder: Path) -> Any:
        raise AssertionError("nothing is made")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"access": {"closed": reml.Access(Closed("here"))}}, r"Closed does not tell what it was made with \(path\)"),
        ({"predictor": lambda: FirstWords(2.0)}, "has no name of its own in a module: define it at the top of one"),
    ],
)
def test_what_cannot_tell_its_settings_is_refused_before_anything_is_made(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    write_experiment(tmp_path)
    with pytest.raises(UntoldSettingsError, match=sentence):
        reml.run(titles(tmp_path, **changes), tmp_path / "home", QUIET)
    assert not (tmp_path / "home").exists()


def test_other_mistakes_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    with pytest.raises(TypeError, match=r"FirstTitle that is made already.* give the class, FirstTitle, or"):
        reml.run(titles(tmp_path, predictor=FirstTitle()), tmp_path / "home", QUIET)
    with pytest.raises(ValueError, match=r"seeds \[1, 1\] name one twice"):
        reml.run(titles(tmp_path), tmp_path / "home", QUIET, seeds=[1, 1])
    with pytest.raises(ValueError, match="names no predictor"):
        reml.run(titles(tmp_path, predictor=None, access={"none": reml.Access()}), tmp_path / "home", QUIET)
    with pytest.raises(ValueError, match="names no predictor"):
        reml.run(titles(tmp_path, predictor=None, train_on=reml.TrainOn("bm25")), tmp_path / "home", QUIET)
    assert not (tmp_path / "home").exists()


def test_home_is_that_of_the_environment_if_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_experiment(tmp_path)
    monkeypatch.setenv("REML_HOME", str(tmp_path / "kept"))
    results = reml.run(titles(tmp_path))
    assert results.folder.parent == tmp_path / "kept" / "runs"
    assert "index bm25" in capsys.readouterr().out, "progress is shown unless a console is quiet"


def shown(experiment: reml.Experiment, home: Path) -> str:
    console = Console(file=io.StringIO(), width=500)
    reml.run(experiment, home, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_questions_that_are_learnt_from_too_are_counted(written: Path, tmp_path: Path) -> None:
    """Known by what is asked: ids may number the lines of each file."""
    said = shown(small(written), written / "home")
    lead = "places: 1 of 3 dev questions are in train too (same input), so their figures are of what was learnt"
    assert f"{lead}; the first: 'q-oman'.\n" in said
    assert "are in train too" not in shown(titles(written), written / "titles"), "which learns nothing"
    write_experiment(tmp_path)
    train, dev = ([*read_examples(tmp_path / f"{split}.jsonl")] for split in ("train", "dev"))
    renumbered = [replace(one, id=str(number)) for number, one in enumerate(train[:3])]
    write_examples(renumbered, tmp_path / "train.jsonl")
    write_examples([replace(one, id=str(number)) for number, one in enumerate(dev)], tmp_path / "dev.jsonl")
    assert "are in train too" not in shown(small(tmp_path), tmp_path / "home")
    write_examples(renumbered, tmp_path / "dev.jsonl")
    again = shown(small(tmp_path), tmp_path / "home")
    assert "3 of 3 dev questions are in train too (same input), so figures are of what was learnt" in again


def test_a_predictor_that_nothing_trained_is_named(written: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once, and again to who reuses what it said."""
    said = "FirstWords is not trained (no train_on): what it says is that of its first weights."
    home, experiment = written / "untrained", titles(written, predictor=FirstWords)
    for ending in ("", " (said when the step 'predict places with bm25' was made)"):
        reml.run(experiment, home, QUIET)
        assert [one for one in caplog.messages if "not trained" in one] == [f"{said}{ending}"]
        caplog.clear()
    reml.run(small(written), written / "home", QUIET)
    reml.run(titles(written), written / "titles", QUIET)
    assert not [one for one in caplog.messages if "not trained" in one]


def test_a_model_of_transformers_comes_trained() -> None:
    language_model = GPT2LMHeadModel(GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=16))
    assert not has_first_weights(nn.Sequential(language_model))
    assert has_first_weights(nn.Sequential(language_model, nn.Linear(2, 2)))
    assert not has_first_weights(nn.Sequential(language_model, nn.Linear(2, 2).requires_grad_(False)))
    assert not has_first_weights(FirstTitle())
