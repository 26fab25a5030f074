"""Whatever the parser refuses is said with its place and what is wanted, in no words of the parser's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reml.__main__ import main
from tests.small_experiment import write_experiment

BM25 = "{retriever: {class_path: reml.retrievers.bm25.BM25}}"
FIRST = "class_path: tests.first_words.FirstWords"
PARSERS_WORDS = re.compile(r"Union|Parser key|Problem with given|Traceback|fault of reml| at 0x|\b[A-Z]\w+\[|Subclass")


def told(capsys: pytest.CaptureFixture[str], settings: str, folder: Path) -> str:
    """Prepare an experiment with these settings over those of one that is right; give what is said."""
    path = folder / "one.yaml"
    path.write_text(settings + "\n", encoding="utf-8")
    given = ["--config", str(write_experiment(folder)), "--config", str(path), "--home", str(folder / "home")]
    assert main(["prepare", *given]) == 2
    assert not (folder / "home").exists(), "before any work"
    said = capsys.readouterr().err
    assert not PARSERS_WORDS.search(said), said
    assert f"{path}, line 1: " in said, said
    return said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("tasks:", "tasks is null, but must be a list"),
        ("tasks: x", "tasks is 'x', but must be a list"),
        ("tasks: [null]", "tasks[0] needs a class_path, with init_args if it has settings; it is null"),
        (
            "tasks: {a}",
            "tasks is {'a': None}, but must be a list: a list is given whole, on the command line as --tasks",
        ),
        ("access:", "access is null, but must be a mapping by name"),
        ("access: {a: null}", "access.a is null; it takes the settings of Access by name (retriever, "),
        (f"access: {{a: {BM25[:-1]}, processors: [null]}}}}", "access.a.processors[0] needs a class_path"),
        ("access: {a: {fuse: [null]}}", "access.a.fuse[0] is null, but must be a text"),
        ("access: {a: {fuse: x}}", "access.a.fuse is 'x', but must be a list"),
        ("access: {a: {depth: deep}}", "access.a.depth is 'deep', but must be a whole number, 1 or more, or left out"),
        ("training: []", "training is []; it takes the settings of Training by name (steps, "),
        ("training: 3", "training is 3; it takes the settings of Training by name (steps, "),
        (
            "training: {rates: {a}}",
            "training.rates names 'a' and gives it nothing, where a number, 0 or more is wanted",
        ),
        (
            "training: {precision: half}",
            "training.precision is 'half', but must be one of 'auto', '32-true', 'bf16-mixed'",
        ),
        ("reading: [1]", "reading is [1]; it takes the settings of Reading by name (words, "),
        ("reading: {unit: lines}", "reading.unit is 'lines', but must be one of 'words', 'sentences', 'paragraphs'"),
        ("reading: {k: lots}", "reading.k is 'lots', but must be a whole number, 1 or more"),
        ("collections: {a: null}", "collections.a is null; it takes the settings of Passages by name ("),
        ("systems: {a: null}", "systems.a is null; it takes the settings of System by name ("),
        ("predictors: {a: null}", "predictors.a needs a class_path, with init_args if it has settings; it is null"),
    ],
)
def test_no_word_of_the_parser(settings: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"line 1: {said}" in told(capsys, settings, tmp_path)


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        ("{data/qa.jsonl}", "examples names 'data/qa.jsonl' and gives it nothing, where a text or a path is wanted"),
        ("{dev: }", "examples names 'dev' and gives it nothing"),
        (
            "data/qa.jsonl",
            "examples is 'data/qa.jsonl', but must be a mapping by name, such as {NAME: 'data/qa.jsonl'}",
        ),
        ("[data/qa.jsonl]", "examples is ['data/qa.jsonl'], but must be a mapping by name"),
        ("", "examples is null, but must be a mapping by name"),
    ],
)
def test_the_files_of_a_task(examples: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = f"{{class_path: reml.tasks.jsonl.Jsonl, init_args: {{name: t, knowledge_source: p, examples: {examples}}}}}"
    assert f"tasks[0].init_args.{said}" in told(capsys, f"tasks: [{task}]", tmp_path)


@pytest.mark.parametrize("more", ["", ", init_args: {words: 2}", ", init_args: 3"])
@pytest.mark.parametrize(
    ("setting", "meant"), [("predictors", "; did you mean `predictor`?"), ("access", "."), ("collections", ".")]
)
def test_a_class_where_names_stand(
    setting: str, meant: str, more: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(capsys, f"{setting}: {{{FIRST}{more}}}", tmp_path)
    assert f"{setting} wants names, each with a class: 'class_path' is no name{meant}" in said


@pytest.mark.parametrize("name", ["0", "0.init_args", "mine", "places.init_args"])
def test_a_setting_of_one_task_on_the_command_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_experiment(tmp_path)
    assert main(["prepare", "--config", str(config), f"--tasks.{name}.measure", "f1"]) == 2
    assert (
        "but must be a list: a list is given whole, on the command line as --tasks '[...]'" in capsys.readouterr().err
    )
