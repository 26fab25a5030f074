from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2LMHeadModel

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.contract.examples import Example, Item
from reml.contract.retrieved import Queries
from reml.contract.retrievers import DerivingIndexer, Indexer, TrainableIndexer
from reml.contract.vectors import MultiVectors
from reml.files.atomic import CorruptError, StaleError
from reml.index.faiss import Faiss
from reml.predictors.knn_lm import KnnLm
from reml.retrievers.states import States
from reml.retrievers.states.retriever import StatesRetriever
from reml.testing import MemoryCollection
from reml.testing.memory_collection import TEXTS
from reml.text.language_model import LanguageModel
from reml.text.state_encoder import StateEncoder
from tests.tiny_gpt2 import WIDTH, write_gpt2


def asked(states: torch.Tensor) -> Queries:
    return Queries(np.arange(len(states)), states=states)


def test_it_is_an_indexer_that_makes_rows_of_its_own_and_learns_nothing() -> None:
    assert isinstance(States(), Indexer)
    assert isinstance(States(), DerivingIndexer)
    assert not isinstance(States(), TrainableIndexer)


def test_each_token_but_the_first_of_a_passage_is_a_row_in_order(
    datastore: StatesRetriever, passages: MemoryCollection
) -> None:
    rows = datastore.collection.rows()
    targets, of = datastore.collection.values("target", rows), datastore.collection.values("passage", rows)
    tokeniser = datastore.encoder.model.tokeniser
    for passage, text in enumerate(TEXTS):
        tokens = tokeniser(text, add_special_tokens=False)["input_ids"]
        assert targets[of == passage].tolist() == tokens[1:]
    assert (np.diff(of) >= 0).all()
    assert targets.dtype == np.int64
    assert len(datastore.collection) == len(rows) == sum(len(text.encode()) - 1 for text in TEXTS)


def test_a_key_is_what_the_feed_forward_block_is_given_after_its_layer_norm(
    datastore: StatesRetriever, tiny_gpt2: str
) -> None:
    """Computed from the parts of GPT-2 by hand, the text alone in its batch."""
    model: Any = GPT2LMHeadModel.from_pretrained(tiny_gpt2)
    ids = torch.tensor([datastore.encoder.model.tokeniser(TEXTS[2], add_special_tokens=False)["input_ids"]])
    layer = model.transformer.h[-1]
    with torch.no_grad():
        before = model.transformer(ids, output_hidden_states=True).hidden_states[1]
        after = before + layer.attn(layer.ln_1(before))[0]
        expected = layer.ln_2(after)[0]
    keys = datastore.collection.keys[datastore.collection.values("passage", datastore.collection.rows()) == 2]
    np.testing.assert_allclose(keys, expected[:-1].numpy(), atol=1e-5)


def test_a_state_finds_the_place_it_comes_from_and_so_does_its_text(datastore: StatesRetriever) -> None:
    start = "Penguins breed on the i"
    state = torch.from_numpy(datastore.encoder.encode_queries([start]).values)
    by_state, by_text = datastore.search(asked(state), 3), datastore.search(Queries.of([start]), 3)
    np.testing.assert_array_equal(by_state.rows, by_text.rows)
    best = by_state.rows[:, 0]
    assert datastore.collection.values("passage", best).tolist() == [4]
    target = datastore.collection.values("target", best)
    assert datastore.encoder.model.tokeniser.decode(target) == "c"
    assert by_state.scores[0, 0] == pytest.approx(0, abs=1e-4)


def test_a_blank_text_finds_nothing(datastore: StatesRetriever) -> None:
    found = datastore.search(Queries.of([" ", "The"]), 2)
    assert found.mask.tolist() == [[False, False], [True, True]]


def test_hits_and_scores_are_those_of_brute_force(datastore: StatesRetriever) -> None:
    torch.manual_seed(1)
    states = torch.randn(7, WIDTH)
    found = datastore.search(asked(states), 11)
    distances = -torch.cdist(states.double(), torch.from_numpy(np.array(datastore.collection.keys)).double()).square()
    best = distances.topk(11, dim=1)
    np.testing.assert_array_equal(found.rows, best.indices.numpy())
    np.testing.assert_allclose(found.scores, best.values.numpy(), rtol=1e-5, atol=1e-4)
    anew = datastore.score(asked(states), np.where(np.arange(11) < 9, found.rows, -1))
    np.testing.assert_allclose(anew[:, :9].numpy(), found.scores[:, :9], rtol=1e-5, atol=1e-4)
    assert torch.isneginf(anew[:, 9:]).all()


def test_scores_move_the_state_that_asked_towards_its_neighbour(datastore: StatesRetriever) -> None:
    states = torch.randn(1, WIDTH, requires_grad=True)
    session = InformationAccess(datastore, limits=Limits(depth=2, k=1)).open([Example("1", "x")])
    found = session.ask(asked(states))
    found.scores.sum().backward()  # type: ignore[no-untyped-call]
    assert states.grad is not None
    key = datastore.collection.keys[found.rows[0, 0]]
    np.testing.assert_allclose(states.grad[0].numpy(), 2 * (key - states[0].detach().numpy()), rtol=1e-4, atol=1e-4)


