"""Judgements as TREC's files: written, read, and refused with file and line."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.trec import RelevanceError, read_relevance, write_relevance


def test_relevance_names_each_right_page_once(tmp_path: Path) -> None:
    outputs = (Answer("a", (Provenance("p"), Provenance(" q "))), Answer("b", (Provenance("p"),)), Answer("c"))
    write_relevance(tmp_path / "qrels", [Example("x", "?", outputs), Example("y", "?")])
    assert (tmp_path / "qrels").read_text() == "x 0 p 1\nx 0 q 1\n"


def test_a_page_that_is_not_named_is_no_judgement(tmp_path: Path) -> None:
    write_relevance(tmp_path / "qrels", [Example("x", "?", (Answer("a", (Provenance(" "), Provenance("p"))),))])
    assert (tmp_path / "qrels").read_text() == "x 0 p 1\n"


def test_grades_of_provenance_are_kept(tmp_path: Path) -> None:
    places = [Provenance("p", meta={"relevance": 3}), Provenance("q", meta={"relevance": True}), Provenance("p")]
    write_relevance(tmp_path / "qrels", [Example("x", "?", tuple(Answer("a", (place,)) for place in places))])
    assert read_relevance(tmp_path / "qrels") == {"x": {"p": 3, "q": 1}}


@pytest.mark.parametrize(
    "data",
    [
        b"a 0 p 1\na 0 q 0\nb 0 p 2\n",
        b"\xef\xbb\xbfa 0 p 1\na 0 q 0\nb 0 p 2\n",
        b"a\t0\tp\t1\r\na\t0\tq\t0\r\nb\t0\tp\t2",
        b"\n  a  0  p  1 \n\n a 0 q 0\n\x0cb 0 p 2\n \n",
        b"a 0 p +1\na Q0 q 00\nb 7 p 2\n",
        b"a 0 p 1\na 0 q 0\na 0 p 1\nb 0 p 2\n",
        gzip.compress(b"a 0 p 1\na 0 q 0\nb 0 p 2\n", mtime=0),
    ],
)
def test_ways_of_writing_the_same(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "qrels").write_bytes(data)
    assert read_relevance(tmp_path / "qrels") == {"a": {"p": 1, "q": 0}, "b": {"p": 2}}


def test_white_space_that_is_not_of_ascii_parts_no_fields(tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text("a 0 New\u00a0York 1\na 0 New\\u0020York 2\n")
    assert read_relevance(tmp_path / "qrels") == {"a": {"New\u00a0York": 1, "New York": 2}}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a 0 p", "3 fields where 4 must be"),
        ("a 0 p q 1", "5 fields where 4 must be"),
        ("a Q0 p 1 0.5 run", "6 fields where 4 must be"),
        ("a 0 q 0.5", "'0.5': give a whole number"),
        ("a 0 q high", "'high': give a whole number"),
        ("a 0 q 1_0", "'1_0': give a whole number"),
        ("a 0 q \u0661", "give a whole number"),
        ("a 0 q nan", "'nan': give a whole number"),
        ("a 0 q 2147483647", "from -100 to 100000"),
        ("a 0 q 123456789012345678901", "from -100 to 100000"),
        ("a 0 q -101", "from -100 to 100000"),
        ("a 0 p 0", "relevance 0, and 1 in line 1"),
        ("a 0 \udcff 1", "not UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(line: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text(f"a 0 p 1\n{line}\n", errors="surrogateescape")
    with pytest.raises(RelevanceError, match=rf"qrels, line 2: .*{why}"):
        read_relevance(tmp_path / "qrels")


@pytest.mark.parametrize("header", ["", "query-id\tcorpus-id\tscore\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_beirs_judgements_are_read_as_they_stand(header: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    path.write_bytes(pack(f"{header}q 1\td 1\t2\nq 1\td%202\t0\n\nq2\td\\u00201\t-1\r\n".encode()))
    assert read_relevance(path) == {"q 1": {"d 1": 2, "d%202": 0}, "q2": {"d\\u00201": -1}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("query-id\tcorpus-id\tscore", "has no judgements"),
        ("query-id\tcorpus-id\tscore\nq\td\thigh", "line 2: the score is 'high'"),
        ("q\td\t2000000", "has the score 2000000: give a whole number from -100 to 100000"),
        ("q\td\t1\nq\td\t0", "line 2: document 'd' has the score 0 for query 'q', and 1 further up"),
        ("q\td\t1\nq 0 d 1", "line 2: 'q 0 d 1' is not query-id, corpus-id, score"),
    ],
)
def test_what_is_wrong_with_beirs_judgements(content: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text(content)
    with pytest.raises(RelevanceError, match=f"test.tsv.*{told}"):
        read_relevance(tmp_path / "test.tsv")
