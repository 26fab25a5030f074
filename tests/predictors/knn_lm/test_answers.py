from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from reml.access.composed_access import NoAccess
from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.contract.access import Access
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Lender, Predictor
from reml.contract.retrieved import Hits, Queries
from reml.contract.signals import Signal
from reml.contract.vectors import Int64Array
from reml.predictors.knn_lm import KnnLm
from reml.retrievers.states import States
from reml.testing import MemoryCollection, PredictorContract
from reml.testing.memory_collection import TEXTS
from reml.text.language_model import load_language_model
from tests.predictors.knn_lm.datastore import datastore, opened
from tests.tiny_gpt2 import write_gpt2

SEEN = Example("seen", TEXTS[4][:17], (Answer(TEXTS[4][18:]),))
OTHER = Example("other", "What do", (Answer("penguins breed on?"),))


class TestContract(PredictorContract):
    reads = False  # it asks its session at each step, and reads nothing before

    @pytest.fixture(autouse=True)
    def _folder(self, tiny_llama: str) -> None:
        self.folder = tiny_llama

    def make(self) -> Predictor:
        return KnnLm(self.folder, answer_tokens=6)

    def access(self, collection: Collection, folder: Path, asks: int | None) -> Mapping[str, Access]:
        return {"states": datastore(self.folder, collection, folder / "states", asks)}


def knn(folder: str, **settings: object) -> KnnLm:
    known = {"prompt": "{question}", "k": 9, "answer_tokens": 80, "temperature": 2.0, **settings}
    return KnnLm(folder, **known).eval()  # type: ignore[arg-type]


def test_items_that_are_no_states_are_named(tiny_llama: str, tmp_path: Path) -> None:
    class AnyItems:
        def __init__(self) -> None:
            self.collection = MemoryCollection(TEXTS)

        def search(self, queries: Queries, k: int) -> Hits:
            rows = np.tile(np.arange(k), (len(queries), 1))
            return Hits(rows, np.zeros(rows.shape, np.float32))

        def score(self, queries: Queries, rows: Int64Array) -> Tensor:
            return torch.zeros(rows.shape)

    items = InformationAccess(AnyItems(), limits=Limits(depth=2, k=2), name="items")
    with pytest.raises(ValueError, match=r"no column 'target'.*reml\.retrievers\.states\.States"):
        knn(tiny_llama, k=2).loss(opened(items, SEEN)[1])


class BruteForce:
    """kNN-LM over the texts by transformers and float64 alone: one context at a time, all distances, no index."""

    def __init__(self, folder: str) -> None:
        self.model = LlamaForCausalLM.from_pretrained(folder)
        self.tokeniser = load_language_model(folder, trust_remote_code=None).fast
        rows = [self.ids(text) for text in TEXTS]
        self.keys = torch.cat([self.states(row)[:-1] for row in rows])
        self.targets = torch.tensor([token for row in rows for token in row[1:]])

    def ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokeniser(text, add_special_tokens=False)["input_ids"]
        return ids

    @torch.no_grad()
    def states(self, row: list[int]) -> Tensor:
        """Give the input of the last feed-forward block, by the parts of the last layer."""
        given: list[Tensor] = []
        norm = self.model.model.layers[-1].post_attention_layernorm
        handle = norm.register_forward_hook(lambda *call: given.append(call[2][0].double()))
        self.model(torch.tensor([row]))
        handle.remove()
        return given[0]

    @torch.no_grad()
    def next_token(self, row: list[int], *, k: int, weight: float, temperature: float) -> Tensor:
        """Give p of every token after these, [V]."""
        said = torch.softmax(self.model(torch.tensor([row])).logits[0, -1].double(), dim=0)
        distances = (self.keys - self.states(row)[-1]).square().sum(dim=1)
        nearest = distances.argsort()[:k]
        shares = torch.softmax(-distances[nearest] / temperature, dim=0)
        neighbours = torch.zeros_like(said)
        for place, share in zip(nearest.tolist(), shares, strict=True):
            neighbours[self.targets[place]] += share
        return weight * neighbours + (1 - weight) * said


@pytest.mark.parametrize("weight", [0.25, 0.9])
def test_the_likelihood_of_an_answer_is_that_of_brute_force(
    tiny_llama: str, access: InformationAccess, weight: float
) -> None:
    predictor, force = knn(tiny_llama, weight=weight), BruteForce(tiny_llama)
    session, batch = opened(access, SEEN, OTHER)
    losses = predictor.loss(batch).loss
    for example, loss in zip(batch.examples, losses, strict=True):
        row, after = force.ids(example.input), force.ids(f" {example.answers[0]}\n")
        expected = 0.0
        for token in after:
            spread = force.next_token(row, k=9, weight=weight, temperature=2.0)
            expected -= math.log(spread[token])
            row = [*row, token]
        assert loss.item() / len(after) == pytest.approx(expected / len(after), abs=1e-5)
    ((queries, found),) = session.asked
    counts = [len(force.ids(f" {example.answers[0]}\n")) for example in batch.examples]
    assert np.bincount(queries.owners).tolist() == counts, "a query for each token, all asked at once"
    assert found.rows.shape == (sum(counts), 9)


