"""A language model with a datastore of states, from YAML to the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reml.__main__ import main
from reml.cli.loading import load
from reml.evaluation.trec import read_run
from reml.experiment.runner import Runner
from reml.files.records import read_examples
from reml.predictors.knn_lm import KnnLm
from reml.retrievers.states.retriever import StatesRetriever
from tests.small_experiment import FACTS, read_lines, write_experiment
from tests.tiny_gpt2 import write_gpt2

PLACES = {"oman", "cuba", "laos"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_gpt2(tmp_path_factory.mktemp("gpt2"))


def write(folder: Path, model: str, **changes: Any) -> Path:
    """Write the experiment: a language model over bytes that is to go on after the inputs."""
    states = {"class_path": "reml.retrievers.states.States", "init_args": {"model": model}}
    settings = {"model": model, "k": 8, "weight": 0.5, "temperature": 0.001, "answer_tokens": 12}
    written: dict[str, Any] = {
        "access": {"states": {"retriever": states}, "closed_book": {}},
        "predictor": {"class_path": "reml.predictors.knn_lm.KnnLm", "init_args": {**settings, "prompt": "{question}"}},
        **changes,
    }
    config = write_experiment(folder, **{"train_on": None, **written})
    # The questions are how the texts begin, all but their last letters.
    lines = [json.loads(line) for line in (folder / "dev.jsonl").read_text().splitlines()]
    for line in lines:
        start = FACTS[line["id"].removeprefix("q-").capitalize()]
        line["input"], line["output"][0]["answer"] = start[:30], start[30:40]
    (folder / "dev.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return config


def run(folder: Path, config: Path) -> Path:
    assert main(["run", "--config", str(config), "--home", str(folder / "home")]) == 0
    (result,) = (folder / "home" / "runs").iterdir()
    return result


@pytest.fixture(scope="module")
def finished(model: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("experiment")
    config = write(folder, model)
    return config, run(folder, config)


def test_the_datastore_goes_on_with_the_text_and_the_language_model_alone_does_not(
    finished: tuple[Path, Path],
) -> None:
    _, result = finished
    answers = {
        access: {one.id: one.output[0].text for one in read_examples(result / access / "places" / "predictions.jsonl")}
        for access in ("states", "closed_book")
    }
    for page in PLACES:
        text = FACTS[page.capitalize()]
        assert answers["states"][f"q-{page}"] == text[30:42].strip()
        assert answers["closed_book"][f"q-{page}"] != text[30:42].strip()


def test_pages_of_token_positions_are_in_the_run_the_provenance_and_the_figures(finished: tuple[Path, Path]) -> None:
    _, result = finished
    ranked = read_run(result / "states" / "places" / "run.trec")
    assert {pages[0].page_id for pages in ranked.values()} == PLACES
    for line in read_lines(result / "states" / "places" / "predictions.jsonl"):
        assert line["output"][0]["provenance"][0]["wikipedia_id"] == str(line["id"]).removeprefix("q-")  # type: ignore[index]
    metrics = json.loads((result / "metrics.json").read_text())
    assert metrics["states"]["places"]["retrieval"]["Rprec"] == 1.0
    assert (result / "report.html").is_file()


def test_no_words_are_read_and_hits_are_rows_of_the_datastore(finished: tuple[Path, Path]) -> None:
    config, result = finished
    runner, _ = load("predict", ["--config", str(config), "--home", str(result.parents[1])])
    (words,) = (result.parents[1] / "predictions").glob("predict-places-with-states-*/words_read.json")
    assert json.loads(words.read_text()) == [0, 0, 0]
    rows, collection = runner.hits("states", "places", "dev").rows, runner.collection("places", "states")
    passages = runner.collection("places")
    assert len(collection) > len(passages) == 6
    tokens = collection.values("target", rows[:, 0])
    assert tokens.shape == (3,)
    assert {item.page_id for item in collection.get(rows[:, 0])} == PLACES


def test_it_is_found_made_when_it_is_run_again_and_searched(
    finished: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    config, result = finished
    home = str(result.parents[1])
    assert main(["run", "--config", str(config), "--home", home]) == 0
    stages = json.loads((result / "manifest.json").read_text())["stages"]
    assert all(stage["cached"] for stage in stages)
    capsys.readouterr()
    assert (
        main(["search", "--config", str(config), "--home", home, "--by", "states", "--query", FACTS["Cuba"][:30]]) == 0
    )
    assert "Cuba" in capsys.readouterr().out


def test_one_retriever_serves_the_predictors_of_two_experiments(finished: tuple[Path, Path], tmp_path: Path) -> None:
    """They are planned apart and know the same nodes: what one opened is open for the other."""
    config, result = finished
    first, _ = load("predict", ["--config", str(config), "--home", str(result.parents[1])])
    other = config.with_name("other.yaml")
    other.write_text(config.read_text().replace("weight: 0.5", "weight: 0.1"))
    second, _ = load("predict", ["--config", str(other), "--home", str(result.parents[1])])
    assert first.plan.predictions("states", "places").key != second.plan.predictions("states", "places").key
    opened = first.stages.open(first.plan.retriever("states", "places"))
    assert first.stages.open(second.plan.retriever("states", "places")) is opened
    models = [first.stages.open(plan.model("states", "places")) for plan in (first.plan, second.plan)]
    assert models[0].retriever is models[1].retriever is opened  # type: ignore[union-attr]


def asks(runner: Runner, folder: Path) -> list[str | None]:
    return [one.output[0].text for one in read_examples(runner.predictions("states", "places"))]


def test_a_budget_of_asks_is_spent_and_the_language_model_goes_on(model: str, tmp_path: Path) -> None:
    states = {"class_path": "reml.retrievers.states.States", "init_args": {"model": model}}
    config = write(tmp_path, model, access={"states": {"retriever": states, "budget": {"asks": 4}}})
    runner, _ = load("predict", ["--config", str(config), "--home", str(tmp_path / "home")])
    for example, text in zip(runner.examples("places", "dev"), asks(runner, tmp_path), strict=True):
        whole = FACTS[example.id.removeprefix("q-").capitalize()][30:42]
        assert str(text).strip()[:3] == whole.strip()[:3]
        assert str(text) != whole.strip()


def test_rows_without_a_page_break_neither_run_nor_provenance_nor_report(model: str, tmp_path: Path) -> None:
    retriever = {"class_path": "tests.pageless_collection.PagelessStates", "init_args": {"model": model}}
    result = run(tmp_path, write(tmp_path, model, access={"states": {"retriever": retriever}}))
    assert (result / "states" / "places" / "run.trec").read_text() == ""
    for line in read_lines(result / "states" / "places" / "predictions.jsonl"):
        assert not line["output"][0].get("provenance")  # type: ignore[index]
    metrics = json.loads((result / "metrics.json").read_text())
    assert metrics["states"]["places"]["retrieval"]["Rprec"] == 0.0
    assert np.isfinite(list(json.loads((result / "passages.json").read_text())["states"]["places"].values())).all()
    assert (result / "report.html").is_file()


BM25 = {"class_path": "reml.retrievers.bm25.BM25"}
LENT = {"predictor": "predictor", "encoder": "states"}


def lending(model: str, **changes: Any) -> dict[str, Any]:
    """Write access models of the two kinds of datastore, and a training that moves the predictor's states."""
    states = {"class_path": "reml.retrievers.states.States", "init_args": {"model": model}}
    return {
        "access": {"kept": {"retriever": states}, "lent": {"retriever": states, "lent": LENT}, "closed_book": {}},
        "train_on": {"access": "closed_book"},
        "training": {"steps": 3, "batch_size": 2, "rate": 0.01, "check_every": 3} if changes.get("train_on", 1) else {},
        **changes,
    }


