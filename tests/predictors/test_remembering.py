from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from reml.access.information_access import InformationAccess
from reml.access.storing import CollectionMemory
from reml.collection.disk import create_collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.experiment.predict import NO_ANSWER, predict
from reml.predictors.remembering import Remembering
from reml.retrievers.bm25 import BM25
from reml.testing import PredictorContract
from tests.first_words import Echo, FirstWords

EXAMPLES = [Example("1", "copper?", (Answer("ore"), Answer("metal"))), Example("2", "nothing?")]
Reader = functools.partial(FirstWords, words=2.0)


class TestContract(PredictorContract):
    def make(self) -> Predictor:
        return Remembering(Reader, "notes")


def access(folder: Path) -> InformationAccess:
    collection = create_collection(folder / "items")
    collection.append_texts(["copper wires carry"])
    base = BM25().index(collection, folder / "index")
    return InformationAccess(base, name="notes").storing(CollectionMemory().open(base, folder / "memory"))


def written(model: InformationAccess) -> list[str]:
    return [item.text for item in model.collection.get(model.collection.rows()[1:])]


@pytest.mark.parametrize(
    ("right", "notes"), [(False, ["copper? It was: copper wires"]), (True, ["copper? It was: ore"])]
)
def test_notes_are_of_those_that_have_an_answer(tmp_path: Path, right: bool, notes: list[str]) -> None:
    model = access(tmp_path)
    predictor = Remembering(Reader, "notes", note="{question} It was: {answer}", right=right)
    answers = predict(predictor, Batch(tuple(EXAMPLES), {"notes": model.open(EXAMPLES)}))
    assert [answer.text for answer in answers] == ["copper wires", NO_ANSWER], "as the predictor inside"
    assert written(model) == notes


def test_with_other_access_models_nothing_is_written(tmp_path: Path) -> None:
    model = access(tmp_path)
    Remembering(Echo, "diary").generate(Batch(tuple(EXAMPLES), {"notes": model.open(EXAMPLES)}))
    assert written(model) == []


def test_a_session_that_does_not_store_refuses(tmp_path: Path) -> None:
    base = BM25().index(create_collection(tmp_path / "items"), tmp_path / "index")
    session = InformationAccess(base, name="notes").open(EXAMPLES)
    with pytest.raises(RuntimeError, match=r"'notes' does not store .category 1.: give it a `storage`"):
        Remembering(Echo, "notes").generate(Batch(tuple(EXAMPLES), {"notes": session}))


def test_nothing_is_written_while_it_learns(tmp_path: Path) -> None:
    model = access(tmp_path)
    batch = Batch(tuple(EXAMPLES[:1]), {"notes": model.open(EXAMPLES[:1])})
    loss = Remembering(Reader, "notes").loss(batch).loss
    assert loss.detach().numpy() == np.array([1.0]), "that of the predictor inside"
    assert written(model) == []


def test_a_note_without_a_place_for_the_answer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a note must hold \{answer\}"):
        Remembering(Echo, "notes", note="{question}")
