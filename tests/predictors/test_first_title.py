from __future__ import annotations

import numpy as np
import pytest

from reml.access.responses import empty, gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.contract.signals import Signal
from reml.predictors.first_title import FirstTitle
from reml.testing import MemoryCollection

COLLECTION = MemoryCollection(["It is cold.", "It is old."], ["Oslo", "Lima"])
EXAMPLES = [Example("1", "the coldest?", (Answer("Oslo"),)), Example("2", "the oldest?", (Answer("Oslo"),))]
HITS = Hits(np.array([[0, 1], [1, -1]]), np.array([[2.0, 1.0], [1.0, -np.inf]], dtype=np.float32))


def test_the_title_of_the_first_item_is_the_answer() -> None:
    predictor = FirstTitle()
    assert isinstance(predictor, Predictor)
    answers = predictor.generate(Batch.of(EXAMPLES, gather(COLLECTION, HITS)))
    assert [answer.text for answer in answers] == ["Oslo", "Lima"]
    assert [[place.wikipedia_id for place in answer.provenance] for answer in answers] == [["0", "1"], ["1"]]
    assert [answer.text for answer in predictor.generate(Batch.of(EXAMPLES, empty(2)))] == ["", ""]


def test_its_loss_counts_wrong_titles_and_signals_are_refused() -> None:
    responses = gather(COLLECTION, HITS)
    assert FirstTitle().loss(Batch.of(EXAMPLES, responses)).loss.tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match="says nothing of its items"):
        FirstTitle().loss(Batch.of(EXAMPLES, responses), Signal.ITEM_LIKELIHOOD)
