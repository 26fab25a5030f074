"""What a user writes in YAML is what an experiment gets, or a sentence: nothing is lost, nothing is misread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reml.__main__ import main
from reml.benchmarks.kilt.published import read_published
from reml.cli.loading import Given
from reml.experiment.settings.experiment import Experiment
from reml.files.yaml_files.reading import YamlError
from tests.small_experiment import write_experiment

EXPLODING = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
BARE = "{retriever: {class_path: tests.unannotated.BareRetriever, init_args: {depth: 3}}}"
UNLIKE = "is not annotated as it must be to be named in a YAML: write"
BM25 = "{retriever: {class_path: reml.retrievers.bm25.BM25}}"
LEARNS = "train_on: {access: a}\n"


def written(folder: Path, *, access: str = f"a: {BM25}", more: str = "", task: str = "t") -> Path:
    """Write an experiment by hand, as users do."""
    write_experiment(folder)
    text = f"""
tasks:
- class_path: reml.tasks.jsonl.Jsonl
  init_args:
    name: {task}
    examples: {{train: {folder}/train.jsonl, dev: {folder}/dev.jsonl}}
    knowledge_source: {folder}/pages.jsonl
access:
  {access}
predictor: {{class_path: reml.predictors.first_title.FirstTitle}}
{more}
"""
    path = folder / "by hand.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def made(path: Path, *arguments: str) -> Experiment:
    return Given("run", ("--config", str(path), *arguments)).runner().experiment


def told(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> str:
    """Run the experiment; it must end with one message, before any work."""
    assert main(["run", "--config", str(path), "--home", str(path.parent / "home"), *arguments]) == 2
    assert not (path.parent / "home").exists()
    return capsys.readouterr().err


def test_names_are_as_they_are_written(tmp_path: Path) -> None:
    names = ["on", "off", "yes", "No", "1", "007", "1.0", "1e3", "~", "null", "true", "2024-01-01", "bm25[k1=0.9]"]
    experiment = made(written(tmp_path, access="\n  ".join(f"{name}: {BM25}" for name in names)))
    assert list(experiment.access) == names
    assert list(experiment.compared) == names


@pytest.mark.parametrize("name", ["007", "off", "1e-3", "1.10", "2024-01-01", "0x1F", "12_000"])
def test_a_name_may_look_like_something_else(name: str, tmp_path: Path) -> None:
    experiment = made(written(tmp_path, task=name, more=f"name: {name}"))
    assert (experiment.tasks[0].name, experiment.name) == (name, name)


@pytest.mark.parametrize(
    ("more", "place", "value"),
    [
        (f"{LEARNS}training: {{rate: 1e-3}}", "training.rate", 0.001),
        (f"{LEARNS}training: {{rate: 1.0e-4}}", "training.rate", 0.0001),
        (f"{LEARNS}training: {{rates: {{encoder: 5e-5}}}}", "training.rates", {"encoder": 5e-05}),
        (f"{LEARNS}training: {{steps: 1_000}}", "training.steps", 1000),
        ("seed: 012", "seed", 12),
        ("seed: 0x1F", "seed", 31),
        (f"{LEARNS}training: {{sharded: off}}", "training.sharded", False),
        ("train_on: {access: a, relevant: yes}", "train_on.relevant", True),
        ("train_on: {access: [a], prefix: On}", "train_on.prefix", True),
        ("reading: {limit: null}", "reading.limit", None),
        ("base: &base {k: 3}\nreading: {<<: *base, depth: 9}", "reading.k", 3),
    ],
)
def test_values_are_what_was_meant(more: str, place: str, value: object, tmp_path: Path) -> None:
    path = written(tmp_path, more=more)
    if "base:" in more:
        text = path.read_text().replace("base: &base {k: 3}\n", "").replace("{<<: *base, ", "{<<: {k: 3}, ")
        path.write_text(text)
    found: Any = made(path)
    for name in place.split("."):
        found = getattr(found, name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (f"access:\n  b: {BM25}", "gives 'access' a second time, after line 8"),
        ("seed: 3\nname: x\nseed: 4", "line 13 gives 'seed' a second time, after line 11"),
        ("reading: {k: 1, depth: 5, k: 2}", "gives 'k' a second time, after the same line"),
        ("name: 3", "name is 3, but must be a text: write it in quotes, '3'"),
        ("name: true", "name is true, but must be a text: write it in quotes"),
        ("seed: 1:30", "line 11, column 7 has 1:30, which some readers of YAML take for a number of another base"),
        ("seed: null", "line 11: seed is null, but must be a whole number, 0 or more"),
        ("seed: -1", "line 11: seed is -1, but must be 0 or more"),
        ("reading: {limit: -5}", "reading.limit is -5, but must be 1 or more, or left out"),
        ("reading: {limit: 0}", "reading.limit is 0, but must be 1 or more, or left out"),
        ("reading: {depth: 99999999999}", "reading.depth is 99999999999, but must be 1 or more, at most 2,147,483,647"),
        ("reading: {words: 9223372036854775808}", "reading.words is 9223372036854775808, but must be"),
        ("reading: {batch_size: null}", "reading.batch_size is null, but must be a whole number"),
        ("train_on: {access: a, k: 0}", "train_on.k is 0"),
        ("train_on: {access: a, limit: -5}", "train_on.limit is -5"),
        ("train_on: {access: a, dev_limit: -1}", "train_on.dev_limit is -1"),
        ("training: {steps: 99999999999999999999}", "training.steps is 99999999999999999999"),
        ("training: {rate: .nan}", "training.rate is nan, but must be positive"),
        ("training: {rate: .inf}", "training.rate is inf, but must be positive"),
        ("training: {patience: 0}", "training.patience is 0"),
        ("name: '..'", "'..' cannot name an experiment"),
        ("name: report.html", "'report.html' cannot name an experiment"),
        ("---\nname: x", "begins a second document"),
        ("reading: !!set {k}", "has the tag"),
        ("reading:\n\tk: 1", "use spaces"),
    ],
)
def test_what_is_not_meant_is_said(more: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in told(capsys, written(tmp_path, more=more))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("..", "'..' cannot name a task: names have no dot"),
        ('"a\\0b"', r"'a\x00b' cannot name a task"),
        ("x" * 300, "names have at most 100 bytes, and this has 300"),
        ("report.html", "'report.html' cannot name a task"),
        ("manifest.json", "'manifest.json' cannot name a task"),
        ('"a\\nb"', r"'a\nb' cannot name a task"),
        ('"a."', "'a.' cannot name a task"),
        ('"a "', "'a ' cannot name a task"),
        ("nul", "'nul' cannot name a task"),
        ("a/b", "'a/b' cannot name a task"),
    ],
)
def test_tasks_have_names_by_the_same_rule(
    task: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in told(capsys, written(tmp_path, task=task))


def test_two_names_that_differ_in_case_alone_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = told(capsys, written(tmp_path, access=f"bm25: {BM25}\n  BM25: {BM25}"))
    assert "'bm25' and 'BM25' cannot both name an access model" in message


def test_the_same_access_model_twice_is_refused_with_both_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, access=f"a: {BM25}\n  a: {{retriever: {{class_path: reml.retrievers.bm25.BM25F}}}}")
    assert f"{path}, line 10 gives 'a' a second time, after line 9" in told(capsys, path)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "is empty: an experiment names its tasks"),
        (b"- a\n- b\n", "holds a list"),
        (b"hello\n", "holds a str"),
        (b"7\n", "holds a int"),
        ("name: a".encode("utf-16"), "is UTF-16, as its first bytes say: write it as UTF-8"),
        (b"name: \xff\n", "line 1: not UTF-8"),
        (EXPLODING.encode(), "stand for more than 100,000 values"),
        (b"access: " + b"[" * 200 + b"]" * 200, "is nested more than 100 deep"),
    ],
    ids=["empty", "list", "text", "number", "utf-16", "latin", "aliases", "deep"],
)  # fmt: skip
def test_files_that_are_no_settings_are_said(
    raw: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.yaml").write_bytes(raw)
    assert message in told(capsys, tmp_path / "one.yaml")


@pytest.mark.parametrize(
    ("access", "task", "message"),
    [
        (f"a: {BM25}", "tests.unannotated.BareTask", "BareTask.source {} `-> KnowledgeSource`"),
        (f"a: {BM25}", "tests.unannotated.BareTask", "BareTask.examples {} `split: str`, `-> Sequence[Example]`"),
        (f"a: {BARE}", "", "needs an annotation of its argument 'depth'"),
    ],
)  # fmt: skip
def test_a_class_without_annotations_is_told_which_are_wanted(
    access: str, task: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, access=access)
    if task:
        text = path.read_text()
        start = text.index("- class_path")
        path.write_text(text[:start] + f"- class_path: {task}\n" + text[text.index("access:") :])
    assert message.format(UNLIKE) in told(capsys, path)


def test_a_study_and_a_second_file_are_read_by_the_same_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = "study:\n  learners: [a]\n  objectives: {x: {}}\n  learners: [b]"
    path = written(tmp_path, more=study)
    assert main(["study", "--config", str(path), "--home", str(tmp_path / "home")]) == 2
    assert f"{path}, line 14 gives 'learners' a second time, after line 12" in capsys.readouterr().err
    second = tmp_path / "second.yaml"
    second.write_text("seed: 1\nseed: 2\n")
    message = told(capsys, written(tmp_path), "--config", str(second))
    assert f"{second}, line 2 gives 'seed' a second time, after line 1" in message


def test_what_papers_report_is_read_by_the_same_rules() -> None:
    with pytest.raises(YamlError, match="line 2 gives 'source' a second time, after line 1"):
        read_published("- source: a\n  source: b\n")
