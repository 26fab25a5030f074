"""The metric of a task, and what is refused of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np
import pytest

from reml.contract.examples import Answer, Example, Measure, Page, Provenance
from reml.contract.tasks import Metric, Task
from reml.contract.vectors import Float64Array
from reml.evaluation.kilt import MEASURES, evaluate
from reml.evaluation.metrics import Bleu, KiltMetric, measured, metric_of
from reml.testing import MetricContract

EXAMPLES = [Example(name, "?", (Answer("Oslo", (Provenance(name),)),)) for name in ("a", "b")]
ANSWERS = [Answer("Oslo", (Provenance("a"),)), Answer("Oslo", (Provenance("x"), Provenance("b")))]


class Nothing:
    """Neither pages nor examples."""

    name = "towns"
    fingerprint = ""

    def pages(self) -> Iterator[Page]:
        return iter(())

    def source(self) -> Nothing:
        return self

    def examples(self, split: str) -> Sequence[Example]:
        return ()


class Measured(Nothing):
    """What the README's recipe makes: a task that says one of KILT's measures."""

    measure: Measure = "f1"


class Both(Measured):
    """Has a metric of its own, and still the measure that it inherits."""

    metric = Bleu()


class Given:
    """Gives what it is told to."""

    headline = "mine"

    def __init__(self, figures: object) -> None:
        self.figures = figures

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Mapping[str, Float64Array]:
        return cast("Mapping[str, Float64Array]", self.figures)


class Wrong(Nothing):
    def __init__(self, metric: object) -> None:
        self.metric = metric


class TestKilt(MetricContract):
    def make(self) -> Metric:
        return KiltMetric("f1")


def test_a_task_says_its_measure_or_its_metric() -> None:
    assert metric_of(Measured()) == KiltMetric("f1")
    assert metric_of(Both()) == Bleu()
    assert isinstance(Measured(), Task)
    assert isinstance(Both(), Task)


def test_a_task_that_says_neither_is_refused() -> None:
    with pytest.raises(ValueError, match=r"task 'towns' does not say .* its class Nothing a `measure`"):
        metric_of(Nothing())


@pytest.mark.parametrize("metric", [None, "em", Bleu])
def test_what_is_no_metric_is_refused(metric: object) -> None:
    with pytest.raises(ValueError, match=r"the metric of task 'towns' is .*, which is none"):
        metric_of(Wrong(metric))


def test_a_headline_is_a_name() -> None:
    nameless = Given({})
    nameless.headline = ""
    with pytest.raises(ValueError, match="the metric Given of task 'towns' has the headline ''"):
        metric_of(Wrong(nameless))


def test_a_measure_that_kilt_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="measure is 'bleu', but must be one of 'accuracy', 'em', 'f1', 'rougel'"):
        KiltMetric(cast("Measure", "bleu"))


def test_kilt_s_metric_is_kilt_s_evaluation() -> None:
    expected, found = evaluate(EXAMPLES, ANSWERS), measured(EXAMPLES, ANSWERS, by=KiltMetric("em"), task="towns")
    assert found.ids == expected.ids
    assert list(found.values) == list(expected.values)
    assert all((found.values[name] == values).all() for name, values in expected.values.items())
    assert found.of_answers == MEASURES
    assert found.to_json() == expected.to_json()
    assert found.dev_score("em") == found.kilt("em") == 0.5


def test_another_metric_s_figures_stand_beside_those_of_retrieval() -> None:
    found = measured(EXAMPLES, ANSWERS, by=Given({"mine": [0.25, 0.75], "more": np.array([1, 2])}), task="towns")
    assert found.to_json() == {
        "downstream": {
            "downstream": {"mine": 0.5, "more": 1.5},
            "kilt": {},
            "retrieval": {"Rprec": 0.5, "recall@5": 1.0},
        },
        "retrieval": cast("Mapping[str, object]", evaluate(EXAMPLES, ANSWERS).to_json())["retrieval"],
    }
    assert found.dev_score("mine") == 0.5, "it has no KILT score"


def test_a_metric_may_have_a_kilt_score_and_rank_by_retrieval() -> None:
    scored = measured(EXAMPLES, ANSWERS, by=Given({"mine": [1, 0], "KILT-mine": [1, 1]}), task="towns")
    assert (scored.dev_score("mine"), scored.of_answers) == (1.0, ("mine",))
    ranked = Given({"recall@5": [1.0, 0.0]})
    ranked.headline = "recall@5"
    assert measured(EXAMPLES, ANSWERS, by=ranked, task="towns").of_answers == ("recall@5",)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        (None, "gave NoneType, not figures by name"),
        ({}, "gave nothing, and not its headline 'mine'"),
        ({"other": [1.0, 1.0]}, "gave 'other', and not its headline 'mine'"),
        ({"mine": [1.0]}, r"gave 'mine' as an array of shape \[1\]: give one finite number for each of the 2 examples"),
        ({"mine": 0.5}, r"gave 'mine' as an array of shape \[\]"),
        ({"mine": [[1.0], [1.0]]}, r"gave 'mine' as an array of shape \[2, 1\]"),
        ({"mine": [1.0, 1.0], "more": [1.0, np.nan]}, "gave 'more' as nan for example 'b'"),
        ({"mine": [-np.inf, 1.0]}, "gave 'mine' as -inf for example 'a'"),
        ({"mine": ["good", "bad"]}, r"gave 'mine' as \['good', 'bad'\], which is no array of numbers"),
    ],
)
def test_figures_that_are_not_sound_are_refused(figures: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"the metric Given of task 'towns' {message}"):
        measured(EXAMPLES, ANSWERS, by=Given(figures), task="towns")