def test_each_step_takes_the_token_that_brute_force_finds_likeliest(tiny_llama: str, access: InformationAccess) -> None:
    predictor, force = knn(tiny_llama, weight=0.5, answer_tokens=12), BruteForce(tiny_llama)
    examples = [Example("1", TEXTS[0][:9]), Example("2", TEXTS[1][:30])]
    session, batch = opened(access, *examples)
    answers = predictor.generate(batch)
    for example, answer in zip(examples, answers, strict=True):
        row = force.ids(example.input)
        said: list[int] = []
        for _ in range(12):
            said.append(int(force.next_token([*row, *said], k=9, weight=0.5, temperature=2.0).argmax()))
            if "\n" in force.tokeniser.decode(said) or said[-1] == 2:
                break
        text = str(force.tokeniser.decode(said, skip_special_tokens=True))
        assert answer == Answer(text.partition("\n")[0].strip())
    assert len(session.asked) >= 1
    first = session.asked[0][0]
    assert first.owners.tolist() == [0, 1]
    assert first.states is not None
    np.testing.assert_allclose(np.asarray(first.states)[0], force.states(force.ids(examples[0].input))[-1], atol=1e-5)


def perplexity(predictor: KnnLm, batch: Batch, tokens: int) -> float:
    return math.exp(predictor.loss(batch).loss.item() / tokens)


def test_a_text_in_the_datastore_becomes_less_perplexing_and_is_continued_as_it_goes_on(
    tiny_llama: str, access: InformationAccess
) -> None:
    tokens = len(SEEN.answers[0]) + 2
    figures = []
    for weight in (0.0, 0.25, 0.5):
        _, batch = opened(access, SEEN)
        figures.append(perplexity(knn(tiny_llama, weight=weight), batch, tokens))
    assert figures[0] > 100, "a model with random weights knows no byte from another"
    assert figures[2] < figures[1] < 20
    _, batch = opened(access, SEEN)
    (answer,) = knn(tiny_llama, weight=0.9, answer_tokens=30, temperature=1e-3).generate(batch)
    assert SEEN.answers[0].startswith(str(answer.text))


def test_every_step_asks_for_those_that_still_go_on_and_a_spent_budget_leaves_the_language_model(
    tiny_llama: str, access: InformationAccess
) -> None:
    examples, steps = [SEEN, OTHER], 8
    limited = InformationAccess(access.retriever, limits=Limits(depth=10, k=5, asks=3), name="states")
    predictor = knn(tiny_llama, weight=0.9, answer_tokens=steps, temperature=0.1)
    session, batch = opened(limited, *examples)
    answers = predictor.generate(batch)
    assert len(session.asked) == steps
    assert [found.mask.any(dim=1).tolist() for _, found in session.asked[:3]] == [[True, True]] * 3
    assert not any(found.mask.any() for _, found in session.asked[3:])
    assert session.left.tolist() == [0, 0]
    # As many steps with neighbours, and then those of the language model after them.
    _, batch = opened(limited, *examples)
    begun = knn(tiny_llama, weight=0.9, answer_tokens=3, temperature=0.1).generate(batch)
    went_on = Example("on", f"{SEEN.input} {begun[0].text}")
    (rest,) = knn(tiny_llama, answer_tokens=steps - 3).generate(Batch((went_on,)))
    assert str(answers[0].text).startswith(str(begun[0].text))
    assert str(answers[0].text).endswith(str(rest.text))
    assert len(str(rest.text)) > 1


def test_an_answer_that_has_ended_asks_no_more(tiny_llama: str, tmp_path: Path) -> None:
    texts = ["ab\nzz", "uvwxyz"]
    retriever = States(tiny_llama).index(MemoryCollection(texts), tmp_path / "index")
    access = InformationAccess(retriever, limits=Limits(depth=5, k=1), name="states")
    examples = [Example("1", "ab"), Example("2", "uv")]
    session, batch = opened(access, *examples)
    answers = knn(tiny_llama, weight=0.99, answer_tokens=4, temperature=0.01, k=1).generate(batch)
    assert answers[0].text == ""
    assert str(answers[1].text).startswith("wxyz")
    assert [queries.owners.tolist() for queries, _ in session.asked] == [[0, 1], [1], [1], [1]]


def test_without_access_model_or_weight_it_is_the_language_model(tiny_llama: str, access: InformationAccess) -> None:
    bare = knn(tiny_llama).loss(Batch((SEEN, OTHER))).loss
    session, batch = opened(access, SEEN, OTHER)
    torch.testing.assert_close(knn(tiny_llama, weight=0.0).loss(batch).loss, bare)
    assert session.asked == ()
    nothing = NoAccess(access.collection, "closed")
    closed = Batch((SEEN, OTHER), {"closed": nothing.open((SEEN, OTHER))})
    torch.testing.assert_close(knn(tiny_llama).loss(closed).loss, bare)
    mixed = knn(tiny_llama).loss(batch).loss
    assert (mixed - bare).abs().min() > 0.1
    assert knn(tiny_llama, answer_tokens=5).generate(closed) == knn(tiny_llama, answer_tokens=5).generate(
        Batch((SEEN, OTHER))
    )


