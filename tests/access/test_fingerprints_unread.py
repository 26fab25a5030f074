"""A fingerprint reads all weights: nothing asks for it but what builds an index or begins a training run."""

from __future__ import annotations

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.retrieved import Queries
from reml.index.faiss import FaissIndex
from reml.testing import MemoryCollection
from reml.training.refresh.live_index import LiveIndex
from tests.truths import WIDTH, WordEncoder

ASKED = Queries.of(["red fruit"])


class CountingEncoder(WordEncoder):
    """Counts how often its fingerprint is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def fingerprint(self) -> str:
        self.asked += 1
        return super().fingerprint()


def made() -> tuple[CountingEncoder, EncodedRetriever[CountingEncoder]]:
    collection, encoder, index = MemoryCollection(["red apple", "blue plum"]), CountingEncoder(), FaissIndex(WIDTH)
    index.add(collection.rows(), encoder.encode_items(collection.get(collection.rows())))
    return encoder, EncodedRetriever(collection, encoder, index)


def test_a_retriever_is_made_and_searched_without_it() -> None:
    encoder, retriever = made()
    retriever.score(ASKED, retriever.search(ASKED, 2).rows)
    assert encoder.asked == 0


def test_a_live_index_scores_anew_without_it() -> None:
    encoder, retriever = made()
    live = LiveIndex(retriever)
    live.search(ASKED, 1, reembed=2)
    live.swap(retriever.index, step=1)
    live.search(ASKED, 1, reembed=2)
    assert encoder.asked == 0
