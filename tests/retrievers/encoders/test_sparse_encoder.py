from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reml.access.indexing import index_encoded
from reml.contract.retrieved import Queries
from reml.contract.retrievers import TrainableEncoder
from reml.files.atomic import StaleError
from reml.index.impact import Impact
from reml.retrievers.encoders.sparse_encoder import SparseEncoder, TextCut, to_sparse
from reml.retrievers.snrm.lexicon import Lexicon
from reml.retrievers.snrm.network import Layers, NgramNetwork
from reml.testing import TEXTS, MemoryCollection, TrainableEncoderContract, matrix
from reml.text.analysis import Analyser

TERMS = sorted({term for text in TEXTS for term in Analyser(stemmer="none")(text)})


def encoder(*, width: int = 40, **changes: object) -> SparseEncoder:
    torch.manual_seed(1)
    layers = Layers(window=2, hidden=(8,), width=width, dropout=0.5, pooling="mean")
    network = NgramNetwork(Lexicon(Analyser(stemmer="none"), TERMS), torch.randn(len(TERMS), 6), layers)
    settings = {"query_tokens": 20, "item_tokens": 20, "title": False, "precision": "float32", **changes}
    return SparseEncoder(network.eval(), TextCut(**settings))  # type: ignore[arg-type]


@given(st.integers(0, 6), st.integers(1, 9), st.integers(0, 2**31))
def test_sparse_vectors_are_the_dense_ones_without_zeros(count: int, width: int, seed: int) -> None:
    dense = np.maximum(np.random.default_rng(seed).normal(size=(count, width)), 0).astype(np.float32)
    sparse = to_sparse(torch.from_numpy(dense))
    assert (sparse.weights > 0).all()
    assert sparse.indptr.dtype == np.int64
    assert sparse.dimensions.dtype == np.int32
    np.testing.assert_array_equal(matrix(sparse), dense)


@pytest.mark.parametrize("size", [1, 2, 64])
def test_vectors_come_in_the_order_of_texts_whatever_the_batch(size: int) -> None:
    texts = ["fox river", "", *TEXTS, "dog"]
    model = encoder(batch_size=size)
    found = matrix(model.encode_queries(texts))
    expected = [encoder().query_vectors([text])[0].detach().numpy() for text in texts]
    np.testing.assert_allclose(found, np.stack(expected), atol=1e-6)
    np.testing.assert_allclose(model.query_vectors(texts).detach().numpy(), found, atol=1e-6)


def test_it_is_trainable_and_encoding_leaves_its_mode() -> None:
    model = encoder()
    assert isinstance(model, TrainableEncoder)
    model.module.train()
    first, second = matrix(model.encode_queries(TEXTS)), matrix(model.encode_queries(TEXTS))
    np.testing.assert_array_equal(first, second)  # no dropout
    assert model.module.training
    assert model.query_vectors(TEXTS).requires_grad


def test_nothing_gives_no_vectors() -> None:
    assert encoder().query_vectors([]).shape == (0, 40)
    assert len(encoder().encode_items([])) == 0


def test_texts_are_cut_and_titles_stand_before_them() -> None:
    (item,) = MemoryCollection(["dog and river"], ["fox"]).get(np.array([0]))
    titled = matrix(encoder(title=True).encode_items([item]))
    np.testing.assert_array_equal(titled, matrix(encoder().encode_queries(["fox dog and river"])))
    short = matrix(encoder(title=True, item_tokens=2).encode_items([item]))
    np.testing.assert_array_equal(short, matrix(encoder().encode_queries(["fox dog"])))
    np.testing.assert_array_equal(
        matrix(encoder(query_tokens=1).encode_queries(["fox dog"])), matrix(encoder().encode_queries(["fox"]))
    )


def test_hits_are_the_largest_dot_products(tmp_path: Path) -> None:
    """Items of 60 words drawn at random, against all products of dense vectors."""
    generator = np.random.default_rng(3)
    collection = MemoryCollection([" ".join(generator.choice(TERMS, 60)) for _ in range(50)])
    model = encoder(width=500, item_tokens=60)
    with torch.no_grad():
        list(model.module.parameters())[-1].sub_(0.15)
    queries = [" ".join(generator.choice(TERMS, 4)) for _ in range(20)]
    hits = index_encoded(model, Impact(), collection, tmp_path / "index").search(Queries.of(queries), 5)
    with torch.no_grad():
        items = model.item_vectors(collection.get(collection.rows()))
        products = model.query_vectors(queries) @ items.T
    assert 0.05 < float((items > 0).float().mean()) < 0.9, "some zeros, some not"
    best = products.topk(5)
    np.testing.assert_allclose(hits.scores, best.values.numpy(), rtol=1e-4)
    np.testing.assert_allclose(np.take_along_axis(products.numpy(), hits.rows, 1), best.values.numpy(), rtol=1e-4)


def test_a_killed_build_goes_on_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two shards fails the first time; the first shard is not encoded again."""
    collection, model, seen = MemoryCollection(TEXTS), encoder(), 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("reml.index.encoded_shards.encode_collection.__kwdefaults__", {"size": 3})
    with model.module.register_forward_hook(count):
        with pytest.raises(KeyboardInterrupt):
            index_encoded(model, Impact(), collection, tmp_path / "index")
        assert [path.name for path in tmp_path.iterdir()] == [".index.encoded"]
        retriever = index_encoded(model, Impact(), collection, tmp_path / "index")
    assert seen == 3
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
    assert len(retriever.index) == len(TEXTS)


def test_an_index_of_other_weights_is_refused(tmp_path: Path) -> None:
    collection = MemoryCollection(TEXTS)
    index_encoded(encoder(), Impact(), collection, tmp_path / "index")
    index_encoded(encoder(batch_size=1, precision="auto"), Impact(), collection, tmp_path / "index")
    trained = encoder()
    with torch.no_grad():
        next(trained.module.parameters())[1, 0] += 1e-3
    for other in (trained, encoder(item_tokens=3), encoder(title=True)):
        with pytest.raises(StaleError, match="encoder"):
            index_encoded(other, Impact(), collection, tmp_path / "index")


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="query_tokens must be 1 or more, not 0"):
        TextCut(query_tokens=0, item_tokens=1)
    with pytest.raises(ValueError, match=r"TextCut\.precision is 'half', but must be one of 'auto'"):
        TextCut(query_tokens=1, item_tokens=1, precision="half")  # type: ignore[arg-type]


class TestSparseEncoder(TrainableEncoderContract):
    trained = False

    def make(self) -> TrainableEncoder:
        return encoder()
