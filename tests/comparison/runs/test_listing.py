"""What is in a home, whichever version made it and in whatever state it is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import reml
from reml import Access
from reml.comparison.runs.kept import KeptRun
from reml.comparison.runs.listing import differences_told, listing_json, listing_table
from reml.retrievers.bm25 import BM25
from tests.comparison.runs.small_runs import TWO_WORDS, change_manifest, experiment, forget_records, made, reading


def named(found: list[KeptRun], name: str) -> KeptRun:
    (run,) = [run for run in found if run.name == name]
    return run


def run_of(home: Path, name: str) -> Path:
    (folder,) = (home / "runs").glob(f"{name}-*")
    return folder


def test_runs_come_newest_first_with_what_they_are(home: Path) -> None:
    os.utime(run_of(home, "titles") / "manifest.json", (2e9, 2e9))
    found = reml.runs(home)
    assert [run.name for run in found] == ["titles", "words"]
    words = found[1]
    assert words.folder.name == f"words-{words.key}"
    assert (words.state, words.tasks, words.access, words.seed) == ("whole", ("places",), ("bm25", "closed_book"), 7)
    best = words.figures["places"]
    assert (best.system, best.measure, best.value) == ("bm25", "em", 1.0)
    assert (words.note, words.before, words.changed) == ("", None, ())


def test_each_stands_beside_the_one_before_of_its_name(data: Path, tmp_path: Path) -> None:
    first = made(data, tmp_path, name="a")
    other = made(data, tmp_path, name="b", predictor=TWO_WORDS)
    again = made(data, tmp_path, name="a", reading=reading(limit=2), seed=8)
    for age, results in enumerate((first, other, again)):
        os.utime(results.folder / "manifest.json", (1e9 + age, 1e9 + age))
    newest, middle, oldest = reml.runs(tmp_path)
    assert [run.folder for run in (newest, middle, oldest)] == [again.folder, other.folder, first.folder]
    assert (newest.before, middle.before, oldest.before) == (first.folder, first.folder, None)
    assert {one.setting: (one.shown(0), one.shown(1)) for one in newest.changed} == {
        "reading.limit": ("–", "2"),
        "seed": ("7", "8"),
    }
    assert {one.setting for one in middle.changed} == {"name", "predictor.class_path", "predictor.init_args"}
    assert differences_told(newest) == (
        f"{newest.key} differs from {first.folder.name}: reading.limit: – -> 2; seed: 7 -> 8."
    )
    assert differences_told(oldest) == f"{oldest.key} is the first."
    told = differences_told(middle)
    assert told.startswith(f"{middle.key} is the first b and differs from {first.folder.name}: ")
    assert "name: a -> b" in told


def test_no_system_is_named_where_several_tie(data: Path, tmp_path: Path) -> None:
    made(data, tmp_path, name="tie", access={"one": Access(BM25()), "two": Access(BM25())})
    (run,) = reml.runs(tmp_path)
    assert run.figures["places"].system == ""
    assert listing_table([run]).rows[0][-1] == f"places em {run.figures['places'].value:.3f} (tie)"


def test_a_home_without_runs_has_none(tmp_path: Path) -> None:
    assert reml.runs(tmp_path) == []
    assert reml.runs(tmp_path / "absent") == []
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".small-1.abcd").mkdir()
    (tmp_path / "runs" / "notes.txt").touch()
    assert reml.runs(str(tmp_path)) == [], "drafts and files are no runs"


Change = Callable[[Path], object]


def removed(*parts: str) -> Change:
    return lambda folder: change_manifest(folder, lambda manifest: [manifest.pop(part) for part in parts])


def said(**parts: Any) -> Change:
    return lambda folder: change_manifest(folder, lambda manifest: manifest.update(parts))


def broken(name: str, text: str) -> Change:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


def gone(*names: str) -> Change:
    def change(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return change


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def unreadable(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    (folder / "config.yaml").write_text("a: [", encoding="utf-8")


OLDER = "An older version of reml made it: its manifest lacks "


@pytest.mark.parametrize(
    ("change", "state", "note"),
    [
        (removed("measures"), "whole", f"{OLDER}measures."),
        (removed("seed", "checksums"), "whole", f"{OLDER}seed, checksums."),
        (removed("config", "versions", "stages"), "whole", f"{OLDER}versions, config, stages."),
        (removed("reml"), "whole", ""),
        (said(config=[1], seed="7"), "whole", ""),
        (said(measures=["em"]), "whole", ""),
        (said(measures={"places": 3}), "whole", ""),
        (said(measures={"places": "bleu"}), "damaged", "has no bleu of 'closed_book' on 'places': run the"),
        (said(kind="study"), "damaged", "does not describe a run"),
        (broken("manifest.json", '{"kind": "run"'), "damaged", "is not readable JSON"),
        (broken("manifest.json", "[]"), "damaged", "does not describe a run"),
        (broken("metrics.json", "[]"), "damaged", "not an object of objects"),
        (broken("metrics.json", '{"bm25": {"places": {}}}'), "damaged", "metrics.json has no em of 'bm25' on 'places'"),
        (gone("metrics.json"), "damaged", "metrics.json does not exist"),
        (gone("gold/places.jsonl"), "damaged", "gold/places.jsonl does not exist"),
        (gone("bm25/places/predictions.jsonl"), "damaged", "bm25/places/predictions.jsonl does not exist"),
        (gone("manifest.json"), "unfinished", "Its results are not written: it is still running, or was stopped. "),
        (gone("manifest.json", "metrics.json"), "unfinished", "config.yaml` goes on."),
        (emptied, "unfinished", "Move it away."),
        (unreadable, "unfinished", "Its settings cannot be read."),
    ],
)  # fmt: skip
def test_what_is_not_as_it_should_be_is_listed_with_a_sentence(
    change: Change, state: str, note: str, home: Path
) -> None:
    forget_records(run_of(home, "words"))
    change(run_of(home, "words"))
    found = reml.runs(home)
    words = named(found, "words")
    assert words.state == state
    assert note in words.note
    assert bool(note) == bool(words.note)
    assert named(found, "titles").state == "whole"
    assert len(listing_table(found).rows) == len(json.loads(json.dumps(listing_json(found)))) == 2


def test_an_older_run_is_known_by_what_it_has(home: Path) -> None:
    removed("seed", "config", "measures")(run_of(home, "words"))
    words = named(reml.runs(home), "words")
    assert words.seed == 7, "from the settings beside the manifest"
    assert words.settings["predictor"] == {"class_path": "tests.first_words.FirstWords", "init_args": {"words": 2.0}}
    assert words.figures["places"].measure == "em", "what a task is ranked by unless it is said"


def test_a_run_that_is_stopped_is_listed_with_its_settings(data: Path, tmp_path: Path) -> None:
    broken_off = experiment(data, predictor=partial(Stops, "here"), reading=reading(limit=2))
    with pytest.raises(KeyboardInterrupt):
        reml.run(broken_off, tmp_path)
    (found,) = reml.runs(tmp_path)
    assert (found.state, found.tasks, found.access, found.seed) == (
        "unfinished",
        ("places",),
        ("bm25", "closed_book"),
        7,
    )
    assert found.settings["reading"] == {"k": 2, "depth": 4, "words": 40, "limit": 2}
    assert f"`reml run --config {found.folder / 'config.yaml'}` goes on" in found.note


class Stops(TWO_WORDS.func):  # type: ignore[name-defined,misc]
    """One that is stopped by the keyboard."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def generate(self, batch: object) -> list[reml.Answer]:
        raise KeyboardInterrupt


def test_settings_at_their_defaults_are_told_apart_from_none(data: Path, tmp_path: Path) -> None:
    made(data, tmp_path, access={"bm25": reml.Access(BM25(b=0.0))})
    made(data, tmp_path, access={"bm25": reml.Access(BM25())})
    newest = reml.runs(tmp_path)[0]
    assert [one.setting for one in newest.changed] == ["access.bm25.retriever.init_args"]
