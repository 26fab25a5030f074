from __future__ import annotations

import sys
from pathlib import Path

import pytest

import reml.retrievers.bm25.retriever
from reml.cli.settings.class_paths import explain, known_classes, suggestions


def test_a_class_that_exists_needs_no_explanation() -> None:
    assert explain("reml.retrievers.bm25.BM25") == ""


def test_a_module_without_the_class_is_answered_with_its_classes() -> None:
    found = explain("reml.retrievers.bm25.BM52")
    assert found.startswith("reml.retrievers.bm25 has no 'BM52'; the nearest: reml.retrievers.bm25.BM25")


def test_a_module_that_is_not_there_is_answered_with_the_nearest_classes() -> None:
    assert "reml.retrievers.bm25.BM25" in explain("reml.retrievers.bm52.BM25")
    assert "reml.retrievers.bm25.BM25" in explain("remi.retrievers.bm25.BM25")
    assert explain("entirely.different.Thing") == "there is no module 'entirely.different'"
    assert suggestions("entirely.different.Thing") == [], "in a message, it may be anything"


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
