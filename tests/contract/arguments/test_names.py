"""Names of all kinds of things keep one rule, and what breaks it is said."""

from __future__ import annotations

import pytest

from reml.contract.arguments.names import check_name, check_names


@pytest.mark.parametrize(
    "name",
    [
        "a", "bm25[k1=0.9]", "naïve", "नमस्ते", "a b", "on", "1", "1.0", "null", "2024-01-01", "a.b", "consul", "x" * 100,
        "<script>", "manifest", "report", "gold", "Golden", "com10", "~",
    ],
)  # fmt: skip
def test_most_texts_are_names(name: str) -> None:
    check_name(name, "task")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "not empty"),
        ("  ", "not empty"),
        ("..", "no dot and no space in front"),
        (".", "no dot and no space in front"),
        (".hidden", "no dot and no space in front"),
        (" a", "no dot and no space in front"),
        ("a.", "at the end, which Windows drops"),
        ("a ", "at the end, which Windows drops"),
        ("a/b", "no slash"),
        ("../../etc", "no slash"),
        ("a\\b", "no slash"),
        ("a\0b", r"control characters and no line ends, and this has '\x00'"),
        ("a\nb", r"this has '\n'"),
        ("a\u2028b", "line ends"),
        ("a\x1b[31mb", "control characters"),
        ("a\ud83d", "control characters"),
        ("x" * 300, "at most 100 bytes, and this has 300"),
        ("é" * 51, "at most 100 bytes, and this has 102"),
        ("manifest.json", "a result folder has a file of that name"),
        ("Report.HTML", "a result folder has"),
        ("cells.csv", "a result folder has"),
        ("Config.Yaml", "a result folder has"),
        ("con", "Windows takes it for a device"),
        ("NUL.txt", "Windows takes it for a device"),
        ("lpt1", "Windows takes it for a device"),
        ("Com9.", "at the end"),
    ],
)
def test_what_is_no_name_is_said(name: str, why: str) -> None:
    with pytest.raises(ValueError, match="cannot name an access model") as caught:
        check_name(name, "access model")
    assert why in str(caught.value)


@pytest.mark.parametrize("name", [None, True, 1, 1.5, b"a", ["a"]])
def test_what_is_no_text_is_no_name(name: object) -> None:
    with pytest.raises(ValueError, match="names are texts; write"):
        check_name(name, "task")


@pytest.mark.parametrize(
    ("first", "second"), [("BM25", "bm25"), ("straße", "STRASSE"), ("é", "e\u0301"), ("ΣΑΣ", "σας"), ("A", "a")]
)
def test_two_names_that_some_file_systems_take_for_one_are_refused(first: str, second: str) -> None:
    with pytest.raises(ValueError, match="cannot both name a task"):
        check_names([first, "other", second], "task")
    check_names([first, "other"], "task")
