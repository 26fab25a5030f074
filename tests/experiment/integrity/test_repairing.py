"""`reml repair` keeps what is whole, lists what is lost, and deletes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from reml.__main__ import main
from reml.collection.disk import DiskCollection, create_collection, open_collection
from reml.experiment.integrity.repairing import repair
from reml.experiment.integrity.verifying import verify
from reml.files.atomic import CorruptError, LockedError, locked
from reml.index.impact import ImpactIndex
from tests.damage import flip
from tests.experiment.integrity.test_verifying import vectors
from tests.experiment.plan.test_storing_predictions import small
from tests.small_experiment import write_experiment


def texts(collection: DiskCollection) -> dict[int, str]:
    return {item.row: item.text for item in collection.get(collection.rows())}


@pytest.fixture
def notes(tmp_path: Path) -> DiskCollection:
    """Texts of five versions: 4, 2 and 1 appended, then two deleted; segments of 4, 2 and 1 rows."""
    collection = create_collection(tmp_path / "notes")
    for count in (4, 2, 1):
        values = {"weight": np.arange(count, dtype=np.float32)}
        collection.append_texts([f"text {len(collection) + place}" for place in range(count)], values=values)
    collection.delete(np.array([1]))
    return collection


def files(folder: Path) -> dict[str, bytes]:
    return {path.name + str(path.stat().st_size): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_whole_stays_as_it_is(notes: DiskCollection) -> None:
    before = files(notes.folder)
    done = repair(notes.folder)
    assert (done.was_whole, done.kept) == (True, ("It is whole at version 5.",))
    assert files(notes.folder) == before


@pytest.mark.parametrize("name", ["manifest.json", "versions/00000005/manifest.json"])
@pytest.mark.parametrize("damage", ["{", "[]", None])
def test_a_damaged_manifest_is_put_back_from_its_copy(notes: DiskCollection, name: str, damage: str | None) -> None:
    expected, path = texts(notes), notes.folder / name
    if damage is None:
        flip(path)
    else:
        path.write_text(damage)
    if name == "manifest.json":
        with pytest.raises(CorruptError, match=rf"`reml repair {notes.folder}` keeps what is whole"):
            open_collection(notes.folder)
    done = repair(notes.folder)
    assert done.moved == (path,)
    assert done.lost == ()
    again = open_collection(notes.folder)
    assert (again.version, texts(again)) == (5, expected)
    assert verify(notes.folder).damaged == ()


def test_the_version_before_is_gone_back_to_where_the_newest_has_no_whole_copy(notes: DiskCollection) -> None:
    for name in ("manifest.json", "versions/00000005/manifest.json"):
        flip(notes.folder / name)
    repair(notes.folder)
    again = open_collection(notes.folder)
    assert again.version == 4
    assert sorted(texts(again)) == [0, 1, 2, 3, 4, 5, 6], "the deletion is lost"


def test_damaged_items_are_lost_and_all_others_kept(notes: DiskCollection) -> None:
    expected = texts(notes)
    folder = notes.folder / "segments" / "000000000004-000000000006"
    flip(folder / "items.arrow")
    done = repair(notes.folder)
    assert done.moved == (folder,)
    assert done.lost == ("The items of rows 4 to 5 are lost.",)
    again = open_collection(notes.folder)
    assert texts(again) == {row: text for row, text in expected.items() if row not in {4, 5}}
    assert again.append_texts(["new"]).tolist() == [7], "row ids are never used again"
    assert again.by_page("text-6")[0].text == expected[6]
    aside = next(notes.folder.parent.glob("damaged-notes-*"))
    assert (aside / "segments" / folder.name / "items.arrow").is_file()


def test_the_last_rows_that_are_lost_are_never_given_again(notes: DiskCollection) -> None:
    flip(notes.folder / "segments" / "000000000006-000000000007" / "items.arrow")
    repair(notes.folder)
    again = open_collection(notes.folder)
    assert sorted(texts(again)) == [0, 2, 3, 4, 5]
    assert again.append_texts(["new"]).tolist() == [7]


@pytest.mark.parametrize("name", ["pages.u64", "titles.u64"])
def test_tables_are_made_again_of_the_items(notes: DiskCollection, name: str) -> None:
    expected = texts(notes)
    path = notes.folder / "segments" / "000000000004-000000000006" / name
    before = path.read_bytes()
    flip(path)
    assert repair(notes.folder).lost == ()
    again = open_collection(notes.folder)
    assert (again.version, texts(again), path.read_bytes()) == (5, expected, before)


def test_a_damaged_column_is_lost_alone(notes: DiskCollection) -> None:
    expected = texts(notes)
    flip(notes.folder / "segments" / "000000000004-000000000006" / "column.weight.npy")
    assert repair(notes.folder).lost == ("The values weight of rows 4 to 5 are lost.",)
    again = open_collection(notes.folder)
    assert texts(again) == expected
    assert again.values("weight", np.array([3, 4, 5, 6])).tolist() == [3, 0, 0, 0]


def test_rows_that_an_older_segment_holds_are_not_lost(tmp_path: Path) -> None:
    collection = create_collection(tmp_path / "notes")
    collection.append_texts(["one", "two"])
    collection.append_texts(["three", "four", "five"])  # takes the two before it into its segment
    flip(collection.folder / "segments" / "000000000000-000000000005" / "items.arrow")
    assert repair(collection.folder).lost == ("The items of rows 2 to 4 are lost.",)
    assert texts(open_collection(collection.folder)) == {0: "one", 1: "two"}


def test_damaged_deletions_are_told(notes: DiskCollection) -> None:
    flip(next((notes.folder / "deleted").iterdir()))
    assert repair(notes.folder).lost == ("1 deleted items are there again.",)
    assert len(texts(open_collection(notes.folder))) == 7


def test_where_no_version_can_be_read_nothing_is_changed(notes: DiskCollection) -> None:
    for path in notes.folder.rglob("manifest.json"):
        flip(path)
    before = files(notes.folder)
    with pytest.raises(CorruptError, match=r"no version of .* can be read: nothing is changed"):
        repair(notes.folder)
    assert files(notes.folder) == before


def test_a_dry_run_changes_nothing(notes: DiskCollection, capsys: pytest.CaptureFixture[str]) -> None:
    flip(notes.folder / "segments" / "000000000004-000000000006" / "items.arrow")
    before = files(notes.folder)
    assert main(["repair", str(notes.folder), "--dry_run"]) == 0
    assert files(notes.folder) == before
    told = capsys.readouterr().out
    assert "would be moved aside: " in told
    assert "lost: The items of rows 4 to 5 are lost." in told


def test_a_collection_that_is_written_to_is_left_alone(notes: DiskCollection) -> None:
    with locked(notes.folder), pytest.raises(LockedError):
        repair(notes.folder)


def test_whole_segments_of_an_impact_index_stay(tmp_path: Path) -> None:
    index = ImpactIndex.build(tmp_path / "index", 8, [(np.arange(3), vectors(3))])
    index.add(np.arange(10, 12), vectors(2))
    index.commit()
    small_one = min((tmp_path / "index").glob("segment-*"), key=lambda path: (path / "rows.npy").stat().st_size)
    flip(small_one / "positions.npy")
    done = repair(tmp_path / "index")
    assert done.moved == (small_one,)
    assert done.lost == (f"2 rows of {small_one.name} are lost: 10, 11.",)
    assert len(ImpactIndex.open(tmp_path / "index")) == 3
    assert (next(tmp_path.glob("damaged-index-*")) / small_one.name / "positions.npy").is_file()


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    assert main(["run", "--config", str(write_experiment(folder)), "--home", str(folder / "home")]) == 0
    return folder


@pytest.fixture
def made(_made: Path, tmp_path: Path) -> tuple[Path, list[str]]:
    """A home in which an experiment was run, and the words that run it."""
    home = Path(shutil.copytree(_made / "home", tmp_path / "home"))
    return home, ["run", "--config", str(_made / "experiment.yaml"), "--home", str(home)]


@pytest.mark.parametrize("name", ["hits/*/rows.npy", "models/*/best.safetensors", "predictions/*/words_read.json"])
def test_a_stage_is_moved_aside_and_made_again(
    made: tuple[Path, list[str]], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home, words = made
    path = sorted(home.glob(name))[0]
    before = path.read_bytes()
    metrics = next(home.glob("runs/*/metrics.json")).read_bytes()
    flip(path)
    assert main(words) == 2
    assert f"{path} is not what was written. `reml repair {path.parent}` keeps" in capsys.readouterr().err
    assert main(["repair", str(path.parent)]) == 0
    assert "again: `reml run` makes it again." in capsys.readouterr().out
    assert main(words) == 0
    assert path.read_bytes() == before
    assert next(home.glob("runs/*/metrics.json")).read_bytes() == metrics
    assert verify(home).damaged == ()


@pytest.mark.parametrize("name", ["metrics.json", "manifest.json"])
def test_a_damaged_result_is_written_again(made: tuple[Path, list[str]], name: str) -> None:
    home, words = made
    (run,) = (home / "runs").iterdir()
    before = (run / "metrics.json").read_bytes()
    flip(run / name)
    assert main(["report", str(run)]) == 2
    done = repair(run)
    assert done.moved == (run / name,)
    assert main(words) == 0
    assert (run / "metrics.json").read_bytes() == before
    assert main(["report", str(run)]) == 0


def test_what_was_appended_to_the_collection_of_a_stage_survives(made: tuple[Path, list[str]]) -> None:
    home, words = made
    (stage,) = (home / "collections").iterdir()
    rows = open_collection(stage / "passages").append_texts(["stored"])
    flip(stage / "passages" / "manifest.json")
    flip(stage / "manifest.json")
    assert main(words) == 2
    assert not repair(stage).was_whole
    assert open_collection(stage / "passages").get(rows)[0].text == "stored"
    assert main(words) == 0
    assert open_collection(stage / "passages").get(rows)[0].text == "stored"
    assert verify(home).damaged == ()


def test_a_collection_of_nothing_but_its_source_is_built_again(made: tuple[Path, list[str]]) -> None:
    home, words = made
    (stage,) = (home / "collections").iterdir()
    before = texts(open_collection(stage / "passages"))
    flip(next(stage.rglob("items.arrow")))
    assert repair(stage).moved == (stage / "passages",)
    assert main(words) == 0
    assert texts(open_collection(stage / "passages")) == before


def test_a_memory_survives_the_loss_of_its_predictions(tmp_path: Path) -> None:
    home, words = tmp_path / "home", ["run", "--config", str(small(tmp_path)), "--home", str(tmp_path / "home")]
    assert main(words) == 0
    (memory,) = home.glob("predictions/*/notes/memory/items")
    stored, stage = texts(open_collection(memory)), memory.parents[2]
    before = (stage / "predictions.jsonl").read_bytes()
    flip(stage / "predictions.jsonl")
    assert main(words) == 2
    done = repair(stage)
    assert "It holds what was stored, which stays where it is." in done.kept
    assert texts(open_collection(memory)) == stored
    assert main(words) == 0
    assert (stage / "predictions.jsonl").read_bytes() == before
    assert texts(open_collection(memory)) == stored


def test_a_home_is_repaired_in_parts(made: tuple[Path, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"is repaired in parts: name each folder that `reml verify"):
        repair(made[0])
