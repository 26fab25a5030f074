from __future__ import annotations

import sys
from pathlib import Path

import pytest

import reml.retrievers.bm25.retriever
from reml.cli.settings.class_paths import explain, known_classes, lying_beside, suggestions


def test_a_class_that_exists_needs_no_explanation() -> None:
    assert explain("reml.retrievers.bm25.BM25") == ""


def test_a_module_without_the_class_is_answered_with_its_classes() -> None:
    found = explain("reml.retrievers.bm25.BM52")
    assert found.startswith("reml.retrievers.bm25 has no 'BM52'; the nearest: reml.retrievers.bm25.BM25")


def test_a_module_that_is_not_there_is_answered_with_the_nearest_classes() -> None:
    assert "reml.retrievers.bm25.BM25" in explain("reml.retrievers.bm52.BM25")
    assert "reml.retrievers.bm25.BM25" in explain("remi.retrievers.bm25.BM25")
    assert suggestions("entirely.different.Thing") == [], "in a message, it may be anything"


def test_of_a_module_that_is_not_ours_it_is_said_where_it_is_looked_for() -> None:
    looked = f"in the folder where reml is called ({Path.cwd()}) and in those of PYTHONPATH"
    for path in ("entirely.different.Thing", "titles.TitleSearch", "trec.TrecFile", "remote.tasks.Task"):
        assert explain(path) == f"there is no module {path.rpartition('.')[0]!r}: it is looked for {looked}", path
    assert explain("bm25.bm25").endswith("PYTHONPATH; the nearest: reml.retrievers.bm25.BM25")


def test_a_module_beside_the_settings_is_named(tmp_path: Path) -> None:
    (tmp_path / "titles.py").touch()
    said = lying_beside("titles.TitleSearch", [tmp_path / "b.yaml"])
    assert said == f"; there is {tmp_path}/titles.py: call reml in {tmp_path}, or name that folder in PYTHONPATH"
    assert lying_beside("title.TitleSearch", [tmp_path / "b.yaml"]) == ""


def test_a_bare_name_is_answered_with_its_path() -> None:
    assert explain("bm25") == "'bm25' is no dotted path of a class; the nearest: reml.retrievers.bm25.BM25"


def test_every_room_is_known() -> None:
    known = set(known_classes())
    assert {
        "reml.tasks.jsonl.Jsonl",
        "reml.access.querying.MentionQuery",
        "reml.access.presenting.First",
    } <= known
    assert "reml.retrievers.bm25.BM25" in known
    assert "reml.access.presenting.processors.Item" not in known, "what a module imports is not its own"


def test_only_paths_of_classes_in_a_message_are_explained() -> None:
    message = "no file data/train.jsonl, reading.k, `reml.retrievers.bm25.BM52`, reml.retrievers.bm25.BM52 and 3.5"
    (line,) = suggestions(message)
    assert line.startswith("reml.retrievers.bm25 has no 'BM52'")


def test_a_message_never_makes_code_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train_alone").mkdir()
    (tmp_path / "train_alone" / "__init__.py").write_text("raise SystemExit('was imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert suggestions("no file train_alone.Jsonl, train_alone.parts.Jsonl") == []
    assert "train_alone" not in sys.modules
    assert reml.retrievers.bm25.retriever.__name__ in sys.modules


def test_a_path_of_thousands_of_parts_is_none() -> None:
    assert "is no dotted path of a class" in explain("a." * 3000 + "b")
    assert len(explain("a." * 3000 + "b")) < 500


def test_a_path_without_a_first_part_lies_beside_nothing(tmp_path: Path) -> None:
    assert lying_beside(".x", [tmp_path / "b.yaml"]) == ""
