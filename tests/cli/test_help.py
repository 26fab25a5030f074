"""What docs/kilt.md shows as a record and a page is read as one, and makes a task."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml.__main__ import main
from reml.collection.sources.kilt_pages import JsonlPages
from reml.files.records import read_examples
from tests import ROOT

SHOWN = [line for line in (ROOT / "docs" / "kilt.md").read_text().splitlines() if line.startswith('{"')]


def test_a_record_and_a_page_are_shown_and_read(tmp_path: Path) -> None:
    record, page = SHOWN
    (tmp_path / "dev.jsonl").write_text(record + "\n")
    (tmp_path / "pages.jsonl").write_text(page + "\n")
    (example,), (found,) = read_examples(tmp_path / "dev.jsonl"), JsonlPages(tmp_path / "pages.jsonl").pages()
    assert {place.wikipedia_id for answer in example.output for place in answer.provenance} == {found.id}
    answer = example.output[0].text
    assert answer
    assert answer in found.paragraphs[-1]


@pytest.mark.parametrize(
    "words",
    [("run", "--help"), ("prepare", "--help"), ("train", "--help"), ("evaluate", "--help"), ("study", "--help")],
)
def test_help_leads_there(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "docs/kilt.md" in printed
    for puzzle in ("see `run`", "<class", "__main__.py"):
        assert puzzle not in printed


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("run", "--tasks.help"), "reml.tasks.jsonl.Jsonl  Examples of files in KILT's record format"),
        (("search", "--access.retriever.help"), "reml.retrievers.bm25.BM25  "),
        (("run", "--predictor.help"), "reml.predictors.fid.FiD  "),
        (("run", "--tasks.help", "reml.tasks.jsonl.Jsonl"), "class_path: reml.tasks.jsonl.Jsonl"),
        (("run", "--access.retriever.help", "reml.retrievers.bm25.BM25"), "--k1 K1"),
        (("run", "--access.retriever.help=reml.retrievers.bm25.BM25"), "--k1 K1"),
        (("run", "--access.help"), "usage: reml run"),
        (("run", "--train_on.help"), "usage: reml run"),
    ],
)
def test_help_of_a_setting(words: tuple[str, ...], shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert shown in printed
    assert "__main__.py" not in printed
    assert "<class" not in printed


def test_help_of_a_class_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--access.retriever.help", "reml.retrievers.bm25.BM52"]) == 2
    assert "the nearest: reml.retrievers.bm25.BM25" in capsys.readouterr().err
