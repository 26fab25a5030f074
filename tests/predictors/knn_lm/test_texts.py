from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.contract.access import Access
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.signals import Prediction, Signal
from reml.evaluation.metrics import Perplexity
from reml.predictors.knn_lm import KnnLm, TextKnnLm
from reml.retrievers.states import States
from reml.testing import MemoryCollection, PredictorContract
from reml.testing.memory_collection import TEXTS
from reml.text.language_model import load_language_model
from reml.training.data.sets import DevSet, RetrievedExamples, TrainSet
from reml.training.loop.fit import fit
from reml.training.regimes.regimes import Independent
from reml.training.settings import Training
from tests.predictors.knn_lm.datastore import datastore, opened
from tests.tiny_gpt2 import write_gpt2

TRAINING = Training(steps=6, batch_size=2, rate=1e-2, check_every=3, save_every=2)
SHORT = Example("short", TEXTS[4][:21])
LONG = Example("long", f"{TEXTS[2][:20]} {TEXTS[1]}")


class TestContract(PredictorContract):
    reads = False  # it asks its session for each token, and reads nothing before

    @pytest.fixture(autouse=True)
    def _folder(self, tiny_llama: str) -> None:
        self.folder = tiny_llama

    def make(self) -> Predictor:
        return TextKnnLm(self.folder, window=32)

    def access(self, collection: Collection, folder: Path, asks: int | None) -> Mapping[str, Access]:
        return {"states": datastore(self.folder, collection, folder / "states", asks)}


def texts(folder: str, **settings: object) -> TextKnnLm:
    return TextKnnLm(folder, **{"k": 9, "temperature": 2.0, **settings}).eval()  # type: ignore[arg-type]


def told(predictor: TextKnnLm, batch: Batch) -> list[tuple[float, int]]:
    metas = [answer.meta or {} for answer in predictor.generate(batch)]
    return [(float(str(meta["log_likelihood"])), int(str(meta["tokens"]))) for meta in metas]


class Loop:
    """kNN-LM of a text by transformers and float64: a token at a time, its context read alone, all distances."""

    def __init__(self, folder: str) -> None:
        self.model = LlamaForCausalLM.from_pretrained(folder)
        self.tokeniser = load_language_model(folder, trust_remote_code=None).fast
        rows = [self.ids(text) for text in TEXTS]
        self.keys = torch.cat([self.read(row)[0][:-1] for row in rows])
        self.targets = [token for row in rows for token in row[1:]]

    def ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokeniser(text, add_special_tokens=False)["input_ids"]
        return ids

    @torch.no_grad()
    def read(self, row: list[int]) -> tuple[Tensor, Tensor]:
        """Give the states and log p of what comes next, of each token."""
        given: list[Tensor] = []
        norm = self.model.model.layers[-1].post_attention_layernorm
        handle = norm.register_forward_hook(lambda *call: given.append(call[2][0].double()))
        logits = self.model(torch.tensor([row])).logits[0].double()
        handle.remove()
        return given[0], torch.log_softmax(logits, dim=1)

    def likelihood(self, text: str, *, weight: float, window: int, stride: int) -> float:
        row, total, start = self.ids(text), 0.0, 0
        for place in range(1, len(row)):
            while place >= start + window:  # the first window that has it
                start += stride
            states, log_p = self.read(row[start:place])
            distances = (self.keys - states[-1]).square().sum(dim=1)
            nearest = distances.argsort()[:9].tolist()
            shares = torch.softmax(-distances[nearest] / 2.0, dim=0)
            found = sum(
                float(share) for one, share in zip(nearest, shares, strict=True) if self.targets[one] == row[place]
            )
            total += math.log(weight * found + (1 - weight) * math.exp(log_p[-1, row[place]]))
        return total


