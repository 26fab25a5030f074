"""What a predictor gives is held to the contract, whoever asks it, and errors say who was asked with what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from reml.access.information_access import InformationAccess
from reml.access.responses import empty, gather
from reml.contract.asking import answers_of, prediction_of
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Queries
from reml.contract.signals import Prediction, Signal
from reml.experiment.predict import predict
from reml.feedback.judges.downstream_utility import DownstreamUtility
from reml.predictors.asking_twice import AskingTwice
from reml.predictors.remembering import Remembering
from reml.testing import TEXTS, MemoryCollection, WordRetriever
from reml.training.data.sets import DevSet, RetrievedExamples, TrainSet
from reml.training.loop.fit import fit
from reml.training.regimes.regimes import Independent
from reml.training.regimes.signals import collect
from reml.training.settings import Training
from tests.first_words import Echo

EXAMPLES = [Example(str(number), "copper", (Answer("zinc"),)) for number in range(3)]
COLLECTION = MemoryCollection(TEXTS)
BATCH = Batch.of(EXAMPLES, empty(3))


class Scoring(Echo):
    """Gives a loss of whatever shape, or none."""

    def __init__(self, given: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.given = given

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        return self.given(self.weight.expand(len(batch.examples)))  # type: ignore[return-value]


class Giving(Echo):
    """Gives these answers to whatever is asked."""

    def __init__(self, answers: object = (Answer("ice"),) * 2) -> None:
        super().__init__()
        self.answers = answers

    def generate(self, batch: Batch) -> list[Answer]:
        return self.answers  # type: ignore[return-value]


SHAPES = [
    (
        lambda losses: Prediction(losses.mean()),
        r"loss of Scoring has the shape \[\] for 3 examples: give \[3\], one number",
    ),
    (lambda losses: Prediction(losses[:2]), r"loss of Scoring has the shape \[2\] for 3 examples"),
    (lambda losses: Prediction(losses[:, None]), r"loss of Scoring has the shape \[3, 1\] for 3 examples"),
    (lambda losses: Prediction(losses.mean().item()), r"loss of Scoring has the shape \[\] for 3 examples"),
    (lambda losses: losses, r"loss of Scoring is a Tensor: give `Prediction\(loss\)`"),
]


@pytest.mark.parametrize(("given", "told"), SHAPES)
def test_a_loss_that_is_not_one_number_an_example_trains_nothing(given: Callable[[Tensor], object], told: str) -> None:
    predictor = Scoring(given)
    for ask in (Independent(predictor), lambda batch: collect(predictor, batch, Signal.NONE)):
        with pytest.raises(ValueError, match=told):
            ask(BATCH)
    with pytest.raises(ValueError, match=told):
        AskingTwice(lambda: predictor).loss(BATCH)


def test_a_loss_of_one_number_an_example_is_given_as_it_is() -> None:
    assert prediction_of(Scoring(Prediction), BATCH).loss.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([Answer("ice")] * 2, "Giving gave 2 answers to 3 examples: `generate` gives a list of one `Answer` for each"),
        (["ice"] * 3, "Giving gave a str to example '0': `generate` gives"),
        ([Answer("ice"), None, Answer("ice")], "Giving gave a NoneType to example '1'"),
        (None, "Giving gave its answers as NoneType: `generate` gives"),
    ],
)
def test_answers_that_are_not_one_an_example_are_refused_whoever_asks(answers: object, told: str) -> None:
    predictor = Giving(answers)
    one_item = gather(COLLECTION, Hits(np.zeros((3, 1), np.int64), np.ones((3, 1), np.float32)))
    asks: Sequence[Callable[[], object]] = [
        lambda: predict(predictor, BATCH),
        lambda: DownstreamUtility().open(predictor, {})(EXAMPLES, one_item),
        lambda: AskingTwice(lambda: predictor).generate(BATCH),
        lambda: Remembering(lambda: predictor, "notes").generate(BATCH),
    ]
    for ask in asks:
        with pytest.raises(ValueError, match=told):
            ask()


def test_answers_to_dev_examples_are_held_to_it_too(tmp_path: Path) -> None:
    found = RetrievedExamples.of(COLLECTION, EXAMPLES, Hits.empty(3))
    dev = DevSet("dev", found, lambda *_: 0.0)
    with pytest.raises(ValueError, match="Giving gave 2 answers to 3 examples"):
        fit(Independent(Giving()), TrainSet.of(found), dev=[dev], settings=Training(steps=1), folder=tmp_path)


class AskingWrongly(Echo):
    """Asks its first session with queries that do not fit."""

    def __init__(self, owners: Sequence[int]) -> None:
        super().__init__()
        self.owners = np.array(owners)

    def generate(self, batch: Batch) -> list[Answer]:
        next(iter(batch.sessions.values())).ask(Queries(self.owners, ("copper",) * 3))
        return []

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        self.generate(batch)
        return Prediction(self.weight)


def opened() -> Batch:
    names = ("wiki", "notes")
    models = {name: InformationAccess(WordRetriever(COLLECTION), name=name) for name in names}
    return Batch(tuple(EXAMPLES), {name: model.open(EXAMPLES) for name, model in models.items()})


def notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


@pytest.mark.parametrize(
    ("ask", "does"), [(answers_of, "answers"), (prediction_of, "scores right answers")], ids=["generate", "loss"]
)
def test_what_is_raised_names_predictor_and_access_models(ask: Callable[[Predictor, Batch], object], does: str) -> None:
    with pytest.raises(ValueError, match="3 contents but 1 owners") as raised:
        ask(AskingWrongly([0]), opened())
    assert notes(raised.value) == [f"while AskingWrongly {does}, given the sessions of 'wiki', 'notes'"]
    with pytest.raises(ValueError, match="owners are positions in the batch of 3 examples") as raised:
        ask(AskingWrongly([0, 1, 3]), opened())
    assert notes(raised.value)[0] == "in an ask of the access model 'wiki'"
    with pytest.raises(ValueError, match="3 contents but 1 owners") as raised:
        ask(AskingTwice(lambda: AskingWrongly([0])), opened())
    assert len(notes(raised.value)) == 2, "the predictor inside, and the one around it"


def test_gradients_pass() -> None:
    predictor = Echo()
    collect(predictor, BATCH, Signal.NONE).loss.sum().backward()  # type: ignore[no-untyped-call]
    assert predictor.weight.grad == torch.tensor(6.0)
