from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.tasks.factbook.cleaning import clean_text


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("R&eacute;publique du Tchad", "République du Tchad"),
        (
            "<strong>note 1:</strong> Chad is large <br><br><strong>note 2:</strong> dry",
            "note 1: Chad is large; note 2: dry",
        ),
        ("<p>One sentence. &nbsp;</p> <p>Another.</p>", "One sentence. Another."),
        ('from <em>Francia, </em>meaning "Land"', 'from Francia, meaning "Land"'),
        ("other&amp;nbsp; 4.6%", "other 4.6%"),
        ("551,500 sq km ; 5 < 6", "551,500 sq km; 5 < 6"),
        ("N&rsquo;Djamena\u200b\u00a0", "N’Djamena"),
        ("first\r\nsecond", "first; second"),
        ("", ""),
        ("<br>", ""),
    ],
)
def test_tags_go_and_entities_are_resolved(fragment: str, text: str) -> None:
    assert clean_text(fragment) == text


@given(st.text(max_size=40))
def test_clean_text_has_single_spaces_and_no_edges(fragment: str) -> None:
    text = clean_text(fragment)
    assert text == text.strip()
    assert not re.search(r"\s\s|[\r\n\t]", text)


@given(st.text("aB1 \t\n\x0b\x1c\x7f.,;:&<>/bpr;amp\u00e9\u00a0", max_size=30))
def test_what_is_told_to_be_clean_at_once_is_as_what_is_cleaned(fragment: str) -> None:
    assert clean_text(fragment) == clean_text(f"<b></b>{fragment}")
