"""What one batch asks of an access model: its own queries ahead and live, given ones, its budget, filters, writing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.composed_access import FoundAccess, FusedAccess, NoAccess
from reml.access.encoded_retriever import EncodedRetriever
from reml.access.information_access import EVERY_ROW, InformationAccess
from reml.access.limits import Limits
from reml.access.presenting import DistinctPages, First
from reml.access.session import AccessSession
from reml.contract.access import Access, Entries, ResponseProcessor, Session
from reml.contract.collections import Collection
from reml.contract.examples import Example, Item, Media, texts_of
from reml.contract.retrieved import Hits, Queries, Responses, Rows
from reml.contract.vectors import DenseVectors, Similarity
from reml.files.hits import open_hits, save_hits
from reml.index.faiss import FaissIndex
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection

TEXTS = ("red fox", "red dog", "red fish", "blue fox", "green dog", "grey cat")
EXAMPLES = [Example("1", "red"), Example("2", "fox"), Example("3", "cat")]


@pytest.fixture
def access(tmp_path: Path) -> InformationAccess:
    return InformationAccess(BM25().index(MemoryCollection(TEXTS), tmp_path / "bm25"), limits=Limits(depth=4, k=2))


def rows(responses: Responses) -> list[list[int]]:
    return [[row for row in found if row >= 0] for found in responses.rows.tolist()]


def test_an_access_model_is_one_and_so_is_its_session(access: InformationAccess) -> None:
    assert isinstance(access, Access)
    assert isinstance(access.open(EXAMPLES), Session)
    assert (access.category, access.name) == (1, "")


def test_own_queries_are_answered_ahead_as_they_would_be_live(access: InformationAccess) -> None:
    live, ahead = access.open(EXAMPLES), access.open(EXAMPLES, access.search(EXAMPLES))
    for k in (1, 2, 4):
        assert rows(live.ask(k=k)) == rows(ahead.ask(k=k))
        torch.testing.assert_close(live.ask(k=k).scores, ahead.ask(k=k).scores)
    assert rows(ahead.ask()) == [[0, 1], [0, 3], [5]]


class Another:
    """Makes another query of an example each time, as a model that samples does."""

    def __init__(self) -> None:
        self.words = iter(["red", "blue", "green"])

    def __call__(self, examples: Sequence[Example]) -> Queries:
        return Queries.of([next(self.words)] * len(examples))


def test_own_queries_are_made_once_an_ask_and_are_those_on_record(tmp_path: Path) -> None:
    retriever = BM25().index(MemoryCollection(TEXTS), tmp_path / "bm25")
    session = InformationAccess(retriever, Another(), limits=Limits(depth=4, k=1)).open(EXAMPLES[:1])
    assert [rows(session.ask()) for _ in range(3)] == [[[0]], [[3]], [[4]]]
    assert [queries.texts for queries, _ in session.asked] == [("red",), ("blue",), ("green",)]


def test_given_queries_are_answered_one_by_one_and_are_on_record(access: InformationAccess) -> None:
    session = access.open(EXAMPLES, access.search(EXAMPLES))
    session.ask()
    again = session.ask(Queries(np.array([0, 0, 2]), ("blue", "green", "dog")), k=1)
    assert rows(again) == [[3], [4], [1]]
    assert [queries.texts for queries, _ in session.asked] == [("red", "fox", "cat"), ("blue", "green", "dog")]
    assert session.asked[1][1] is again


def test_past_the_budget_nothing_is_found_and_that_is_on_record(access: InformationAccess) -> None:
    access.limits = Limits(depth=4, k=2, asks=2)
    session = access.open(EXAMPLES)
    assert session.left.tolist() == [2, 2, 2]
    session.ask(Queries(np.array([0, 0]), ("blue", "green")))
    assert session.left.tolist() == [1, 2, 2], "one ask may hold several queries"
    session.ask()
    assert rows(session.ask()) == [[], [0, 3], [5]], "the first has asked twice by now"
    assert session.left.tolist() == [0, 0, 0]
    assert rows(session.ask(Queries(np.array([1]), ("fox",)))) == [[]]
    assert len(session.asked) == 4


def test_a_mixed_ask_finds_only_for_those_that_may(access: InformationAccess) -> None:
    access.limits = Limits(depth=4, k=2, asks=1)
    session = access.open(EXAMPLES)
    session.ask(Queries(np.array([0]), ("blue",)))
    found = session.ask()
    assert rows(found) == [[], [0, 3], [5]]
    assert [[item.row for item in items] for items in found.items] == [[], [0, 3], [5]]
    assert not found.mask[0].any()


@pytest.mark.parametrize("asks", [0, -1])
def test_a_budget_of_nothing_is_refused(asks: int) -> None:
    with pytest.raises(ValueError, match=r"limits\.asks is (0|-1), but must be 1 or more, or left out"):
        Limits(asks=asks)


def test_processing_happens_before_the_cut(tmp_path: Path) -> None:
    """Three passages of one page come first: the two best pages are found behind them."""
    collection = MemoryCollection(["red", "red red", "red red red", "red fox", "red dog"])
    items = [Item(i.row, i.text, "t", "same" if i.row < 3 else i.page_id, i.span) for i in collection.get(np.arange(5))]
    collection._items[:] = items
    retriever = BM25().index(collection, tmp_path / "bm25")
    distinct = InformationAccess(retriever, processors=[DistinctPages()], limits=Limits(depth=5, k=3))
    examples = [Example("1", "red")]
    pages = [item.page_id for item in distinct(examples).items[0]]
    assert len(pages) == len(set(pages)) == 3
    assert rows(distinct.open(examples, distinct.search(examples)).ask()) == rows(distinct(examples))
    cut = InformationAccess(retriever, processors=[First(1)], limits=Limits(depth=5, k=3))
    assert cut.search(examples).mask.sum() == 1, "what is kept ahead is what was processed"


@dataclass(frozen=True)
class Shout:
    """Changes texts."""

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        items = tuple(
            tuple(Item(i.row, i.text.upper(), i.title, i.page_id, i.span) for i in p) for p in responses.items
        )
        return Responses(items, responses.rows, responses.scores, responses.mask)


def test_changed_texts_are_handed_on_live_and_ahead_and_from_disk(tmp_path: Path) -> None:
    """Also where the processor found more than is handed over, and where another one comes after it."""
    retriever = BM25().index(MemoryCollection(TEXTS), tmp_path / "bm25")
    chains: list[list[ResponseProcessor]] = [[Shout()], [Shout(), First(3)]]
    for processors in chains:
        shouting = InformationAccess(retriever, processors=processors, name="loud", limits=Limits(depth=4, k=2))
        live = shouting.open(EXAMPLES).ask()
        assert live.items[0][0].text == "RED FOX"
        found = shouting.search(EXAMPLES)
        save_hits(tmp_path / "hits", found)
        for hits in (found, open_hits(tmp_path / "hits")):
            ahead = shouting.open(EXAMPLES, hits).ask()
            assert list(ahead.items) == list(live.items)
            assert list(shouting.open(EXAMPLES[1:], hits.take(np.array([1, 2]))).ask().items) == live.items[1:]


def test_only_texts_and_spans_may_change(tmp_path: Path) -> None:
    retriever = BM25().index(MemoryCollection(TEXTS), tmp_path / "bm25")
    with pytest.raises(ValueError, match="changed title of the item of row 0"):
        InformationAccess(retriever, processors=[Retitle()]).search(EXAMPLES[1:2])


def test_rankings_with_changed_texts_are_not_fused(tmp_path: Path) -> None:
    retriever = BM25().index(MemoryCollection(TEXTS), tmp_path / "bm25")
    shouting = InformationAccess(retriever, processors=[Shout()], name="loud")
    fused = FusedAccess([shouting, InformationAccess(retriever)])
    with pytest.raises(ValueError, match="fused by their rows"):
        fused.search(EXAMPLES[:1])
    with pytest.raises(ValueError, match="fused by their rows"):
        fused.open(EXAMPLES[:1]).ask(Queries.of(["red"]))


@dataclass(frozen=True)
class Retitle:
    """Changes titles, which is not allowed."""

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        items = tuple(tuple(replace(item, title="Mine") for item in held) for held in responses.items)
        return replace(responses, items=items)


def test_what_is_handed_over_is_read_in_order_and_kept_best_first(access: InformationAccess) -> None:
    """However few are asked for, they are the best; hits ahead and every row stay as they are."""
    limits = Limits(depth=4, k=3, order="best_last")
    turned = InformationAccess(access.retriever, limits=limits)
    best = rows(access.open(EXAMPLES[:1]).ask(k=3))[0]
    ahead = turned.search(EXAMPLES[:1])
    assert ahead.rows[0, :3].tolist() == best
    for session in (turned.open(EXAMPLES[:1]), turned.open(EXAMPLES[:1], ahead)):
        assert rows(session.ask()) == [best[::-1]]
        assert rows(session.ask(k=2)) == [best[1::-1]]
        assert rows(session.asked[0][1]) == [best[::-1]], "what is on record is what was read"
        assert session.ask(k=0).rows.tolist() == [list(range(6))]


def test_rows_may_be_excluded_or_be_the_only_ones(access: InformationAccess) -> None:
    asked = np.arange(2)
    without = Queries(asked, ("red", "fox"), only=Rows.of([[0, 2], []], excluded=True))
    assert rows(access.answer(without, 2)) == [[1], [0, 3]]
    within = Queries(asked, ("red", "fox"), only=Rows.of([[2, 1, 5], [3]]))
    found = access.answer(within, 2)
    assert [set(row) for row in rows(found)] == [{1, 2}, {3}]
    alone = access.answer(Queries.of(["fox"]), 6)
    torch.testing.assert_close(found.scores[1, 0], alone.scores[0, alone.rows[0].tolist().index(3)])


@pytest.mark.parametrize(
    ("owners", "message"),
    [((1, 0), "must be ascending"), ((0, 3), "positions in the batch of 3"), ((-1, 0), "positions in")],
)
def test_owners_that_are_no_examples_are_refused(
    access: InformationAccess, owners: tuple[int, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        access.open(EXAMPLES).ask(Queries(np.array(owners), ("a", "b")))


class Axes:
    """An encoder without weights: each text is a unit vector."""

    similarity: Similarity = "dot"

    def fingerprint(self) -> str:
        return "axes"

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        texts = texts_of(contents, self)
        return DenseVectors(np.eye(4, dtype=np.float32)[[int(text) for text in texts]])

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        return self.encode_queries(tuple(item.text for item in items))


def encoded(encoder: Axes) -> EncodedRetriever[Axes]:
    collection = MemoryCollection(["0", "1", "2", "3"])
    index = FaissIndex(4, "Flat")
    index.add(collection.rows(), encoder.encode_items(collection.get(collection.rows())))
    return EncodedRetriever(collection, encoder, index)


@pytest.fixture
def axes() -> EncodedRetriever[Axes]:
    return encoded(Axes())


def test_states_are_searched_and_keep_their_gradient(axes: EncodedRetriever[Axes]) -> None:
    states = torch.tensor([[0.0, 2.0, 1.0, 0.0]], requires_grad=True)
    found = InformationAccess(axes).open(EXAMPLES[:1]).ask(Queries(np.array([0]), states=states), k=2)
    assert rows(found) == [[1, 2]]
    found.scores.sum().backward()  # type: ignore[no-untyped-call]
    assert states.grad is not None
    assert states.grad.tolist() == [[0.0, 1.0, 1.0, 0.0]]


class Turned(Axes):
    """An encoder that computes a product."""

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        axes = torch.from_numpy(super().encode_queries(contents).values)
        return DenseVectors((axes @ torch.full((4, 4), 1.001)).numpy())


def test_an_ask_is_answered_in_its_own_precision_not_in_that_of_who_asks() -> None:
    access = InformationAccess(encoded(Turned()))
    queries = Queries(np.array([0]), ("1",))
    plain = access.open(EXAMPLES[:1]).ask(queries)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = access.open(EXAMPLES[:1]).ask(queries)
        assert torch.is_autocast_enabled("cpu")
    torch.testing.assert_close(found.scores, plain.scores, rtol=0, atol=0)


def test_states_of_another_width_are_refused(axes: EncodedRetriever[Axes]) -> None:
    wrong = Queries(np.array([0]), states=torch.zeros(1, 3))
    with pytest.raises(ValueError, match="of width 4, not DenseVectors of 3: give those of the encoder"):
        InformationAccess(axes).open(EXAMPLES[:1]).ask(wrong)


def test_every_row_can_be_read_softly(axes: EncodedRetriever[Axes]) -> None:
    states = torch.tensor([[3.0, 0.0, 1.0, 0.0]], requires_grad=True)
    found = InformationAccess(axes).open(EXAMPLES[:1]).ask(Queries(np.array([0]), states=states), k=0)
    assert found.rows.tolist() == [[0, 1, 2, 3]]
    assert found.scores.tolist() == [[3.0, 0.0, 1.0, 0.0]]
    assert found.log_prior.exp().sum().item() == pytest.approx(1.0)


def test_too_many_rows_are_not_read_softly(axes: EncodedRetriever[Axes]) -> None:
    class Large(MemoryCollection):
        def rows(self) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
            return np.arange(EVERY_ROW + 1)

    large: Collection = Large(["0"])
    axes.collection = large
    with pytest.raises(ValueError, match=f"has {EVERY_ROW + 1}; at most {EVERY_ROW} can be read softly"):
        InformationAccess(axes, name="wiki").open(EXAMPLES[:1]).ask(k=0)


def test_writing_to_what_does_not_store_is_refused(access: InformationAccess) -> None:
    with pytest.raises(RuntimeError, match="does not store"):
        access.open(EXAMPLES).write(Entries(np.array([0]), ("note",)))


def test_fused_and_empty_access_models_open_sessions_too(tmp_path: Path) -> None:
    first, second = (
        InformationAccess(BM25(k1=k1).index(MemoryCollection(TEXTS), tmp_path / str(k1)), name=str(k1))
        for k1 in (0.5, 2)
    )
    fused = FusedAccess([first, second], Limits(depth=4, k=2), "both")
    assert rows(fused.open(EXAMPLES).ask()) == rows(fused.open(EXAMPLES, fused.search(EXAMPLES)).ask())
    assert rows(fused.open(EXAMPLES).ask(Queries(np.array([2]), ("cat",)))) == [[5]]
    nothing = NoAccess(first.collection, "closed")
    assert nothing.open(EXAMPLES).ask().rows.shape == (3, 0)
    assert nothing.open(EXAMPLES).ask(Queries(np.array([1]), ("fox",))).rows.shape == (1, 0)
    other = InformationAccess(BM25().index(MemoryCollection(["x"]), tmp_path / "other"))
    with pytest.raises(ValueError, match="of different collections"):
        FusedAccess([first, other], name="both")


def test_what_was_found_before_answers_nothing_else() -> None:
    collection, hits = MemoryCollection(TEXTS), Hits(np.array([[3], [1], [0]]), np.ones((3, 1), np.float32))
    session: AccessSession = FoundAccess(collection, Limits(1, 1)).open(EXAMPLES, hits)
    assert rows(session.ask()) == [[3], [1], [0]]
    with pytest.raises(RuntimeError, match="only gives what was found before"):
        session.ask(Queries(np.array([0]), ("fox",)))
