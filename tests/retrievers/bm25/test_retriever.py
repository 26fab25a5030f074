from __future__ import annotations

import csv
import gzip
import json
import math
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from reml.contract.retrieved import Queries
from reml.contract.retrievers import Indexer
from reml.files.atomic import StaleError
from reml.retrievers.bm25.retriever import BM25, Variant
from reml.testing import IndexerContract, MemoryCollection
from reml.text.analysis import Analyser

bm25s = pytest.importorskip("bm25s")
VARIANTS: tuple[Variant, ...] = get_args(Variant)


class TestBM25Contract(IndexerContract):
    def make(self) -> Indexer:
        return BM25()


@pytest.mark.parametrize("variant", VARIANTS)
class TestVariantContract(IndexerContract):
    @pytest.fixture(autouse=True)
    def _choose(self, variant: Variant) -> None:
        self.variant = variant

    def make(self) -> Indexer:
        return BM25(variant=self.variant)


TEXTS = ("cat cat dog", "dog bird", "fish bird bird eel")


def test_scores_by_hand(tmp_path: Path) -> None:
    retriever = BM25(title=False).index(MemoryCollection(TEXTS), tmp_path / "index")
    hits = retriever.search(Queries.of(["cat cat horse", "the of", "", "horse"]), 3)
    # One of 3 items has "cat", twice, and 3 terms, as many as the average; the query has it twice.
    idf = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    assert hits.rows.tolist() == [[0, -1, -1], *[[-1, -1, -1]] * 3]
    assert hits.scores[0, 0] == pytest.approx(2 * idf * 2 / (2 + 0.9))
    assert np.isneginf(hits.scores[1:]).all()


def test_titles_are_searched_unless_told_otherwise(tmp_path: Path) -> None:
    collection = MemoryCollection(TEXTS, ["Iguana", "Jackal", "Koala"])
    asked = Queries.of(["koala"])
    assert BM25().index(collection, tmp_path / "with").search(asked, 1).rows.tolist() == [[2]]
    assert BM25(title=False).index(collection, tmp_path / "without").search(asked, 1).rows.tolist() == [[-1]]


def _random_texts(items: int, seed: int) -> list[str]:
    generator = np.random.default_rng(seed)
    words = np.array([f"w{number}x" for number in range(300)])
    shares = 1 / np.arange(1, 301)
    lengths = generator.integers(0, 40, items)
    return [" ".join(generator.choice(words, length, p=shares / shares.sum())) for length in lengths]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("k1", "b"), [(0.9, 0.4), (1.2, 0.75), (2.0, 0.0), (0.5, 1.0)])
def test_equals_bm25s_on_the_same_tokens(variant: Variant, k1: float, b: float, tmp_path: Path) -> None:
    texts, asked = _random_texts(400, seed=1), [text for text in _random_texts(40, seed=2) if text]
    analyser = Analyser()
    peer = bm25s.BM25(method=variant, k1=k1, b=b)
    peer.index([analyser(text) for text in texts], show_progress=False)
    retriever = BM25(variant=variant, k1=k1, b=b, title=False).index(MemoryCollection(texts), tmp_path / "index")
    hits = retriever.search(Queries.of(asked), 50)
    for query, rows, scores in zip(asked, hits.rows, hits.scores, strict=True):
        expected = peer.get_scores(analyser(query))
        there = rows >= 0
        np.testing.assert_allclose(scores[there], expected[rows[there]], rtol=1e-5)
        # The k-th best scores agree, so the rankings do up to ties.
        np.testing.assert_allclose(scores[there], np.sort(expected)[::-1][: there.sum()], rtol=1e-5)
    anew = retriever.score(Queries.of(asked), hits.rows).numpy()
    np.testing.assert_allclose(anew, hits.scores, rtol=1e-5)


