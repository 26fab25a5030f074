from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from reml.__main__ import main
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.tasks import Task
from reml.evaluation.ranked import ranked_measures
from reml.evaluation.trec import write_relevance
from reml.evaluation.trec.beir import read_judgements
from reml.files.lines import LineError
from reml.tasks.beir import Beir
from reml.testing import TaskContract

DOCUMENTS = [
    {"_id": "d1", "title": "Chad", "text": "The capital of Chad is N'Djamena.", "metadata": {}},
    {"_id": "d2", "title": "", "text": "Oslo is cold, colder than the capital of Chad."},
    {"_id": 3, "text": "Lima is foggy and cold in winter."},
    {"_id": "d4", "title": " ", "text": ""},
    {"_id": "d5", "text": "Nothing is said of towns here."},
]
QUERIES = [("q1", "capital of Chad"), ("q2", "where is it cold"), ("q3", "nothing relevant"), ("q4", "foggy Lima")]
DEV = [("q2", "3", 2), ("q2", "d2", 1), ("q1", "d2", 1), ("q1", "d1", 3), ("q1", "d5", 0), ("q3", "d1", 0)]
TRAIN = [("q4", "3", 1)]


def written(folder: Path, *, zipped: bool = False, header: bool = True) -> Path:
    """Write a folder in BEIR's layout."""
    lines = {
        "corpus.jsonl": [json.dumps(one) for one in DOCUMENTS],
        "queries.jsonl": [json.dumps({"_id": name, "text": text, "metadata": {}}) for name, text in QUERIES],
        "qrels/dev.tsv": judgements(DEV, header=header),
        "qrels/train.tsv": judgements(TRAIN, header=header),
    }
    (folder / "qrels").mkdir(parents=True)
    for name, content in lines.items():
        data = "".join(f"{line}\n" for line in content).encode()
        (folder / (name + ".gz" * zipped)).write_bytes(gzip.compress(data) if zipped else data)
    return folder


def judgements(rows: Sequence[tuple[str, str, int]], *, header: bool = True) -> list[str]:
    first = [("query-id", "corpus-id", "score")] if header else []
    return ["\t".join(map(str, row)) for row in (*first, *rows)]


def relevant(query: str, text: str, **documents: int) -> Example:
    """Make the example of a query: documents by their ids, `n` before what is no name in Python."""
    return Example(query, text, tuple(answer(name.removeprefix("n"), score) for name, score in documents.items()))


def answer(document: str, score: int) -> Answer:
    return Answer(document, (Provenance(document, meta=None if score == 1 else {"relevance": score}),))


EXPECTED = (relevant("q1", "capital of Chad", d2=1, d1=3), relevant("q2", "where is it cold", n3=2, d2=1))


class TestBeir(TaskContract):
    @pytest.fixture(autouse=True)
    def _written(self, tmp_path: Path) -> None:
        self.folder = written(tmp_path / "small")

    def make(self) -> Task:
        return Beir("small", str(self.folder))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("header", [False, True])
