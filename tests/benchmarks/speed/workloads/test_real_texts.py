from __future__ import annotations

from pathlib import Path

from reml.benchmarks.speed.workloads.real_texts import RealTexts
from tests.benchmarks.speed.workloads.real_folders import foxes, pages, write


def test_documents_and_queries_of_beirs_layout(tmp_path: Path) -> None:
    texts = RealTexts([foxes(tmp_path / "foxes")])
    assert list(texts.texts()) == ["Red foxes The fox runs", "rivers"]
    assert texts.queries(2) == {"foxes": ["what runs, a fox or a fox", "volcano"]}
    assert (texts.name, texts.missing()) == ("foxes", "")


def test_paragraphs_and_inputs_of_kilts_layout(tmp_path: Path) -> None:
    texts = RealTexts([pages(tmp_path / "kilt")])
    lake = "Chad lies in Africa. It has a lake."
    assert list(texts.texts()) == [f"Chad {lake}", "Chad Its capital is big.", "Lima A town."]
    assert texts.queries(9) == {"nq": ["a lake?"], "trex": ["Lima [SEP] of"]}


def test_several_folders_are_one_corpus_cut_by_words(tmp_path: Path) -> None:
    texts = RealTexts([foxes(tmp_path / "foxes"), pages(tmp_path / "kilt")], words=5, sets=["nq", "foxes"])
    assert texts.name == "foxes+kilt"
    assert list(texts.texts())[2:] == [
        "Chad Chad lies in Africa. It",
        "Chad has a lake.",
        "Chad Its capital is big.",
        "Lima A town.",
    ]
    assert list(texts.queries(1)) == ["foxes", "nq"]


def test_says_what_folders_lack(tmp_path: Path) -> None:
    empty = write(tmp_path / "empty")
    missing = RealTexts([foxes(tmp_path / "foxes"), empty]).missing()
    assert missing == (
        f"{empty} has no corpus.jsonl.gz and no queries.jsonl.gz (BEIR's layout), and not knowledge_source.jsonl.gz "
        "and NAME-dev-kilt.jsonl.gz (KILT's)"
    )
    write(empty, corpus=[])
    assert "has no queries.jsonl.gz (BEIR's" in RealTexts([empty]).missing()
    unknown = RealTexts([pages(tmp_path / "kilt")], sets=["nq", "squad"]).missing()
    assert unknown == "kilt has no queries squad: there are nq, trex"
