"""`reml runs` and `reml compare` as they are called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import reml
from reml.__main__ import main
from tests.comparison.runs.small_runs import TWO_WORDS, made, places, reading


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data, home = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("home")
    every = [
        made(data, home, name="titles"),
        made(data, home, name="words", predictor=TWO_WORDS),
        made(data, home, name="few", reading=reading(limit=2)),
        made(data, home, name="elsewhere", tasks=[places(data, "elsewhere")]),
        made(data, home, name="[red]", access={"[bold]": reml.Access()}),
        made(data, home, name="stolen"),
        made(data, home, name="stopped"),
    ]
    for age, results in enumerate(every):
        os.utime(results.folder / "manifest.json", (1e9 + age, 1e9 + age))
    (every[5].folder / "bm25" / "places" / "predictions.jsonl").unlink()
    (every[6].folder / "manifest.json").unlink()
    return home


def test_runs_are_listed_with_how_they_differ(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--home", str(home)]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines() if " 2001-09-09 " in line or "unfinished" in line]
    assert [row[1] for row in rows] == ["stopped", "stolen", "[red]", "elsewhere", "few", "words", "titles"]
    assert [row[4] for row in rows] == ["unfinished", "damaged", *["whole"] * 5]
    assert "places em 1.000 bm25" in next(line for line in printed.splitlines() if " words " in line)
    assert "reading.limit: – -> 2" in printed
    assert "predictions.jsonl does not exist: run the experiment again" in printed
    assert max(map(len, printed.splitlines()[: len(rows) + 3])) < 125


def test_runs_are_listed_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--json", "--home", str(home)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found][-2:] == ["words", "titles"]
    words = found[-2]
    assert words["figures"] == {"places": {"system": "bm25", "measure": "em", "value": 1.0}}
    assert (words["before"], found[-1]["before"]) == (Path(found[-1]["folder"]).name, None)
    assert words["changed"]["predictor.init_args"] == {"now": {"words": 2.0}}
    assert words["changed"]["name"] == {"before": "titles", "now": "words"}


def test_a_home_without_runs_says_how_one_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--home", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/runs has no runs yet: `reml run --config FILE.yaml` makes one.\n"
    assert main(["runs", "--home", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_two_runs_are_shown_side_by_side(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert main(["compare", "titles", "few", "words", "--home", str(home), "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    for part in ("settings that differ", "questions of A and B", "questions of B and C", "only in A", "p (Holm)"):
        assert part in printed
    assert "0.000 [0.000, 0.561]  1.000 [0.439, 1.000]  -1.000  [-1.000, -1.000]" in printed
    assert "✗ Oman  ✓ Frankincense trees" in " ".join(printed.split()).replace("✓", " ✓")
    assert printed.endswith(f"page: {page}\n")
    assert page.read_text(encoding="utf-8").count('<article class="case">') == 5


def test_a_comparison_is_json_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["compare", "--json", "titles", "words", "--access", "bm25/closed_book, bm25", "--measures", "em,Rprec"]
    assert main([*given, "--home", str(home)]) == 0
    (pair,) = json.loads(capsys.readouterr().out)["pairs"]
    assert [(one["first"], one["second"], one["measure"]) for one in pair["differences"]] == [
        ("bm25", "closed_book", "em"),
        ("bm25", "closed_book", "Rprec"),
        ("bm25", "bm25", "em"),
        ("bm25", "bm25", "Rprec"),
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "0 runs cannot be compared: name two or more"),
        (["words"], "1 run cannot be compared: name two or more"),
        (["words", "words"], "words is the run that words is: name another one"),
        (["words", "wrods"], "there is no run 'wrods'; the nearest: words-"),
        (["words", "/absent"], "there is no run '/absent'"),
        (["words", ""], "there is no run ''"),
        (["words", "elsewhere"], "the results have no task in common: places; elsewhere."),
        (["words", "stopped"], "was stopped. `reml run --config "),
        (["words", "stolen"], "bm25/places/predictions.jsonl does not exist: run the experiment again"),
        (["words", "[red]"], "no system of one name (bm25, closed_book; [bold]): say which to compare"),
        (["words", "few", "--access", "bm25/flat"], "there is no system 'flat'; there are bm25, closed_book in few-"),
        (["words", "few", "--access", "/flat"], "--access has '/flat': name an access model, or two as FIRST/SECOND."),
        (["words", "few", "--access", "flat/"], "--access has 'flat/'"),
        (["words", "few", "--measures", "mrr"], "there is no measure 'mrr'; there are accuracy, em"),
        (["words", "few", "--html", "/proc/absent/page.html"], "/proc/absent"),
        (["words", "few", "--jsno"], "--jsno"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    arguments: list[str], sentence: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *arguments, "--home", str(home)]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert "hint" not in said


def test_several_that_a_beginning_may_mean_are_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "sto", "words", "--home", str(home)]) == 2
    assert "'sto' may be each of stolen-" in capsys.readouterr().err


def test_runs_are_listed_and_compared_without_loading_pytorch(home: Path) -> None:
    program = (
        "import sys; from reml.__main__ import main; "
        f"given = ['--home', {str(home)!r}]; "
        "status = main(['runs', *given]) or main(['compare', 'words', 'few', *given]); "
        "heavy = {'torch', 'transformers', 'pytorch_lightning', 'faiss', 'numba'} & set(sys.modules); "
        "sys.exit(f'status {status}, loaded {heavy}' if status or heavy else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("command", ["runs", "compare"])
def test_help_says_what_is_taken(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith(f"usage: reml {command} ")
    wanted = {
        "runs": ("--home", "print them as JSON"),
        "compare": ("[RUN ...]", "two or more: the folder of each", "--html"),
    }
    assert all(part in told for part in wanted[command])
