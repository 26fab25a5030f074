"""Long pages and the questions on them, written from files in KILT's schema."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from reml.benchmarks.kilt.long_pages import write_long_pages
from reml.benchmarks.kilt.script import run_script
from reml.collection.sources.kilt_pages import JsonlPages, write_pages
from reml.contract.examples import Answer, Example, Page, Provenance
from reml.files.records import read_examples, write_examples


def written(folder: Path) -> Path:
    pages = [Page(str(number), f"T{number}", (f"T{number}", "word " * number)) for number in range(1, 7)]
    write_pages(pages, folder / "knowledge_source.jsonl.gz")
    for split in ("train", "dev"):
        made = [Example(f"{split}{n}", "?", (Answer("x", (Provenance(str(1 + n % 6)),)),)) for n in range(60)]
        write_examples(made, folder / "plain.jsonl")
        with gzip.open(folder / f"squad-{split}-kilt.jsonl.gz", "wb") as stream:
            stream.write((folder / "plain.jsonl").read_bytes())
    return folder


def test_short_pages_and_questions_on_them_are_left_out(tmp_path: Path) -> None:
    write_long_pages(written(tmp_path), tmp_path / "long", words=5, train=7, dev=1_000)
    assert [page.id for page in JsonlPages(tmp_path / "long" / "pages.jsonl").pages()] == ["4", "5", "6"]
    train, dev = (list(read_examples(tmp_path / "long" / f"{split}.jsonl")) for split in ("train", "dev"))
    assert len(train) == 7
    assert len(dev) == 30
    assert {one.output[0].provenance[0].wikipedia_id for one in [*train, *dev]} == {"4", "5", "6"}
    assert [one.id for one in train] != sorted(one.id for one in train), "they are drawn"
    write_long_pages(tmp_path, tmp_path / "again", words=5, train=7)
    assert (tmp_path / "again" / "train.jsonl").read_bytes() == (tmp_path / "long" / "train.jsonl").read_bytes()


def test_what_cannot_be_written_is_said_and_nothing_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path)
    for options, message in (
        (["--data", "/nowhere"], "there is no file /nowhere/squad-train-kilt.jsonl.gz"),
        (["--data", str(tmp_path), "--task", "nope"], "nope-train-kilt.jsonl.gz"),
        (["--data", str(tmp_path)], "no train question of 'squad' lies on a page of 1,200 words: lower `words`"),
    ):
        with pytest.raises(SystemExit):
            run_script(write_long_pages, [*options, "--folder", str(tmp_path / "none")])
        assert message in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    run_script(write_long_pages, ["--data", str(tmp_path), "--folder", str(tmp_path / "some"), "--words", "3"])
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / "some" / f"{name}.jsonl") for name in ("pages", "train", "dev")
    ]