def test_judgements_are_provenance_with_their_degrees(
    zipped: bool, header: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task = Beir("small", str(written(tmp_path / "small", zipped=zipped, header=header)))
    with caplog.at_level(logging.WARNING):
        assert task.examples("dev") == EXPECTED
        assert task.examples("train") == (relevant("q4", "foggy Lima", n3=1),)
        assert [page.id for page in task.source().pages()] == ["d1", "d2", "3", "d5"]
    assert "small dev: 1 queries have no relevant document" in caplog.text
    assert "1 lines have neither text nor title" in caplog.text


def test_splits_limits_and_what_is_relevant_can_be_set(tmp_path: Path) -> None:
    folder = str(written(tmp_path / "small"))
    assert Beir("a", folder, splits={"test": "qrels/dev.tsv"}).examples("test") == EXPECTED
    assert Beir("a", folder, limit=1).examples("dev") == EXPECTED[:1]
    assert Beir("a", folder, relevant_from=3).examples("dev") == (relevant("q1", "capital of Chad", d1=3),)


def test_degrees_stand_in_the_judgements_that_are_written(tmp_path: Path) -> None:
    write_relevance(tmp_path / "qrels", EXPECTED)
    assert (tmp_path / "qrels").read_text() == "q1 0 d2 1\nq1 0 d1 3\nq2 0 3 2\nq2 0 d2 1\n"


def experiment(folder: Path, task: dict[str, object], *, k: int) -> Path:
    """Run BM25 over the task from YAML, by the command; give its result folder."""
    written_settings = {
        "name": "beir",
        "tasks": [{"class_path": "reml.tasks.beir.Beir", "init_args": task}],
        "access": {"bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}},
        "predictor": {"class_path": "reml.predictors.first_title.FirstTitle"},
        "reading": {"k": k, "depth": 100, "words": 100_000},
    }
    (folder / "beir.yaml").write_text(yaml.safe_dump(written_settings))
    assert main(["run", "--config", str(folder / "beir.yaml"), "--home", str(folder / "home")]) == 0
    (results,) = (folder / "home" / "runs").iterdir()
    return results


def trec(path: Path, rows: Sequence[tuple[str, str, int]]) -> Path:
    path.write_text("".join(f"{query} 0 {document} {score}\n" for query, document, score in rows))
    return path


def agree(results: Path, official: Path, name: str, depths: Sequence[int]) -> Mapping[str, float]:
    """See that what a run says is what its files say, by its own judgements and by the collection's."""
    pytest.importorskip("ir_measures", reason="pip install 'reml[measures]'")
    measures = ["nDCG@10", "AP", "P@1", *(f"{kind}@{depth}" for kind in ("R", "P", "Success") for depth in depths)]
    run = results / "bm25" / name / "run.trec"
    found = ranked_measures(run, official, measures)
    assert ranked_measures(run, results / "gold" / f"{name}.qrels", measures) == found
    said: dict[str, float] = json.loads((results / "metrics.json").read_text())["bm25"][name]["retrieval"]
    for depth in depths:
        assert said[f"recall@{depth}"] == pytest.approx(found[f"R@{depth}"])
        assert said[f"precision@{depth}"] == pytest.approx(found[f"P@{depth}"])
        assert said[f"success_rate@{depth}"] == pytest.approx(found[f"Success@{depth}"])
    assert said["Rprec"] == pytest.approx(found["P@1"])
    return found


def test_it_is_run_from_yaml_alone_and_measured_as_its_files_are(tmp_path: Path) -> None:
    results = experiment(tmp_path, {"name": "small", "folder": str(written(tmp_path / "small"))}, k=5)
    official = trec(tmp_path / "official", [row for row in DEV if row[0] != "q3"])
    found = agree(results, official, "small", [5])
    assert found["R@5"] == 1


def test_a_real_collection_is_run_from_yaml_alone(shared: Path, tmp_path: Path) -> None:
    folder = shared / "ir" / "cranfield"
    settings: dict[str, object] = {"name": "cranfield", "folder": str(folder), "splits": {"dev": "qrels.tsv"}}
    results = experiment(tmp_path, settings, k=20)
    rows = [row for row in read_judgements(folder / "qrels.tsv") if row[2] > 0]
    agree(results, trec(tmp_path / "official", rows), "cranfield", [5, 10, 20])


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["q1 d1 1"], "line 1: 'q1 d1 1' is not query-id, corpus-id, score with tabs between them"),
        (["q1\t0\td1\t1"], "line 1: .* is not query-id, corpus-id, score"),
        (["query-id\tcorpus-id\tscore", "q1\td1\t"], "line 2: .* is not query-id"),
        (["query-id\tcorpus-id\tscore", "\td1\t1"], "line 2: .* is not query-id"),
        (["corpus-id\tquery-id\tscore"], "line 1: the score is 'score': write a whole number"),
        (["q1\td1\t1", "query-id\tcorpus-id\tscore"], "line 2: the score is 'score'"),
        (["q1\td1\t0.5"], "line 1: the score is '0.5': write a whole number"),
        (["q1\td1\tnan"], "line 1: the score is 'nan'"),
        (["q1\td1\t1_0"], "line 1: the score is '1_0'"),
        (["q1\td1\t" + "9" * 30], "line 1: the score is '999"),
        (["q1\td1\t1", "q1\td1\t2"], "line 2: document 'd1' has the score 2 for query 'q1', and 1 further up"),
        (["query-id\tcorpus-id\tscore"], "has no judgements"),
        (["q9\td1\t1"], "judges query 'q9', which .*queries.jsonl does not have"),
    ],
)
def test_judgements_that_are_not_so_are_named(lines: list[str], told: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "small")
    (folder / "qrels" / "dev.tsv").write_text("\n".join(lines) + "\n")
    with pytest.raises(LineError, match=rf"dev\.tsv(, )? ?{told}"):
        Beir("small", str(folder)).examples("dev")


def test_a_query_given_twice_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path / "small")
    with (folder / "queries.jsonl").open("a") as stream:
        stream.write('{"_id": "q1", "text": "again"}\n')
    with pytest.raises(LineError, match=r"queries\.jsonl has query 'q1' twice"):
        Beir("small", str(folder)).examples("dev")


def test_settings_and_folders_that_are_not_allowed_are_errors_at_once(tmp_path: Path) -> None:
    folder = written(tmp_path / "small")
    with pytest.raises(ValueError, match="limit is 0"):
        Beir("small", str(folder), limit=0)
    with pytest.raises(ValueError, match="no splits are named"):
        Beir("small", str(folder), splits={})
    with pytest.raises(FileNotFoundError, match=r"has no qrels/test\.tsv \(nor qrels/test\.tsv\.gz\)"):
        Beir("small", str(folder), splits={"dev": "qrels/test.tsv"})
    (folder / "queries.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no queries\.jsonl .*a folder in BEIR's layout has corpus"):
        Beir("small", str(folder))
    (tmp_path / "other").mkdir()
    with pytest.raises(FileNotFoundError, match=r"other has no corpus\.jsonl"):
        Beir("small", str(tmp_path / "other"))
    for name in ("corpus.jsonl", "queries.jsonl"):
        (tmp_path / "other" / name).touch()
    with pytest.raises(FileNotFoundError, match=r"has no judgements in qrels: .*splits: {dev: qrels.tsv}"):
        Beir("small", str(tmp_path / "other"))