def test_examples_do_not_touch_each_other(tiny_llama: str, access: InformationAccess) -> None:
    predictor = knn(tiny_llama)
    _, both = opened(access, SEEN, OTHER)
    together = predictor.loss(both).loss
    for place, example in enumerate((SEEN, OTHER)):
        _, alone = opened(access, example)
        torch.testing.assert_close(together[place], predictor.loss(alone).loss[0], rtol=1e-4, atol=1e-4)


def test_it_learns_through_the_language_model_inside_the_mixture(tiny_llama: str, access: InformationAccess) -> None:
    predictor = knn(tiny_llama)
    parameters = [one for one in predictor.parameters() if one.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=1e-2)
    losses = []
    for _ in range(20):
        _, batch = opened(access, OTHER)
        loss = predictor.loss(batch).loss.sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_an_empty_prompt_begins_with_the_token_that_begins_texts(tiny_llama: str) -> None:
    predictor, force = knn(tiny_llama), BruteForce(tiny_llama)
    loss = predictor.loss(Batch((Example("1", "", (Answer("ab"),)),))).loss
    row, expected = [1], 0.0
    for token in force.ids(" ab\n"):
        expected -= math.log(force.next_token(row, k=1, weight=0, temperature=1)[token])
        row = [*row, token]
    assert loss.item() == pytest.approx(expected, abs=1e-4)


def test_it_lends_its_states_and_nothing_else(tiny_llama: str) -> None:
    predictor = knn(tiny_llama)
    assert isinstance(predictor, Lender)
    assert predictor.encoder("states").module is predictor.lm
    with pytest.raises(ValueError, match="no encoder 'keys': it has the encoder `states`"):
        predictor.encoder("keys")
    with pytest.raises(ValueError, match="its datastore is an access model"):
        predictor.memory("datastore")


def test_the_access_model_it_asks_is_named_where_there_are_several(tiny_llama: str, access: InformationAccess) -> None:
    both = {"wiki": access.open([SEEN]), "states": access.open([SEEN])}
    with pytest.raises(ValueError, match=r"named by `access` \(None\), and is given wiki, states"):
        knn(tiny_llama).loss(Batch((SEEN,), both))
    with pytest.raises(ValueError, match=r"named by `access` \('facts'\), and is given wiki, states"):
        knn(tiny_llama, access="facts").loss(Batch((SEEN,), both))
    knn(tiny_llama, access="states").loss(Batch((SEEN,), both))
    assert [len(session.asked) for session in both.values()] == [0, 1]


def test_a_datastore_of_another_model_is_refused_through_the_session(
    tiny_llama: str, access: InformationAccess, tmp_path: Path
) -> None:
    wide = knn(write_gpt2(tmp_path / "wide", width=64))
    _, batch = opened(access, SEEN)
    with pytest.raises(ValueError, match="width 64, and those of the datastore 32: ask with the states of the model"):
        wide.loss(batch)


def test_tokens_that_the_model_does_not_know_are_refused(tiny_llama: str, access: InformationAccess) -> None:
    predictor = knn(tiny_llama)
    predictor.lm.model.config.vocab_size = 100
    _, batch = opened(access, SEEN)
    with pytest.raises(ValueError, match=r"holds token .*, and the model knows 100: build the datastore with"):
        predictor.loss(batch)


def test_passages_without_next_tokens_are_no_datastore(tiny_llama: str, access: InformationAccess) -> None:
    """Values of a column that is not there: what an access model over texts says to a predictor that asks for them."""
    texts = MemoryCollection(TEXTS)
    found = access.open([SEEN]).ask()
    with pytest.raises(KeyError, match="there is no column 'target'; there are page, words"):
        InformationAccess(Over(texts, access)).open([SEEN]).values("target", found)


class Over:
    """A retriever over texts that finds what another one finds."""

    def __init__(self, collection: MemoryCollection, access: InformationAccess) -> None:
        self.collection, self.search, self.score = collection, access.retriever.search, access.retriever.score


@pytest.mark.parametrize(
    "wrong", [{"k": 0}, {"weight": 1.0}, {"weight": -0.1}, {"temperature": 0.0}, {"prompt": "Answer:"}]
)
def test_settings_that_mean_nothing_are_refused(tiny_llama: str, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"KnnLm\.\w+ is .*, but must be|the prompt must hold \{question\}"):
        knn(tiny_llama, **wrong)


def test_a_signal_is_refused_and_an_example_without_answer_named(tiny_llama: str) -> None:
    predictor = knn(tiny_llama)
    with pytest.raises(ValueError, match="choose another predictor"):
        predictor.loss(Batch((SEEN,)), Signal.ATTENTION)
    with pytest.raises(ValueError, match="example 'q7' has no answer"):
        predictor.loss(Batch((Example("q7", "What?"),)))
