"""One access model, two predictors: sessions hold all state, and the index is opened once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Index
from reml.contract.vectors import Int64Array, Representations, Similarity
from reml.index.faiss import Faiss
from reml.predictors.knn_lm import KnnLm
from reml.retrievers.states import States
from reml.testing import MemoryCollection
from reml.testing.memory_collection import TEXTS
from tests.tiny_gpt2 import write_gpt2

EXAMPLES = (
    Example("1", TEXTS[0][:12], (Answer(TEXTS[0][12:].strip()),)),
    Example("2", TEXTS[3][:12], (Answer(TEXTS[3][12:].strip()),)),
)


@dataclass
class Counting:
    """FAISS that counts how often an index is made and opened."""

    maker: Faiss = field(default_factory=lambda: Faiss(similarity="l2"))
    made: int = 0
    opened: int = 0

    def fingerprint(self) -> str:
        return self.maker.fingerprint()

    def check(self, vectors: Representations, similarity: Similarity) -> None:
        self.maker.check(vectors, similarity)

    def make(self, folder: Path, width: int, shards: Iterable[tuple[Int64Array, Representations]]) -> None:
        self.made += 1
        self.maker.make(folder, width, shards)

    def open(self, folder: Path) -> Index:
        self.opened += 1
        return self.maker.open(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_gpt2(tmp_path_factory.mktemp("gpt2"))


@pytest.fixture
def counted(model: str, tmp_path: Path) -> tuple[InformationAccess, Counting]:
    maker = Counting()
    retriever = States(model, index_maker=maker).index(MemoryCollection(TEXTS), tmp_path / "index")
    return InformationAccess(retriever, limits=Limits(depth=8, k=4, asks=20), name="states"), maker


def predictors(model: str) -> tuple[KnnLm, KnnLm]:
    settings = {"prompt": "{question}", "answer_tokens": 6}
    return (
        KnnLm(model, k=3, weight=0.9, temperature=0.1, **settings).eval(),  # type: ignore[arg-type]
        KnnLm(model, k=16, weight=0.25, temperature=5.0, **settings).eval(),  # type: ignore[arg-type]
    )


def test_two_predictors_share_one_access_model_and_its_index_is_opened_once(
    model: str, counted: tuple[InformationAccess, Counting]
) -> None:
    access, maker = counted
    first, second = predictors(model)
    for predictor in (first, second, first):
        predictor.generate(Batch(EXAMPLES, {"states": access.open(EXAMPLES)}))
    assert (maker.made, maker.opened) == (1, 1)


def test_predictors_that_ask_in_turn_get_what_they_get_alone(
    model: str, counted: tuple[InformationAccess, Counting]
) -> None:
    access, _ = counted
    alone = []
    for predictor in predictors(model):
        session = access.open(EXAMPLES)
        batch = Batch(EXAMPLES, {"states": session})
        alone.append((predictor.loss(batch).loss, predictor.generate(batch), session))
    sessions = [access.open(EXAMPLES) for _ in alone]
    batches = [Batch(EXAMPLES, {"states": session}) for session in sessions]
    losses = [predictor.loss(batch).loss for predictor, batch in zip(predictors(model), batches, strict=True)]
    answers = [predictor.generate(batch) for predictor, batch in zip(predictors(model), batches, strict=True)]
    for place, (loss, answer, session) in enumerate(alone):
        torch.testing.assert_close(losses[place], loss)
        assert answers[place] == answer
        assert [found.rows.shape for _, found in sessions[place].asked] == [f.rows.shape for _, f in session.asked]
        for (_, now), (_, then) in zip(sessions[place].asked, session.asked, strict=True):
            np.testing.assert_array_equal(now.rows, then.rows)
    assert losses[0].tolist() != losses[1].tolist()


def test_interleaved_asks_spend_each_its_own_budget(model: str, counted: tuple[InformationAccess, Counting]) -> None:
    access, _ = counted
    one, other = access.open(EXAMPLES), access.open(EXAMPLES[:1])
    state = torch.zeros(1, 32)
    for _ in range(3):
        one.ask(Queries(np.array([1]), states=state), 2)
        other.ask(Queries(np.array([0]), states=state + 1), 5)
    assert (one.left.tolist(), other.left.tolist()) == ([20, 17], [17])
    assert [found.rows.shape for _, found in one.asked] == [(1, 2)] * 3
    assert [found.rows.shape for _, found in other.asked] == [(1, 5)] * 3
