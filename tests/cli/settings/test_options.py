"""Options are read as their settings take them: lists with commas, and no number but the one that was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reml.__main__ import main
from reml.cli.loading import Given
from reml.contract.arguments.several import names_in
from reml.experiment.settings.experiment import Experiment
from tests.small_experiment import write_experiment


def made(folder: Path, *options: str) -> Experiment:
    return Given("run", ("--config", str(write_experiment(folder)), *options)).runner().experiment


@pytest.mark.parametrize("given", ["bm25,flat", "bm25, flat", "[bm25, flat]", "['bm25', 'flat']", '["bm25","flat"]'])
def test_a_list_is_written_with_commas_or_as_yaml(given: str, tmp_path: Path) -> None:
    experiment = made(tmp_path, "--access.both.fuse", given, f"--train_on.access={given}", "--train_on.tasks", "places")
    assert list(experiment.access["both"].fuse) == ["bm25", "flat"]
    assert experiment.train_on is not None
    assert list(experiment.train_on.access) == ["bm25", "flat"]
    assert list(experiment.train_on.tasks or ()) == ["places"]


def test_one_name_where_one_or_several_are_taken_stays_one(tmp_path: Path) -> None:
    experiment = made(tmp_path, "--train_on.access", "bm25")
    assert experiment.train_on is not None
    assert experiment.train_on.access == "bm25"


def test_a_list_deep_within_a_class_is_one_too(tmp_path: Path) -> None:
    experiment = made(tmp_path, "--access.bm25.retriever.init_args.analyser.stop_words", "a,the")
    assert vars(experiment.access["bm25"].retriever)["analyser"].stop_words == ("a", "the")


@pytest.mark.parametrize("depths", ["1,7", "1, 7", "[1,7]", "[1, 7]", "7", "1,7,7"])
def test_depths_of_evaluate(depths: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = {"id": "1", "input": "?", "output": [{"answer": "ice", "provenance": [{"wikipedia_id": "1"}]}]}
    for name in ("gold", "guess"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(record) + "\n")
    files = ["--gold", str(tmp_path / "gold.jsonl"), "--guess", str(tmp_path / "guess.jsonl")]
    assert main(["evaluate", *files, "--depths", depths]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.strip().startswith("7 ")], lines
    assert main(["evaluate", *files, "--depths", "1,x"]) == 2
    assert "--depths is [1, 'x'], but must be a list" in capsys.readouterr().err
    assert main(["evaluate", *files, "--dephts", "1"]) == 2
    assert "evaluate has no setting 'dephts'; the nearest: depths" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nq,fever", ["nq", "fever"]),
        (" nq , fever ,,", ["nq", "fever"]),
        ("[nq, fever]", ["nq", "fever"]),
        ("['nq', \"fever\"]", ["nq", "fever"]),
        ("nq", ["nq"]),
        ("", []),
        ("[]", []),
        ("P(rel=2,judged_only=True)@5,AP", ["P(rel=2,judged_only=True)@5", "AP"]),
        ("a[k1=1,b=2],c", ["a[k1=1,b=2]", "c"]),
        ("{x,y},z", ["{x,y}", "z"]),
    ],
)
def test_names_are_parted_at_commas(text: str, names: list[str]) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize(
    ("word", "seed"),
    [("12", 12), ("012", 12), ("1_000", 1000), ("0x1F", 31), ("+5", 5), ("${training.steps}", 12)],
)
def test_a_number_is_the_one_that_was_written(word: str, seed: int, tmp_path: Path) -> None:
    assert made(tmp_path, "--seed", word).seed == seed


@pytest.mark.parametrize(
    "word", ["1:30", "1:30:00", "-1:30", "0_10", "0o10", "yes", "no", "on", "off", "true", "2024-01-01", "1.5", "1e3x"]
)
def test_what_may_be_another_number_is_refused(word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["prepare", "--config", str(write_experiment(tmp_path)), "--home", str(tmp_path / "home")]
    assert main([*given, f"--seed={word}"]) == 2
    assert "  --seed is " in capsys.readouterr().err
    quoted = tmp_path / "quoted.yaml"
    quoted.write_text(f"seed: '{word}'\n")
    assert main([*given, "--config", str(quoted)]) == 2
    assert f"  {quoted}, line 1: seed is '{word}'" in capsys.readouterr().err


def test_a_null_in_a_mapping_is_refused_where_it_would_be_a_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = "reml.text.writing.served_model.ServedModel, init_args: {url: http://x/v1, model: m"
    agent = tmp_path / "agent.yaml"
    options = "{max_tokens: null, n: 5}"
    of_agent = "predictor: {class_path: reml.predictors.agents.search_r1.SearchR1, init_args: {policy: {class_path: "
    agent.write_text(f"{of_agent}{policy}}}}}}}}}\n")
    given = [
        "run",
        "--config",
        str(write_experiment(tmp_path)),
        "--config",
        str(agent),
        "--home",
        str(tmp_path / "home"),
    ]
    assert main([*given, "--plan", "--predictor.init_args.policy.init_args.options", options]) == 2
    assert "options.max_tokens is null, and an option cannot say so" in capsys.readouterr().err
    agent.write_text(f"{of_agent}{policy}, options: {options}}}}}}}}}\n")
    assert main([*given, "--plan"]) == 0


@pytest.mark.parametrize(
    "word", ["1:30", "yes", "no", "on", "off", "true", "0o10", "1_000", "2024-01-01", "007", "1e3", "12:30:45"]
)
def test_a_text_is_as_it_was_written(word: str, tmp_path: Path) -> None:
    experiment = made(tmp_path, "--name", word.replace(":", "-"), "--reading.split", word)
    assert (experiment.name, experiment.reading.split) == (word.replace(":", "-"), word)
