from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from reml.files.atomic import CorruptError
from reml.files.lines import LONGEST, LineError, numbered_lines


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.tsv"])
@pytest.mark.parametrize("zipped", [False, True])
def test_lines_keep_their_numbers_whatever_the_file_is_called(name: str, zipped: bool, tmp_path: Path) -> None:
    data = b"one\n\n \t\ntwo\r\nthree"
    (tmp_path / name).write_bytes(gzip.compress(data) if zipped else data)
    assert list(numbered_lines(tmp_path / name)) == [(1, b"one\n"), (4, b"two\r\n"), (5, b"three")]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert list(numbered_lines(tmp_path / "a")) == []


def test_the_last_good_line_of_a_damaged_file_is_named(tmp_path: Path) -> None:
    data = gzip.compress(b"".join(b"line %d\n" % number for number in range(3)))
    (tmp_path / "a.gz").write_bytes(data[:-4])
    with pytest.raises(CorruptError, match=r"a\.gz is cut short or damaged after line \d .*Fetch the file again"):
        list(numbered_lines(tmp_path / "a.gz"))


def test_a_line_that_never_ends_is_read_no_further(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.gz", "wb", compresslevel=1) as stream:
        stream.write(b"one\n")
        for _ in range(2):
            stream.write(bytes(LONGEST // 2 + 1))
    with pytest.raises(LineError, match=r"a\.gz, line 2 has more than 268,435,456 bytes"):
        list(numbered_lines(tmp_path / "a.gz"))
    endless = Path("/dev/zero")
    if endless.exists():
        with pytest.raises(LineError, match="line 1 has more than"):
            list(numbered_lines(endless))
