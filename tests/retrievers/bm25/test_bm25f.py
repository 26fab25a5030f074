from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.access.querying.relevance_feedback import RM3
from reml.collection.disk import DiskCollection, build_collection
from reml.contract.examples import Json, Page
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Indexer, Retriever
from reml.contract.vectors import SparseVectors
from reml.files.atomic import StaleError, digest
from reml.retrievers.bm25.bm25f import BM25F, FieldVariant
from reml.retrievers.bm25.retriever import BM25, BM25Retriever, Weighting
from reml.testing import IndexerContract, MemoryCollection
from reml.text.analysis import Analyser
from tests.dying import memory_folder
from tests.memory_pages import MemoryPages

WORDS = ("cat", "dog", "bird", "eel", "newt", "fish", "horse", "toad")
ASKED = Queries.of([*WORDS, "cat w9x dog w30x", "cat dog", "bird bird eel", "horse newt toad fish", "", "unheard"])
ITEMS = 60


class TestBM25FContract(IndexerContract):
    def make(self) -> Indexer:
        return BM25F(title_weight=2.5)


def _drawn(seed: int, most: int) -> list[str]:
    """Draw texts of 0 to `most` words, some of which are frequent and some rare."""
    generator = np.random.default_rng(seed)
    words, shares = [*WORDS, *(f"w{number}x" for number in range(40))], 1 / np.arange(1, 49)
    return [
        " ".join(generator.choice(words, generator.integers(0, most), p=shares / shares.sum())) for _ in range(ITEMS)
    ]


TITLES, TEXTS = _drawn(1, most=4), _drawn(2, most=20)
COLLECTION = MemoryCollection(TEXTS, TITLES)


def test_scores_by_hand(tmp_path: Path) -> None:
    collection = MemoryCollection(["dog dog bird", "cat", "bird"], titles=["cat", "dog", "eel"])
    chosen = BM25F(k1=1.0, b=0.5, title_weight=3.0, analyser=Analyser(stemmer="none"))
    hits = chosen.index(collection, tmp_path / "index").search(Queries.of(["cat"]), 3)
    # "cat" counts 3 in item 0, of length 3 + 3, and 1 in item 1, of length 3 + 1; item 2 is of length 3 + 1.
    idf, average = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5)), (6 + 4 + 4) / 3
    assert hits.rows.tolist() == [[0, 1, -1]]
    expected = [idf * 3 / (3 + 0.5 + 0.5 * 6 / average), idf * 1 / (1 + 0.5 + 0.5 * 4 / average)]
    np.testing.assert_allclose(hits.scores[0, :2], expected, rtol=1e-6)


@pytest.mark.parametrize("variant", get_args(FieldVariant))
def test_at_weight_1_it_is_bm25_to_the_last_bit(variant: FieldVariant, tmp_path: Path) -> None:
    plain = BM25(variant=variant, k1=1.3, b=0.7).index(COLLECTION, tmp_path / "plain")
    fielded = BM25F(variant=variant, k1=1.3, b=0.7).index(COLLECTION, tmp_path / "fielded")
    expected, found = plain.search(ASKED, ITEMS), fielded.search(ASKED, ITEMS)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.scores, expected.scores)
    anew = [retriever.score(ASKED, expected.rows).numpy() for retriever in (fielded, plain)]
    np.testing.assert_array_equal(anew[0], anew[1])


@pytest.mark.parametrize(
    ("weight", "titles", "title"), [(2.0, [f"{title} {title}" for title in TITLES], True), (0.0, TITLES, False)]
)
@pytest.mark.parametrize("variant", get_args(FieldVariant))
def test_a_title_of_weight_2_is_there_twice_and_of_weight_0_left_out(
    weight: float, titles: Sequence[str], title: bool, variant: FieldVariant, tmp_path: Path
) -> None:
    rebuilt = BM25(variant=variant, title=title).index(MemoryCollection(TEXTS, titles), tmp_path / "rebuilt")
    fielded = BM25F(variant=variant, title_weight=weight).index(COLLECTION, tmp_path / "fielded")
    expected, found = rebuilt.search(ASKED, ITEMS), fielded.search(ASKED, ITEMS)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-6)
    assert (found.mask == expected.mask).all()
    anew = [retriever.score(ASKED, expected.rows).numpy() for retriever in (fielded, rebuilt)]
    np.testing.assert_allclose(anew[0], anew[1], rtol=1e-6)
    other = BM25F(variant=variant).index(COLLECTION, tmp_path / "fielded").search(ASKED, ITEMS)
    assert not np.allclose(other.scores, expected.scores, rtol=0.01), "as those of another weight do not"