@pytest.mark.parametrize(("window", "stride"), [(1024, 512), (16, 8), (16, 15)])
def test_a_text_is_as_likely_as_a_plain_loop_has_it(
    tiny_llama: str, access: InformationAccess, window: int, stride: int
) -> None:
    loop, predictor = Loop(tiny_llama), texts(tiny_llama, weight=0.4, window=window, stride=stride)
    session, batch = opened(access, SHORT, LONG)
    for example, (likelihood, tokens) in zip(batch.examples, told(predictor, batch), strict=True):
        assert tokens == len(loop.ids(example.input)) - 1
        expected = loop.likelihood(example.input, weight=0.4, window=window, stride=stride)
        assert likelihood / tokens == pytest.approx(expected / tokens, abs=1e-5)
    asked = [len(queries) for queries, _ in session.asked]
    assert sum(asked) == sum(len(loop.ids(example.input)) - 1 for example in batch.examples)
    assert len(asked) < sum(asked) / 4, "the states of a window are asked for at once"


def test_windows_change_nothing_where_a_text_fits(tiny_llama: str, access: InformationAccess) -> None:
    size = len(LONG.input.encode())
    whole, fitting, cut = (
        told(texts(tiny_llama, window=window), opened(access, LONG)[1])[0] for window in (1024, size, size - 1)
    )
    assert whole == fitting
    assert cut != whole


def test_without_weight_or_access_model_it_is_the_language_model_alone(
    tiny_llama: str, access: InformationAccess
) -> None:
    loop = Loop(tiny_llama)
    row = loop.ids(LONG.input)
    log_p = loop.read(row)[1]
    expected = sum(float(log_p[place, token]) for place, token in enumerate(row[1:]))
    session, batch = opened(access, LONG)
    ((likelihood, tokens),) = told(texts(tiny_llama, weight=0), batch)
    assert likelihood == pytest.approx(expected, abs=1e-3)
    assert session.asked == ()
    for weight in (0.25, "adaptive"):
        assert told(texts(tiny_llama, weight=weight), Batch((LONG,))) == [(likelihood, tokens)]
    assert abs(told(texts(tiny_llama), batch)[0][0] - likelihood) > 1


def test_more_neighbours_than_there_are_is_all_of_them(tiny_llama: str, tmp_path: Path) -> None:
    retriever = States(tiny_llama).index(MemoryCollection(["abcabd"]), tmp_path / "index")
    access = InformationAccess(retriever, limits=Limits(depth=10, k=5), name="states")
    example = Example("1", "abcab")
    few, many = (told(texts(tiny_llama, k=k), opened(access, example)[1])[0][0] for k in (5, 700))
    assert few == pytest.approx(many, abs=1e-5)
    adaptive = texts(tiny_llama, k=700, weight="adaptive")
    assert told(adaptive, opened(access, example)[1])[0][0] == pytest.approx(many, abs=1e-5)


