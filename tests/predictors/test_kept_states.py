from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers.processors import BertProcessing
from transformers import PreTrainedTokenizerFast

from reml.access.responses import gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits, Queries
from reml.devices.work import Work
from reml.files.shared_folder import LAYOUT
from reml.predictors.late_reader import LateReader
from reml.predictors.reading.encoding import frozen_reader
from reml.retrievers.dense import Dense
from reml.retrievers.encoders.dense_encoder import DenseEncoder, Encoding
from reml.retrievers.encoders.kept_states import KeptStates
from reml.testing import MemoryCollection
from reml.text.frozen_states import _SHELVES

TOKENS = 16
TEXTS = ["the capital is n'djamena", "its capital is lima", "rivers run to the sea " * 8, ""]


@pytest.fixture(scope="module")
def framed_bert(tiny_bert: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny BERT, with a tokeniser that puts its special tokens around a text, as BERT's own does."""
    folder = tmp_path_factory.mktemp("framed") / "bert"
    shutil.copytree(tiny_bert, folder)
    tokeniser = PreTrainedTokenizerFast.from_pretrained(folder)
    ends = ((str(one), tokeniser.convert_tokens_to_ids(one)) for one in (tokeniser.sep_token, tokeniser.cls_token))
    tokeniser.backend_tokenizer.post_processor = BertProcessing(*ends)
    tokeniser.save_pretrained(folder)
    return str(folder)


def in_another_process() -> None:
    frozen_reader.cache_clear()
    _SHELVES.clear()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / LAYOUT).write_text("{}", encoding="utf-8")
    return tmp_path


@pytest.fixture
def collection() -> MemoryCollection:
    return MemoryCollection(TEXTS, ["Chad", "Peru", "Water", "Nothing"])


def dense(model: str, **settings: object) -> Dense:
    encoding = Encoding(max_tokens=TOKENS + 2, **settings)  # type: ignore[arg-type]
    return Dense(model, encoding=encoding, keep_states=True)


def test_a_reader_makes_no_states_of_indexed_items(framed_bert: str, home: Path, collection: MemoryCollection) -> None:
    dense(framed_bert).index(collection, home / "indexes" / "dense")
    in_another_process()
    reader = LateReader(framed_bert, size=8, item_tokens=TOKENS, template_examples=1)
    reader.prepare({}, home / "prepared" / "reader")
    rows = np.arange(len(TEXTS))[None]
    found = gather(collection, Hits(rows, np.zeros(rows.shape, np.float32)))
    question = reader.states.of([np.array([5])], torch.device("cpu"))
    assert question
    assert reader.states.made == 1
    reader.eval().generate(Batch.of([Example("a", "capital", (Answer("lima"),))], found))
    assert reader.states.made <= 2  # the questions alone


