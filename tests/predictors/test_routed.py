"""One access model is asked, the one that the question promises most of; what is not chosen is not asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.responses import gather
from reml.access.trajectory import trajectories
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.joining import joined
from reml.contract.predictor_module import PredictorModule
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Queries
from reml.contract.signals import Credit, FeedbackRecord, Prediction, Signal
from reml.experiment.settings.identity import identity
from reml.feedback.records import FeedbackLog
from reml.predictors.first_title import FirstTitle
from reml.predictors.routed import NONE, Routed
from reml.predictors.routing.confusion import chosen_of
from reml.predictors.span import Span
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection, PredictorContract

CAPITALS = MemoryCollection(["Lome is the capital.", "Lima is the capital."], ["Togo", "Peru"])
RIVERS = MemoryCollection(["The Mono is the river.", "The Rimac is the river."], ["Mono", "Rimac"])
EXAMPLES = (
    Example("1", "Whose capital is Lome?", (Answer("Togo", (Provenance("0"),)),)),
    Example("2", "Which river is the Rimac?", (Answer("Rimac", (Provenance("1"),)),)),
    Example("3", "no such words", (Answer("x", (Provenance("9"),)),)),
)


class Reads(PredictorModule):
    """Answers with the first title; says of an item in how many places of its list it stands, and asks once more."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))

    @property
    def signals(self) -> Signal:
        return Signal.ITEM_LIKELIHOOD

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        read = batch.read
        scores = torch.where(read.mask, read.scores, 0.0).sum(1)
        loss = self.weight * (1 - 0.5 * read.mask.any(1).float()) + scores
        likelihood: Tensor = -torch.arange(1.0, read.k + 1).expand(len(read), -1) * self.weight
        return Prediction(loss, (Credit(item_log_likelihood=likelihood.masked_fill(~read.mask, -torch.inf)),))

    def generate(self, batch: Batch) -> list[Answer]:
        first = FirstTitle().generate(batch)
        if batch.sessions:
            batch.ask(Queries.of([f"{answer.text} again" for answer in first]))
        return first


def access(folder: Path, asks: int | None = None) -> dict[str, InformationAccess]:
    return {
        name: InformationAccess(
            BM25().index(collection, folder / name), limits=Limits(depth=4, k=2, asks=asks), name=name
        )
        for name, collection in (("capitals", CAPITALS), ("rivers", RIVERS))
    }


def opened(folder: Path) -> Batch:
    return Batch(EXAMPLES, {name: model.open(EXAMPLES) for name, model in access(folder).items()})


@pytest.fixture
def routed(tiny_bert: str) -> Routed:
    return Routed(Reads, ["capitals", "rivers"], encoder=tiny_bert)


def choose(routed: Routed, *rows: int) -> None:
    """Let the examples, in order, choose so: scores by features that tell them apart."""
    with torch.no_grad():
        assert isinstance(routed.choice, nn.Linear)
        features = captured(routed)
        wanted = torch.eye(3)[list(rows)]
        routed.choice.weight.copy_(torch.linalg.lstsq(features, wanted).solution.T)
    assert routed.scores(EXAMPLES).argmax(1).tolist() == list(rows)


def captured(routed: Routed) -> Tensor:
    seen: list[Tensor] = []
    handle = routed.choice.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    routed.scores(EXAMPLES)
    handle.remove()
    return seen[0]


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_bert: str) -> None:
        self.folder = tiny_bert

    def make(self) -> Predictor:
        return Routed(
            lambda: Span(self.folder, input_tokens=64, answer_tokens=12), ["memory"], encoder=self.folder, hidden=4
        )


def test_only_what_is_chosen_is_asked_and_each_asks_again_what_it_chose(routed: Routed, tmp_path: Path) -> None:
    assert isinstance(routed, PredictorModule)
    choose(routed, 1, 0, 2)
    batch = opened(tmp_path)
    answers = routed.generate(batch)
    assert [[queries.owners.tolist() for queries, _ in one.asked] for one in batch.sessions.values()] == [
        [[1]] * 2,
        [[0]] * 2,
    ]
    assert [queries.texts for queries, _ in batch.sessions["rivers"].asked] == [
        ("Whose capital is Lome?",),
        (f"{answers[0].text} again",),
    ]
    assert [[one.access for one in told.asks] for told in trajectories(batch, answers)] == [
        ["rivers"] * 2,
        ["capitals"] * 2,
        [],
    ]
    assert chosen_of(trajectories(batch, answers)) == ["rivers", "capitals", NONE]
    assert answers[2].text == ""
    assert [dict(answer.meta or {})["chosen"] for answer in answers] == ["rivers", "capitals", NONE]


