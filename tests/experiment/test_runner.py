"""One small experiment through the command line, all the way."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from reml.__main__ import main
from reml.contract.examples import Example
from reml.evaluation.kilt_files import evaluate_files
from reml.files.records import read_examples, write_examples
from tests.small_experiment import read_lines, write_experiment


def run(home: Path, *arguments: str) -> int:
    return main(["run", "--home", str(home), *arguments])


def manifests(home: Path) -> dict[str, Any]:
    return {path.parent.name: json.loads(path.read_text()) for path in (home / "runs").glob("*/manifest.json")}


def made(manifest: dict[str, Any]) -> set[str]:
    return {stage["name"] for stage in manifest["stages"] if not stage["cached"]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The YAML, the home and the result folder of an experiment that was run."""
    folder = tmp_path_factory.mktemp("experiment")
    config = write_experiment(folder)
    assert run(folder / "home", "--config", str(config)) == 0
    (result,) = (folder / "home" / "runs").iterdir()
    return config, folder / "home", result


def test_predictions_are_kilt_s_and_give_the_figures_reported(finished: tuple[Path, Path, Path]) -> None:
    _, _, result = finished
    metrics = json.loads((result / "metrics.json").read_text())
    assert list(metrics) == ["bm25", "flat", "both", "closed_book"]
    for access, by_task in metrics.items():
        evaluation = evaluate_files(result / "gold" / "places.jsonl", result / access / "places" / "predictions.jsonl")
        kilt = {name: part for name, part in by_task["places"].items() if name not in {"prediction", "retriever"}}
        assert evaluation.to_json() == kilt
        assert evaluation.unmatched == 0


def test_reading_answers_what_the_closed_book_cannot(finished: tuple[Path, Path, Path]) -> None:
    _, _, result = finished
    metrics = json.loads((result / "metrics.json").read_text())
    assert metrics["both"]["places"]["downstream"]["kilt"]["KILT-em"] == 1.0, "trained to two words, first hit right"
    assert metrics["closed_book"]["places"]["downstream"]["downstream"]["em"] == 0.0
    closed = read_lines(result / "closed_book" / "places" / "predictions.jsonl")
    assert all(record["output"] == [{"answer": "[no answer]"}] for record in closed)  # type: ignore[index]


def test_runs_are_trec_s(finished: tuple[Path, Path, Path]) -> None:
    _, _, result = finished
    lines = (result / "both" / "places" / "run.trec").read_text().splitlines()
    ranked = {line.split()[0]: line.split() for line in reversed(lines)}
    assert {question: (fields[2], fields[3], fields[5]) for question, fields in ranked.items()} == {
        f"q-{page}": (page, "1", "both") for page in ("oman", "cuba", "laos")
    }
    assert (result / "closed_book" / "places" / "run.trec").read_text() == ""


def test_the_passages_retrieved_are_measured_too(finished: tuple[Path, Path, Path]) -> None:
    _, _, result = finished
    passages = json.loads((result / "passages.json").read_text())
    found = passages["both"]["places"]
    assert (found["passage_Rprec"], found["passage_recall@1"], found["answer_recall@1"]) == (1.0, 1.0, 1.0)
    assert set(passages["closed_book"]["places"].values()) == {0.0}
    relevance = (result / "gold" / "places.qrels").read_text().splitlines()
    assert relevance == [f"q-{page} 0 {page} 1" for page in ("oman", "cuba", "laos")]


def test_the_manifest_says_what_made_the_result(finished: tuple[Path, Path, Path]) -> None:
    _, home, result = finished
    manifest = manifests(home)[result.name]
    assert (manifest["kind"], manifest["seed"], manifest["measures"]) == ("run", 7, {"places": "em"})
    assert {"python", "torch", "transformers", "numpy"} <= set(manifest["versions"])
    code = {f"the code of {one}" for one in ("tests.first_words.FirstWords", "reml.retrievers.bm25.retriever.BM25")}
    assert set(manifest["checksums"]) == {"places source", "places dev", "places train", *code}
    assert manifest["config"] == yaml.safe_load((result / "config.yaml").read_text())
    assert manifest["config"]["access"]["flat"]["retriever"]["init_args"]["b"] == 0.0
    names = [stage["name"] for stage in manifest["stages"]]
    assert {"prepare the collection", "index bm25", "index flat", "train the predictor"} <= set(names)
    assert {f"predict places with {access}" for access in ("bm25", "flat", "both", "closed_book")} <= set(names)
    assert all(stage["seconds"] >= 0 and stage["peak_memory_bytes"] > 0 for stage in manifest["stages"])
    assert made(manifest) == set(names)


