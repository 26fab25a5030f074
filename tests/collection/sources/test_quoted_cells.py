from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.collection.sources.quoted_cells import quoted_cells


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("", [""]),
        ("a\tb", ["a", "b"]),
        ("\t", ["", ""]),
        ('"a"\t"b"', ["a", "b"]),
        ('""\t""', ["", ""]),
        ('""""', ['"']),
        ('"He said ""no""."\tb', ['He said "no".', "b"]),
        ('"a\tb"\tc', ["a\tb", "c"]),
        ('a "quote" inside\tb', ['a "quote" inside', "b"]),
        ('5" and 6"\tb', ['5" and 6"', "b"]),
        (' "not at the start"\tb', [' "not at the start"', "b"]),
        ('foo \r bar "x"\tT', ['foo \r bar "x"', "T"]),
        ('"foo \r bar"\tT', ["foo \r bar", "T"]),
        ('a\t"b"', ["a", "b"]),
        ("a\t", ["a", ""]),
    ],
)
def test_the_cells_of_right_lines(line: str, cells: list[str]) -> None:
    assert quoted_cells(line) == cells


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('1\tPeru\t"Lima is the', "a quote is opened in column 3 and not closed in its line"),
        ('"', "a quote is opened in column 1 and not closed"),
        ('"a""', "a quote is opened in column 1 and not closed"),
        ('"a\tb', "a quote is opened in column 1 and not closed"),
        ('a\t"""', "a quote is opened in column 2 and not closed"),
        ('"a"b\tc', "text stands behind the closing quote of column 1: 'b.tc'"),
        ('"a" \tc', "text stands behind the closing quote of column 1"),
        ('a\t"b"c"d"', "text stands behind the closing quote of column 2"),
        ('"Quoted," he said.\tc', "text stands behind the closing quote of column 1: ' he said"),
    ],
)
def test_what_is_not_quoted_as_it_should_be_is_said(line: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        quoted_cells(line)


texts = st.text(alphabet='a"\t é\r\u2028', max_size=8)


@given(st.lists(texts, min_size=1, max_size=4))
def test_what_was_written_with_quotes_comes_back(cells: list[str]) -> None:
    line = "\t".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    assert quoted_cells(line) == cells


@given(st.lists(st.text(alphabet='a"\té', max_size=6), min_size=2, max_size=3).map("\t".join))
def test_the_strict_reader_of_python_reads_the_same_or_refuses_too(line: str) -> None:
    try:
        expected = next(csv.reader([line], delimiter="\t", strict=True))
    except csv.Error:
        with pytest.raises(ValueError, match="quote"):
            quoted_cells(line)
    else:
        assert quoted_cells(line) == (expected or [""])
