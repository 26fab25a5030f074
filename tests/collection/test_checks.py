from __future__ import annotations

import pytest

from reml.collection.checks import MissingPage, MissingPagesError, missing_pages, require_pages
from reml.contract.examples import Answer, Example, Provenance

EXAMPLES = [
    Example("1", "x", (Answer("a", (Provenance("cd", "Chad"), Provenance("zz", "Nowhere"), Provenance("zz"))),)),
    Example("2", "y", (Answer("b", (Provenance("cd"),)), Answer("c"))),
    Example("3", "z", (Answer(None, (Provenance("yy"),)),)),
    Example("4", "no output"),
]


def test_all_missing_pages_are_found_once_an_example() -> None:
    assert missing_pages(EXAMPLES, {"cd"}) == [MissingPage("1", "zz", None), MissingPage("3", "yy", None)]


def test_the_error_counts_and_names_them() -> None:
    with pytest.raises(MissingPagesError, match=r"provenance of dev names 2 page\(s\).*example '3' names page 'yy'"):
        require_pages(EXAMPLES, {"cd"}, "dev")


def test_the_error_stays_short() -> None:
    examples = [Example(str(n), "x", (Answer("a", (Provenance(f"page {n}"),)),)) for n in range(100)]
    with pytest.raises(MissingPagesError, match=r"names 100 page\(s\)") as raised:
        require_pages(examples, (), "train")
    assert len(str(raised.value)) < 500


def test_examples_that_fit_pass() -> None:
    require_pages(EXAMPLES, {"cd", "zz", "yy"}, "dev")
