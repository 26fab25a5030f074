"""KILT files: streams, and everything that is wrong with them in one message."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from reml.evaluation.kilt_files import InvalidFilesError, evaluate_files
from reml.types import Json


def gold(name: str) -> Json:
    return {"id": name, "input": "q", "output": [{"answer": "a", "provenance": [{"wikipedia_id": "1"}]}]}


def guess(name: str, *answers: str) -> Json:
    return {"id": name, "output": [{"answer": answer, "provenance": [{"wikipedia_id": "1"}]} for answer in answers]}


def lines(path: Path, *records: Json | bytes) -> Path:
    data = b"".join(
        (record if isinstance(record, bytes) else json.dumps(record).encode()) + b"\n" for record in records
    )
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_order_blank_lines_and_further_predictions_do_not_matter(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", gold("x"), b"  ", gold("y"))
    guesses = lines(tmp_path / "guess.jsonl.gz", guess("y", "wrong"), guess("z", "a"), b"", guess(" x ", "a"))
    result = evaluate_files(golds, guesses)
    assert result.ids == ("x", "y")
    assert result.values["em"].tolist() == [1.0, 0.0]
    assert result.unmatched == 1


def test_all_problems_come_in_one_message(tmp_path: Path) -> None:
    golds = lines(
        tmp_path / "gold.jsonl",
        gold("x"),
        gold("x"),
        {"id": "n", "input": "q", "output": []},
        b"{",
        gold("y"),
        gold("m"),
    )
    guesses = lines(
        tmp_path / "guess.jsonl", guess("x", "a"), guess("x", "b"), guess("y", "a", "b"), b"\xff", guess("n", "a"), b"3"
    )
    with pytest.raises(InvalidFilesError) as caught:
        evaluate_files(golds, guesses)
    expected = [
        "gold.jsonl, line 2: id 'x' comes a second time",
        "gold.jsonl, line 3: no right answer for id 'n'",
        "gold.jsonl, line 4: not JSON",
        "guess.jsonl, line 2: a second prediction for id 'x'",
        "guess.jsonl, line 3: 2 outputs",
        "guess.jsonl, line 4: not JSON in UTF-8",
        "guess.jsonl, line 6: the record is int, not an object",
        "guess.jsonl: no prediction for id 'y'",
        "guess.jsonl: no prediction for id 'm'",
    ]
    assert caught.value.count == len(expected)
    for problem in expected:
        assert problem in str(caught.value)


def test_many_problems_are_counted_and_the_first_shown(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", *(gold(str(number)) for number in range(50)))
    with pytest.raises(InvalidFilesError, match="50 problems") as caught:
        evaluate_files(golds, lines(tmp_path / "guess.jsonl"))
    assert "... and 30 more" in str(caught.value)
    assert str(caught.value).count("no prediction") == 20


def test_both_files_missing_is_said_of_both(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidFilesError, match=r"2 problems(.|\n)*gold.jsonl: cannot be read(.|\n)*guess.jsonl: cannot"
    ):
        evaluate_files(tmp_path / "gold.jsonl", tmp_path / "guess.jsonl")


def test_a_gzip_cut_short_is_said(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl.gz", *(gold(str(number)) for number in range(2000)))
    golds.write_bytes(golds.read_bytes()[:-200])
    with pytest.raises(InvalidFilesError, match=r"gold.jsonl.gz: the gzip data end or break after line \d+"):
        evaluate_files(golds, lines(tmp_path / "guess.jsonl"))


def test_a_file_that_is_no_gzip_is_said(tmp_path: Path) -> None:
    golds = tmp_path / "gold.jsonl.gz"
    golds.write_bytes(b'{"id": "x"}\n')
    with pytest.raises(InvalidFilesError, match="the gzip data end or break after line 0"):
        evaluate_files(golds, lines(tmp_path / "guess.jsonl"))


def test_nesting_without_end_is_said(tmp_path: Path) -> None:
    golds = lines(tmp_path / "gold.jsonl", b"[" * 100_000)
    with pytest.raises(InvalidFilesError, match="line 1: not JSON"):
        evaluate_files(golds, lines(tmp_path / "guess.jsonl"))
