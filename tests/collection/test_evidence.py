"""Gold spans and the passages that hold them, over real cuts of pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.collection.disk import DiskCollection, build_collection
from reml.collection.evidence import Region, evidence_rows, holds, rows_holding
from reml.collection.passages import split_page
from reml.contract.examples import Answer, Example, Item, Page, Provenance
from tests.memory_pages import MemoryPages

#                            0        1                2                        3
LIMA = Page("7", "Lima", ("Lima\n", "one two three\n", "Section::::History.\n", "four five six seven\n"))


def place(page: str, start: tuple[int, int], stop: tuple[int, int]) -> Provenance:
    return Provenance(page, None, start[0], start[1], stop[0], stop[1])


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> DiskCollection:
    """Passages of two words: [one two] [three four] [five six] [seven]."""
    source = MemoryPages([Page("1", "Oslo", ("Oslo",)), LIMA])
    return build_collection(source, tmp_path_factory.mktemp("evidence") / "passages", words=2)


def test_the_cut_is_as_the_tests_assume(pages: DiskCollection) -> None:
    assert [item.text for item in pages.by_page("7")] == ["one two", "three\nfour", "five six", "seven"]
    assert [item.row for item in pages.by_page("7")] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("given_place", "rows"),
    [
        (place("7", (1, 0), (1, 3)), [1]),
        (place("7", (1, 4), (1, 10)), [1, 2]),  # two t|hr: a span over a cut
        (place("7", (1, 8), (3, 4)), [2]),  # three ... four: over a heading
        (place("7", (3, 5), (3, 19)), [3, 4]),
        (place("7", (1, 0), (3, 19)), [1, 2, 3, 4]),
        (place("7", (0, 0), (0, 4)), [1, 2, 3, 4]),  # the title, which stands on every item
        (place("1", (0, 0), (0, 4)), [0]),
        (Provenance("7"), [1, 2, 3, 4]),  # the whole page
        (Provenance(" 7 ", start_paragraph_id=3), [2, 3, 4]),  # a whole paragraph
        (place("7", (1, -1), (1, -1)), [1, 2]),  # KILT knows the paragraph only
        (place("7", (2, 0), (2, 19)), [2]),  # a heading, which the passage around it stands for
        (place("7", (1, 7), (1, 8)), []),  # the space between two passages
        (place("7", (3, 90), (3, 99)), []),  # past the end of its paragraph
        (place("7", (9, 0), (9, 5)), []),  # past the end of its page
        (place("8", (1, 0), (1, 3)), []),  # no such page
    ],
)
def test_the_rows_that_hold_a_place(pages: DiskCollection, given_place: Provenance, rows: list[int]) -> None:
    assert rows_holding(pages, given_place).tolist() == rows
    assert [item.row for item in pages.get(pages.rows()) if holds(item, given_place)] == rows


def test_rows_by_output_and_place(pages: DiskCollection) -> None:
    both = Answer("x", (place("7", (1, 0), (1, 3)), place("1", (0, 0), (0, 4))))
    (rows,) = evidence_rows(pages, [Example("1", "?", (both, Answer("y"), Answer("z", (Provenance("8"),))))])
    assert [[found.tolist() for found in output] for output in rows] == [[[1], [0]], [], [[]]]


texts = st.lists(st.text("ab \u2009\u200bé\u05d0", max_size=30), min_size=1, max_size=4)


@given(texts, st.integers(1, 4), st.data())
def test_a_span_of_words_is_held_and_its_holders_have_its_words(
    paragraphs: list[str], words: int, data: st.DataObject
) -> None:
    page = Page("1", "t", ("t", *paragraphs))
    items = [
        Item(row, cut.text, "t", "1", cut.span)
        for row, cut in enumerate(split_page(page, words))
        if cut.span and cut.span.start_paragraph
    ]
    number = data.draw(st.integers(1, len(paragraphs)))
    text = page.paragraphs[number]
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, len(text)))
    span = place("1", (number, start), (number, stop))
    holders = [item for item in items if holds(item, span)]
    wanted = "".join(text[start:stop].split())
    assert bool(holders) >= bool(wanted)
    assert wanted in "".join("".join(item.text.split()) for item in holders)


def test_regions_of_different_pages_never_overlap() -> None:
    assert not Region.of(Provenance("1")).overlaps(Region.of(Provenance("2")))
    assert Region.of(Provenance("1")).overlaps(Region.of(Provenance("1")))