def test_an_item_is_the_place_of_its_passage_and_no_text(
    datastore: StatesRetriever, passages: MemoryCollection
) -> None:
    collection = datastore.collection
    rows = np.array([200, 3, 200])
    items, of = collection.get(rows), collection.values("passage", rows)
    assert [item.row for item in items] == [200, 3, 200]
    expected = [replace(passages.get(of[[place]])[0], row=item.row, text="") for place, item in enumerate(items)]
    assert items == expected
    assert collection.values("page", rows).tolist() == passages.values("page", of).tolist()
    assert collection.values("words", rows).tolist() == [0, 0, 0]
    assert collection.values("target", np.array([[-1, 3]])).tolist() == [[0, collection.values("target", rows)[1]]]
    assert [[item.row for item in part] for part in collection.batches(2, len(collection) - 3)] == [
        [len(collection) - 3, len(collection) - 2],
        [len(collection) - 1],
    ]


def test_rows_that_are_not_there_are_named(datastore: StatesRetriever) -> None:
    count = len(datastore.collection)
    for ask in (datastore.collection.get, lambda rows: datastore.collection.values("target", rows)):
        with pytest.raises(KeyError, match=rf"rows \[{count}\] are not in the datastore of {count} token positions"):
            ask(np.array([0, count]))


def test_states_of_another_width_are_refused_with_both_widths(datastore: StatesRetriever) -> None:
    session = InformationAccess(datastore).open([Example("1", "x")])
    with pytest.raises(ValueError, match=r"width 16, and those of the datastore 32: ask with the states of the model"):
        session.ask(asked(torch.zeros(1, 16)))


def test_a_column_that_is_not_there_is_refused_with_those_there_are(datastore: StatesRetriever) -> None:
    session = InformationAccess(datastore).open([Example("1", "x")])
    found = session.ask()
    with pytest.raises(KeyError, match="no column 'token'; they have page, words, target, passage"):
        session.values("token", found)


def test_every_row_is_read_softly_without_an_item(datastore: StatesRetriever, monkeypatch: pytest.MonkeyPatch) -> None:
    session = InformationAccess(datastore, name="states").open([Example("1", "x")])
    found = session.ask(asked(torch.zeros(1, WIDTH)), k=0)
    assert found.rows.tolist() == [datastore.collection.rows().tolist()]
    np.testing.assert_allclose(found.scores[0].numpy(), -(datastore.collection.keys**2).sum(axis=1), rtol=1e-4)
    monkeypatch.setattr("reml.access.information_access.EVERY_ROW", len(datastore.collection) - 1)
    with pytest.raises(ValueError, match=rf"the collection of 'states' has {len(datastore.collection)}; at most"):
        session.ask(asked(torch.zeros(1, WIDTH)), k=0)


def test_it_opens_without_building_again_and_is_refused_to_another_model(
    tiny_gpt2: str, passages: MemoryCollection, tmp_path: Path
) -> None:
    made = States(tiny_gpt2).index(passages, tmp_path / "index")
    assert isinstance(made, StatesRetriever)
    reading = Reading(StateEncoder(made.encoder.model))
    again = States(tiny_gpt2).index_with(reading, passages, tmp_path / "index")  # type: ignore[arg-type]
    assert reading.read == []
    state = asked(torch.ones(1, WIDTH))
    np.testing.assert_array_equal(again.search(state, 5).rows, made.search(state, 5).rows)
    other = write_gpt2(tmp_path / "other", seed=1)
    with pytest.raises(StaleError, match="Delete that folder to have it built again"):
        States(other).index(passages, tmp_path / "index")


def test_a_flipped_bit_in_the_positions_is_told(tiny_gpt2: str, passages: MemoryCollection, tmp_path: Path) -> None:
    States(tiny_gpt2).index(passages, tmp_path / "index")
    for name in ("keys.f32", "target.i64", "passage.i64"):
        file = tmp_path / "index" / "positions" / name
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(CorruptError, match=rf"{name} is not what was written\. Delete .*/index to have it built"):
            States(tiny_gpt2).index(passages, tmp_path / "index")
        file.write_bytes(content)
    States(tiny_gpt2).index(passages, tmp_path / "index")


