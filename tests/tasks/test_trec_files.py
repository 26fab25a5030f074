"""Queries and judgements in the forms that they are kept in, over documents wherever they are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from reml.__main__ import main
from reml.collection.sources import JsonlTexts
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.tasks import Task
from reml.evaluation.ranked import ranked_measures
from reml.evaluation.trec import RelevanceError
from reml.files.lines import LineError
from reml.tasks.trec_files import TrecFiles, read_queries
from reml.testing import TaskContract

DOCUMENTS = "d1\tThe capital of Chad is N'Djamena.\nd2\tOslo is cold.\nd3\tLima is foggy and cold.\n"
CLASSIC = """<top>
<num> Number: q1
<title> Topic: capital of
Chad
<desc> Description:
Which town is the capital of Chad &amp; its seat?
<narr> Narrative:
Relevant: any.
</top>
<top>
<num> Number: q2
<title> cold <desc> Description: Where?
</top>
"""
MODERN = """<?xml version="1.0"?>
<topics task="x">
<topic number="q1"><query>capital of Chad</query><question>Which town?</question></topic>
<topic number='q2' type="faceted"><query>cold</query><subtopic number="1">where</subtopic></topic>
</topics>"""
QUERIES = {
    "tsv": "q1\tcapital of Chad\nq2\tcold\n",
    "named columns": "query_id\tquery\nq1\tcapital of Chad\nq2\tcold\n",
    "jsonl": '{"_id": "q1", "text": "capital of Chad", "metadata": {}}\n{"_id": "q2", "text": "cold"}\n',
    "other keys": '{"id": "q1", "query": "capital of Chad"}\n{"id": "q2", "query": "cold"}\n',
    "topics": CLASSIC,
    "xml": MODERN,
}
JUDGEMENTS = {
    "trec": "q1 0 d1 2\nq2 0 d2 1\nq2 0 d3 3\nq2 0 d1 0\n",
    "trec with tabs": "q1\t0\td1\t2\nq2\tQ0\td2\t1\nq2\t0\td3\t3\n",
    "beir": "query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td2\t1\nq2\td3\t3\n",
    "beir without head": "q1\td1\t2\nq2\td2\t1\nq2\td3\t3\n",
}


def answer(document: str, relevance: int) -> Answer:
    return Answer(document, (Provenance(document, meta=None if relevance == 1 else {"relevance": relevance}),))


EXPECTED = [
    Example("q1", "capital of Chad", (answer("d1", 2),)),
    Example("q2", "cold", (answer("d2", 1), answer("d3", 3))),
]


class Files(NamedTuple):
    documents: str
    queries: str
    judgements: str

    def task(self) -> TrecFiles:
        return TrecFiles("small", documents=self.documents, queries=self.queries, judgements=self.judgements)


def written(folder: Path, queries: str = QUERIES["tsv"], judgements: str = JUDGEMENTS["trec"]) -> Files:
    """Write the three files."""
    folder.mkdir(exist_ok=True)
    for name, text in {"documents.tsv": DOCUMENTS, "queries": queries, "qrels": judgements}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Files(*(str(folder / name) for name in ("documents.tsv", "queries", "qrels")))


class TestTrecFiles(TaskContract):
    splits = ("dev",)

    @pytest.fixture(autouse=True)
    def _written(self, tmp_path: Path) -> None:
        self.files = written(tmp_path)

    def make(self) -> Task:
        return self.files.task()


@pytest.mark.parametrize("judgements", JUDGEMENTS)
@pytest.mark.parametrize("queries", QUERIES)
def test_each_form_of_queries_goes_with_each_of_judgements(queries: str, judgements: str, tmp_path: Path) -> None:
    task = written(tmp_path, QUERIES[queries], JUDGEMENTS[judgements]).task()
    assert list(task.examples("dev")) == EXPECTED
    assert [page.id for page in task.source().pages()] == ["d1", "d2", "d3"]


def test_files_may_be_gzip_and_documents_any_source(tmp_path: Path) -> None:
    files = written(tmp_path)
    for name in ("queries", "qrels"):
        (tmp_path / name).write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps({"key": "d1", "words": "x"}), encoding="utf-8")
    source = JsonlTexts(str(corpus), "key", text="words")
    task = TrecFiles("small", documents=source, queries=files.queries, judgements={"test": files.judgements})
    assert list(task.examples("test")) == EXPECTED
    assert task.source() is source


def test_topics_are_asked_with_the_field_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "topics").write_text(CLASSIC, encoding="utf-8")
    assert read_queries(tmp_path / "topics", "desc")["q1"] == "Which town is the capital of Chad & its seat?"
    assert read_queries(tmp_path / "topics", "title+description")["q2"] == "cold Where?"
    with pytest.raises(LineError, match=r"topic 'q2' has no narrative: name a `field` of title, description"):
        read_queries(tmp_path / "topics", "narr")


def test_each_split_has_its_queries_and_one_without_judgements_is_a_blind_test(tmp_path: Path) -> None:
    files = written(tmp_path)
    (tmp_path / "test.tsv").write_text("q9\tfog\n", encoding="utf-8")
    queries = {"dev": files.queries, "test": str(tmp_path / "test.tsv")}
    task = TrecFiles("small", documents=files.documents, queries=queries, judgements={"dev": files.judgements})
    assert list(task.examples("dev")) == EXPECTED
    assert list(task.examples("test")) == [Example("q9", "fog")]


@pytest.mark.parametrize(
    ("queries", "judgements", "said"),
    [
        ("q1\ta\nq1\tb\n", JUDGEMENTS["trec"], "has query 'q1' twice"),
        ("q1\ta\n", JUDGEMENTS["trec"], "judges query 'q2', which .*queries does not have"),
        (QUERIES["tsv"], "q1 0 d1\n", "3 fields where 4 must be"),
        (QUERIES["tsv"], "q1 0 d1 high\n", "the relevance is 'high'"),
        (QUERIES["tsv"], "q1 0 d1 1\nq1 0 d1 2\n", "has relevance 2, and 1 in line 1"),
        (QUERIES["tsv"], "q1\td1\thigh\n", "the score is 'high'"),
        (QUERIES["tsv"], "\n", "is blank"),
        ("<top>\n<title> x\n</top>\n", JUDGEMENTS["trec"], "topic 1 has no number"),
        ("<queries>\n</queries>\n", JUDGEMENTS["trec"], "has no topics"),
        ("<top>\n<num> 1\n</top>\n", JUDGEMENTS["trec"], "topic '1' has no query"),
        ("q1\t\nq2\tx\n", JUDGEMENTS["trec"], "line 1|has no text|does not have"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(queries: str, judgements: str, said: str, tmp_path: Path) -> None:
    task = written(tmp_path, queries, judgements).task()
    with pytest.raises((LineError, RelevanceError), match=said):
        task.examples("dev")


def test_settings_that_do_not_fit(tmp_path: Path) -> None:
    files = written(tmp_path)
    with pytest.raises(ValueError, match="task 'small' has no queries for train"):
        TrecFiles(
            "small",
            documents=files.documents,
            queries={"dev": files.queries},
            judgements={"train": files.judgements},
        )
    with pytest.raises(FileNotFoundError, match="name a file of queries or judgements"):
        files._replace(queries=str(tmp_path / "none")).task()


def test_a_configuration_names_three_files_and_is_scored_by_degrees(tmp_path: Path) -> None:
    task = {
        "class_path": "reml.tasks.trec_files.TrecFiles",
        "init_args": {"name": "small", **written(tmp_path)._asdict()},
    }
    bm25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
    config = tmp_path / "config.yaml"
    predictor = {"class_path": "reml.predictors.first_title.FirstTitle"}
    config.write_text(yaml.safe_dump({"tasks": [task], "access": {"bm25": bm25}, "predictor": predictor}))
    assert main(["run", "--config", str(config), "--home", str(tmp_path / "home")]) == 0
    (folder,) = (tmp_path / "home" / "runs").iterdir()
    found = ranked_measures(folder / "bm25" / "small" / "run.trec", folder / "gold" / "small.qrels", ("nDCG@10", "RR"))
    assert found["RR"] == 1.0
    assert found["nDCG@10"] > 0.8
