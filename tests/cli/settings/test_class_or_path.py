"""A setting that takes a path, or another plain value, or a class: a class that is named stays one, with its settings.

What was written for one type of a union must not be taken for what another one writes: neither where settings are
shown as YAML, nor where an error elsewhere in the experiment is looked for.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from os import PathLike
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
import yaml
from jsonargparse import ArgumentParser

from reml.__main__ import main
from reml.cli.parsers import settings_parser
from reml.collection.sources import TextFolder
from reml.contract import KnowledgeSource
from tests.small_experiment import write_experiment

SOURCE = "reml.collection.sources.TextFolder"
BEIR = "reml.collection.sources.text_files.JsonlTexts"


class Colour(enum.Enum):
    RED = 1


UNIONS = [
    str | Path | KnowledgeSource,
    Path | KnowledgeSource,
    KnowledgeSource | Path,
    Path | KnowledgeSource | None,
    PathLike[str] | KnowledgeSource,
    UUID | KnowledgeSource,
    complex | KnowledgeSource,
    timedelta | KnowledgeSource,
    bytes | KnowledgeSource,
    range | KnowledgeSource,
    int | KnowledgeSource,
    bool | float | KnowledgeSource,
    Colour | KnowledgeSource,
    Literal["a"] | KnowledgeSource,
    type | KnowledgeSource,
    Callable[[], int] | KnowledgeSource,
    Mapping[str, str] | KnowledgeSource,
    dict[str, int] | KnowledgeSource,
    Sequence[Path] | KnowledgeSource,
    tuple[Path, int] | KnowledgeSource,
]


def written_and_read(hint: object, given: object) -> Any:
    """Parse a value, show it as YAML does, and make what is meant of what was shown."""
    parser = ArgumentParser(parser_mode="omegaconf+", exit_on_error=False)
    parser.add_argument("--one", type=hint)
    shown = parser.dump(parser.parse_object({"one": given}), skip_unset=False)
    assert "Namespace" not in shown
    return parser.instantiate(parser.parse_object(yaml.safe_load(shown))).one


@pytest.fixture
def source(tmp_path: Path) -> dict[str, object]:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "lima.txt").write_text("Lima is in Peru.")
    return {"class_path": SOURCE, "init_args": {"path": str(tmp_path / "notes")}}


@pytest.mark.parametrize("hint", UNIONS, ids=str)
def test_a_class_stays_a_class(hint: object, source: dict[str, object]) -> None:
    assert isinstance(written_and_read(hint, source), TextFolder)


def test_so_do_classes_in_lists_and_mappings(source: dict[str, object]) -> None:
    one, path = written_and_read(Sequence[Path | KnowledgeSource], [source, "a.jsonl"])
    assert isinstance(one, TextFolder)
    assert path == Path("a.jsonl")
    by_name = written_and_read(Mapping[str, str | Path | KnowledgeSource], {"a": source, "b": "b.jsonl"})
    assert isinstance(by_name["a"], TextFolder)
    assert by_name["b"] == "b.jsonl"


@pytest.mark.parametrize(
    ("hint", "given", "made"),
    [
        (str | Path | KnowledgeSource, "pages.jsonl", "pages.jsonl"),
        (Path | KnowledgeSource, "pages.jsonl", Path("pages.jsonl")),
        (UUID | KnowledgeSource, "12345678123456781234567812345678", UUID("12345678-1234-5678-1234-567812345678")),
        (complex | KnowledgeSource, "1+2j", 1 + 2j),
        (timedelta | KnowledgeSource, "1:02:03", timedelta(hours=1, minutes=2, seconds=3)),
    ],
)
def test_a_plain_value_stays_plain(hint: object, given: str, made: object) -> None:
    assert written_and_read(hint, given) == made


def experiment(folder: Path, source: dict[str, object], **changes: object) -> Path:
    task = {"name": "places", "examples": {"dev": str(folder / "dev.jsonl")}, "knowledge_source": source}
    written = {"class_path": "reml.tasks.jsonl.Jsonl", "init_args": task}
    title = {"class_path": "reml.predictors.first_title.FirstTitle"}
    access = {"bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}}
    return write_experiment(
        folder, **{"tasks": [written], "access": access, "predictor": title, "train_on": None} | changes
    )


BM25 = {"class_path": "reml.retrievers.bm25.BM25"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reading": {"k": 0}}, "reading.k is 0, but must be 1 or more."),
        ({"reading": {"limit": -1}}, "reading.limit is -1, but must be 1 or more"),
        ({"reading": {"k": 9, "depth": 4}}, "reading.depth (4) must be at least"),
        ({"train_on": {"acess": "bm25"}}, "TrainOn has no setting 'acess'; the nearest: access"),
        ({"train_on": {"access": "bm52"}}, "there is no access model 'bm52'; the experiment has bm25."),
        ({"access": {"a": {"retriever": BM25, "k": 0}}}, "access.a.k is 0, but must be 1 or more, or left out."),
        ({"access": {"a": {"retriever": {**BM25, "init_args": {"b": 3}}}}}, "access.a.retriever.init_args.b is 3"),
        ({"access": {"a": {"fuse": ["zz"]}}}, "there is no access model 'zz'"),
        ({"access": {}}, "at least one access model"),
        ({"seed": -1}, "seed is -1, but must be 0 or more"),
        ({"name": "a/b"}, "'a/b' cannot name an experiment"),
        ({"collections": {"a": {"source": "nowhere.jsonl"}}}, "collections.a.source"),
    ],
)
def test_what_is_wrong_elsewhere_is_what_is_said(
    changes: dict[str, object],
    said: str,
    tmp_path: Path,
    source: dict[str, object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = experiment(tmp_path, source, **changes)
    assert main(["run", "--config", str(path), "--home", str(tmp_path / "home")]) == 2
    lines = capsys.readouterr().err
    assert said in lines
    assert "Namespace" not in lines
    assert "knowledge source" not in lines


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"class_path": SOURCE, "init_args": {"path": "nowhere"}}, "there is no folder nowhere"),
        ({"class_path": SOURCE, "init_args": {"path": "nowhere", "sufixes": []}}, "no setting 'sufixes'; the nearest"),
        ({"class_path": SOURCE}, "TextFolder needs path"),
        ({"class_path": f"{SOURCE}s"}, "reml.collection.sources has no 'TextFolders'; the nearest"),
        ({"class_path": BEIR, "init_args": {"path": "nowhere.jsonl"}}, "nowhere.jsonl"),
        ({"class_path": BEIR, "init_args": {"path": ["a"]}}, "path is ['a'], but must be a text"),
    ],
)
def test_what_is_wrong_with_the_source_itself_is_said(
    source: dict[str, object], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = experiment(tmp_path, source)
    assert main(["run", "--config", str(path), "--home", str(tmp_path / "home")]) == 2
    lines = capsys.readouterr().err
    assert said in lines
    assert re.search(r"experiment\.yaml, line \d+", lines)
    assert "Namespace" not in lines


def test_what_is_printed_can_be_run(
    tmp_path: Path, source: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["run", "--config", str(experiment(tmp_path, source)), "--reading.k", "1", "--plan"]
    with pytest.raises(SystemExit):
        main([*given, "--print_config"])
    printed = capsys.readouterr().out
    shown = tmp_path / "shown.yaml"
    shown.write_text(printed)
    assert yaml.safe_load(printed)["tasks"][0]["init_args"]["knowledge_source"]["class_path"] == SOURCE
    plans = []
    for config in (given[2], str(shown)):
        assert main(["run", "--config", config, "--reading.k", "1", "--plan", "--home", str(tmp_path / "home")]) == 0
        plans.append(capsys.readouterr().out)
    assert plans[0] == plans[1], "the same stages by the same keys"


def test_settings_are_the_same_after_they_were_written(tmp_path: Path, source: dict[str, object]) -> None:
    parser = settings_parser()
    parsed = parser.parse_object(yaml.safe_load(experiment(tmp_path, source).read_text()))
    shown = parser.dump(parsed, skip_unset=False)
    assert parser.dump(parser.parse_object(yaml.safe_load(shown)), skip_unset=False) == shown
