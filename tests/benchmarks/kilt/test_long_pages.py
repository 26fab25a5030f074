"""Long pages and the questions on them, written from files in KILT's schema."""

from __future__ import annotations

import gzip
from pathlib import Path

from reml.benchmarks.kilt.long_pages import write_long_pages
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
