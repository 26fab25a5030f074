from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from reml.files.atomic import CorruptError
from reml.files.fetching.archives import read_members


def pack(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def test_wanted_members_are_read(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", **{"qa/a.json": b"one", "other": b"two", "qa/b.json": b"three"})
    assert {name: stream.read() for name, stream in read_members(archive, ["qa/b.json", "qa/a.json"])} == {
        "qa/a.json": b"one",
        "qa/b.json": b"three",
    }


@pytest.mark.parametrize("name", ["../evil", "qa/../../evil", "/etc/evil"])
def test_a_path_that_leaves_its_folder_is_refused(name: str, tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", **{name: b"x", "qa/a.json": b"one"})
    with pytest.raises(CorruptError, match="outside its folder"):
        list(read_members(archive, ["qa/a.json"]))


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match=r"has no \['qa/b.json'\]"):
        list(read_members(pack(tmp_path / "a.tar.gz", **{"qa/a.json": b"one"}), ["qa/a.json", "qa/b.json"]))


def test_an_archive_cut_short_is_told(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", first=bytes(range(256)) * 400, last=b"y")
    archive.write_bytes(archive.read_bytes()[:300])
    with pytest.raises(CorruptError, match="cut short or damaged"):
        list(read_members(archive, ["last"]))
    (tmp_path / "b.tar.gz").write_bytes(b"no archive at all")
    with pytest.raises(CorruptError, match="cut short or damaged"):
        list(read_members(tmp_path / "b.tar.gz", ["last"]))