def test_a_net_begins_as_one_weight_and_alone_is_moved(tiny_llama: str, access: InformationAccess) -> None:
    adaptive, fixed = texts(tiny_llama, weight="adaptive"), texts(tiny_llama, weight=0.25)
    _, batch = opened(access, SHORT, LONG)
    losses = adaptive.loss(batch).loss
    torch.testing.assert_close(losses, fixed.loss(batch).loss)
    optimizer = torch.optim.Adam([one for one in adaptive.parameters() if one.requires_grad], lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        adaptive.loss(batch).loss.sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    moved = {name for name, one in adaptive.named_parameters() if one.grad is not None and one.grad.any()}
    assert moved >= {"mixture.log_temperature", "mixture.bias", "mixture.net.0.weight", "mixture.net.2.weight"}
    assert not any(name.startswith("lm.") for name in moved)
    assert adaptive.loss(batch).loss.sum() < 0.9 * losses.sum()
    assert len(batch.sessions["states"].asked) == 4, "what is learnt on is read once"
    adaptive.prepare({"states": access.collection}, Path("unused"))
    adaptive.loss(batch)
    assert len(batch.sessions["states"].asked) == 6, "and again where a new life begins"


def test_it_is_measured_by_perplexity(tiny_llama: str, access: InformationAccess) -> None:
    _, batch = opened(access, SHORT, LONG)
    examples = [replace(one, output=(Answer(one.input),)) for one in batch.examples]
    answers = texts(tiny_llama).generate(batch)
    figures = Perplexity()(examples, answers)
    assert np.isfinite(figures["perplexity"]).all()
    assert [answer.text for answer in answers] == [SHORT.input, LONG.input[:60]]


@pytest.mark.parametrize("text", ["a", " "])
def test_a_text_in_which_nothing_comes_next_is_named(tiny_llama: str, text: str) -> None:
    for ask in (texts(tiny_llama).generate, texts(tiny_llama).loss):
        with pytest.raises(ValueError, match=r"the text of example 'one' has [01] tokens, of which none comes after"):
            ask(Batch((Example("one", text),)))


@pytest.mark.parametrize("wrong", [{"window": 1}, {"window": 8, "stride": 8}])
def test_windows_in_which_a_token_stands_after_none_are_refused(tiny_llama: str, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="so that each token stands after another"):
        texts(tiny_llama, **wrong)


@pytest.mark.parametrize("wrong", [{"weight": 1.0}, {"weight": "learnt"}, {"temperature": 0.0}, {"k": 0}])
def test_settings_that_mean_nothing_are_refused(tiny_llama: str, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"TextKnnLm\.\w+ is .*, but must be"):
        texts(tiny_llama, **wrong)


def test_a_signal_is_refused(tiny_llama: str) -> None:
    with pytest.raises(ValueError, match="choose another predictor"):
        texts(tiny_llama).loss(Batch((SHORT,)), Signal.ATTENTION)


def test_a_datastore_of_other_weights_is_refused_and_of_another_tokeniser_to_both(
    tiny_llama: str, access: InformationAccess, tmp_path: Path
) -> None:
    for predictor in (texts(tiny_llama), KnnLm(tiny_llama)):
        predictor.prepare({"states": access.collection, "texts": MemoryCollection(TEXTS)}, tmp_path)
    other = write_gpt2(tmp_path / "other")
    with pytest.raises(ValueError, match=r"the datastore 'states' holds states of another model than .*other"):
        texts(other).prepare({"states": access.collection}, tmp_path)
    KnnLm(other).prepare({"states": access.collection}, tmp_path)  # which may have learnt since
    for make in (texts, KnnLm):
        predictor = make(other)
        predictor.lm.tokeniser.add_tokens(["abc"])
        with pytest.raises(ValueError, match=r"holds tokens of another tokeniser than .*other"):
            predictor.prepare({"states": access.collection}, tmp_path)


class CrashError(Exception):
    pass


class Crashing(nn.Module):
    """The predictor, which dies in a loss."""

    signals = Signal.NONE

    def __init__(self, predictor: TextKnnLm, calls: int) -> None:
        super().__init__()
        self.inner, self.calls = predictor, calls
        self.prepare, self.generate = predictor.prepare, predictor.generate

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        self.calls -= 1
        if not self.calls:
            raise CrashError
        return self.inner.loss(batch, signals)


def test_a_training_that_is_killed_goes_on_to_the_last_digit(
    tiny_llama: str, access: InformationAccess, tmp_path: Path
) -> None:
    examples = [Example(str(number), text[: 20 + number], (Answer("x"),)) for number, text in enumerate(TEXTS)]
    asked = RetrievedExamples(examples, {"states": access.search(examples)}, {"states": access})
    dev = DevSet("dev", asked, lambda _, answers: -sum(len(str(one.meta)) for one in answers))
    weights = []
    for name, lives in (("whole", (99,)), ("broken", (5, 99))):
        for calls in lives:
            torch.manual_seed(0)
            crashing = Crashing(texts(tiny_llama, weight="adaptive"), calls)
            with contextlib.suppress(CrashError):
                fit(Independent(crashing), TrainSet.of(asked), dev=[dev], settings=TRAINING, folder=tmp_path / name)
        weights.append(crashing.inner.mixture.state_dict())  # type: ignore[union-attr]
    assert crashing.calls == 99 - 2, "it went on from step 4"
    assert all(torch.equal(one, weights[1][name]) for name, one in weights[0].items())
    assert any(one.any() for name, one in weights[0].items() if name == "net.2.weight")
