"""An experiment and `reml measure` of its own run files say the same of the same pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from reml.cli.dispatch import execute
from reml.evaluation.ranked import ranked_measures
from reml.evaluation.trec import open_run

pytest.importorskip("ir_measures", reason="the extra `measures` is not installed")

# Five pages of one text tie, twice; among them are ids that are written otherwise in TREC's files, or by others.
LIMA = ("p1", "p2", "Lima_%28Peru%29", "New York", "007")
OTHERS = ("a%20b", "50%", "Caf\u00e9", "\\u0020", "x\u00a0y")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REML_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return written_run()


def written_run(*, evidence: bool = True) -> Path:
    """Run a small experiment in the folder that we are in, and give its result folder."""
    texts = {**dict.fromkeys(LIMA, "Lima is the capital of Peru."), **dict.fromkeys(OTHERS, "Chad is in Africa.")}
    pages = [{"_id": page, "wikipedia_title": "T", "text": ["T", text]} for page, text in texts.items()]
    asked = [(page, texts[page]) for page in (LIMA[0], LIMA[2], LIMA[3], *OTHERS)]
    examples = [
        {
            "id": f"q {page}",
            "input": text,
            "output": [{"answer": "T", "provenance": [{"wikipedia_id": page}] * evidence}],
        }
        for page, text in asked
    ]
    for name, records in (("pages", pages), ("dev", examples)):
        Path(f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    task = {"name": "t", "measure": "em", "examples": {"dev": "dev.jsonl"}, "knowledge_source": "pages.jsonl"}
    experiment = {
        "name": "ties",
        "tasks": [{"class_path": "reml.tasks.jsonl.Jsonl", "init_args": task}],
        "access": {"a": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}},
        "predictor": {"class_path": "reml.predictors.first_title.FirstTitle"},
        "reading": {"k": 5, "depth": 10},
    }
    Path("c.yaml").write_text(yaml.safe_dump(experiment))
    assert execute(["run", "--config", "c.yaml"]) == 0
    (found,) = Path("home", "runs").resolve().iterdir()
    return found


def test_a_run_measures_itself_as_its_run_file_does(folder: Path) -> None:
    run = folder / "a" / "t" / "run.trec"
    said = json.loads((folder / "metrics.json").read_text())["a"]["t"]["retrieval"]
    # One page is right for each question: R-precision is that of the first, recall that of the first five.
    found = ranked_measures(run, folder / "gold" / "t.qrels", ("Rprec", "R@5", "P@1", "RR", "RR@10"))
    assert found.remarks == ()
    assert found["Rprec"] == found["P@1"] == pytest.approx(said["Rprec"])
    assert found["R@5"] == pytest.approx(said["recall@5"]) == 1
    assert found["RR"] == pytest.approx(found["RR@10"])
    own = json.loads((folder / "metrics.json").read_text())["a"]["t"]["retriever"]["a"]
    means = {name: own[name]["mean"] for name in ("Rprec", "recall@5", "precision@1", "RR@10")}
    assert [found[name] for name in ("Rprec", "R@5", "P@1", "RR@10")] == [pytest.approx(one) for one in means.values()]
    assert 0 < said["Rprec"] < 1, "pages tie, and only the first of them is found first"


def test_judgements_of_others_meet_its_ids(folder: Path, tmp_path: Path) -> None:
    """Ids without white space stand as they are; one with it is the same once it is read."""
    official = tmp_path / "official.qrels"
    official.write_text("".join(f"q\\u0020{page} 0 {page} 1\n" for page in ("p1", "Lima_%28Peru%29", "a%20b", "50%")))
    run = folder / "a" / "t" / "run.trec"
    found = ranked_measures(run, official, ("R@5",))
    assert found == {"R@5": 1.0}
    assert {page.page_id for page in open_run(run).rankings["q 50%"]} == set(OTHERS)


def test_a_task_without_evidence_has_no_figures_of_retrieval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REML_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    folder = written_run(evidence=False)
    shown = capsys.readouterr().out
    # Pages are compared with nothing; in the first passages an answer can be looked for all the same.
    assert re.search(r"t: em, n = 8 *\n *\n +access +em *\n.*\n +a +1\.00 ±\.16 *\n", shown)
    assert "provenance" not in shown
    figures = json.loads((folder / "metrics.json").read_text())["a"]["t"]
    assert figures["downstream"]["downstream"]["em"] == 1.0
    assert {figures["retrieval"]["Rprec"], figures["downstream"]["kilt"]["KILT-em"]} == {None}
    assert execute(["report", "--run", str(folder)]) == 0
    report = (folder / "report.html").read_text()
    assert "100.0" in report
    assert ">0.0<" not in report
    assert "recall</figcaption>" not in report
