from __future__ import annotations

import pytest

from reml.contract.examples import Json
from reml.tasks.factbook.names import in_sentence, page_title


def record(short: str, long: str) -> dict[str, Json]:
    forms: dict[str, Json] = {
        "conventional short form": {"text": short},
        "conventional long form": {"text": long},
    }
    return {"Government": {"Country name": forms}}


def test_the_title_is_the_short_form_or_the_long_one_or_set_by_hand() -> None:
    assert page_title("cd", record("Chad", "Republic of Chad")) == "Chad"
    assert page_title("ae", record("none", "United Arab Emirates")) == "United Arab Emirates"
    assert page_title("cg", record("DRC", "Democratic Republic of the Congo")) == "Democratic Republic of the Congo"
    assert page_title("xx", {}) == "World"


@pytest.mark.parametrize(
    ("page_id", "title", "text"),
    [("cd", "Chad", "Chad"), ("nl", "Netherlands", "the Netherlands"), ("ga", "The Gambia", "the Gambia")],
)
def test_some_titles_take_an_article(page_id: str, title: str, text: str) -> None:
    assert in_sentence(page_id, title) == text
