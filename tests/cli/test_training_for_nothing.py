"""How a predictor learns is not described where nothing says what it learns from: it would be scored as it comes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reml import Access, Experiment, Training, TrainOn
from reml.__main__ import main
from reml.cli.loading import Given
from reml.predictors.first_title import FirstTitle
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from tests.small_experiment import write_experiment

ADD = "add `train_on: {access: a}`, the access model that it reads in training, or leave out training"


def written(folder: Path, text: str) -> Path:
    write_experiment(folder)
    path = folder / "one.yaml"
    path.write_text(f"""tasks:
- class_path: reml.tasks.jsonl.Jsonl
  init_args: {{name: t, examples: {{dev: {folder}/dev.jsonl}}, knowledge_source: {folder}/pages.jsonl}}
access: {{a: {{retriever: {{class_path: reml.retrievers.bm25.BM25}}}}}}
{text}
""")
    return path


TITLE = "predictor: {class_path: reml.predictors.first_title.FirstTitle}\n"


@pytest.mark.parametrize(
    ("text", "options", "place"),
    [
        (f"{TITLE}training: {{steps: 5}}", (), r"one\.yaml, line 6"),
        (f"{TITLE}training: {{steps: 1000}}", (), r"one\.yaml, line 6"),
        (f"training: {{batch_size: 16}}\n{TITLE}", (), r"one\.yaml, line 5"),
        (f"{TITLE}training:\n  rates: {{predictor.encoder: 0}}", (), r"one\.yaml, line 6"),
        ("training: {epochs: 3}", (), r"one\.yaml, line 5"),
        (TITLE, ("--training.steps", "5"), "--training.steps"),
        (TITLE, ("--training.steps=1000",), "--training.steps"),
        (TITLE, ("--training", "{rate: 1e-3}"), "--training"),
        (f"{TITLE}training: {{steps: 5}}", ("--training.rate", "0.1"), r"--training\.rate"),
        (f"{TITLE}train_on: null\ntraining: {{steps: 5}}", (), r"one\.yaml, line 7"),
        (f"{TITLE}train_on: null", ("--training.steps", "5"), "--training.steps"),
        ("predictors: {x: {class_path: reml.predictors.first_title.FirstTitle}}\ntraining: {steps: 5}", (), "line 6"),
    ],
)
def test_it_is_refused_before_any_work(
    text: str,
    options: tuple[str, ...],
    place: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config, home = written(tmp_path, text), tmp_path / "home"
    assert main(["run", "--config", str(config), "--home", str(home), *options]) == 2
    said = capsys.readouterr().err
    assert re.search(rf"{place}(: training)? says how a predictor learns, and nothing says from what", said)
    assert ADD in said
    assert not home.exists()


@pytest.mark.parametrize(
    ("text", "options", "steps"),
    [
        (TITLE, (), 1000),
        (f"{TITLE}training: {{}}", (), 1000),
        (f"{TITLE}train_on: null\ntraining: {{steps: 1000, rates: {{}}}}", (), 1000),
        (f"{TITLE}train_on: {{access: a}}\ntraining: {{steps: 5}}", ("--train_on", "null"), 1000),
        (f"{TITLE}train_on: {{access: a}}\ntraining: {{steps: 5}}", (), 5),
        (f"{TITLE}train_on: {{access: a}}", (), 1000),
        (f"{TITLE}training: {{steps: 5}}", ("--train_on.access", "a"), 5),
    ],
)
def test_what_learns_and_what_is_said_to_rest_are_not(
    text: str, options: tuple[str, ...], steps: int, tmp_path: Path
) -> None:
    experiment = Given("run", ("--config", str(written(tmp_path, text)), *options)).runner().experiment
    assert experiment.training.steps == steps


def test_of_several_faults_another_one_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(tmp_path, f"{TITLE}training: {{warmup: 1.5}}")
    assert main(["run", "--config", str(config), "--home", str(tmp_path / "home")]) == 2
    assert "training.warmup is 1.5, but must be" in capsys.readouterr().err


def test_python_refuses_it_too(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    task = Jsonl("t", {"dev": tmp_path / "dev.jsonl"}, knowledge_source=tmp_path / "pages.jsonl")
    access = {"a": Access(BM25())}
    with pytest.raises(ValueError, match=re.escape(ADD)):
        Experiment([task], access, FirstTitle, training=Training(steps=5))
    assert Experiment([task], access, FirstTitle, training=Training()).training == Training()
    assert Experiment([task], access, FirstTitle, TrainOn("a"), Training(steps=5)).training.steps == 5


def test_a_predictor_without_parameters_is_not_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(tmp_path, predictor={"class_path": "reml.predictors.first_title.FirstTitle"})
    assert main(["train", "--config", str(config), "--home", str(tmp_path / "home")]) == 2
    assert "there are no parameters, so nothing can be learnt: leave out train_on" in capsys.readouterr().err
