"""What a user wrote is never markup: in the terminal, and in the report."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from reml.__main__ import main
from tests.reporting.test_report import Page
from tests.small_experiment import task_of, write_experiment

NAMES = [
    "bm25[k1=0.9]",
    "bm25[k1=2.0]",
    "[INST]",
    "[bold red]warm[ bold]",
    "[link=x]here",
    ":smile:",
    "<script>alert(1)<b>",
    "{{ 7 * 7 }} {% raw %}",
    "&amp; \"quoted\" 'name'",
    "Beyoncé 日本 नमस्ते",
    "%s %(name)s {0}",
    "[[escaped]]",
]
HOSTILE = "[/INST] :smile: \x1b[2J\x9b31m \u202eevil\nend\t<script>alert(1)</script>"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("[red]") / "e[v2] :smile:"
    bm25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
    path = write_experiment(
        folder,
        name="e[v2] :smile:",
        tasks=[task_of(folder, "places[dev] :smile:")],
        access=dict.fromkeys(NAMES, bm25),
        predictor={"class_path": "reml.predictors.first_title.FirstTitle"},
        train_on=None,
    )
    with (folder / "pages.jsonl").open("a") as pages:
        page = {"_id": HOSTILE, "wikipedia_title": HOSTILE, "text": [HOSTILE, "Unheard of zebras graze."]}
        pages.write(json.dumps({"wikipedia_id": HOSTILE, **page}) + "\n")
    with (folder / "dev.jsonl").open("a") as examples:
        gold = [{"wikipedia_id": HOSTILE, "title": HOSTILE}, {"wikipedia_id": f"absent {HOSTILE}"}]
        answer = {"answer": HOSTILE, "provenance": gold}
        examples.write(json.dumps({"id": HOSTILE, "input": f"zebras {HOSTILE}", "output": [answer]}) + "\n")
    return path


def test_a_run_shows_each_name_as_it_stands(
    experiment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "[home] :smile:"
    assert main(["run", "--config", str(experiment), "--home", str(home)]) == 0
    printed = capsys.readouterr()
    lines = [" ".join(line.split()) for line in printed.out.splitlines()]
    assert any(line.startswith("places[dev] :smile:: em, n = ") for line in lines)
    for name in NAMES:
        assert any(line.startswith(f"{name} .88 ±.19 ") for line in lines), printed.out
    assert any(line.startswith(f"results: {home}/runs/e[v2] :smile:-") for line in lines)
    assert any("[/INST] :smile: \\x1b[2J\\x9b31m \\u202eevil\\nend\\t<script>" in line for line in lines), "absent page"
    assert not RAW.search(printed.out + printed.err)
    (report,) = home.glob("runs/*/report.html")
    page = report.read_text(encoding="utf-8")
    assert len(Page(page).of("script")) == 1
    for name in NAMES:
        assert name in unescape(page)
    assert not RAW.search(page.replace("\u202e", "")), "controls are no text of a page"


def test_every_other_command_shows_them_as_they_stand(
    experiment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--config", str(experiment), "--home", str(tmp_path / "[home]")]
    for name in NAMES[:3]:
        assert main(["search", *given, "--by", name, "--query", "zebras"]) == 0
        printed = capsys.readouterr().out
        assert f"open {name} for places[dev] :smile:" in printed
        title = next(line for line in printed.splitlines() if "(page " in line)
        assert "[/INST] :smile: \\x1b[2J" in title
    for command in ("prepare", "index", "predict"):
        assert main([command, *given]) == 0
        assert not RAW.search(capsys.readouterr().out)
    assert main(["run", *given, "--plan"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in NAMES)
    assert main(["search", *given, "--by", f"no {HOSTILE}"]) == 2
    assert not RAW.search(capsys.readouterr().err)