def test_report_and_learning_curve_are_there(finished: tuple[Path, Path, Path]) -> None:
    _, _, result = finished
    assert "places" in (result / "report.html").read_text()
    with (result / "training" / "metrics.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) >= 12


def test_the_configuration_of_a_result_gives_it_again(finished: tuple[Path, Path, Path]) -> None:
    _, home, result = finished
    assert run(home, "--config", str(result / "config.yaml")) == 0
    assert made(manifests(home)[result.name]) == set(), "nothing is done twice"
    assert "index bm25" in {stage["name"] for stage in manifests(home)[result.name]["stages"]}


@pytest.mark.parametrize(
    ("setting", "redone"),
    [
        (("--reading.pages", "1"), {"predict"}),
        (("--reading.k", "1"), {"train", "predict"}),
        (("--training.steps", "3"), {"train", "predict"}),
        (("--reading.depth", "3"), {"retrieve", "train", "predict"}),
        (("--reading.words", "6"), {"prepare", "index", "retrieve", "train", "predict"}),
        (("--name", "other"), set()),
    ],
)
def test_a_changed_setting_redoes_what_depends_on_it(
    finished: tuple[Path, Path, Path], setting: tuple[str, str], redone: set[str]
) -> None:
    config, home, _ = finished
    before = set(manifests(home))
    assert run(home, "--config", str(config), *setting) == 0
    (new,) = set(manifests(home)) - before
    names = made(manifests(home)[new])
    if setting[0] == "--reading.pages":
        assert not any("closed_book" in name and "retrieve" in name for name in names)
    assert {name.split()[0] for name in names} == redone


def test_the_predictor_is_not_trained_anew_to_evaluate_more_examples(tmp_path: Path) -> None:
    config = write_experiment(tmp_path)
    for limit in ("1", "2"):
        arguments = ("--train_on.dev_limit", "1", "--reading.limit", limit, "--name", f"first{limit}")
        assert run(tmp_path / "home", "--config", str(config), "--training.steps", "2", *arguments) == 0
    (second,) = [found for name, found in manifests(tmp_path / "home").items() if name.startswith("first2")]
    assert {name.split()[0] for name in made(second)} == {"retrieve", "predict"}


def test_processors_of_the_access_model_that_training_reads_from_retrain(tmp_path: Path) -> None:
    cut = [{"class_path": "reml.access.presenting.First", "init_args": {"k": 1}}]
    bm25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
    for processors in ([], cut):
        config = write_experiment(
            tmp_path, access={"bm25": {**bm25, "processors": processors}}, train_on={"access": "bm25"}
        )
        assert run(tmp_path / "home", "--config", str(config), "--training.steps", "2") == 0
    assert len(list((tmp_path / "home" / "models").iterdir())) == 2


def test_settings_refer_to_one_another_and_are_printed(
    finished: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    config, home, _ = finished
    with pytest.raises(SystemExit) as ended:
        run(home, "--config", str(config), "--reading.depth", "${seed}", "--print_config", "--trusted_packages=tests")
    assert ended.value.code == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown["training"]["steps"] == 12
    assert shown["reading"]["k"] == 2
    assert run(home, "--config", str(config), "--reading.depth", "${seed}", "--name", "interpolated") == 0
    (manifest,) = [found for name, found in manifests(home).items() if name.startswith("interpolated")]
    assert manifest["config"]["reading"]["depth"] == 7


def test_each_step_alone_goes_as_far_as_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, home = write_experiment(tmp_path), tmp_path / "home"
    given = ["--config", str(config), "--home", str(home)]
    expected = [("prepare", "collections"), ("index", "indexes"), ("train", "models"), ("predict", "predictions")]
    seen = []
    for command, room in expected:
        assert not (home / room).exists()
        assert main([command, *given]) == 0
        assert (home / room).is_dir()
        seen.append(capsys.readouterr().out)
    assert "places: 6 passages" in seen[0]
    assert "index bm25" in seen[1]
    assert "train the predictor" in seen[2]
    assert len(re.findall("predictions.jsonl", seen[3])) == 4
    assert main(["search", *given, "--by", "both", "--query", "cigars of Cuba", "--k", "1"]) == 0
    assert "Tobacco barns" in capsys.readouterr().out
    assert main(["report", "--run", str(home)]) == 2
    assert not (home / "runs").exists()


def test_an_experiment_without_training_uses_the_predictor_as_it_comes(tmp_path: Path) -> None:
    config = write_experiment(
        tmp_path,
        train_on=None,
        predictor={"class_path": "tests.first_words.FirstWords", "init_args": {"words": 2.0}},
        access={"bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}},
    )
    assert run(tmp_path / "home", "--config", str(config)) == 0
    (metrics,) = (tmp_path / "home" / "runs").glob("*/metrics.json")
    assert json.loads(metrics.read_text())["bm25"]["places"]["downstream"]["downstream"]["em"] == 1.0
    assert not (tmp_path / "home" / "models").exists()


def test_examples_without_answers_are_predicted_and_not_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_experiment(tmp_path, train_on=None, access={"closed_book": {}})
    blind = [Example(example.id, example.input) for example in read_examples(tmp_path / "dev.jsonl")]
    write_examples(blind, tmp_path / "dev.jsonl")
    assert run(tmp_path / "home", "--config", str(config)) == 0
    (predictions,) = (tmp_path / "home" / "runs").glob("*/closed_book/places/predictions.jsonl")
    assert [example.id for example in read_examples(predictions)] == [example.id for example in blind]
    shown = capsys.readouterr().out
    assert "places: em, n = 0" in shown
    assert not re.search(r"closed_book +\S", shown.split("n = 0")[1].split("results:")[0]), "no figure of nothing"


def test_a_cached_manifest_that_is_damaged_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, home = write_experiment(tmp_path), tmp_path / "home"
    given = ["prepare", "--config", str(config), "--home", str(home)]
    assert main(given) == 0
    (manifest,) = (home / "collections").glob("*/manifest.json")
    for text, message in (("{", "not readable JSON"), ('{"kind": "stage"}', "does not say what the stage cost")):
        manifest.write_text(text)
        assert main(given) == 2
        told = capsys.readouterr().err
        assert message in told
        assert str(manifest) in told
        assert "`reml repair " in told


def test_an_index_of_another_collection_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, home = write_experiment(tmp_path), tmp_path / "home"
    given = ["--config", str(config), "--home", str(home)]
    assert main(["index", *given]) == 0
    assert main(["index", *given, "--reading.words", "6"]) == 0
    one, other = sorted((home / "indexes").glob("index-bm25-*"))
    (one / "index").rename(tmp_path / "mine")
    (other / "index").rename(one / "index")
    (tmp_path / "mine").rename(other / "index")
    assert main(["search", *given, "--query", "Cuba"]) == 2
    told = capsys.readouterr().err
    assert "was built for collection" in told
    assert "Delete that folder" in told
