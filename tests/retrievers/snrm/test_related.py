"""Outputs that related words share: what is learnt of an encoder, what it does, and that it goes on when killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.retrievers import TrainableIndexer
from reml.contract.vectors import DenseVectors
from reml.files.atomic import StaleError
from reml.files.shared_folder import LAYOUT
from reml.retrievers.dense import Dense
from reml.retrievers.encoders.sparse_encoder import SparseEncoder, TextCut
from reml.retrievers.snrm.candidates import Candidates
from reml.retrievers.snrm.network import Layers, NgramNetwork
from reml.retrievers.snrm.related import LOUD, Related, ridge
from reml.retrievers.snrm.snrm import SNRM
from reml.testing import MemoryCollection, TrainableIndexerContract

CUT = TextCut(query_tokens=20, item_tokens=40, title=False, precision="float32")
# Words of one topic have nothing in common but what the encoder makes of them.
TOPICS = [[f"{first}{second}{end}" for second in "aeiou" for end in "bdgkm"] for first in "bdfgklmn"]
TOPIC_OF = {word: number for number, words in enumerate(TOPICS) for word in words}


class TopicEncoder:
    """Gives an item the shares that topics have of its words, in a space of 16 dimensions."""

    similarity = "dot"

    def __init__(self) -> None:
        self.encoded = 0
        self.broken = False
        self.space = np.random.default_rng(1).normal(size=(len(TOPICS), 16))

    def fingerprint(self) -> str:
        return "topics"

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        if self.broken and self.encoded:
            raise KeyboardInterrupt
        self.encoded += len(items)
        known = [[TOPIC_OF[word] for word in item.text.split() if word in TOPIC_OF] for item in items]
        shares = np.array([np.bincount(topics, minlength=len(TOPICS)) for topics in known]) @ self.space
        return DenseVectors(shares.astype(np.float32))


ENCODER = TopicEncoder()


class Topics(Dense):
    """Dense retrieval by topics."""

    def encoder(self, collection: object, folder: Path) -> Any:
        return ENCODER


RELATED = Related(dense=Topics(), outputs=40, of_word=4, width=8)


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> TopicEncoder:
    made = TopicEncoder()
    monkeypatch.setattr(f"{__name__}.ENCODER", made)
    return made


def texts(count: int = 400) -> list[str]:
    """Each is of two topics, five words of one and three of the other."""
    generator = np.random.default_rng(0)
    pairs = [generator.choice(len(TOPICS), 2, replace=False) for _ in range(count)]
    return [" ".join([*generator.choice(TOPICS[one], 5), *generator.choice(TOPICS[other], 3)]) for one, other in pairs]


def settings(related: Related | None = RELATED, width: int = 600, **changes: Any) -> SNRM:
    return SNRM(embeddings=None, layers=Layers(width=width), cut=CUT, related=related, **changes)


def network_of(folder: Path, snrm: SNRM | None = None, items: Sequence[str] | None = None) -> NgramNetwork:
    shown = items or texts()
    network = (snrm or settings()).encoder(MemoryCollection(shown, [""] * len(shown)), folder).module
    assert isinstance(network, NgramNetwork)
    return network


class TestRelated(TrainableIndexerContract):
    @pytest.fixture(autouse=True)
    def _few_texts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("reml.retrievers.snrm.related.LEAST", 1)

    def make(self) -> TrainableIndexer[SparseEncoder]:
        return settings(replace(RELATED, outputs=2, of_word=1))


def test_a_regression_is_solved() -> None:
    generator = np.random.default_rng(0)
    features = generator.random((60, 20)) * (generator.random((60, 20)) < 0.3)
    # A column of zeros, as some encoders have them, has the solution 0.
    targets = np.hstack([generator.normal(size=(60, 3)), np.zeros((60, 1))]).astype(np.float32)
    solved = ridge(csr_array(features.astype(np.float32)), targets, 0.3)
    exact = np.linalg.solve(features.T @ features + 0.3 * np.eye(20), features.T @ targets)
    np.testing.assert_allclose(solved, exact, rtol=1e-3, atol=1e-4)


def test_words_of_one_topic_share_outputs_and_others_do_not(tmp_path: Path) -> None:
    network = network_of(tmp_path, settings(replace(RELATED, of_word=3)))
    words = [word for some in TOPICS for word in some]
    ids = torch.tensor([network.lexicon.number_of(word) for word in words])[:, None]
    with torch.no_grad():
        on = network(ids, ids > 0, asked=True)[:, -RELATED.outputs :] > 0
    # A direction that is a word's own is one of its nearest, so that no word goes without.
    assert (on.sum(1) >= 1).all()
    assert (on.sum(1) <= 3).all()
    shared = (on.float() @ on.float().T > 0).numpy()
    topic = np.array([TOPIC_OF[word] for word in words])
    same = topic[:, None] == topic
    assert shared[same].mean() > 0.4
    assert shared[~same].mean() < 0.05


def test_an_item_without_a_word_of_the_query_is_found_by_what_is_related(tmp_path: Path) -> None:
    items = [*texts(), "bab bed big", "dab ded dig"]
    collection = MemoryCollection(items, [""] * len(items))
    found = settings(replace(RELATED, of_word=8)).index(collection, tmp_path / "related")
    plain = settings(None).index(collection, tmp_path / "plain")
    query = Queries.of(["bak bem bog"])
    lexical = set(plain.search(query, 400).rows[0].tolist())
    assert len(items) - 2 not in lexical
    rows = found.search(query, 400).rows[0].tolist()
    assert len(items) - 2 in rows[:100]
    assert len(items) - 1 not in rows[:100]


def test_outputs_are_as_loud_as_words_are_far_from_the_middle_and_count_in_queries_as_said(tmp_path: Path) -> None:
    network, other = network_of(tmp_path / "one"), network_of(tmp_path / "two", settings(replace(RELATED, weight=0.3)))
    ids = torch.arange(1, 1 + len(network.lexicon.terms))[:, None]
    first, size = network.width - RELATED.outputs, network.embedding.weight.shape[1]
    with torch.no_grad():
        asked, louder = (one(ids, ids > 0, asked=True) for one in (network, other))
        shown, same = (one(ids, ids > 0) for one in (network, other))
        loud = network.embedding(ids)[:, 0]
    assert size == 100 + 1 + 8 + 1
    assert network.weights is not None
    torch.testing.assert_close(shown, same)
    torch.testing.assert_close(asked[:, :first], louder[:, :first])
    torch.testing.assert_close(asked[:, first:] * 10, louder[:, first:])
    # idf times LOUD times the length of the word's vector, of which the embedding keeps c s with the threshold c t.
    lengths = (asked[:, first:] / RELATED.weight).norm(dim=1)
    assert (loud[:, 100] > 0).all()
    ratio = (lengths / (loud[:, 100] * LOUD)).numpy()
    assert 0.01 < ratio.min() < ratio.max() < 2


def test_what_is_shared_has_a_gradient_that_codes_alone_do_not_have(tmp_path: Path) -> None:
    query, item = "bab bed", "big bok bum"
    grads = []
    for related in (RELATED, None):
        network = network_of(tmp_path / str(related is None), settings(related))
        ids = [torch.tensor(network.tokenise([text], 9)) for text in (query, item)]
        score = (network(ids[0], ids[0] > 0, asked=True) * network(ids[1], ids[1] > 0)).sum()
        score.backward()
        assert network.gains is not None
        assert network.gains.weight.grad is not None
        grads.append(float(network.gains.weight.grad.abs().sum()))
    assert grads[0] > 1e-3
    assert grads[1] < 1e-6


def test_a_saved_network_comes_back_with_its_weights(tmp_path: Path) -> None:
    network = network_of(tmp_path / "start")
    with torch.no_grad():
        assert network.weights is not None
        network.weights[-1] = 3.0
    network.save(tmp_path / "model")
    again = NgramNetwork.load(tmp_path / "model")
    assert again.related == RELATED.outputs
    assert again.fingerprint == network.fingerprint
    ids = torch.arange(1, 30)[None]
    with torch.no_grad():
        torch.testing.assert_close(again(ids, ids > 0, asked=True), network(ids, ids > 0, asked=True))
        assert again._newest_candidates().enough
        several = torch.arange(1, 61).reshape(4, 15)
        again._candidates = Candidates(again, None)
        few = again(several, several > 0)
    torch.testing.assert_close(few, again(several, several > 0).detach(), rtol=1e-4, atol=1e-4)


def test_a_saved_network_is_not_taken_for_one_whose_words_are_related(tmp_path: Path) -> None:
    model, items = str(tmp_path / "model"), MemoryCollection(["a"], [""])
    network_of(tmp_path / "start", settings(None)).save(Path(model))
    with pytest.raises(ValueError, match="was made with related False, and True is asked for"):
        settings(model=model).encoder(items, tmp_path / "other")
    settings(None, model=model).encoder(items, tmp_path / "same")


def test_a_killed_start_goes_on_from_what_was_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: TopicEncoder
) -> None:
    monkeypatch.setattr("reml.retrievers.snrm.related.SHARD", 150)
    encoder.broken = True
    with pytest.raises(KeyboardInterrupt):
        network_of(tmp_path / "start")
    assert encoder.encoded == 150
    encoder.broken = False
    first = network_of(tmp_path / "start")
    assert encoder.encoded == 400
    network_of(tmp_path / "start")
    assert encoder.encoded == 400
    other = network_of(tmp_path / "other")
    torch.testing.assert_close(first.embedding.weight, other.embedding.weight)


def test_what_is_encoded_serves_all_of_one_home(tmp_path: Path, encoder: TopicEncoder) -> None:
    (tmp_path / LAYOUT).touch()
    network_of(tmp_path / "one" / "start", settings(seed=1))
    network_of(tmp_path / "two" / "start", settings(replace(RELATED, penalty=1.0), seed=2))
    assert encoder.encoded == 400
    assert sorted(path.name for path in tmp_path.iterdir()) == [LAYOUT, "one", "related", "two"]
    network_of(tmp_path / "three" / "start", items=texts(300))
    assert encoder.encoded == 700


def test_there_are_no_more_outputs_than_words(tmp_path: Path) -> None:
    network = network_of(tmp_path, settings(replace(RELATED, outputs=1_000)))
    assert network.related == sum(map(len, TOPICS))
    assert network.width == 600


def test_of_a_large_collection_some_items_are_read(tmp_path: Path, encoder: TopicEncoder) -> None:
    network_of(tmp_path, settings(replace(RELATED, items=150)))
    assert encoder.encoded == 134  # every third of 400


def test_settings_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not on 40 of 40: lower `of_word`, or raise `outputs`"):
        replace(RELATED, of_word=40)
    with pytest.raises(ValueError, match="`related` words are for a start from codes: leave them out, or `start: ran"):
        settings(start="random")
    with pytest.raises(ValueError, match=r"2 words stand in 3 items or more, .* to 4 of them: leave out `related`, or"):
        network_of(tmp_path / "few", items=["bab bed", "bab bed", "bab bed"])
    assert ENCODER.encoded == 0
    with pytest.raises(
        ValueError, match="40 outputs leave none for codes beside those that are related: raise `width`"
    ):
        network_of(tmp_path / "narrow", settings(width=40))
    network_of(tmp_path / "start")
    with pytest.raises(StaleError):
        network_of(tmp_path / "start", settings(replace(RELATED, penalty=1.0)))
