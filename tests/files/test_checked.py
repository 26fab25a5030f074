from __future__ import annotations

from pathlib import Path

import pytest

from reml.files.atomic import CorruptError
from reml.files.checked import CheckedFile


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
