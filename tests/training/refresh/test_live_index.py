from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.query_side import FrozenItems, QuerySideEncoder
from reml.access.querying import OutsideOwnPage
from reml.collection.disk import build_collection
from reml.contract.examples import OWN_PAGE, Example, Item, Page
from reml.contract.retrieved import Queries, Rows
from reml.contract.vectors import DenseVectors, Int64Array
from reml.index.faiss import FaissIndex
from reml.testing import MemoryCollection
from reml.training.refresh.live_examples import LiveRetrieval
from reml.training.refresh.live_index import LiveIndex
from tests.memory_pages import MemoryPages
from tests.truths import WIDTH, WordEncoder

TEXTS = ("red apple", "green pear", "blue plum", "black cherry", "white grape")
ASKED = Queries.of(("red fruit", "some plum"))


def rows_of(*rows: int) -> Int64Array:
    return np.array(rows, dtype=np.int64)


def index_of(encoder: WordEncoder, collection: MemoryCollection) -> FaissIndex:
    index = FaissIndex(WIDTH)
    index.add(collection.rows(), encoder.encode_items(collection.get(collection.rows())))
    return index


def encoder_of(seed: int) -> WordEncoder:
    torch.manual_seed(seed)
    return WordEncoder()


def become(encoder: WordEncoder, other: WordEncoder) -> None:
    """Let one encoder learn all that another one knows."""
    encoder.module.load_state_dict(other.module.state_dict())


def begun() -> tuple[LiveIndex, WordEncoder, MemoryCollection]:
    encoder, collection = encoder_of(1), MemoryCollection(TEXTS)
    return LiveIndex(EncodedRetriever(collection, encoder, index_of(encoder, collection))), encoder, collection


def products(asking: WordEncoder, holding: WordEncoder, collection: MemoryCollection) -> np.ndarray:
    queries, items = asking.encode_queries(ASKED.texts), holding.encode_items(collection.get(collection.rows()))
    return queries.values @ items.values.T


def test_queries_are_new_and_items_old_until_the_index_is_swapped() -> None:
    live, encoder, collection = begun()
    become(encoder, encoder_of(2))
    stale = products(encoder_of(2), encoder_of(1), collection)
    np.testing.assert_allclose(live.search(ASKED, 5).scores, -np.sort(-stale, axis=1), rtol=1e-5)
    live.swap(index_of(encoder, collection), step=7)
    fresh = products(encoder_of(2), encoder_of(2), collection)
    np.testing.assert_allclose(live.search(ASKED, 5).scores, -np.sort(-fresh, axis=1), rtol=1e-5)


def test_reembedding_scores_what_is_retrieved_with_new_vectors() -> None:
    """Of the 4 best by old vectors it gives the 2 best by new ones."""
    live, encoder, collection = begun()
    become(encoder, encoder_of(2))
    stale, fresh = (products(encoder_of(2), encoder_of(seed), collection) for seed in (1, 2))
    hits = live.search(ASKED, 2, reembed=4)
    for query in range(2):
        found = np.argsort(-stale[query], kind="stable")[:4]
        expected = found[np.argsort(-fresh[query][found], kind="stable")][:2]
        assert hits.rows[query].tolist() == expected.tolist()
        np.testing.assert_allclose(hits.scores[query], fresh[query][expected], rtol=1e-5)
    assert hits.rows.tolist() != live.search(ASKED, 2).rows.tolist()


def test_reembedding_more_than_there_is_gives_the_very_best() -> None:
    live, encoder, collection = begun()
    become(encoder, encoder_of(2))
    fresh = products(encoder_of(2), encoder_of(2), collection)
    expected = np.argsort(-fresh, axis=1, kind="stable")[:, :3]
    assert live.search(ASKED, 3, reembed=9).rows.tolist() == expected.tolist()
    assert live.search(ASKED, 7, reembed=9).rows[:, 5:].tolist() == [[-1, -1]] * 2


class DroppingEncoder(WordEncoder):
    """Has dropout where it encodes with gradient, and none for an index, as encoders do."""

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        return functional.dropout(super().item_vectors(items), 0.5)

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        return DenseVectors(super().item_vectors(items).detach().numpy())


def test_reembedding_has_no_dropout() -> None:
    encoder, collection = DroppingEncoder(), MemoryCollection(TEXTS)
    live = LiveIndex(EncodedRetriever(collection, encoder, index_of(encoder, collection)))
    np.testing.assert_allclose(live.search(ASKED, 3, reembed=5).scores, live.search(ASKED, 3).scores, rtol=1e-5)


