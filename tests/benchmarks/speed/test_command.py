from __future__ import annotations

import json
from pathlib import Path

import pytest

from reml.__main__ import main
from reml.benchmarks.speed.command import numbers_in
from tests.benchmarks.speed.workloads.real_folders import foxes, pages

DENSE = "tests.benchmarks.speed.toy_engines.Dense"


@pytest.fixture(autouse=True)
def free_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)


def test_one_command_gives_tables_figures_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = f"--engines {DENSE} --models snrm --rows 40,80 --k 3 --queries 5 --rounds 1 --baseline {DENSE}".split()
    files = ["--json", str(tmp_path / "speed.json"), "--page", str(tmp_path / "speed.html")]
    work = tmp_path / "work"
    work.mkdir()
    assert main(["benchmark", "speed", *given, *files, "--folder", str(work), "--corpus", str(tmp_path / "no")]) == 0
    told = capsys.readouterr().out
    assert "snrm, 80 items (synthetic); postings a query touches: encoded" in told
    assert "skipped: corpus no:" in told
    written = json.loads((tmp_path / "speed.json").read_text())
    assert [one["rows"] for one in written["comparisons"]] == [40, 80]
    recalls = [engine["recalls"][0]["recall"] for one in written["comparisons"] for engine in one["engines"]]
    assert recalls == [1.0, 1.0]
    assert written["settings"]["rows"] == "40,80"
    assert "Growth with the number of items" in (tmp_path / "speed.html").read_text()
    assert list(work.iterdir()) == [], "corpora and indexes are removed"


def test_real_texts_are_compared_alone_and_a_model_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = f"--engines {DENSE} --models splade,snrm --k 3 --rounds 1 --baseline {DENSE} --splade package:no/model"
    folders = f"{foxes(tmp_path / 'foxes')}+{pages(tmp_path / 'kilt')}"
    real = ["--rows", "", "--corpus", folders, "--sets", "nq", "--kept", str(tmp_path / "kept")]
    assert main(["benchmark", "speed", *given.split(), *real]) == 0
    told = capsys.readouterr().out
    assert "snrm, 5 items (foxes+kilt); postings a query touches: nq" in told
    assert "skipped: real texts: " in told
    assert "which is not installed" in told
    assert "synthetic" not in told
    assert list((tmp_path / "kept").iterdir())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("sped",), ("'sped'", "speed")),
        ((), ("there are kilt, speed",)),
        (("speed", "--engines", "impat"), ("'impat'", "impact, bm25s")),
        (("speed", "--engines", ","), ("pip install",)),
        (("speed", "--rows", "0"), ("rows", "'0'")),
        (("speed", "--k", "ten"), ("k is numbers", "'ten'")),
        (("speed", "--models", "bm52"), ("'bm52'", "splade")),
        (("speed", "--rounds", "0"), ("rounds",)),
        (("speed", "--words", "-1"), ("words", "-1")),
    ],
)
def test_wrong_settings_are_named(
    arguments: tuple[str, ...], named: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", *arguments]) == 2
    message = capsys.readouterr().err
    assert all(name in message for name in named), message


def test_threads_that_are_withheld_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NUMBA_NUM_THREADS", "0")
    assert main(["benchmark", "speed", "--models", "snrm", "--engines", DENSE]) == 2
    assert "NUMBA_NUM_THREADS" in capsys.readouterr().err


def test_lists_are_read_with_commas() -> None:
    assert numbers_in("rows", "1000, 10,10,1_000") == (10, 1000)
