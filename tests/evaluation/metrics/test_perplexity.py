"""Likelihoods that answers carry."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from reml.contract.examples import Answer, Example, Json
from reml.contract.tasks import Metric
from reml.evaluation.metrics.perplexity import Perplexity
from reml.testing import MetricContract

EXAMPLES = [Example(name, "?", (Answer("x"),)) for name in ("a", "b")]


class TestPerplexity(MetricContract):
    def make(self) -> Metric:
        return Perplexity()


def test_the_mean_over_examples_is_that_over_tokens() -> None:
    """One token of probability 1/2 and three of 1/8 in all: -ln 2 and -ln 8, together -4 ln 2 over four tokens."""
    answers = [
        Answer("x", meta={"log_likelihood": -math.log(2), "tokens": 1}),
        Answer("x", meta={"log_likelihood": -math.log(8), "tokens": 3}),
    ]
    found = Perplexity()(EXAMPLES, answers)
    assert found["log_likelihood"].mean() == pytest.approx(-math.log(2))
    np.testing.assert_allclose(found["log_likelihood"], [-math.log(2) / 2, -math.log(2) * 3 / 2])
    np.testing.assert_allclose(found["perplexity"], [2.0, 2.0])


@pytest.mark.parametrize(
    "meta",
    [
        None,
        {},
        {"log_likelihood": -1.0},
        {"tokens": 2},
        {"log_likelihood": -1.0, "tokens": 0},
        {"log_likelihood": -1.0, "tokens": 1.5},
        {"log_likelihood": math.nan, "tokens": 2},
        {"log_likelihood": "-1", "tokens": 2},
    ],
)
def test_an_answer_that_does_not_say_its_likelihood_is_named(meta: Mapping[str, Json] | None) -> None:
    sound = Answer("x", meta={"log_likelihood": -1.0, "tokens": 1})
    with pytest.raises(ValueError, match="the answer to example 'b' does not say how likely"):
        Perplexity()(EXAMPLES, [sound, Answer("x", meta=meta)])
