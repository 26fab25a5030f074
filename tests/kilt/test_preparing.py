"""`reml prepare kilt`, from the command line."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from reml.__main__ import main
from reml.collection.sources.kilt_pages import write_pages
from reml.contract.examples import Answer, Example, Page, Provenance
from reml.files.atomic import home
from reml.files.fetching.downloads import DownloadError, Patience, Remote
from reml.files.records import write_examples
from reml.kilt.catalogue import Dataset, dataset
from reml.kilt.preparing import prepare_splits

LINES = b"".join(b'{"id": "%d", "input": "?"}\n' % number for number in range(5000))
PAGES = [Page("1", "Oslo", ("Oslo", "Oslo is cold.")), Page("2", "Rome", ("Rome", "Rome is warm."))]


def asked(name: str, *places: Provenance) -> Example:
    return Example(name, "?", (Answer("cold", places),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_examples(
        [
            asked("held", Provenance("1", "Oslo", 1, 8, 1, 12)),
            asked("outside", Provenance("2", "Rome", 1, 90, 1, 95)),
            asked("absent", Provenance("3", "Lima", 1, 0, 1, 4)),
        ],
        tmp_path / "nq-dev-kilt.jsonl.gz",
    )
    write_examples([Example("blind", "?")], tmp_path / "nq-test_without_answers-kilt.jsonl")
    write_pages(PAGES, tmp_path / "kilt_knowledgesource.json")
    return tmp_path


def test_what_is_here_is_read_and_looked_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("prepare", "kilt", "--datasets", "nq", "--splits", "dev,test", "--folder", str(folder))
    assert main(given) == 0
    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.splitlines() if line.lstrip().startswith("nq")]
    assert rows == [
        ["nq", "dev", "3", "2,837", "3", "33.3%", "1", "1"],
        ["nq", "test", "1", "1,444", "-", "-", "-", "-"],
    ]
    assert "2 passages in" in shown
    figures = json.loads((home() / "kilt" / "coverage.json").read_text())
    assert figures["nq dev"] == {
        "examples": 3,
        "published": 2837,
        "judged": 3,
        "complete": 1,
        "places": 3,
        "held": 1,
        "absent": 1,
        "outside": 1,
        "rows": 1,
    }
    assert sorted(path.name for path in folder.iterdir()) == [
        "kilt_knowledgesource.json",
        "nq-dev-kilt.jsonl.gz",
        "nq-test_without_answers-kilt.jsonl",
    ]


def test_the_collection_is_shared_with_experiments(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = folder / "experiment.yaml"
    config.write_text(
        "tasks:\n  - class_path: reml.tasks.kilt.Kilt\n"
        f"    init_args: {{dataset: nq, folder: {folder}}}\n"
        "access: {nothing: {}}\n"
    )
    assert main(["prepare", "kilt", "--pages", str(folder / "kilt_knowledgesource.json")]) == 0
    assert "prepare the collection" in capsys.readouterr().out
    assert main(["prepare", "--config", str(config)]) == 0
    shown = capsys.readouterr().out
    assert "prepare the collection\n" not in shown, "it was there"
    assert "nq: 2 passages" in shown
    assert "nq: 1 of 3 questions has evidence on a page that the knowledge source lacks" in shown


def test_without_pages_the_examples_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "kilt_knowledgesource.json").unlink()
    assert main(["prepare", "kilt", "--datasets", "nq", "--splits", "dev", "--folder", str(folder)]) == 0
    assert "--pages fetch gets KILT's 5,903,530" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name what to prepare: --datasets nq,fever"),
        (("--datasets", "nq,squad"), "KILT has no dataset 'squad'; it has fever (FEVER)"),
        (("--datasets", "nq", "--splits", "dev,validation"), "no splits ['validation']; there are train, dev, test"),
        (("--pages", "/absent/pages.jsonl"), "no knowledge source at /absent/pages.jsonl"),
    ],
)
def test_what_cannot_be_done_is_told(arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "kilt", *arguments]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (gzip.compress(LINES)[:-30], "is cut short or damaged after line"),
        (gzip.compress(b'{"id": "1", "input": "?"}\n' * 2), "line 2: id '1' is that of line 1 already"),
        (gzip.compress(b'{"id": "1"}\n'), "line 1: the record has no 'input'"),
        (gzip.compress(b"<html>"), "line 1: not JSON"),
    ],
    ids=["cut", "twice", "no input", "a page"],  # the bytes hold the second of their making
)
def test_a_bad_file_of_one_s_own_is_named(
    data: bytes, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nq-dev-kilt.jsonl.gz").write_bytes(data)
    assert main(["prepare", "kilt", "--datasets", "nq", "--splits", "dev", "--folder", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert "nq-dev-kilt.jsonl.gz" in message
    assert told in message


def test_offline_all_that_is_here_is_read_and_the_rest_told_at_once(folder: Path) -> None:
    def nowhere(name: str) -> Dataset:
        known = dataset(name).file("dev")
        remote = Remote("http://127.0.0.1:9/" + known.name)  # nobody listens at port 9
        return replace(dataset(name), files={"dev": replace(known, remote=remote)})

    wanted = [(nowhere(name), "dev") for name in ("fever", "nq", "wow")]
    patience = Patience(attempts=2, wait_seconds=0.001)
    report = folder / "coverage.json"
    with pytest.raises(DownloadError) as caught:
        prepare_splits(wanted, folder, pages=None, report=report, patience=patience)
    message = str(caught.value)
    assert message.startswith("2 of 3 files could not be fetched:\n  127.0.0.1:9 cannot be reached")
    assert "is this machine offline?" in message
    assert "wow-dev-kilt.jsonl was not asked for" in message
    assert list(json.loads(report.read_text())) == ["nq dev"]


@pytest.mark.parametrize("words", ["0", "-5", "9223372036854775808"])
def test_words_of_a_passage_are_a_count(words: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = str(folder / "no-such-pages.jsonl")
    assert main(["prepare", "kilt", "--pages", pages, "--folder", str(folder), "--words", words]) == 2
    assert f"words is {words}, but must be 1 or more" in capsys.readouterr().err
