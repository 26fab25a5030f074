"""Nothing is written through a link that somebody put there, and nothing is for everybody to write to."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reml.cli.failures import told
from reml.files.atomic import atomic_file, atomic_folder, write_json, write_manifest
from reml.files.fetching.http_transfer import Part, Remote
from reml.files.record_log import RecordLog
from reml.files.replacing.unlinked import make_folder
from reml.files.trajectories import TrajectoryFile
from reml.training.loop.metrics import MetricsCsv


@pytest.fixture
def thesis(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "thesis.tex"
    path.write_text("ten years")
    yield path
    assert path.read_text() == "ten years"


@pytest.mark.parametrize("name", [".data.part", ".data.part.lock"])
def test_a_download_does_not_follow_a_link(name: str, thesis: Path) -> None:
    (thesis.parent / name).symlink_to(thesis)
    with pytest.raises(OSError, match=rf"{name} is a link, and none is followed"):
        Part(Remote("http://localhost/data"), thesis.parent / "data")
    (thesis.parent / name).unlink()
    Part(Remote("http://localhost/data"), thesis.parent / "data").close()


def test_the_note_of_a_download_takes_the_place_of_a_link(thesis: Path) -> None:
    (thesis.parent / ".data.part.json").symlink_to(thesis)
    Part(Remote("http://localhost/data"), thesis.parent / "data").close()
    assert not (thesis.parent / ".data.part.json").is_symlink()


@pytest.mark.parametrize("work", [lambda log: log.append({}), lambda log: log.read()], ids=["append", "read"])
def test_a_log_of_records_does_not_follow_a_link(work: Callable[[RecordLog], object], thesis: Path) -> None:
    (thesis.parent / "log").symlink_to(thesis)
    with pytest.raises(OSError, match="log is a link"):
        work(RecordLog(thesis.parent / "log"))


def test_trajectories_and_metrics_take_the_place_of_a_link(thesis: Path) -> None:
    for name in ("trajectories.arrow", "metrics.csv"):
        (thesis.parent / name).symlink_to(thesis)
    TrajectoryFile(thesis.parent / "trajectories.arrow").close()
    MetricsCsv(thesis.parent / "metrics.csv").finalize("success")
    for name in ("trajectories.arrow", "metrics.csv"):
        assert not (thesis.parent / name).is_symlink()
        assert (thesis.parent / name).stat().st_size


def test_the_log_of_a_failure_goes_elsewhere_where_its_name_is_taken(
    thesis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REML_HOME", str(thesis.parent))
    monkeypatch.setattr("time.strftime", lambda _: "now")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(thesis.parent / "other"))
    (thesis.parent / "logs").mkdir()
    (thesis.parent / "logs" / f"now-{os.getpid()}.log").symlink_to(thesis)
    said, _ = told(TypeError("strange"), [])
    assert str(thesis.parent / "other") in said
    assert "strange" in (thesis.parent / "other" / f"now-{os.getpid()}.log").read_text()


def test_nothing_is_for_everybody_to_write_to_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_folder(tmp_path / "a" / "b")
        write_json(tmp_path / "c" / "d.json", {})
        with atomic_folder(tmp_path / "e" / "f") as draft:
            (draft / "g").mkdir()
            (draft / "g" / "h").write_text("")
            write_manifest(draft, "thing", {})
        with atomic_file(tmp_path / "i") as draft:
            draft.unlink()
            draft.write_text("made anew")
        RecordLog(tmp_path / "j" / "log").append({})
        Part(Remote("http://localhost/data"), tmp_path / "data").close()
        TrajectoryFile(tmp_path / "k").close()
    finally:
        os.umask(before)
    modes = {path.relative_to(tmp_path): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert len(modes) > 12
    assert not {path: oct(mode) for path, mode in modes.items() if mode & stat.S_IWOTH}
    assert all(mode & stat.S_IWGRP for mode in modes.values()), "what the mask leaves to the group stays"


def test_a_folder_is_made_with_those_above_it_or_not_at_all(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    for wrong in (tmp_path / "file", tmp_path / "file" / "in" / "it"):
        with pytest.raises(OSError, match="file"):
            make_folder(wrong)
