"""Ids in TREC's files: what is written comes back, and what needs no escape has none."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.evaluation.trec.ids import HIDDEN, decode_id, encode_id

# Pieces that ids of the wild and of the rule itself are made of.
PIECES = ("\\", "\\u", "\\u0020", "\\u005cu0020", "\\u00A0", "005cu", "0020", "u", " ", "\u3000", "\0", "\ufeff", "%20")
identifiers = st.text(st.characters(codec="utf-8"), min_size=1) | st.lists(
    st.sampled_from(PIECES) | st.characters(codec="utf-8"), min_size=1
).map("".join)


def test_white_space_is_that_of_python() -> None:
    white = {chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()}
    assert set(HIDDEN) == white | {"\0", "\ufeff"}


@given(identifiers)
def test_an_id_comes_back_and_is_one_field_for_every_reader(identifier: str) -> None:
    written = encode_id(identifier)
    assert decode_id(written) == identifier
    assert written.split() == [written]
    assert not set(HIDDEN) & set(written)


@given(identifiers, identifiers)
def test_two_ids_are_never_written_alike(one: str, other: str) -> None:
    assert (encode_id(one) == encode_id(other)) == (one == other)


@pytest.mark.parametrize(
    "identifier",
    [
        "Lima_%28Peru%29",
        "Lima_%2528Peru%2529",
        "a%20b",
        "50%",
        "100%25",
        "%",
        "%%",
        "http://dbpedia.org/resource/Caf%C3%A9?x=1&y=%2B#z",
        "C:\\users\\x20",
        "\\u0041",
        "\\U0020",
        "001",
        "Beyonc\u00e9",
        "Beyonce\u0301",
        "\u0939\u093f\u0928\u094d\u0926\u0940",
        "\U0001f600",
        "[/INST]",
        "\x07\x1b",
        "#5",
        '"quoted"',
    ],
)
def test_an_id_without_white_space_stands_as_it_is(identifier: str) -> None:
    assert encode_id(identifier) == decode_id(identifier) == identifier


@pytest.mark.parametrize(
    ("identifier", "written"),
    [
        ("New York", "New\\u0020York"),
        (" ", "\\u0020"),
        ("a\tb", "a\\u0009b"),
        ("a\r\nb", "a\\u000d\\u000ab"),
        ("a\u00a0b", "a\\u00a0b"),
        ("\u3000", "\\u3000"),
        ("\ufeff1", "\\ufeff1"),
        ("a\0b", "a\\u0000b"),
        ("\\ ", "\\\\u0020"),
        ("\\u0020", "\\u005cu0020"),
        ("\\u005cu0020", "\\u005cu005cu0020"),
    ],
)
def test_how_others_are_written(identifier: str, written: str) -> None:
    assert encode_id(identifier) == written
    assert decode_id(written) == identifier


@pytest.mark.parametrize(("identifier", "why"), [("", "empty id"), ("a\ud83d", "half a surrogate pair")])
def test_what_no_file_can_hold_is_refused(identifier: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        encode_id(identifier)
