from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.devices.plain import plain

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bm25[k1=0.9]", "bm25[k1=0.9]"),
        ("[/INST] [link=http://x] :smile:", "[/INST] [link=http://x] :smile:"),
        ("a\x1b[31mred\x1b[0m", "a\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("c1 \x9b31m", "c1 \\x9b31m"),
        ("two\nlines\r\n", "two\\nlines\\r\\n"),
        ("tab\tstop", "tab\\tstop"),
        ("nul\0", "nul\\x00"),
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("\u2066isolated\u2069", "\\u2066isolated\\u2069"),
        ("line\u2028separator\x85", "line\\u2028separator\\x85"),
        ("half \ud83d", "half \\ud83d"),
        ("undecodable \udcff", "undecodable \\udcff"),
        ("नमस्ते می\u200cخواهم 👩\u200d🚒 Beyoncé \\n", "नमस्ते می\u200cخواهم 👩\u200d🚒 Beyoncé \\n"),
    ],
)
def test_a_text_is_shown_as_it_stands_and_does_nothing(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_what_an_encoding_lacks_is_written_by_its_number() -> None:
    assert plain("Beyoncé ± 日", "ascii") == "Beyonc\\xe9 \\xb1 \\u65e5"
    assert plain("Beyoncé ± 日", "latin-1") == "Beyoncé ± \\u65e5"


def test_signs_may_be_kept() -> None:
    assert plain("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@given(st.text(), st.sampled_from(["utf-8", "ascii", "latin-1", "cp1252"]))
def test_nothing_that_is_shown_can_move_a_cursor_or_fail(text: str, encoding: str) -> None:
    shown = plain(text, encoding)
    shown.encode(encoding)
    assert not {unicodedata.category(sign) for sign in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(shown) & set(BIDI)