def test_states_that_are_written_before_the_index_is_whole_lie_beside_it(
    framed_bert: str, tmp_path: Path, collection: MemoryCollection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside a home, too, and while it is encoded, as of a collection of more texts than a folder of states has."""
    monkeypatch.setattr("reml.text.frozen_states.FOLDER_TEXTS", 2)
    made = dense(framed_bert).index(collection, tmp_path / "index")
    assert made.search(Queries.of([TEXTS[0]]), 1).rows.tolist() == [[0]]
    assert list((tmp_path / "states").iterdir())


@pytest.mark.parametrize("pooling", ["mean", "cls", "max+lasttoken"])
def test_vectors_are_the_encoders(framed_bert: str, home: Path, collection: MemoryCollection, pooling: str) -> None:
    encoder = DenseEncoder.load(framed_bert, Encoding(max_tokens=TOKENS + 2, pooling=pooling))
    items = collection.get(np.arange(len(TEXTS)))
    kept = KeptStates(encoder, home / "index")
    np.testing.assert_allclose(kept.encode_items(items).values, encoder.encode_items(items).values, atol=2e-3)
    made = kept.states.made
    kept.states.save()
    in_another_process()
    again = KeptStates(encoder, home / "other")
    np.testing.assert_array_equal(again.encode_items(items).values, kept.encode_items(items).values)
    assert made == len(TEXTS)
    assert again.states.made == 0
    assert kept.encode_items([]).values.shape == (0, encoder.width)


def test_the_index_is_searched_as_any_other(framed_bert: str, home: Path, collection: MemoryCollection) -> None:
    plain = Dense(framed_bert, encoding=Encoding(max_tokens=TOKENS + 2)).index(collection, home / "plain")
    kept = dense(framed_bert).index(collection, home / "kept")
    queries = Queries.of(["capital of chad", "rivers"])
    np.testing.assert_array_equal(kept.search(queries, 2).rows, plain.search(queries, 2).rows)
    np.testing.assert_allclose(kept.search(queries, 2).scores, plain.search(queries, 2).scores, atol=2e-3)


def test_what_was_searched_is_not_encoded_again(framed_bert: str, home: Path, collection: MemoryCollection) -> None:
    found = dense(framed_bert).index(collection, home / "kept")
    found.search(Queries.of(["capital of chad", "rivers"]), 2)
    kept = KeptStates(DenseEncoder.load(framed_bert, Encoding(max_tokens=TOKENS + 2)), home / "other")
    kept.encode_queries(["rivers", "capital of chad"])
    assert kept.states.made == 0


def test_trained_weights_have_states_of_their_own(framed_bert: str, home: Path, collection: MemoryCollection) -> None:
    encoder = DenseEncoder.load(framed_bert, Encoding(max_tokens=TOKENS + 2))
    items = collection.get(np.arange(2))
    KeptStates(encoder, home / "one").encode_items(items)
    with torch.no_grad():
        next(iter(encoder.module.parameters())).mul_(1.5)
    changed = KeptStates(encoder, home / "two")
    changed.encode_items(items)
    assert changed.states.made == 2


def test_weights_that_are_trained_meanwhile_are_noticed(
    framed_bert: str, home: Path, collection: MemoryCollection
) -> None:
    encoder = DenseEncoder.load(framed_bert, Encoding(max_tokens=TOKENS + 2))
    items, kept = collection.get(np.arange(2)), KeptStates(encoder, home / "one")
    before = kept.encode_items(items).values
    with torch.no_grad():
        next(iter(encoder.module.parameters())).mul_(1.5)
    np.testing.assert_allclose(kept.encode_items(items).values, encoder.encode_items(items).values, atol=2e-3)
    assert np.abs(kept.encode_items(items).values - before).max() > 0.01
    assert kept.states.made == 4


def test_what_is_not_written_yet_is_known_to_the_next_that_asks(
    framed_bert: str, home: Path, collection: MemoryCollection
) -> None:
    items = collection.get(np.arange(len(TEXTS)))
    first, second = (DenseEncoder.load(framed_bert, Encoding(max_tokens=TOKENS + 2)) for _ in range(2))
    KeptStates(first, home / "one").encode_items(items)
    after = KeptStates(second, home / "two")
    after.encode_items(items)
    assert after.states.made == 0
    assert not list(home.glob("states/*"))


def test_each_batch_is_counted_as_it_is_made(framed_bert: str, home: Path) -> None:
    kept = KeptStates(DenseEncoder.load(framed_bert, Encoding(max_tokens=TOKENS + 2)), home / "one")
    work, seen = Work("encode", 4, "texts"), list[int]()
    kept.encoder.model.register_forward_hook(lambda *_: seen.append(work.done))
    ids = [np.arange(place, place + length) for place, length in enumerate((3, 1, 1, 2), start=5)]
    kept._pooled(ids, work)
    assert seen == [0, 2, 3]
    assert work.done == len(ids)
    kept._pooled(ids[:2], work)
    assert (work.done, kept.states.made) == (6, 4), "what is known counts, and is not made"


def test_items_with_a_prefix_are_refused(framed_bert: str, home: Path, collection: MemoryCollection) -> None:
    with pytest.raises(ValueError, match=r"has the prefixes \['passage: '\]. Leave out keep_states"):
        dense(framed_bert, item_prefix="passage: ").index(collection, home / "dense")


def test_outside_a_home_states_are_kept_in_the_folder_itself(framed_bert: str, tmp_path: Path) -> None:
    encoder = DenseEncoder.load(framed_bert, Encoding(max_tokens=TOKENS + 2))
    kept = KeptStates(encoder, tmp_path / "index")
    kept.encode_items(MemoryCollection(TEXTS).get(np.arange(2)))
    kept.states.save()
    assert list((tmp_path / "index" / "states").glob("states-*"))


def test_a_tokeniser_without_special_tokens_around_a_text_is_refused(
    tiny_bert: str, home: Path, collection: MemoryCollection
) -> None:
    with pytest.raises(ValueError, match=r"between \[CLS\] and \[SEP\]"):
        dense(tiny_bert).index(collection, home / "dense")


def test_damaged_states_are_not_read_and_made_again(
    framed_bert: str, home: Path, collection: MemoryCollection, caplog: pytest.LogCaptureFixture
) -> None:
    encoder, items = DenseEncoder.load(framed_bert, Encoding(max_tokens=TOKENS + 2)), collection.get(np.arange(4))
    kept = KeptStates(encoder, home / "index")
    whole = kept.encode_items(items).values
    kept.states.save()
    (values,) = home.rglob("values.npy")
    content = values.read_bytes()
    values.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for made in (len(TEXTS), 0):
        in_another_process()
        again = KeptStates(encoder, home / "index")
        np.testing.assert_array_equal(again.encode_items(items).values, whole)
        again.states.save()
        assert again.states.made == made
    assert "values.npy is not what was written. Its texts are encoded again." in caplog.text
    assert values.read_bytes() == content