def test_lists_that_are_given_are_chosen_among_as_sessions_are(routed: Routed, tmp_path: Path) -> None:
    choose(routed, 0, 1, 2)
    live = routed.generate(opened(tmp_path))
    ahead = routed.generate(Batch.of(EXAMPLES, opened(tmp_path).read))
    assert [answer.text for answer in live] == ["Togo", "Rimac", ""]
    assert [(answer.text, answer.provenance) for answer in ahead] == [(one.text, one.provenance) for one in live]


def test_scores_that_are_equal_choose_the_first(routed: Routed, tmp_path: Path) -> None:
    batch = opened(tmp_path)
    routed.generate(batch)
    assert [len(session.asked) for session in batch.sessions.values()] == [2, 0]


def test_the_loss_is_that_of_the_choice_and_the_mean_of_all_readings(routed: Routed, tmp_path: Path) -> None:
    batch = opened(tmp_path)
    loss = routed.loss(batch).loss
    of_each = []
    for session in (*opened(tmp_path).sessions.values(), None):
        read = Batch(EXAMPLES, {} if session is None else {"one": session})
        of_each.append(Reads().loss(read).loss)
    losses = torch.stack(of_each, 1)
    utility = torch.exp(-losses) - torch.tensor([0.01, 0.01, 0.0])
    pairs = sum((utility[:, one] - utility[:, other]).abs() * np.log(2) for one, other in ((0, 1), (0, 2), (1, 2)))
    torch.testing.assert_close(loss, losses.mean(1) + pairs)
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert isinstance(routed.predictor, Reads)
    assert routed.predictor.weight.grad is not None
    assert isinstance(routed.choice, nn.Linear)
    assert routed.choice.bias.grad is not None
    assert routed.choice.bias.grad.abs().sum() > 0


def test_lists_without_names_train_the_predictor_inside_alone(routed: Routed, tmp_path: Path) -> None:
    read = access(tmp_path)["capitals"](EXAMPLES)
    batch = Batch.of(EXAMPLES, read)
    torch.testing.assert_close(routed.loss(batch).loss, Reads().loss(batch).loss)


@pytest.mark.parametrize("objective", ["pairwise", "pointwise", "listwise"])
def test_it_learns_to_choose_by_the_measure_and_to_ask_nothing_where_nothing_helps(
    objective: str, tiny_bert: str, tmp_path: Path
) -> None:
    settings = {"utility": "em", "objective": objective, "price": 0.3, "encoder": tiny_bert}
    routed = Routed(FirstTitle, ["capitals", "rivers"], **settings)  # type: ignore[arg-type]
    optimizer = torch.optim.Adam(routed.choice.parameters(), lr=0.05)
    batch = opened(tmp_path)
    for _ in range(150):
        optimizer.zero_grad()
        routed.loss(batch).loss.mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert routed.scores(EXAMPLES).argmax(1).tolist() == [0, 1, 2]
    read = opened(tmp_path)
    assert [answer.text for answer in routed.generate(read)] == ["Togo", "Rimac", ""]


def test_what_is_said_and_learnt_is_of_what_was_chosen_alone(routed: Routed, tmp_path: Path) -> None:
    choose(routed, 0, 1, 2)
    found = {}
    for name, model in access(tmp_path).items():
        list_of = model(EXAMPLES)
        list_of.scores.requires_grad_()
        found[name] = list_of
    prediction = routed.loss(Batch.of(EXAMPLES, joined(found, 3)), Signal.ITEM_LIKELIHOOD)
    said, read = prediction.read_credit.item_log_likelihood, joined(found, 3)
    assert said is not None
    heard = torch.isfinite(said).numpy()
    assert [set(read.origins[row][heard[row]].tolist()) for row in range(3)] == [{0}, {1}, set()]
    assert said[heard].tolist() == [-1.0, -2.0, -1.0, -2.0][: int(heard.sum())]
    prediction.loss.sum().backward()  # type: ignore[no-untyped-call]
    moved = [
        [bool(one.scores.grad[row].any()) for row in range(3)] for one in found.values() if one.scores.grad is not None
    ]
    assert moved == [[True, False, False], [False, True, False]]


