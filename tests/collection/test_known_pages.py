from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reml.collection.disk import build_collection
from reml.collection.known_pages import absent_pages
from reml.collection.sources.kilt_pages import JsonlPages, write_pages
from tests.memory_pages import numbered_pages


@pytest.fixture(params=["file", "collection"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Pages p0 to p2, as a file and as a collection."""
    path = tmp_path / "pages.jsonl.gz"
    write_pages(numbered_pages(3).pages(), path)
    if request.param == "file":
        yield path
        return
    build_collection(JsonlPages(path), tmp_path / "passages", words=2)
    yield tmp_path / "passages"


def test_ids_without_a_page_are_given(where: Path) -> None:
    assert absent_pages(["p0", "p9", "p2", "P1", ""], where) == {"p9", "P1", ""}
    assert absent_pages(["p1"], where) == set()
    assert absent_pages([], where) == set()
