"""The second ask is made of the first answer, once the budget allows it; what is read last holds both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.responses import empty, gather
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictor_module import PredictorModule
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.contract.signals import Prediction, Signal
from reml.predictors.asking_twice import AskingTwice, both
from reml.predictors.span import Span
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection, PredictorContract

COUNTRIES = MemoryCollection(["Its largest neighbour is Togo.", "Its capital is Lome."], ["Ghana", "Togo"])
PEOPLE = MemoryCollection(["Togo has nine million people.", "Ghana is near Togo."], ["Numbers", "Others"])
EXAMPLE = Example("1", "the largest neighbour of Ghana", (Answer("Lome"),))


class LastWord(PredictorModule):
    """Answers with the last word of its last item, and learns how many items there are."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))

    @property
    def signals(self) -> Signal:
        return Signal.NONE

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        counted: Tensor = self.weight * torch.tensor([float(len(items)) for items in batch.read.items])
        return Prediction(counted)

    def generate(self, batch: Batch) -> list[Answer]:
        return [
            Answer(items[-1].text.split()[-1].strip("."), tuple(map(Provenance.of, items))) if items else Answer("")
            for items in batch.read.items
        ]


def access(folder: Path, collection: MemoryCollection, name: str, asks: int | None = None) -> InformationAccess:
    retriever = BM25().index(collection, folder / name)
    return InformationAccess(retriever, limits=Limits(depth=4, k=1, asks=asks), name=name)


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_bert: str) -> None:
        self.folder = tiny_bert

    def make(self) -> Predictor:
        return AskingTwice(lambda: Span(self.folder, input_tokens=64, answer_tokens=12))


def test_it_is_what_a_configuration_calls_a_predictor() -> None:
    assert issubclass(AskingTwice, PredictorModule)
    with pytest.raises(ValueError, match="k is a number of items"):
        AskingTwice(LastWord, k=0)


def test_the_first_answer_leads_to_what_the_input_does_not_find(tmp_path: Path) -> None:
    session = access(tmp_path, COUNTRIES, "wiki").open([EXAMPLE])
    batch = Batch((EXAMPLE,), {"wiki": session})
    (once,) = LastWord().generate(batch)
    assert once.text == "Togo"
    (answer,) = AskingTwice(LastWord, k=2).generate(batch)
    assert [queries.texts for queries, _ in session.asked] == [
        ("the largest neighbour of Ghana",),
        ("the largest neighbour of Ghana Togo",),
    ]
    assert answer.text == "Lome"
    assert [place.title for place in answer.provenance] == ["Ghana", "Togo"], "the old ones first, each once"


def test_every_access_model_is_asked_again_and_items_keep_their_origin(tmp_path: Path) -> None:
    models = {"wiki": access(tmp_path, COUNTRIES, "wiki"), "people": access(tmp_path, PEOPLE, "people")}
    batch = Batch((EXAMPLE,), {name: model.open([EXAMPLE]) for name, model in models.items()})
    (answer,) = AskingTwice(LastWord, k=2).generate(batch)
    assert [len(session.asked) for session in batch.sessions.values()] == [2, 2]
    titles = [place.title for place in answer.provenance]
    assert titles[:2] == ["Ghana", "Others"]
    assert sorted(map(str, titles)) == ["Ghana", "Numbers", "Others", "Togo"], "row 0 of one is not row 0 of the other"


def test_a_budget_of_one_leaves_the_first_answer(tmp_path: Path) -> None:
    examples = (EXAMPLE, Example("2", "no such words", (Answer("x"),)))
    session = access(tmp_path, COUNTRIES, "wiki", asks=1).open(examples)
    batch = Batch(examples, {"wiki": session})
    assert [answer.text for answer in AskingTwice(LastWord, k=2).generate(batch)] == ["Togo", ""]
    assert len(session.asked) == 2
    assert session.left.tolist() == [0, 0]


def test_it_is_trained_on_the_first_reading(tmp_path: Path) -> None:
    session = access(tmp_path, COUNTRIES, "wiki").open([EXAMPLE])
    predictor = AskingTwice(LastWord, k=2)
    loss = predictor.loss(Batch((EXAMPLE,), {"wiki": session})).loss
    assert loss.tolist() == [1.0]
    assert loss.requires_grad
    assert len(session.asked) == 1


def test_both_readings_are_joined_by_hand() -> None:
    collection = MemoryCollection(["a", "b", "c", "d"])
    old = gather(collection, Hits(np.array([[0, 1], [2, -1]]), np.array([[5, 4], [3, -np.inf]], dtype=np.float32)))
    new = gather(collection, Hits(np.array([[1, 3], [0, 2]]), np.array([[9, 8], [7, 6]], dtype=np.float32)))
    found = both(old, new)
    assert found.rows.tolist() == [[0, 1, 3], [2, 0, -1]]
    assert found.scores.tolist() == [[5, 4, 8], [3, 7, -torch.inf]]
    assert found.mask.tolist() == [[True] * 3, [True, True, False]]
    assert [[item.text for item in items] for items in found.items] == [["a", "b", "d"], ["c", "a"]]
    assert both(empty(2), new).rows.tolist() == new.rows.tolist()
    assert both(old, empty(2)).rows.tolist() == old.rows.tolist()