def _collection(folder: Path, texts: Sequence[str]) -> DiskCollection:
    """Build a collection in which each text is of a page whose title is two words of its own."""
    pages = [_page(number, text) for number, text in enumerate(texts)]
    return build_collection(MemoryPages(pages), folder)


def _page(number: int, text: str) -> Page:
    title = f"{WORDS[number % 8]} {WORDS[number * 3 % 8]}"
    return Page(f"p{number}", title, (title, text))


def _assert_fresh(retriever: Retriever, collection: DiskCollection, chosen: BM25F, folder: Path) -> None:
    """See that a retriever answers as one does that was just built for what the collection holds now."""
    expected = chosen.index(collection, folder / "fresh").search(ASKED, 30)
    shutil.rmtree(folder / "fresh")
    found = retriever.search(ASKED, 30)
    np.testing.assert_array_equal(found.mask, expected.mask)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5)
    scores = retriever.score(ASKED, expected.rows).numpy()
    np.testing.assert_allclose(scores, expected.scores, rtol=1e-5)  # so the ranking is the same but for ties


texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
# Each step adds some texts, deletes some of the rows there are, by their place, and may change the weight.
steps = st.lists(
    st.tuples(
        st.lists(texts, max_size=3), st.lists(st.integers(0, 30), max_size=3), st.sampled_from([0.0, 0.3, 1.0, 4.0])
    ),
    max_size=3,
)


@settings(max_examples=12)
@given(st.lists(texts, min_size=1, max_size=4), steps)
def test_after_any_history_scores_are_those_of_a_fresh_build(
    first: list[str], history: list[tuple[list[str], list[int], float]]
) -> None:
    with memory_folder() as folder:
        collection = _collection(folder / "collection", first)
        retriever = BM25F(title_weight=2.0).index(collection, folder / "index")
        for added, deleted, weight in history:
            collection.append_texts(added)
            rows = collection.rows()
            collection.delete(rows[[place for place in deleted if place < len(rows)]])
            _assert_fresh(retriever, collection, BM25F(title_weight=2.0), folder)
            other = BM25F(title_weight=weight)
            _assert_fresh(other.index(collection, folder / "index"), collection, other, folder)


def test_statistics_follow_the_collection_by_hand(tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", ["eel newt", "newt"])  # of "cat cat" and "dog eel"
    retriever = BM25F(title_weight=3.0).index(collection, tmp_path / "index")
    assert isinstance(retriever, BM25Retriever)
    collection.append_texts(["eel toad"])  # without a title
    collection.delete(np.array([1]))
    retriever.catch_up()
    statistics, terms = retriever.encoder.statistics, retriever.encoder.vocabulary.terms
    of_texts = {"eel": 2, "newt": 1, "toad": 1}
    for weight, there in (0.0, of_texts), (1.0, {**of_texts, "cat": 1}), (3.0, {**of_texts, "cat": 1}):
        frequencies = dict(zip(terms, statistics.at(weight).frequencies.tolist(), strict=True))
        assert {term: count for term, count in frequencies.items() if count} == there
    assert statistics.items == 2
    assert [statistics.at(weight).length for weight in (0.0, 1.0, 3.0)] == [4, 6, 10]


def test_another_weight_is_made_from_the_counts(tmp_path: Path) -> None:
    BM25F().index(COLLECTION, tmp_path / "index")
    counts = {path: path.stat().st_mtime_ns for path in (tmp_path / "index").glob("counts-*/*")}
    found = BM25F(title_weight=7.0, b=0.9).index(COLLECTION, tmp_path / "index").search(ASKED, ITEMS)
    expected = BM25F(title_weight=7.0, b=0.9).index(COLLECTION, tmp_path / "fresh").search(ASKED, ITEMS)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "index").glob("counts-*/*")} == counts


