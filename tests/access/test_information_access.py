from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from reml.access.information_access import InformationAccess
from reml.access.presenting.processors import First
from reml.access.storing import CollectionMemory
from reml.collection.disk import create_collection
from reml.contract.access import Entries, StorageHandler
from reml.contract.examples import Example
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Retriever
from reml.contract.signals import FeedbackRecord
from reml.feedback.records import FeedbackLog
from reml.retrievers.bm25.retriever import BM25
from reml.testing import TEXTS, MemoryCollection

EXAMPLES = [Example("1", "copper"), Example("2", "penguins"), Example("3", "")]


class Several:
    """Gives each example the queries it is told to."""

    def __init__(self, queries: Sequence[tuple[int, str]]) -> None:
        self.queries = queries

    def __call__(self, examples: Sequence[Example]) -> Queries:
        owners = np.array([owner for owner, _ in self.queries], dtype=np.int64)
        return Queries(owners, tuple(text for _, text in self.queries))


@pytest.fixture
def retriever(tmp_path: Path) -> Retriever:
    return BM25().index(MemoryCollection(TEXTS), tmp_path / "index")


def remembering(folder: Path) -> tuple[Retriever, StorageHandler]:
    """Make a retriever over nothing, and a memory that begins with it."""
    base = BM25().index(create_collection(folder / "items"), folder / "index")
    return base, CollectionMemory().open(base, folder / "memory")


def test_items_are_retrieved_and_processed(retriever: Retriever) -> None:
    responses = InformationAccess(retriever, processors=[First(1)])(EXAMPLES, 3)
    assert [[item.row for item in items] for items in responses.items] == [[3], [4], []]
    assert InformationAccess(retriever).search(EXAMPLES, 3).rows.shape == (3, 3)


def test_no_examples_get_no_hits(retriever: Retriever) -> None:
    assert InformationAccess(retriever).search([], 3).rows.shape == (0, 3)


def test_the_hits_of_several_queries_of_one_example_are_fused(retriever: Retriever) -> None:
    several = Several([(0, "copper"), (0, "penguins"), (0, "penguins ice"), (1, "fox"), (2, "debate")])
    hits = InformationAccess(retriever, several).search(EXAMPLES, 2)
    assert hits.rows.tolist() == [[4, 3], [0, -1], [2, -1]]
    np.testing.assert_allclose(hits.scores[0], [2 / 61, 1 / 61], rtol=1e-6)


@pytest.mark.parametrize("owners", [(0, 1), (0, 2, 1), (0, 1, 2, 3), (0, 0, 1)])
def test_queries_that_leave_an_example_out_or_in_disorder_are_refused(
    retriever: Retriever, owners: tuple[int, ...]
) -> None:
    generator = Several([(owner, "copper") for owner in owners])
    with pytest.raises(ValueError, match="Several must give every one of 3 examples a query"):
        InformationAccess(retriever, generator).search(EXAMPLES, 2)


@pytest.mark.parametrize(
    ("stores", "learns", "category"), [(False, False, 1), (True, False, 2), (False, True, 3), (True, True, 4)]
)
def test_the_category_follows_from_the_parts(tmp_path: Path, stores: bool, learns: bool, category: int) -> None:
    base, memory = remembering(tmp_path)
    feedback = FeedbackLog(tmp_path / "log") if learns else None
    access = InformationAccess(base, storage=memory if stores else None, feedback=feedback)
    assert access.category == category


def test_what_is_stored_is_found_and_feedback_is_kept(tmp_path: Path) -> None:
    base, memory = remembering(tmp_path)
    log = FeedbackLog(tmp_path / "log")
    access = InformationAccess(base, feedback=log).storing(memory)
    (copper, ice) = access.store(Entries(np.arange(2), ("copper is exported", "penguins breed on ice"))).tolist()
    memory.commit()
    assert access(EXAMPLES, 1).rows.tolist() == [[copper], [ice], [-1]]
    record = FeedbackRecord(("copper",), np.array([[copper]]), np.array([[0.5]], dtype=np.float32), "judge")
    access.learn(record)
    (kept,) = FeedbackLog(tmp_path / "log")
    assert (kept.queries, kept.rows.tolist(), kept.utilities.tolist()) == (("copper",), [[copper]], [[0.5]])


def test_what_an_access_model_cannot_do_is_said(retriever: Retriever) -> None:
    access = InformationAccess(retriever)
    with pytest.raises(RuntimeError, match=r"does not store .category 1.: give it a `storage`"):
        access.store(Entries(np.arange(1), ("a",)))
    with pytest.raises(RuntimeError, match=r"takes no feedback .category 1.: give it a handler"):
        access.learn(FeedbackRecord(("q",), np.array([[1]]), np.array([[0.5]], dtype=np.float32), "judge"))
