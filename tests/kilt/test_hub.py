"""KILT's datasets from a folder that is laid out as they are on the hub."""

from __future__ import annotations

import copy
import gzip
import json
from itertools import islice
from pathlib import Path

import pytest
from datasets import Dataset as Table

from reml.__main__ import main
from reml.contract.examples import Answer, Example, Json, Provenance
from reml.files.fetching.downloads import DownloadError, Remote
from reml.files.records import RecordError, read_examples
from reml.kilt.catalogue import dataset
from reml.kilt.files import obtain_split
from reml.kilt.hub import fetch_from_hub
from tests.kilt.archives import triviaqa_archive

BLANK_META: Json = {
    "fever_page_id": "",
    "fever_sentence_id": -1,
    "annotation_id": "-1",
    "yes_no_answer": "",
    "evidence_span": [],
}
BLANK_PLACE: Json = {
    "bleu_score": 0.0,
    "start_character": -1,
    "start_paragraph_id": -1,
    "end_character": -1,
    "end_paragraph_id": -1,
    "meta": BLANK_META,
    "section": "",
    "title": "",
    "wikipedia_id": "",
}


def row(name: str, text: str, *outputs: Json) -> Json:
    meta: Json = {"left_context": "", "mention": "", "partial_evidence": [], "obj_surface": []}
    return {"id": name, "input": text, "meta": meta, "output": list(outputs)}


def output(answer: str, *places: Json) -> Json:
    return {"answer": answer, "meta": {"score": 0}, "provenance": list(places)}


def place(**fields: Json) -> Json:
    assert isinstance(BLANK_PLACE, dict)
    return {**BLANK_PLACE, **fields}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to lay out as the hub is, and no cache of an earlier test."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "hub").mkdir()
    return tmp_path / "hub"


def put(hub: Path, name: str, *rows: Json) -> None:
    files = f"- {{split: validation, path: {name}/validation-*}}"
    (hub / "README.md").write_text(f"---\nconfigs:\n- config_name: {name}\n  data_files:\n  {files}\n---\n")
    (hub / name).mkdir()
    Table.from_list(list(rows)).to_parquet(hub / name / "validation-00000-of-00001.parquet")


def test_what_kilt_left_out_is_left_out_again(hub: Path, tmp_path: Path) -> None:
    full = place(wikipedia_id="1", title="Oslo", start_paragraph_id=0, start_character=0, bleu_score=0.5)
    put(hub, "nq", row("a", "how cold?", output("-1", full), output("", place(wikipedia_id="2"))), row("b", "who?"))
    path = fetch_from_hub(dataset("nq"), "dev", tmp_path / "nq-dev-kilt.jsonl", repository=str(hub))
    known = Provenance("1", "Oslo", start_paragraph_id=0, start_character=0, bleu_score=0.5)
    assert list(read_examples(path)) == [
        Example("a", "how cold?", (Answer("-1", (known,)), Answer(None, (Provenance("2"),)))),
        Example("b", "who?"),
    ]


def test_blank_outputs_of_a_blind_split_are_none(hub: Path, tmp_path: Path) -> None:
    put(hub, "nq", row("a", "who?", output("", BLANK_PLACE)))
    path = fetch_from_hub(dataset("nq"), "dev", tmp_path / "nq-dev-kilt.jsonl", repository=str(hub))
    assert list(read_examples(path)) == [Example("a", "who?")]


def test_real_records_come_back_but_for_the_digits_of_bleu(shared: Path, hub: Path, tmp_path: Path) -> None:
    source = shared / "minikilt" / "raw_kilt" / "hotpotqa-dev-kilt.jsonl.gz"
    with gzip.open(source) as lines:
        records = [json.loads(line) for line in islice(lines, 50)]
    rows = copy.deepcopy(records)
    for each in rows:
        each["meta"] = {"left_context": ""}
        each["output"] = [output(o["answer"], *(place(**p) for p in o["provenance"])) for o in each["output"]]
    put(hub, "nq", *rows)
    path = fetch_from_hub(dataset("nq"), "dev", tmp_path / "nq-dev-kilt.jsonl", repository=str(hub))
    assert list(read_examples(path)) == list(read_examples(source, 50))


def test_triviaqa_is_joined_with_its_questions(hub: Path, tmp_path: Path) -> None:
    put(hub, "triviaqa_support_only", row("tc_1", "", output("me")))
    folder = tmp_path / "kilt"
    folder.mkdir()
    archive = triviaqa_archive(folder / "triviaqa-rc.tar.gz", dev={"tc_1": "Who was it?"})
    questions = Remote(f"http://127.0.0.1:9/{archive.name}")  # nobody listens there: the archive is here already
    path = obtain_split(dataset("triviaqa"), "dev", folder, hub=str(hub), questions=questions)
    assert list(read_examples(path)) == [Example("tc_1", "Who was it?", (Answer("me"),))]


def test_the_command_fetches_from_it(hub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(hub, "nq", row("a", "who?", output("me")))
    folder = tmp_path / "kilt"
    given = ("prepare", "kilt", "--datasets", "nq", "--splits", "dev", "--folder", str(folder), "--hub", str(hub))
    assert main(given) == 0
    assert "2,837" in capsys.readouterr().out
    assert [path.name for path in folder.iterdir()] == ["nq-dev-kilt.jsonl"]


def test_what_is_not_on_the_hub_is_told(hub: Path, tmp_path: Path) -> None:
    put(hub, "nq", row("a", "who?", output("me")))
    target = tmp_path / "x.jsonl"
    for name, split, repository in (("fever", "dev", str(hub)), ("nq", "train", str(hub)), ("nq", "dev", "no/such")):
        with pytest.raises(DownloadError, match=r"cannot be had(.|\n)*KILT's own servers have the same files"):
            fetch_from_hub(dataset(name), split, target, repository=repository)
    assert not target.exists()


def test_a_row_that_is_no_record_is_named(hub: Path, tmp_path: Path) -> None:
    put(hub, "nq", row("a", "who?"), row("b", ""))
    with pytest.raises(RecordError, match="nq dev, row 2: the record has no 'input'"):
        fetch_from_hub(dataset("nq"), "dev", tmp_path / "x.jsonl", repository=str(hub))
    assert not (tmp_path / "x.jsonl").exists()
