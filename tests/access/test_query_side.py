from __future__ import annotations

import pytest
import torch

from reml.access.query_side import FrozenItems, QuerySideEncoder
from reml.contract.retrievers import TrainableEncoder
from reml.testing import MemoryCollection, TrainableEncoderContract
from tests.truths import WordEncoder

ITEMS = MemoryCollection(["surely red", "hardly blue", "surely green"])


class Counting:
    """An encoder that counts the items it encodes."""

    def __init__(self) -> None:
        self.inner, self.encoded = WordEncoder(), 0
        self.module = self.inner.module
        self.fingerprint, self.similarity = self.inner.fingerprint, self.inner.similarity
        self.encode_queries, self.encode_items = self.inner.encode_queries, self.inner.encode_items
        self.query_vectors = self.inner.query_vectors

    def item_vectors(self, items):  # type: ignore[no-untyped-def]
        self.encoded += len(items)
        return self.inner.item_vectors(items)


def test_queries_learn_and_items_stay() -> None:
    queries, items = WordEncoder(), WordEncoder()
    encoder = QuerySideEncoder(queries, FrozenItems(items))
    assert isinstance(encoder, TrainableEncoder)
    assert encoder.module is queries.module
    shown = ITEMS.get(ITEMS.rows())
    (encoder.query_vectors(["what is red"]) @ encoder.item_vectors(shown).T).sum().backward()  # type: ignore[no-untyped-call]
    assert queries.module.weight.grad is not None
    assert items.module.weight.grad is None
    torch.testing.assert_close(encoder.item_vectors(shown), items.item_vectors(shown).detach())
    torch.testing.assert_close(encoder.query_vectors(["red"]), queries.query_vectors(["red"]))


def test_an_item_is_encoded_once_while_there_is_room() -> None:
    counting = Counting()
    fixed, shown = FrozenItems(counting, kept=2), ITEMS.get(ITEMS.rows())
    whole = fixed.vectors([*shown, shown[0]])
    assert counting.encoded == 3, "each distinct item once"
    torch.testing.assert_close(whole[0], whole[3])
    torch.testing.assert_close(fixed.vectors(shown), whole[:3])
    assert counting.encoded == 4, "the third had no room"
    assert fixed.vectors([]).shape == (0, 64)


def test_the_fingerprint_is_of_both_sides() -> None:
    queries, items = WordEncoder(), WordEncoder()
    before = QuerySideEncoder(queries, FrozenItems(items)).fingerprint()
    with torch.no_grad():
        queries.module.weight[0] += 1
    assert QuerySideEncoder(queries, FrozenItems(items)).fingerprint() != before


def test_one_encoder_on_both_sides_is_refused() -> None:
    encoder = WordEncoder()
    with pytest.raises(ValueError, match="give the query side an encoder of its own"):
        QuerySideEncoder(encoder, FrozenItems(encoder))


class TestQuerySideEncoder(TrainableEncoderContract):
    items_learn = False

    def make(self) -> TrainableEncoder:
        return QuerySideEncoder(seeded_encoder(), FrozenItems(seeded_encoder()))


def seeded_encoder() -> WordEncoder:
    torch.manual_seed(0)
    return WordEncoder()