def test_each_vector_knows_the_step_that_made_it() -> None:
    live, encoder, collection = begun()
    assert live.age(10) == 10.0
    live.swap(index_of(encoder, collection), step=6)
    assert live.age(10) == 4.0
    become(encoder, encoder_of(2))
    live.replace(rows_of(1, 4), encoder.encode_items(collection.get(rows_of(1, 4))), step=9)
    assert live.age(10) == (3 * 4 + 2 * 1) / 5
    assert live.age_of(rows_of(4, 0, -1), 10) == (1 + 4) / 2
    assert live.age_of(rows_of(-1), 10) == 0.0
    assert live.replaced == 2


def test_replaced_vectors_are_searched_and_the_others_stay() -> None:
    live, encoder, collection = begun()
    become(encoder, encoder_of(2))
    live.replace(rows_of(1, 4), encoder.encode_items(collection.get(rows_of(1, 4))), step=9)
    expected = products(encoder_of(2), encoder_of(1), collection)
    expected[:, [1, 4]] = products(encoder_of(2), encoder_of(2), collection)[:, [1, 4]]
    hits = live.search(ASKED, 5)
    np.testing.assert_array_equal(hits.rows, np.argsort(-expected, axis=1, kind="stable"))


def test_where_queries_alone_learn_no_vector_ages() -> None:
    _, encoder, collection = begun()
    asking = QuerySideEncoder(encoder_of(1), FrozenItems(encoder))
    live = LiveIndex(EncodedRetriever(collection, asking, index_of(encoder, collection)))
    assert live.age(10) == 0.0
    assert live.age_of(rows_of(1), 10) == 0.0


def test_items_are_ranked_by_how_often_they_were_retrieved_since_they_were_encoded() -> None:
    live, encoder, collection = begun()
    live.count(np.array([[3, 1], [3, -1]]))
    live.count(np.array([[3, 2], [1, 0]]))
    assert live.most_retrieved(2).tolist() == [1, 3]
    assert live.most_retrieved(3).tolist() == [0, 1, 3], "0 and 2 were retrieved equally often"
    live.replace(rows_of(3), encoder.encode_items(collection.get(rows_of(3))), step=1)
    assert live.most_retrieved(1).tolist() == [1]
    again, _, _ = begun()
    again.load_state_dict(live.state_dict())
    assert again.most_retrieved(9).tolist() == live.most_retrieved(9).tolist() == [0, 1, 2]
    live.swap(index_of(encoder, collection), step=2)
    assert live.most_retrieved(9).tolist() == []


def test_counts_of_nothing_are_kept_too() -> None:
    live, *_ = begun()
    again, *_ = begun()
    again.load_state_dict(live.state_dict())
    assert again.most_retrieved(9).tolist() == []


def test_what_a_query_may_not_find_takes_no_place() -> None:
    live, encoder, collection = begun()
    scores = products(encoder, encoder, collection)
    best = np.argsort(-scores, axis=1, kind="stable")
    hidden = replace(ASKED, only=Rows.of([best[0, :1], best[1, 1:3]], excluded=True))
    for reembed in (None, 3):
        assert live.search(hidden, 2, reembed=reembed).rows.tolist() == [
            best[0, 1:3].tolist(),
            best[1, [0, 3]].tolist(),
        ]


def test_the_own_page_is_not_retrieved_while_training_goes_on(tmp_path: Path) -> None:
    pages = [Page(str(row), text, (text, text)) for row, text in enumerate(TEXTS)]
    collection, encoder = build_collection(MemoryPages(pages), tmp_path / "pages"), encoder_of(1)
    index = FaissIndex(WIDTH)
    index.add(collection.rows(), encoder.encode_items(collection.get(collection.rows())))
    live = LiveIndex(EncodedRetriever(collection, encoder, index))
    examples = [Example("a", "red fruit", meta={OWN_PAGE: "0"}), Example("b", "some plum", meta={OWN_PAGE: "2"})]
    found = LiveRetrieval(live, 4, OutsideOwnPage())(examples).rows
    assert [sorted(row) for row in found.tolist()] == [[1, 2, 3, 4], [0, 1, 3, 4]]
    assert sorted(LiveRetrieval(live, 5)(examples).rows[0].tolist()) == [0, 1, 2, 3, 4]