def test_a_predictor_lends_the_encoder_that_its_training_changed(model: str, tmp_path: Path) -> None:
    config = write(tmp_path, model, **lending(model))
    runner, _ = load("predict", ["--config", str(config), "--home", str(tmp_path / "home")])
    kept, lent = (runner.retriever(name, "places") for name in ("kept", "lent"))
    assert isinstance(kept, StatesRetriever)
    assert isinstance(lent, StatesRetriever)
    predictor = runner.stages.open(runner.plan.predictor("predictor")).on({})
    assert isinstance(predictor, KnnLm)
    assert lent.encoder.model is predictor.lm, "one model in memory, not two"
    assert not np.allclose(lent.collection.keys, kept.collection.keys), "the index is of states after the training"
    for one in read_examples(runner.predictions("lent", "places")):
        assert one.output[0].text == FACTS[one.id.removeprefix("q-").capitalize()][30:42].strip()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_on": {"access": "lent"}}, "'lent' finds by an encoder of the predictor 'predictor', which is trained"),
        ({"access": {"x": {"lent": LENT}}, "train_on": None}, "a lent encoder goes to a retriever that takes one"),
        (
            {
                "access": {"x": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}, "lent": LENT}},
                "train_on": None,
            },
            "a lent encoder goes to a retriever that takes one",
        ),
        ({"predictor": None}, "under lent, names the predictor 'predictor', which is not there"),
    ],
)
def test_what_cannot_be_lent_is_refused(model: str, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load("predict", ["--config", str(write(tmp_path, model, **lending(model, **changes)))])


def test_a_predictor_that_lends_nothing_says_who_does(model: str, tmp_path: Path) -> None:
    changes = {"predictor": {"class_path": "tests.first_words.FirstWords"}, "train_on": None}
    runner, _ = load("predict", ["--config", str(write(tmp_path, model, **lending(model, **changes)))])
    with pytest.raises(ValueError, match="FirstWords lends no encoder"):
        runner.retriever("lent", "places")
