"""What is sure without items asks nothing; what is not is answered as if it had been asked alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.querying import DecomposedQuery
from reml.access.responses import gather
from reml.access.trajectory import trajectories
from reml.contract.access import Likelihoods
from reml.contract.examples import Answer, Example
from reml.contract.predictor_module import PredictorModule
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.contract.vectors import Float64Array
from reml.predictors.agents.search_r1 import SearchR1
from reml.predictors.first_title import FirstTitle
from reml.predictors.gated import Gated
from reml.predictors.gating.confidence import AnswerLikelihood, Confidence, ToldConfidence
from reml.predictors.span import Span
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection, PredictorContract
from tests.predictors.agents.scripted import Scripted

PAGES = MemoryCollection(["alpha is first", "beta is second", "gamma is third"], ["Alpha", "Beta", "Gamma"])
EXAMPLES = tuple(Example(name, name, (Answer(name.title()),)) for name in ("alpha", "beta", "gamma"))


@dataclass
class ByQuestion:
    """A confidence by what is asked."""

    sure: dict[str, float]

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Float64Array:
        return np.array([self.sure.get(example.input, 0.0) for example in examples])


@dataclass
class LettersLikelihood:
    """A likelihood of -1 a letter that is not in the prompt, and 0 of others; a token is a letter."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def log_likelihoods(self, prompts: Sequence[str], texts: Sequence[str]) -> list[tuple[float, ...]]:
        self.asked += zip(prompts, texts, strict=True)
        return [
            tuple(-float(letter not in prompt) for letter in text) for prompt, text in zip(prompts, texts, strict=True)
        ]


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_bert: str) -> None:
        self.folder = tiny_bert

    def make(self) -> Predictor:
        return Gated(lambda: Span(self.folder, input_tokens=64, answer_tokens=12), ByQuestion({}), 1.0)


@pytest.fixture
def wiki(tmp_path: Path) -> InformationAccess:
    return InformationAccess(BM25().index(PAGES, tmp_path / "wiki"), limits=Limits(depth=3, k=1, asks=1), name="wiki")


def test_it_is_what_a_configuration_calls_a_predictor() -> None:
    assert issubclass(Gated, PredictorModule)
    assert isinstance(ByQuestion({}), Confidence)
    assert isinstance(LettersLikelihood(), Likelihoods)
    with pytest.raises(ValueError, match="threshold is nan"):
        Gated(FirstTitle, ByQuestion({}), float("nan"))


def test_only_what_is_not_sure_is_asked_for(wiki: InformationAccess) -> None:
    session = wiki.open(EXAMPLES)
    batch = Batch(EXAMPLES, {"wiki": session})
    answers = Gated(FirstTitle, ByQuestion({"alpha": -1.0, "beta": 0.5, "gamma": -np.inf}), 0.5).generate(batch)
    assert [answer.text for answer in answers] == ["Alpha", "", "Gamma"]
    assert [answer.meta for answer in answers] == [
        {"asked": True, "confidence": -1.0},
        {"asked": False, "confidence": 0.5},
        {"asked": True, "confidence": None},
    ]
    ((queries, found),) = session.asked
    assert (queries.owners.tolist(), queries.texts, found.rows.shape) == ([0, 2], ("alpha", "gamma"), (2, 1))
    assert session.left.tolist() == [0, 1, 0], "who is sure spends nothing"
    assert [len(one.asks) for one in trajectories(batch, answers)] == [1, 0, 1]


@pytest.mark.parametrize(("threshold", "asked"), [(-5.0, 0), (5.0, 3)])
def test_at_the_ends_it_is_the_closed_book_or_the_predictor(
    wiki: InformationAccess, threshold: float, asked: int
) -> None:
    session = wiki.open(EXAMPLES)
    answers = Gated(FirstTitle, ByQuestion({}), threshold).generate(Batch(EXAMPLES, {"wiki": session}))
    alone = Batch(EXAMPLES, {"wiki": wiki.open(EXAMPLES)} if asked else {})
    assert [answer.text for answer in answers] == [answer.text for answer in FirstTitle().generate(alone)]
    assert sum(len(queries) for queries, _ in session.asked) == asked


def test_lists_that_are_given_are_read_where_it_is_not_sure() -> None:
    given = gather(PAGES, Hits(np.array([[2], [1], [0]]), np.zeros((3, 1), np.float32)))
    gated = Gated(FirstTitle, ByQuestion({"beta": 1.0}), 0.5)
    assert [one.text for one in gated.generate(Batch.of(EXAMPLES, given))] == ["Gamma", "", "Alpha"]


def test_the_queries_of_an_access_model_are_its_own_and_may_be_several(tmp_path: Path) -> None:
    class Lines:
        def write(self, prompts: Sequence[str]) -> list[str]:
            return ["beta\nbeta beta" for _ in prompts]

    wiki = InformationAccess(
        BM25().index(PAGES, tmp_path / "wiki"), DecomposedQuery(Lines()), limits=Limits(depth=3, k=1)
    )
    session = wiki.open(EXAMPLES)
    gated = Gated(FirstTitle, ByQuestion({"beta": 1.0}), 0.5)
    answers = gated.generate(Batch(EXAMPLES, {"wiki": session}))
    assert [answer.text for answer in answers] == ["Beta", "", "Beta"]
    ((queries, _),) = session.asked
    assert set(queries.owners.tolist()) == {0, 2}


def test_an_agent_inside_asks_with_queries_of_its_own(wiki: InformationAccess) -> None:
    rules = {"alpha": "<answer>a</answer>", "beta": "<search>gamma</search>", "third": "<answer>c</answer>"}
    session = wiki.open(EXAMPLES[:2])
    gated = Gated(
        lambda: SearchR1(Scripted({**rules, "<answer>": "no</answer>"}), prompt="{question}"),
        ByQuestion({"alpha": 1.0}),
        0.5,
    )
    answers = gated.generate(Batch(EXAMPLES[:2], {"wiki": session}))
    assert [answer.text for answer in answers] == ["a", "c"]
    ((queries, _),) = session.asked
    assert (queries.owners.tolist(), queries.texts) == ([1], ("gamma",))
    assert session.left.tolist() == [1, 0]
    assert answers[1].meta is not None
    assert answers[1].meta["asks"] == 1


def test_how_likely_an_answer_is() -> None:
    model = LettersLikelihood()
    answers = [Answer("ab"), Answer(" "), Answer(None), Answer("xyz")]
    examples = [Example(str(place), "ab?") for place in range(4)]
    found = AnswerLikelihood(model, "{question} ")(examples, answers)
    assert found.tolist() == [0.0, -np.inf, -np.inf, -3 / 4]
    assert model.asked == [("ab? ", " ab"), ("ab? ", " xyz")]
    with pytest.raises(ValueError, match=r"must hold \{question\}"):
        AnswerLikelihood(model, "Q:")


def test_what_a_predictor_says_of_itself() -> None:
    told = ToldConfidence("sure")
    answers = [Answer("a", meta={"sure": 2}), Answer("", meta=None)]
    assert told(EXAMPLES[:2], answers).tolist() == [2.0, -np.inf]
    with pytest.raises(ValueError, match=r"'alpha' has no number 'sure' in its meta, which has other"):
        told(EXAMPLES[:1], [Answer("a", meta={"other": 1})])


def test_what_is_not_one_number_each_is_named() -> None:
    class Short:
        def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Float64Array:
            return np.zeros(1)

    with pytest.raises(ValueError, match="Short gave"):
        Gated(FirstTitle, Short(), 0.0).generate(Batch(EXAMPLES))
