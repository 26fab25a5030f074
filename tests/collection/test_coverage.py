from __future__ import annotations

from pathlib import Path

import pytest

from reml.collection.coverage import Coverage, coverage
from reml.collection.disk import build_collection
from reml.collection.sources.kilt_pages import JsonlPages
from reml.contract.examples import Answer, Example, Page, Provenance
from reml.files.records import read_examples
from tests.memory_pages import MemoryPages

HELD = Provenance("1", "Oslo", 1, 0, 1, 4)
OUTSIDE = Provenance("1", "Oslo", 5, 0, 5, 4)
ABSENT = Provenance("9", "Rome", 1, 0, 1, 4)


def test_every_place_is_held_absent_or_outside(tmp_path: Path) -> None:
    pages = build_collection(MemoryPages([Page("1", "Oslo", ("Oslo", "Oslo is cold."))]), tmp_path / "p", words=2)
    examples = [
        Example("blind", "?"),
        Example("held", "?", (Answer("a", (HELD,)), Answer("b", (HELD, Provenance("1", "Oslo", 1, 0, 1, 13))))),
        Example("half", "?", (Answer("a", (HELD, ABSENT)), Answer("b", (OUTSIDE,)), Answer("c"))),
        Example("other way", "?", (Answer("a", (ABSENT,)), Answer("b", (HELD,)))),
    ]
    found = coverage(pages, examples)
    assert found == Coverage(
        examples=4, judged=3, complete=2, places=7, held=4, absent=2, outside=1, rows=1 + 2 + 1 + 1
    )
    assert found.share == 4 / 7
    assert found.to_json()["outside"] == 1
    assert Coverage().share == 1


@pytest.mark.parametrize(("name", "held"), [("nq", 400), ("fever", 287)])
def test_real_examples_are_covered_by_their_pages(shared: Path, tmp_path: Path, name: str, held: int) -> None:
    folder = shared / "minikilt"
    examples = list(read_examples(folder / f"{name}-dev-kilt.jsonl.gz"))
    wanted = {place.wikipedia_id for example in examples for output in example.output for place in output.provenance}
    source = JsonlPages(folder / "knowledge_source.jsonl.gz")
    pages = build_collection(MemoryPages([page for page in source.pages() if page.id in wanted]), tmp_path / "p")
    found = coverage(pages, examples)
    assert (found.judged, found.complete, found.held) == (held, held, found.places)
