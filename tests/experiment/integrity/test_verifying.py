"""`reml verify` reads every byte on record, names what is damaged and goes on."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from reml.__main__ import main
from reml.collection.disk import DiskCollection, create_collection
from reml.contract.vectors import SparseVectors
from reml.experiment.integrity.verifying import verify
from reml.files.atomic import write_manifest
from reml.files.integrity.sealed import FILES, sealed
from reml.index.impact import ImpactIndex
from tests.damage import flip
from tests.small_experiment import write_experiment


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    assert main(["run", "--config", str(write_experiment(folder)), "--home", str(folder / "home")]) == 0
    return folder / "home"


@pytest.fixture
def made(_made: Path, tmp_path: Path) -> Path:
    """A home in which an experiment was run."""
    return Path(shutil.copytree(_made, tmp_path / "home"))


def test_a_whole_home_is_whole(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = verify(made)
    assert found.damaged == ()
    assert found.files > 50
    assert main(["verify", "--home", str(made)]) == 0
    assert f"all is whole: {found.files:,} files on record were read" in capsys.readouterr().out


def test_only_reports_notes_and_locks_are_not_on_record(made: Path) -> None:
    known = {"report.html", "layout.json"}
    others = [path for path in made.rglob("*") if path.is_file() and path.name in known]
    assert verify(made).unrecorded == len(others)


def test_every_damage_is_named_and_what_to_do(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, metrics, items = (
        next(made.glob(pattern)) for pattern in ("hits/*/rows.npy", "runs/*/metrics.json", "**/items.arrow")
    )
    flip(rows)
    metrics.unlink()
    items.write_bytes(items.read_bytes()[:-1])
    assert main(["verify", str(made)]) == 2
    told = capsys.readouterr()
    assert f"{rows} is not what was written. `reml repair {rows.parent}` keeps" in told.out
    assert f"{metrics} is missing where" in told.out
    assert f"{items} has {items.stat().st_size:,} bytes where" in told.out
    assert f"`reml repair {items.parents[2]}` keeps" in told.out
    assert "3 of" in told.err
    assert "are damaged or missing" in told.err


@pytest.mark.parametrize("name", ["runs/*", "hits/*", "collections/*", "indexes/*/index"])
def test_a_part_of_a_home_can_be_named(made: Path, name: str) -> None:
    folder = next(made.glob(name))
    assert verify(folder).damaged == ()
    flip(folder / "manifest.json")
    (damage,) = verify(folder).damaged
    assert damage.path == folder / "manifest.json"


def test_what_cannot_be_read_is_no_damage_of_it(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    write_manifest(tmp_path, "thing", {FILES: [{"name": "file/x", "size": 1, "digest": "0" * 16}]})
    assert "is missing where 1 bytes were written" in verify(tmp_path).damaged[0].problem


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*absent. Name a home"):
        verify(tmp_path / "absent")


def test_what_was_moved_aside_is_not_read(made: Path) -> None:
    stage = next(made.glob("hits/*"))
    flip(stage / "rows.npy")
    stage.rename(stage.with_name(f"damaged-{stage.name}-1"))
    assert verify(made).damaged == ()


def test_a_collection_is_read_in_all_its_versions(tmp_path: Path) -> None:
    collection = create_collection(tmp_path / "texts")
    for number in range(3):
        collection.append_texts([f"text {number} {place}" for place in range(2 - number + 1)])
    collection.delete(np.array([0]))
    assert verify(tmp_path).damaged == ()
    flip(next((tmp_path / "texts" / "versions" / "00000002").glob("manifest.json")))
    flip(next((tmp_path / "texts" / "deleted").iterdir()))
    assert len(verify(tmp_path).damaged) == 2


def test_beside_a_writer_nothing_is_damaged(tmp_path: Path) -> None:
    collection, index = create_collection(tmp_path / "texts"), tmp_path / "index"
    ImpactIndex.build(index, 8, [(np.arange(3), vectors(3))])
    over, problems = threading.Event(), []

    def write() -> None:
        mine, place = DiskCollection(collection.folder), ImpactIndex.open(index)
        for number in range(40):
            mine.append_texts([f"text {number}"])
            mine.prune()
            place.add(np.array([10 + number]), vectors(1))
            place.commit()
        over.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not over.is_set():
        problems += [damage.problem for damage in verify(tmp_path).damaged]
    thread.join()
    assert problems == []


def vectors(count: int) -> SparseVectors:
    return SparseVectors(
        np.arange(count + 1), np.arange(count, dtype=np.int32) % 8, np.ones(count, dtype=np.float32), width=8
    )


def test_records_of_any_kind_of_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(b"123")
    write_manifest(tmp_path, "an index to come", {FILES: sealed(tmp_path)})
    assert verify(tmp_path).files == 2
    flip(tmp_path / "rows")
    assert [damage.path.name for damage in verify(tmp_path).damaged] == ["rows"]
