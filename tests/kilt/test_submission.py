"""The leaderboard's archive: written, checked, and refused with a reason for each way in which it can be wrong."""

from __future__ import annotations

import gzip
import json
import shutil
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from reml.__main__ import main
from reml.contract.examples import Answer, Example, Json, Provenance
from reml.evaluation.problems import InvalidFilesError
from reml.files.records import read_examples, write_examples
from reml.kilt.catalogue import DATASETS, dataset
from reml.kilt.submission import NAMES, Submission, check_archive, write_archive

ALL = list(DATASETS.values())
IDS = ("q1", "q2")


def record(name: str, **changes: Json) -> Json:
    output: Json = [{"answer": "a", "provenance": [{"wikipedia_id": "1"}]}]
    return {"id": name, "input": "?", "output": output, **changes}


def text(*records: Json) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


GOOD = text(*map(record, IDS))


def member(name: str) -> str:
    return NAMES.format(dataset=name)


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    folder = tmp_path / "kilt"
    for each in ALL:
        write_examples([Example(name, "?") for name in IDS], folder / each.file("test").name)
    return folder


def pack(path: Path, files: Mapping[str, bytes], *more: tuple[str, bytes]) -> Path:
    """Write the eleven good files, changed by `files` (b"" leaves one out), and more after them."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        warnings.simplefilter("ignore")  # a name that comes twice is on purpose
        for name, data in [*({member(name): GOOD for name in DATASETS} | dict(files)).items(), *more]:
            if data:
                bundle.writestr(name, data)
    return path


def test_all_eleven_datasets_are_written_and_pass(tests: Path, tmp_path: Path) -> None:
    place = Provenance("1", "Oslo", 1, 0, 1, 4, bleu_score=0.5, section="S", text="long", meta={"x": 1})
    for number, each in enumerate(ALL):
        examples = [Example(name, "?", (Answer("a", (place,), {"y": 1}),), {"z": 1}) for name in IDS]
        place_for = (f"{each.name}/predictions.jsonl", f"{each.name}.jsonl.gz", member(each.name))[number % 3]
        write_examples(examples, tmp_path / "run" / place_for)
    archive = tmp_path / "kilt.zip"
    submission = write_archive(archive, tmp_path / "run", ALL, tests=tests)
    assert submission == Submission(dict.fromkeys(DATASETS, 2), blank=0)
    with zipfile.ZipFile(archive) as bundle:
        assert bundle.namelist() == [each.file("test").name for each in ALL], "named like the test files"
        (first, _) = bundle.read(member("nq")).splitlines()
    span = {"start_paragraph_id": 1, "start_character": 0, "end_paragraph_id": 1, "end_character": 4}
    kept = {"wikipedia_id": "1", "title": "Oslo", "section": "S", **span}
    assert json.loads(first) == {"id": "q1", "input": "?", "output": [{"answer": "a", "provenance": [kept]}]}
    before = archive.read_bytes()
    write_archive(archive, tmp_path / "run", ALL, tests=tests)
    assert archive.read_bytes() == before


NQ = member("nq")
BROKEN: dict[str, tuple[Mapping[str, bytes], str]] = {
    "a dataset is missing": ({NQ: b""}, f"'{NQ}' is missing"),
    "a file too many": ({"README.md": b"x"}, "'README.md' is no file that was asked for"),
    "in a folder": ({NQ: b"", f"run/{NQ}": GOOD}, f"'run/{NQ}' is no file that was asked for .files stand at the top"),
    "outside": ({f"../{NQ}": GOOD}, f"'../{NQ}' lies outside the archive"),
    "an id is missing": ({NQ: text(record("q1"))}, f"{NQ}: no prediction for id 'q2'"),
    "an id too many": ({NQ: text(*map(record, (*IDS, "q3")))}, f"{NQ}, line 3: the test set has no id 'q3'"),
    "an id twice": ({NQ: text(*map(record, (*IDS, "q1")))}, f"{NQ}, line 3: a second prediction for id 'q1'"),
    "no id": ({NQ: text({"input": "?", "output": []}, record("q2"))}, f"{NQ}, line 1: the record has no 'id'"),
    "two outputs": ({NQ: text(record("q1", output=[{"answer": "a"}] * 2), record("q2"))}, "line 1: 2 outputs"),
    "no output": ({NQ: text(record("q1", output=[]), record("q2"))}, "line 1: 0 outputs"),
    "no answer": (
        {NQ: text(record("q1", output=[{"provenance": []}]), record("q2"))},
        "line 1: the output has no answer",
    ),
    "an answer that is no text": ({NQ: text(record("q1", output=[{"answer": 7}]), record("q2"))}, "'answer' of output"),
    "provenance without page": (
        {NQ: text(record("q1", output=[{"answer": "a", "provenance": [{"title": "T"}]}]), record("q2"))},
        "provenance.0. has no 'wikipedia_id'",
    ),
    "no JSON": ({NQ: GOOD + b"{\n"}, f"{NQ}, line 3: not JSON"),
    "no UTF-8": ({NQ: b"\xff\n"}, f"{NQ}, line 1: not UTF-8"),
    "gzip inside": ({NQ: gzip.compress(GOOD)}, f"{NQ}, line 1: not UTF-8"),
    "an empty file": ({NQ: b"\n"}, f"{NQ}: 2 of 2 ids of the test set have no prediction; the first: 'q1'"),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_broken_archive_is_refused_with_its_reason(way: str, tests: Path, tmp_path: Path) -> None:
    files, reason = BROKEN[way]
    archive = pack(tmp_path / "kilt.zip", files)
    with pytest.raises(InvalidFilesError, match=reason):
        check_archive(archive, ALL, tests=tests)


def test_a_name_that_comes_twice_is_refused(tests: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "kilt.zip", {}, (NQ, GOOD))
    with pytest.raises(InvalidFilesError, match=f"'{NQ}' is there 2 times"):
        check_archive(archive, ALL, tests=tests)


@pytest.mark.parametrize("keep", [0, 100, -30])
def test_an_archive_cut_short_is_refused(keep: int, tests: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "kilt.zip", {})
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(InvalidFilesError, match="no zip archive, or cut short"):
        check_archive(archive, ALL, tests=tests)


def test_a_flipped_byte_is_refused(tests: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "kilt.zip", {})
    data = bytearray(archive.read_bytes())
    data[80] ^= 255  # in the packed bytes of the first file
    archive.write_bytes(data)
    with pytest.raises(InvalidFilesError, match=r"fever-test_without_answers-kilt\.jsonl.* cannot be unpacked"):
        check_archive(archive, ALL, tests=tests)


def test_all_that_is_wrong_is_told_at_once(tests: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "kilt.zip", {NQ: text(record("q1", output=[])), member("wow"): b""})
    with pytest.raises(InvalidFilesError) as caught:
        check_archive(archive, ALL, tests=tests)
    assert caught.value.count == 3


def test_what_would_be_refused_is_not_written(tests: Path, tmp_path: Path) -> None:
    write_examples([Example("q1", "?", (Answer("a"), Answer("b")))], tmp_path / "run" / "nq.jsonl")
    with pytest.raises(InvalidFilesError, match="2 outputs"):
        write_archive(tmp_path / "kilt.zip", tmp_path / "run", [dataset("nq")], tests=tests)
    with pytest.raises(FileNotFoundError, match="no predictions for fever, wow"):
        write_archive(tmp_path / "kilt.zip", tmp_path / "run", [dataset("fever"), dataset("wow")], tests=tests)
    with pytest.raises(FileNotFoundError, match="have, such as `--datasets nq`"):
        write_archive(tmp_path / "kilt.zip", tmp_path / "run", [dataset("fever"), dataset("nq")], tests=tests)
    assert not (tmp_path / "kilt.zip").exists()


@pytest.mark.parametrize(("name", "said"), [("nope", "nope does not exist: name a"), ("a.txt", "a.txt is no folder: ")])
def test_a_folder_of_predictions_that_is_not_there_is_said(name: str, said: str, tests: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(FileNotFoundError, match=said):
        write_archive(tmp_path / "kilt.zip", tmp_path / name, ALL, tests=tests)


@pytest.mark.parametrize("names", ["", "{", "{0}", "{a: 1}", "{dataset!z}", "{dataset:>99999999999}", "{dataset.x}"])
def test_names_with_other_braces_are_refused(
    names: str, tests: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_examples([Example(name, "?", (Answer("a"),)) for name in IDS], tmp_path / "run" / "nq.jsonl")
    given = ["submit", "--archive", str(tmp_path / "kilt.zip"), "--datasets", "nq", "--folder", str(tests)]
    for more in ([], ["--predictions", str(tmp_path / "run")]):
        assert main([*given, *more, f"--names={names}"]) == 2
        assert "names is" in capsys.readouterr().err
    assert not (tmp_path / "kilt.zip").exists()


def test_one_name_for_two_datasets_is_refused(tests: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the same for all datasets"):
        write_archive(tmp_path / "kilt.zip", tmp_path, [dataset("nq"), dataset("fever")], tests=tests, names="x.jsonl")


def test_the_command_writes_checks_and_counts_blank_answers(
    tests: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = [Example(name, "?", (Answer(answer),)) for name, answer in zip(IDS, ("a", " "), strict=True)]
    write_examples(examples, tmp_path / "run" / "nq.jsonl")
    archive = ("submit", "--archive", str(tmp_path / "kilt.zip"), "--datasets", "nq", "--folder", str(tests))
    assert main([*archive, "--predictions", str(tmp_path / "run"), "--names", "{dataset}-test.jsonl"]) == 0
    assert "1 answers are blank" in capsys.readouterr().out
    assert main([*archive, "--names", "{dataset}-test.jsonl"]) == 0
    assert "nq: 2 predictions" in capsys.readouterr().out
    assert main(archive) == 2
    assert "'nq-test_without_answers-kilt.jsonl' is missing" in capsys.readouterr().err


def test_an_archive_of_predictions_on_real_text_passes(shared: Path, tmp_path: Path) -> None:
    names = ("fever", "aidayago2", "trex", "nq", "hotpotqa", "wow")
    for name in names:
        gold = shared / "minikilt" / f"{name}-dev-kilt.jsonl.gz"
        guesses = [Example(each.id, each.input, each.output[:1]) for each in read_examples(gold)]
        write_examples(guesses, tmp_path / "run" / name / "predictions.jsonl")
        (tmp_path / "tests").mkdir(exist_ok=True)
        shutil.copyfile(gold, tmp_path / "tests" / f"{name}-test-kilt.jsonl.gz")
    chosen = [dataset(name) for name in names]
    submission = write_archive(tmp_path / "kilt.zip", tmp_path / "run", chosen, tests=tmp_path / "tests")
    assert submission.predictions == dict(zip(names, (287, 137, 1000, 400, 110, 142), strict=True))
    assert submission.blank == 0
