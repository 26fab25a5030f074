from __future__ import annotations

import pytest

from reml.collection.checks import MissingPage, missing_pages, provable
from reml.collection.disk import DiskCollection, build_collection
from reml.collection.near_pages import ANOTHER, AS_THERE, told_nearest
from reml.collection.sources import MemoryPages
from reml.contract.examples import Answer, Example, Page, Provenance

PAGES = {"chad.txt": "chad", "sub/cuba.md": "cuba", "007": "Peru", "Lima_(city)": "Lima (city)", "New York": "NYC"}


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> DiskCollection:
    pages = MemoryPages([Page(name, title, (title, f"About {title}.")) for name, title in PAGES.items()])
    return build_collection(pages, tmp_path_factory.mktemp("pages") / "passages")


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ("chad", "chad.txt"),
        ("Chad", "chad.txt"),
        ("CHAD.TXT", "chad.txt"),
        ("notes/chad.txt", "chad.txt"),
        ("/home/me/notes/chad.txt", "chad.txt"),
        ("chad.md", "chad.txt"),
        ("https://en.wikipedia.org/wiki/Chad", "chad.txt"),
        ("cuba", "sub/cuba.md"),
        ("cuba.md", "sub/cuba.md"),
        ("7", "007"),
        ("7.0", "007"),
        ("Peru", "007"),
        ("peru", "007"),
        ("Lima (city)", "Lima_(city)"),
        ("Lima_%28city%29", "Lima_(city)"),
        ("lima city", "Lima_(city)"),
        ("new_york", "New York"),
        ("NYC", "New York"),
        ("New Yorck", "New York"),
    ],
)
def test_the_page_that_is_meant_is_found(given: str, there: str, collection: DiskCollection) -> None:
    said = told_nearest([MissingPage("q", given, None)], collection)
    assert said == f"the nearest page there to {given!r} is {there!r}: {AS_THERE}"


def test_the_title_of_a_record_tells_it_too(collection: DiskCollection) -> None:
    assert "to '170691' is '007'" in told_nearest([MissingPage("q", "170691", "Peru")], collection)


def test_of_several_one_that_has_a_near_page_is_shown(collection: DiskCollection) -> None:
    missing = [MissingPage("a", "xxxxx", None), MissingPage("b", "cuba", None)]
    assert "to 'cuba' is 'sub/cuba.md'" in told_nearest(missing, collection)


@pytest.mark.parametrize("given", ["zzzzzz", "?", "\N{CJK UNIFIED IDEOGRAPH-6771}", "x" * 500])
def test_without_any_the_ids_there_are_shown(given: str, collection: DiskCollection) -> None:
    said = told_nearest([MissingPage("q", given, None)], collection)
    assert said == f"the ids there are such as 'chad.txt', 'sub/cuba.md', '007': {ANOTHER}"


def test_a_page_that_is_not_named_is_not_missing() -> None:
    outputs = (Answer("a", (Provenance(""), Provenance(" "), Provenance(" cd "), Provenance("zz"))),)
    assert missing_pages([Example("1", "x", outputs)], {"cd"}) == [MissingPage("1", "zz", None)]


@pytest.mark.parametrize(
    ("sets", "whole"),
    [
        ([["a"]], True),
        ([["z"]], False),
        ([["a", "z"]], False),
        ([["z"], ["a"]], True),
        ([["a", "b"], []], True),
        ([[]], False),
        ([[""]], False),
        ([["", "a"]], True),
        ([[" a "]], True),
        ([["z", "y"], ["y"]], False),
        ([], False),
    ],
)
def test_an_answer_can_be_proved_by_pages_that_are_there(sets: list[list[str]], whole: bool) -> None:
    outputs = tuple(Answer("x", tuple(map(Provenance, names))) for names in sets)
    assert provable(Example("q", "?", outputs), {"z", "y"}) is whole
