from __future__ import annotations

import gzip
import json
from pathlib import Path

from reml.benchmarks.speed.workloads.real_corpus import RealCorpus, missing_files


def write(folder: Path, name: str, records: list[dict[str, str]]) -> None:
    with gzip.open(folder / name, "wt") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in records)


def test_documents_and_queries_are_numbered_by_their_terms(tmp_path: Path) -> None:
    write(tmp_path, "corpus.jsonl.gz", [{"title": "Red foxes", "text": "The fox runs"}, {"text": "rivers"}])
    write(tmp_path, "queries.jsonl.gz", [{"text": "what runs, a fox or a fox"}, {"text": "volcano"}, {"text": "river"}])
    corpus = RealCorpus(tmp_path)
    ((tokens, lengths),) = corpus.token_batches()
    assert tokens.tolist() == [0, 1, 1, 2, 3]  # red, fox, fox, run, river
    assert lengths.tolist() == [4, 1]
    assert (corpus.width, corpus.name) == (4, tmp_path.name)
    queries = RealCorpus(tmp_path).queries(9)["its queries"]
    assert [query.tolist() for query in queries] == [[1, 2], [3]], "a query of unknown terms is left out"
    assert len(RealCorpus(tmp_path).queries(1)["its queries"]) == 1


def test_says_what_a_folder_lacks(tmp_path: Path) -> None:
    assert missing_files(tmp_path) == f"{tmp_path} has no corpus.jsonl.gz and no queries.jsonl.gz"
    write(tmp_path, "corpus.jsonl.gz", [])
    assert missing_files(tmp_path) == f"{tmp_path} has no queries.jsonl.gz"
    write(tmp_path, "queries.jsonl.gz", [])
    assert missing_files(tmp_path) == ""
