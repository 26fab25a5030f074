from __future__ import annotations

import math
import string
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from reml.__main__ import main
from reml.access.encoded_retriever import EncodedRetriever
from reml.access.information_access import InformationAccess
from reml.access.querying.query_generators import ExpandedQuery, InputQuery
from reml.access.querying.relevance_feedback import RM3, Rocchio
from reml.contract.access import QueryExpansion, QueryGenerator
from reml.contract.examples import Example, Item, Media, texts_of
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Encoder, Retriever
from reml.contract.vectors import Similarity, SparseVectors
from reml.index.impact import ImpactIndex
from reml.retrievers.bm25.retriever import BM25, BM25Retriever
from reml.retrievers.fusion import FusedRetriever
from reml.testing import TEXTS as ENGLISH
from reml.testing import MemoryCollection, QueryExpansionContract, matrix
from reml.text.analysis import Analyser
from tests.small_experiment import write_experiment

TEXTS = ("cat dog", "cat bird bird eel", "dog newt", "fish")
# Of 4 items 2 have "cat" and "dog", 1 has each other word: Lucene's idf.
COMMON, RARE = math.log(1 + (4 - 2 + 0.5) / (2 + 0.5)), math.log(1 + (4 - 1 + 0.5) / (1 + 0.5))


@pytest.fixture
def bm25(tmp_path: Path) -> BM25Retriever:
    """Without length normalisation, so that the first two items score alike for "cat"."""
    settings = BM25(b=0.0, title=False, analyser=Analyser(stemmer="none"))
    retriever = settings.index(MemoryCollection(TEXTS), tmp_path / "index")
    assert isinstance(retriever, BM25Retriever)
    return retriever


def _weights(queries: Queries, retriever: BM25Retriever, place: int = 0) -> dict[str, float]:
    assert isinstance(queries.states, SparseVectors)
    row = queries.states.slice(place, place + 1)
    terms = retriever.encoder.vocabulary.terms
    return {terms[number]: float(weight) for number, weight in zip(row.dimensions, row.weights, strict=True)}


def test_rm3_by_hand(bm25: BM25Retriever) -> None:
    expanded = RM3(feedback_items=2, feedback_terms=2, original_query_weight=0.5)(Queries.of(["cat"]), bm25)
    # Both items weigh 1/2: cat (1/2 + 1/4) / 2 = 3/8, dog 1/4, bird 1/4, eel 1/8. Kept: cat and dog, 3/5 and 2/5.
    assert _weights(expanded, bm25) == pytest.approx({"cat": COMMON * (0.5 + 0.3), "dog": COMMON * 0.2})
    found = bm25.search(expanded, 4)
    assert found.rows.tolist() == [[0, 1, 2, -1]], "the third item shares no term with the query itself"
    assert found.scores[0, 2] == pytest.approx(COMMON * 0.2 / (1 + 0.9))


def test_rm3_weighs_items_by_their_scores(bm25: BM25Retriever) -> None:
    expanded = RM3(feedback_items=2, feedback_terms=9, original_query_weight=0.0)(Queries.of(["cat bird"]), bm25)
    first, second = bm25.search(Queries.of(["cat bird"]), 2).scores[0].tolist()
    weight = first / (first + second)  # of the second text, which has both words
    expected = {"cat": weight / 4 + (1 - weight) / 2, "bird": weight / 2, "eel": weight / 4, "dog": (1 - weight) / 2}
    idf = {"cat": COMMON, "dog": COMMON, "bird": RARE, "eel": RARE}
    assert _weights(expanded, bm25) == pytest.approx({term: idf[term] * share for term, share in expected.items()})


def test_the_whole_weight_on_the_query_ranks_as_the_query_does(bm25: BM25Retriever) -> None:
    asked = Queries.of(["cat dog", "bird fish fish", "horse", ""])
    found = bm25.search(RM3(original_query_weight=1.0)(asked, bm25), 4)
    np.testing.assert_array_equal(found.rows, bm25.search(asked, 4).rows)
    alone = bm25.search(Rocchio(beta=0.0)(asked, bm25), 4)
    np.testing.assert_array_equal(alone.rows, found.rows)


def test_rocchio_by_hand(bm25: BM25Retriever) -> None:
    expanded = Rocchio(beta=0.5, feedback_items=2, feedback_terms=1)(Queries.of(["cat"]), bm25)
    # Of length 1: (cat, dog) / sqrt 2 and (cat, 2 bird, eel) / sqrt 6. Bird, 1 / sqrt 6, is stronger than dog.
    cat = 1 + 0.5 * (1 / math.sqrt(2) + 1 / math.sqrt(6)) / 2
    assert _weights(expanded, bm25) == pytest.approx({"cat": COMMON * cat, "bird": RARE * 0.5 / math.sqrt(6)})


def test_rocchio_moves_away_from_the_last_items(bm25: BM25Retriever) -> None:
    away = Rocchio(beta=0.5, gamma=0.25, feedback_items=1, depth=2)
    cat = 1 + 0.5 / math.sqrt(2) - 0.25 / math.sqrt(6)
    expected = {"cat": COMMON * cat, "dog": COMMON * 0.5 / math.sqrt(2)}
    assert _weights(away(Queries.of(["cat"]), bm25), bm25) == pytest.approx(expected), "bird and eel fall below 0"
    # The only hit is relevant, so that nothing is not.
    assert _weights(away(Queries.of(["fish"]), bm25), bm25) == pytest.approx({"fish": RARE * 1.5})