@pytest.mark.parametrize("variant", ["bm25l", "bm25+"])
def test_scores_rows_without_any_term_as_bm25s_does(variant: Variant, tmp_path: Path) -> None:
    peer = bm25s.BM25(method=variant, k1=0.9, b=0.4)
    peer.index([text.split() for text in TEXTS], show_progress=False)
    retriever = BM25(variant=variant, title=False, analyser=Analyser(stemmer="none")).index(
        MemoryCollection(TEXTS), tmp_path / "index"
    )
    scores = retriever.score(Queries.of(["cat eel"]), np.array([[0, 1, 2, -1]]))
    np.testing.assert_allclose(scores.numpy()[0, :3], peer.get_scores(["cat", "eel"]), rtol=1e-5)
    assert scores[0, 3] == -math.inf
    # Row 1 has neither term: it has a score but is no hit.
    assert retriever.search(Queries.of(["cat eel"]), 3).rows[0, 2] == -1


def test_no_items_and_items_without_terms(tmp_path: Path) -> None:
    for name, texts in (("none", []), ("blank", ["", "the of", "!"])):
        retriever = BM25(title=False).index(MemoryCollection(texts), tmp_path / name)
        assert (retriever.search(Queries.of(["cat", "the"]), 2).rows == -1).all()


def test_another_analyser_is_refused(tmp_path: Path) -> None:
    collection = MemoryCollection(TEXTS)
    BM25().index(collection, tmp_path / "index")
    for other in BM25(title=False), BM25(analyser=Analyser(stemmer="none")):
        with pytest.raises(StaleError, match="Delete that folder"):
            other.index(collection, tmp_path / "index")


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"BM25\.variant is 'bm26', but must be one of 'robertson', 'lucene'"):
        BM25(variant="bm26")  # type: ignore[arg-type]
    for k1, b, delta in (-1.0, 0.4, 0.5), (0.9, 1.1, 0.5), (0.9, 0.4, -0.1):
        with pytest.raises(ValueError, match=r"BM25\.(k1|b|delta) is .*, but must be 0 or more"):
            BM25(k1=k1, b=b, delta=delta)


# nDCG@10 and recall@100 of bm25s with the same analysis, from the data's README; other ties may move the last digit.
REFERENCE = {
    ("scifact", 1.2, 0.75): (0.6791, 0.9127),
    ("scifact", 0.9, 0.4): (0.6762, 0.9127),
    ("cranfield", 1.2, 0.75): (0.3755, 0.7312),
    ("vaswani", 1.2, 0.75): (0.4362, 0.6034),
}


@pytest.mark.parametrize(("name", "k1", "b"), list(REFERENCE))
def test_reaches_the_reference_on_real_collections(
    name: str, k1: float, b: float, shared: Path, tmp_path: Path
) -> None:
    items, queries = (_read(shared / "ir" / name / file) for file in ("corpus.jsonl.gz", "queries.jsonl.gz"))
    judged = _judgements(shared / "ir" / name / "qrels.tsv")
    asked = [query for query in queries if query["_id"] in judged]
    collection = MemoryCollection([item["text"] for item in items], [item.get("title", "") for item in items])
    hits = BM25(k1=k1, b=b).index(collection, tmp_path / "index").search(Queries.of([q["text"] for q in asked]), 100)
    measured = [
        _measures([items[row]["_id"] for row in rows if row >= 0], judged[query["_id"]])
        for query, rows in zip(asked, hits.rows, strict=True)
    ]
    np.testing.assert_allclose(np.mean(measured, axis=0), REFERENCE[name, k1, b], atol=5e-4)


def _read(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _judgements(path: Path) -> dict[str, set[str]]:
    judged: dict[str, set[str]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in csv.DictReader(lines, delimiter="\t"):
            judged.setdefault(line["query-id"], set()).update([line["corpus-id"]] if int(line["score"]) else [])
    return judged


def _measures(ranked: list[str], relevant: set[str]) -> tuple[float, float]:
    """nDCG@10 and recall@100, all judgements being 0 or 1."""
    gain = sum(1 / math.log2(place + 2) for place, item in enumerate(ranked[:10]) if item in relevant)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(relevant))))
    return gain / ideal, len(relevant & set(ranked)) / len(relevant)
