"""A run by what a user may call it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reml.comparison.runs.finding import find_run

NAMES = ("factbook-1a2b3c4d", "factbook-1a9f0000", "fact-check-9e8d7c6b", "nq-5566aabb", "beefy-00112233", "x-beef0000")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "config.yaml").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("factbook-1a2b3c4d", "factbook-1a2b3c4d"),
        ("factbook-1a2", "factbook-1a2b3c4d"),
        ("1a2b3c4d", "factbook-1a2b3c4d"),
        ("1a9", "factbook-1a9f0000"),
        ("fact-", "fact-check-9e8d7c6b"),
        ("9", "fact-check-9e8d7c6b"),
        ("nq", "nq-5566aabb"),
        ("nq-5566aabb/", "nq-5566aabb"),
        ("beefy", "beefy-00112233"),
        ("beef0", "x-beef0000"),
        ("beef0000", "x-beef0000"),
        ("x", "x-beef0000"),
    ],
)
def test_a_beginning_of_name_or_key_is_enough(given: str, name: str, home: Path) -> None:
    assert find_run(given, home) == home / "runs" / name


def test_a_folder_is_taken_wherever_it_is(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere" / "nq"
    elsewhere.mkdir(parents=True)
    (elsewhere / "manifest.json").touch()
    assert find_run(elsewhere, home) == find_run(f"{elsewhere}/", home) == elsewhere
    monkeypatch.chdir(elsewhere.parent)
    assert find_run("nq", home) == Path("nq"), "what is here comes first"
    assert find_run(os.curdir + "/nq", home) == Path("nq")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("fact", r"'fact' may be each of fact-check-9e8d7c6b, factbook-1a2b3c4d, factbook-1a9f0000: give more"),
        ("1a", r"'1a' may be each of factbook-1a2b3c4d, factbook-1a9f0000"),
        ("beef", r"'beef' may be each of beefy-00112233, x-beef0000"),
        ("factbok-1a2b3c4d", r"no run 'factbok-1a2b3c4d'; the nearest: factbook-1a2b3c4d"),
        ("5566aabc", r"no run '5566aabc'; the nearest: nq-5566aabb. `reml runs` lists all of "),
        ("NQ-5566AABB", r"no run 'NQ-5566AABB'"),
        ("zzz", r"no run 'zzz'; there are beefy-00112233, .* and 1 more"),
        ("", r"no run ''"),
        (" ", r"no run ' '"),
        (".", r"no run '\.'"),
        ("nq-5566aabb-more", r"the nearest: nq-5566aabb"),
        ("\udce9", r"no run"),
    ],
)
def test_what_is_no_run_or_several_is_answered_with_those_there_are(given: str, sentence: str, home: Path) -> None:
    with pytest.raises(ValueError, match=sentence):
        find_run(given, home)


def test_a_file_and_a_folder_of_something_else_are_told(home: Path, tmp_path: Path) -> None:
    (tmp_path / "report.html").touch()
    with pytest.raises(ValueError, match=r"but a file: name the folder of a run"):
        find_run(tmp_path / "report.html", home)
    with pytest.raises(ValueError, match=r"but a folder without what a run leaves \(manifest.json\)"):
        find_run(home / "runs", home)


def test_a_home_without_runs_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"runs has none yet. `reml run --config FILE.yaml` makes one."):
        find_run("nq", tmp_path)