@dataclass
class Reading:
    """An encoder of states that says which items it was given, and is killed before the item of a row."""

    encoder: StateEncoder
    killed_at: int | None = None
    read: list[int] = field(default_factory=list)

    @property
    def model(self) -> LanguageModel:
        return self.encoder.model

    @property
    def similarity(self) -> str:
        return self.encoder.similarity

    def fingerprint(self) -> str:
        return self.encoder.fingerprint()

    def encode_queries(self, texts: list[str]) -> object:
        return self.encoder.encode_queries(texts)

    def item_tokens(self, items: list[Item]) -> list[list[int]]:
        return self.encoder.item_tokens(items)

    def encode_items(self, items: list[Item]) -> MultiVectors:
        if self.killed_at in [item.row for item in items]:
            raise KeyboardInterrupt
        self.read += [item.row for item in items]
        return self.encoder.encode_items(items)


def test_a_killed_build_leaves_nothing_half_and_goes_on_where_it_stopped(
    tiny_gpt2: str,
    passages: MemoryCollection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    datastore: StatesRetriever,
) -> None:
    monkeypatch.setattr("reml.retrievers.states.states.SHARD", 2)
    encoder, folder = StateEncoder(datastore.encoder.model), tmp_path / "index"
    with pytest.raises(KeyboardInterrupt):
        States(tiny_gpt2).index_with(Reading(encoder, killed_at=3), passages, folder)  # type: ignore[arg-type]
    assert not folder.exists()
    second = Reading(encoder)
    made = States(tiny_gpt2).index_with(second, passages, folder)  # type: ignore[arg-type]
    assert second.read == [2, 3, 4]
    np.testing.assert_allclose(made.collection.keys, datastore.collection.keys, atol=1e-5)
    rows = made.collection.rows()
    for column in ("target", "passage"):
        np.testing.assert_array_equal(made.collection.values(column, rows), datastore.collection.values(column, rows))
    assert [path.name for path in tmp_path.iterdir() if path.name != "index" and not path.name.endswith(".lock")] == []


def test_states_that_a_predictor_lends_make_the_same_datastore(
    tiny_gpt2: str, passages: MemoryCollection, tmp_path: Path, datastore: StatesRetriever
) -> None:
    lender = KnnLm(tiny_gpt2)
    encoder = lender.encoder("states")
    assert encoder.module is lender.lm
    lent = States(tiny_gpt2).index_with(encoder, passages, tmp_path / "index")
    np.testing.assert_allclose(lent.collection.keys, datastore.collection.keys, atol=1e-6)
    former = encoder.fingerprint()
    with torch.no_grad():
        next(iter(lender.lm.parameters())).add_(0.1)
    assert encoder.fingerprint() != former, "what f learns, g encodes with"


def test_texts_have_states_with_a_gradient(tiny_gpt2: str) -> None:
    encoder = StateEncoder(LanguageModel(tiny_gpt2))
    items = [Item(0, "ab", "T"), Item(1, "abcd", "T"), Item(2, "", "T")]
    vectors, fixed = encoder.item_vectors(items), encoder.encode_items(items)
    assert vectors.shape == (3, 3, WIDTH)
    assert fixed.indptr.tolist() == [0, 1, 4, 4]
    torch.testing.assert_close(vectors[1], torch.from_numpy(fixed.values[1:4]))
    assert not vectors[0, 1:].any()
    encoder.query_vectors(["ab"]).sum().backward()  # type: ignore[no-untyped-call]
    assert any(value.grad is not None for value in encoder.module.parameters())
    with pytest.raises(ValueError, match="a text has no token"):
        encoder.query_vectors([""])


def test_a_title_can_be_read_before_the_text_and_long_texts_are_cut(
    tiny_gpt2: str, passages: MemoryCollection, tmp_path: Path
) -> None:
    made = States(tiny_gpt2, passage="{title}: {text}", tokens=12).index(passages, tmp_path / "index")
    assert isinstance(made, StatesRetriever)
    targets = made.collection.values("target", np.arange(11))
    assert made.encoder.model.tokeniser.decode(targets) == "age 0: The "
    assert len(made.collection) == 5 * 11


def test_a_block_that_a_layer_has_not_is_refused_with_those_it_has(tiny_gpt2: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no block 'fc1'; it has ln_1, attn, ln_2, mlp: name its feed-forward block"):
        States(tiny_gpt2, block="fc1").index(MemoryCollection(TEXTS), tmp_path / "index")


def test_an_index_that_finds_by_something_else_is_refused_before_anything_is_read(
    tiny_gpt2: str, passages: MemoryCollection, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="the encoder compares by 'l2' and this index by 'dot'"):
        States(tiny_gpt2, index_maker=Faiss()).index(passages, tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


def test_texts_of_one_token_are_no_datastore(tiny_gpt2: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no passage has two tokens"):
        States(tiny_gpt2).index(MemoryCollection(["a", "b"]), tmp_path / "index")


@pytest.mark.parametrize("wrong", [{"passage": "{title}"}, {"tokens": 1}, {"batch_size": 0}])
def test_settings_that_read_nothing_are_refused(tiny_gpt2: str, wrong: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a passage holds {text}"):
        States(tiny_gpt2, **wrong).index(MemoryCollection(TEXTS), tmp_path / "index")  # type: ignore[arg-type]