def test_counts_written_anew_fill_files_and_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reml.retrievers.bm25.folder.BATCH", 2)
    monkeypatch.setattr("reml.retrievers.bm25.counts.BATCH", 2)
    collection = _collection(tmp_path / "collection", [f"cat {word}" for word in WORDS])
    retriever = BM25F(title_weight=2.0).index(collection, tmp_path / "index")
    collection.delete(np.array([1, 2, 5]))
    _assert_fresh(retriever, collection, BM25F(title_weight=2.0), tmp_path)
    held = []
    for path in sorted((tmp_path / "index").glob("counts-*/*")):
        with np.load(path) as file:
            held.append(file["rows"].tolist())
    assert held == [[0, 0, 3, 3], [4, 4, 6, 6, 7, 7]]  # titles and texts of 0 to 7, without 1, 2 and 5


def test_it_and_bm25_refuse_the_folders_of_each_other(tmp_path: Path) -> None:
    BM25().index(COLLECTION, tmp_path / "plain")
    BM25F().index(COLLECTION, tmp_path / "fielded")
    with pytest.raises(StaleError, match="counted apart"):
        BM25F().index(COLLECTION, tmp_path / "plain")
    for other in BM25(), BM25(title=False):
        with pytest.raises(StaleError, match="Delete that folder"):
            other.index(COLLECTION, tmp_path / "fielded")


def test_what_bm25_made_before_keeps_its_names(tmp_path: Path) -> None:
    BM25().index(COLLECTION, tmp_path / "plain")
    settings_before: Json = {"variant": "lucene", "k1": 0.9, "b": 0.4, "delta": 0.5}
    impacts = f"impacts-{digest('bm25 weighting', settings_before)}"
    state = {path.name for path in (tmp_path / "plain").glob("state-*/*")}
    assert state == {"terms.json", "statistics.npz", "deleted.npy", impacts}
    assert Weighting("lucene", 0.9, 0.4, 0.5).fingerprint != Weighting("lucene", 0.9, 0.4, 0.5, 2.0).fingerprint


def test_queries_are_expanded_by_weighted_items(tmp_path: Path) -> None:
    collection = MemoryCollection(["dog dog bird", "eel"], titles=["cat", "newt"])
    retriever = BM25F(title_weight=3.0).index(collection, tmp_path / "index")
    assert isinstance(retriever, BM25Retriever)
    terms = retriever.encoder.item_terms(collection.get(np.array([0])))
    named = [retriever.encoder.vocabulary.terms[number] for number in terms.dimensions]
    assert dict(zip(named, terms.weights.tolist(), strict=True)) == {"cat": 3, "dog": 2, "bird": 1}
    expanded = RM3(feedback_items=1, original_query_weight=0.0)(Queries.of(["bird"]), retriever)
    assert isinstance(expanded.states, SparseVectors)
    weights = dict(zip(expanded.states.dimensions.tolist(), expanded.states.weights.tolist(), strict=True))
    assert [weights[number] / weights[terms.dimensions[0]] for number in terms.dimensions] == pytest.approx(
        [1, 2 / 3, 1 / 3]
    )


def test_encoders_of_different_weights_differ(tmp_path: Path) -> None:
    made = [BM25F(title_weight=weight).index(COLLECTION, tmp_path / "index") for weight in (1.0, 2.0)]
    prints = {retriever.encoder.fingerprint() for retriever in made if isinstance(retriever, BM25Retriever)}
    assert len(prints) == 2


@pytest.mark.parametrize("weight", [-0.5, math.nan, math.inf])
def test_a_weight_that_is_no_weight_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match=r"BM25F\.title_weight is (-0\.5|nan|inf), but must be 0 or more"):
        BM25F(title_weight=weight)


def test_variants_in_which_absent_terms_gain_are_refused() -> None:
    for variant in "bm25l", "bm25+", "bm26":
        with pytest.raises(ValueError, match=r"BM25F\.variant is .*, but must be one of 'robertson', 'lucene'"):
            BM25F(variant=variant)  # type: ignore[arg-type]
