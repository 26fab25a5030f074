from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reml.contract.retrieved import Queries
from reml.contract.retrievers import ExplainingRetriever, TrainableIndexer
from reml.contract.vectors import SparseVectors
from reml.files.atomic import StaleError
from reml.retrievers.encoders.sparse_encoder import SparseEncoder, TextCut
from reml.retrievers.snrm.beginning import standardised
from reml.retrievers.snrm.lexicon import Lexicon
from reml.retrievers.snrm.network import Layers, NgramNetwork
from reml.retrievers.snrm.snrm import SNRM
from reml.testing import TEXTS, MemoryCollection, TrainableIndexerContract
from reml.text.analysis import Analyser

COLLECTION = MemoryCollection(["the boat on the river", "a boat by the bank", "money"], ["", "", ""])
CUT = TextCut(query_tokens=20, item_tokens=20, title=False, precision="float32")


def counting_network(terms: list[str]) -> NgramNetwork:
    """One word an n-gram, and a dimension for each word: its output is the share that each word has of a text."""
    layers = Layers(window=1, hidden=(), width=len(terms), pooling="mean")
    network = NgramNetwork(Lexicon(Analyser(stemmer="none"), terms), torch.eye(len(terms)), layers)
    with torch.no_grad():
        network.ngrams.weight.copy_(torch.eye(len(terms))[:, :, None])
    return network


class TestSNRM(TrainableIndexerContract):
    @pytest.fixture(autouse=True)
    def _saved(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.folder = tmp_path_factory.mktemp("snrm") / "model"
        counting_network(sorted({term for text in TEXTS for term in Analyser(stemmer="none")(text)})).save(self.folder)

    def make(self) -> TrainableIndexer[SparseEncoder]:
        return SNRM(model=str(self.folder), cut=CUT)


def small(**changes: object) -> SNRM:
    given = {"start": "random", "embeddings": None, "embedding_width": 4, "min_count": 1, "rare_rows": 0, "cut": CUT}
    settings: dict[str, object] = {**given, **changes}
    layers = Layers(hidden=(6,), width=30, pooling="mean")
    return SNRM(layers=layers, **settings)  # type: ignore[arg-type]


def known(settings: SNRM, folder: Path, words: list[str]) -> list[bool]:
    network = settings.encoder(COLLECTION, folder).module
    return [bool(ids) for ids in network.tokenise(words, 9)]


def test_words_that_are_frequent_in_the_collection_are_known(tmp_path: Path) -> None:
    words = ["boat", "river", "the", "zebu"]
    assert known(small(), tmp_path / "all", words) == [True, True, False, False]
    assert known(small(min_count=2), tmp_path / "frequent", words) == [True, False, False, False]
    with pytest.raises(ValueError, match="no term stands in 3 of the collection's 3 items: lower min_count"):
        small(min_count=3).encoder(COLLECTION, tmp_path / "none")


def test_embeddings_start_from_word_vectors_and_add_their_most_common_words(tmp_path: Path) -> None:
    vectors = tmp_path / "glove.txt"
    held = "river -1 0\nbank 0 1\nmoney 2 -1\n"
    vectors.write_text(f"zebu 1 2\nthe 3 4\nboat 5 6\nyak 7 8\n{held}", encoding="utf-8")
    settings = small(embeddings=str(vectors), common_words=3)
    assert known(settings, tmp_path / "start", ["boat", "zebu", "the", "yak"]) == [True, True, False, False]
    network = settings.encoder(COLLECTION, tmp_path / "start").module
    assert isinstance(network, NgramNetwork)
    ((boat, zebu),) = network.tokenise(["boat zebu"], 9)
    expected = standardised(np.array([[5, 6], [-1, 0], [0, 1], [2, -1], [1, 2]], dtype=np.float32))
    np.testing.assert_allclose(network.embedding.weight.detach()[[boat, zebu]], expected[[0, -1]], rtol=1e-5)


def test_word_vectors_are_freed_of_what_they_share() -> None:
    """The mean is (2, 2): (3, 4) and (-3, -4) are left, of length 5, and become of length sqrt(2)."""
    vectors = standardised(np.array([[5, 6], [-1, -2]], dtype=np.float32))
    np.testing.assert_allclose(vectors, np.array([[3, 4], [-3, -4]]) * 2**0.5 / 5, rtol=1e-6)


def test_an_encoder_is_kept_in_its_folder(tmp_path: Path) -> None:
    first = small().encoder(COLLECTION, tmp_path / "start")
    torch.rand(3)
    assert small().encoder(COLLECTION, tmp_path / "start").fingerprint() == first.fingerprint()
    assert isinstance(small(), TrainableIndexer)
    with pytest.raises(StaleError, match="Delete that folder"):
        small(min_count=2).encoder(COLLECTION, tmp_path / "start")
    with pytest.raises(StaleError, match="collection"):
        small().encoder(MemoryCollection(["another boat"]), tmp_path / "start")


def test_new_weights_follow_the_seed(tmp_path: Path) -> None:
    prints = []
    for number, seed in enumerate((1, 1, 2)):
        torch.manual_seed(seed)
        prints.append(small().encoder(COLLECTION, tmp_path / str(number)).fingerprint())
    assert prints[0] == prints[1] != prints[2]


def test_an_untrained_one_does_not_index(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ranks at random: give the access model a `train`"):
        small().index(COLLECTION, tmp_path / "index")


def test_queries_may_be_vectors_and_one_without_known_words_has_no_hits(tmp_path: Path) -> None:
    """As latent feedback makes them: the query is the vector of an item."""
    encoder = small().encoder(COLLECTION, tmp_path / "start")
    retriever = small().index_with(encoder, COLLECTION, tmp_path / "index")
    vectors = encoder.encode_items(COLLECTION.get(np.array([1])))
    assert isinstance(vectors, SparseVectors)
    queries = Queries(np.zeros(1, dtype=np.int64), ("feedback",), vectors)
    hits = retriever.search(queries, 3)
    np.testing.assert_allclose(retriever.score(queries, hits.rows).detach().numpy(), hits.scores, rtol=1e-4)
    assert hits.rows[0, 0] >= 0
    assert (retriever.search(Queries.of(["zebu and the yak"]), 3).rows == -1).all()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="min_count is 0, but must be 1 or more"):
        small(min_count=0)


def test_words_are_those_of_every_script_and_texts_without_any_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counting_network(["beyoncé", "東京", "京都"]).save(tmp_path / "model")
    collection = MemoryCollection(["Beyonce\u0301", "zebra", "東京都", "?!"])
    retriever = SNRM(model=str(tmp_path / "model"), cut=CUT).index(collection, tmp_path / "index")
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(
        "2 of 4 texts hold no word that is searched for, so that no query finds them; of the pages '1'"
    )
    found = retriever.search(Queries.of(["BEYONCÉ", "京都", "zebra"]), 1)
    assert found.rows.tolist() == [[0], [2], [-1]]
    assert isinstance(retriever, ExplainingRetriever)
    assert retriever.why_nothing("zebra") == "the encoder knows none of the query's words"
    assert retriever.why_nothing(" ") == "the query is empty"
