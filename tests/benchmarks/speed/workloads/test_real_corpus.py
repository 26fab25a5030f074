from __future__ import annotations

from pathlib import Path

from reml.benchmarks.speed.workloads.real_corpus import RealCorpus
from reml.benchmarks.speed.workloads.real_texts import RealTexts
from tests.benchmarks.speed.workloads.real_folders import foxes


def test_documents_and_queries_are_numbered_by_their_terms(tmp_path: Path) -> None:
    texts = RealTexts([foxes(tmp_path / "foxes")])
    corpus = RealCorpus(texts)
    ((tokens, lengths),) = corpus.token_batches()
    assert tokens.tolist() == [0, 1, 1, 2, 3]  # red, fox, fox, run, river
    assert lengths.tolist() == [4, 1]
    assert corpus.width == 4
    queries = RealCorpus(texts).queries(9)["foxes"]
    assert [query.tolist() for query in queries] == [[1, 2], [3]], "a query of unknown terms is left out"
    assert len(RealCorpus(texts).queries(1)["foxes"]) == 1
