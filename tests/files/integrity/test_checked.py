from __future__ import annotations

import csv
import gzip
import itertools
import json
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

from reml.files.atomic import CorruptError
from reml.files.integrity.checked import CheckedFile, reading


def test_a_record_survives_json_and_finds_its_file_unchanged(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    record = CheckedFile.parse(CheckedFile.of(tmp_path, "a").content())
    assert (record.name, record.size, len(record.digest)) == ("a", 3, 16)
    record.check_bytes(tmp_path)


def test_another_size_is_seen_at_once_and_another_byte_by_reading(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    record = CheckedFile.of(tmp_path, "a")
    (tmp_path / "a").write_bytes(b"abd")
    record.check_size(tmp_path)
    with pytest.raises(CorruptError, match=r"a is not what was written"):
        record.check_bytes(tmp_path)
    (tmp_path / "a").write_bytes(b"ab")
    with pytest.raises(CorruptError, match=r"a has 2 bytes where 3 bytes were written"):
        record.check_size(tmp_path)
    (tmp_path / "a").unlink()
    with pytest.raises(CorruptError, match=r"a is missing where 3 bytes were written"):
        record.check_bytes(tmp_path)


@pytest.mark.parametrize("content", [None, [], {"name": "a"}, {"name": "a", "size": "3", "digest": "x"}])
def test_anything_else_is_no_record(content: list[int] | dict[str, str | int] | None) -> None:
    with pytest.raises(ValueError, match="a name, a size and a digest"):
        CheckedFile.parse(content)


READERS: dict[str, Callable[[Path], object]] = {
    "numpy": np.load,
    "numpy, mapped": lambda path: np.load(path, mmap_mode="r"),
    "map": lambda path: np.memmap(path, "<i8", "r").reshape(3, 5),
    "safetensors": safetensors.numpy.load_file,
    "arrow": lambda path: pa.ipc.open_file(pa.py_buffer(path.read_bytes())),
    "parquet": pq.read_table,
    "zip": zipfile.ZipFile,
    "gzip": lambda path: gzip.decompress(path.read_bytes()),
    "csv": lambda path: [float(row["value"]) for row in csv.DictReader(path.read_text("latin-1").splitlines())],
    "json": lambda path: json.loads(path.read_bytes()),
    "text": lambda path: path.read_text(encoding="utf-8"),
    "struct": lambda path: struct.unpack("<4096q", path.read_bytes()),
}


CONTENTS = {"empty": b"", "cut": b"value\n\xff\xfe cut", "head": b"\x93NUMPY\x01\x00", "zip": b"PK\x03\x04"}
# What is as it should be, and what numpy leaves open.
SPARED = {("text", "empty"), ("text", "zip"), ("gzip", "empty"), ("numpy", "zip"), ("numpy, mapped", "zip")}
SPARED |= {("csv", content) for content in CONTENTS if content != "cut"}


@pytest.mark.parametrize(
    ("library", "content"), [pair for pair in itertools.product(READERS, CONTENTS) if pair not in SPARED]
)
def test_whatever_library_reads_the_file_is_named(library: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / "made"
    path.write_bytes(CONTENTS[content])
    with (
        pytest.raises(CorruptError, match=r"made cannot be read \(.+: .*\)\. Delete it\."),
        reading(path, "Delete it."),
    ):
        READERS[library](path)


@pytest.mark.parametrize(
    "error", [OSError(24, "Too many open files"), PermissionError(13, "no"), OSError(5, "I/O"), MemoryError()]
)
def test_what_is_wrong_with_the_machine_is_not_said_of_a_file(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)) as raised, reading(tmp_path, "Delete it."):
        raise error
    assert raised.value is error


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="absent cannot be read"), reading(tmp_path / "absent", "Delete it."):
        (tmp_path / "absent").read_bytes()


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("Error while opening: Too many open files (os error 24)", 24),
        ("could not open f for reading: Permission denied", 13),
        ("[Errno 5] Input/output error: f", 5),
    ],
)
def test_what_a_library_says_of_the_system_in_words_of_its_own_is_no_damage(
    said: str, number: int, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match=re.escape(str(tmp_path))) as raised, reading(tmp_path, "Delete it."):
        raise RuntimeError(said)
    assert raised.value.errno == number