def test_what_is_said_does_not_hang_on_the_order_in_which_access_models_are_named(
    tiny_bert: str, tmp_path: Path
) -> None:
    said = []
    for names in (["capitals", "rivers"], ["rivers", "capitals"]):
        routed, read = Routed(Reads, names, encoder=tiny_bert), opened(tmp_path).read
        choose(routed, names.index("capitals"), names.index("rivers"), 2)
        credit = routed.loss(Batch.of(EXAMPLES, read), Signal.ITEM_LIKELIHOOD).read_credit
        assert credit.item_log_likelihood is not None
        said.append(credit.item_log_likelihood.tolist())
    assert said[0] == said[1]


def records(folder: Path, utilities: Mapping[str, float]) -> str:
    rows, worth = np.array([[3, 4]] * len(utilities)), np.array([[0.0, one] for one in utilities.values()], np.float32)
    FeedbackLog(folder).receive(FeedbackRecord(tuple(utilities), rows, worth, "em"))
    return str(folder)


def test_it_learns_from_records_without_asking(tiny_bert: str, tmp_path: Path) -> None:
    inputs = [example.input for example in EXAMPLES]
    logs = {
        "capitals": records(tmp_path / "one", dict(zip(inputs, (1.0, 0.25, 0.0), strict=True))),
        "rivers": records(tmp_path / "other", dict(zip(inputs, (0.0, 0.5, 0.0), strict=True))),
    }
    routed = Routed(Reads, list(logs), records=logs, encoder=tiny_bert, objective="listwise")
    batch = opened(tmp_path)
    utility = torch.tensor([[0.99, -0.01, 0.0], [0.24, 0.49, 0.0], [-0.01, -0.01, 0.0]])
    torch.testing.assert_close(routed.loss(batch).loss, -utility.mean(1))
    assert not any(session.asked for session in batch.sessions.values())
    with pytest.raises(ValueError, match=r"say nothing of example '7'.*other questions, such as 'Whose capital"):
        routed.loss(Batch((Example("7", "new?", (Answer("x"),)),), batch.sessions))
    key = json.dumps(identity({"capitals": logs["capitals"]}))
    records(tmp_path / "one", {"more": 1.0})
    assert json.dumps(identity({"capitals": logs["capitals"]})) != key, "what is trained on is part of the key"


def test_what_cannot_be_chosen_among_is_refused(routed: Routed, tiny_bert: str, tmp_path: Path) -> None:
    for wrong in ([], ["a", "a"], [NONE], [""]):
        with pytest.raises(ValueError, match="name one or several access models"):
            Routed(Reads, wrong, encoder=tiny_bert)
    with pytest.raises(ValueError, match="no utility 'bleu'"):
        Routed(Reads, ["a"], utility="bleu", encoder=tiny_bert)
    with pytest.raises(ValueError, match="records of b and access models a"):
        Routed(Reads, ["a"], records={"b": str(tmp_path)}, encoder=tiny_bert)
    with pytest.raises(ValueError, match="no feedback records of 'a'"):
        Routed(Reads, ["a"], records={"a": str(tmp_path)}, encoder=tiny_bert)
    with pytest.raises(ValueError, match="chooses among capitals, rivers and is given capitals"):
        routed.generate(Batch(EXAMPLES, {"capitals": opened(tmp_path).sessions["capitals"]}))


def test_one_access_model_or_none_is_a_choice(tiny_bert: str, tmp_path: Path) -> None:
    routed = Routed(Reads, ["memory"], encoder=tiny_bert)
    assert routed.scores(EXAMPLES).shape == (3, 2)
    hits = Hits(np.array([[0], [1], [-1]]), np.array([[1], [1], [-np.inf]], dtype=np.float32))
    read = joined({"memory": gather(CAPITALS, hits)}, 3)
    assert [answer.text for answer in routed.generate(Batch.of(EXAMPLES, read))] == ["Togo", "Peru", ""]