def test_each_query_has_feedback_of_its_own_and_keeps_its_owner(bm25: BM25Retriever) -> None:
    queries = Queries(np.array([0, 0, 1]), ("cat", "newt", "horse"))
    together = RM3()(queries, bm25)
    assert together.owners.tolist() == [0, 0, 1]
    for place, text in enumerate(queries.texts):
        alone = RM3()(Queries.of([text]), bm25)
        assert _weights(together, bm25, place) == pytest.approx(_weights(alone, bm25))
    assert _weights(together, bm25, 2) == {}, "what finds nothing says nothing"


class Letters:
    """A sparse encoder whose dimensions are no terms: how often a text has each letter."""

    similarity: Similarity = "dot"

    def fingerprint(self) -> str:
        return "letters"

    def encode_queries(self, contents: Sequence[str | Media]) -> SparseVectors:
        texts = texts_of(contents, self)
        counts = np.array([[text.count(letter) for letter in string.ascii_lowercase] for text in texts], np.float32)
        indptr = np.arange(0, counts.size + 1, 26, dtype=np.int64)
        return SparseVectors(indptr, np.tile(np.arange(26, dtype=np.int32), len(texts)), counts.ravel(), 26)

    def encode_items(self, items: Sequence[Item]) -> SparseVectors:
        return self.encode_queries([item.text for item in items])


def _letters(*texts: str) -> EncodedRetriever[Encoder]:
    collection, index = MemoryCollection(texts), ImpactIndex(26)
    index.add(collection.rows(), Letters().encode_items(collection.get(collection.rows())))
    return EncodedRetriever(collection, Letters(), index)


def test_latent_feedback_adds_what_items_are_and_keeps_the_strongest_dimensions() -> None:
    retriever = _letters("aabbbc", "cd")
    expanded = Rocchio(feedback_items=1, feedback_terms=1, beta=1.0)(Queries.of(["a", "zz"]), retriever)
    assert isinstance(expanded.states, SparseVectors)
    dense = matrix(expanded.states)
    # The first item is (2 a, 3 b, 1 c) / sqrt 14; c is cut.
    np.testing.assert_allclose(dense[0, :3], [1 + 2 / math.sqrt(14), 3 / math.sqrt(14), 0], rtol=1e-6)
    assert not dense[1].any()
    assert retriever.search(expanded, 2).rows.tolist() == [[0, -1], [-1, -1]]


def test_an_empty_collection_gives_no_feedback(tmp_path: Path) -> None:
    retriever = BM25().index(MemoryCollection([]), tmp_path / "index")
    for expansion in RM3(), Rocchio(gamma=0.1):
        assert (retriever.search(expansion(Queries.of(["cat"]), retriever), 2).rows == -1).all()


def test_is_a_query_generator_over_a_retriever(bm25: BM25Retriever) -> None:
    generator = ExpandedQuery(InputQuery(), RM3(feedback_items=2), bm25)
    assert isinstance(generator, QueryGenerator)
    assert isinstance(RM3(), QueryExpansion)
    access = InformationAccess(bm25, generator)
    assert set(access.search([Example("1", "cat")], 4).rows[0].tolist()) == {0, 1, 2, -1}


def test_is_chosen_by_an_experiment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bm25 = {"class_path": "reml.retrievers.bm25.BM25"}
    expansions = {"rm3": {"feedback_items": 3}, "rocchio": {"beta": 0.5, "gamma": 0.1}}
    access = {"plain": {"retriever": bm25}} | {
        name: {
            "retriever": bm25,
            "expansion": {"class_path": f"reml.access.querying.relevance_feedback.{kind}", "init_args": settings},
        }
        for kind, (name, settings) in zip(["RM3", "Rocchio"], expansions.items(), strict=True)
    }
    config = write_experiment(tmp_path, access=access, train_on=None)
    found = {}
    for name in access:
        given = ["--config", str(config), "--home", str(tmp_path / "home"), "--by", name, "--query", "cotton"]
        assert main(["search", *given]) == 0
        found[name] = capsys.readouterr().out.count("(page ")
    assert found["plain"] == 1
    assert min(found["rm3"], found["rocchio"]) > 1, "words of the first item find others"


def test_refuses_retrievers_without_terms_or_vectors(bm25: BM25Retriever) -> None:
    with pytest.raises(ValueError, match="use Rocchio"):
        RM3()(Queries.of(["a"]), _letters("ab"))
    fused = FusedRetriever(bm25.collection, [bm25, bm25], constant=60, depth=5)
    with pytest.raises(ValueError, match="FusedRetriever has no encoder"):
        Rocchio()(Queries.of(["cat"]), fused)
    with pytest.raises(ValueError, match="expand once"):
        RM3()(RM3()(Queries.of(["cat"]), bm25), bm25)


def test_refuses_settings_out_of_range() -> None:
    for wrong in 0, -1:
        with pytest.raises(ValueError, match="1 or more"):
            RM3(feedback_items=wrong)
        with pytest.raises(ValueError, match="1 or more"):
            Rocchio(feedback_terms=wrong)
    with pytest.raises(ValueError, match=r"0 to 1, not 1\.5"):
        RM3(original_query_weight=1.5)
    with pytest.raises(ValueError, match=r"0 or more, not 1\.0, -0\.5"):
        Rocchio(beta=-0.5)
    with pytest.raises(ValueError, match="depth"):
        Rocchio(depth=5)


class TestRM3(QueryExpansionContract):
    def make(self) -> QueryExpansion:
        return RM3(feedback_items=2)

    def retriever(self, folder: Path) -> Retriever:
        return BM25().index(MemoryCollection(ENGLISH), folder / "bm25")


class TestRocchio(TestRM3):
    def make(self) -> QueryExpansion:
        return Rocchio(feedback_items=2)
