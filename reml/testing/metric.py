"""The contract test of a metric."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from reml.contract.examples import Answer, Example, Provenance
from reml.contract.tasks import Metric
from reml.evaluation.metrics import measured
from reml.testing.contract import Contract


class MetricContract(Contract, ABC):
    """What every metric must do. Override the examples and their answers where yours are of another kind."""

    @abstractmethod
    def make(self) -> Metric:
        """Make the metric."""

    def examples(self) -> Sequence[Example]:
        """Make examples with different right answers."""
        answers = {
            "1": "the red fox of the north",
            "2": "a small town by the sea",
            "3": "the year of the great fire",
        }
        return [Example(one, "What?", (Answer(text, (Provenance(one),)),)) for one, text in answers.items()]

    def good(self) -> Sequence[Answer]:
        """Give answers to the examples that are right."""
        likely = {"log_likelihood": -1.0, "tokens": 6}
        return [Answer(example.answers[0], example.output[0].provenance, likely) for example in self.examples()]

    def bad(self) -> Sequence[Answer]:
        """Give answers to the examples that are wrong."""
        unlikely = {"log_likelihood": -30.0, "tokens": 6}
        return [Answer("nothing alike whatsoever here", (), unlikely) for _ in self.examples()]

    def test_gives_a_finite_number_for_each_example(self) -> None:
        """Every figure is [N], the headline among them."""
        for answers in (self.good(), self.bad()):
            found = measured(self.examples(), answers, by=self.make(), task="the contract's")
            assert self.make().headline in found.of_answers

    def test_right_answers_are_worth_more(self) -> None:
        """Of the headline more is better."""
        metric = self.make()
        good, bad = (metric(self.examples(), answers)[metric.headline] for answers in (self.good(), self.bad()))
        assert good.mean() > bad.mean()

    def test_numbers_stand_in_the_order_of_the_examples(self) -> None:
        """Other orders give the same numbers in those orders."""
        answers = [self.good()[0], *self.bad()[1:]]
        given = self.make()(self.examples(), answers)
        turned = self.make()(self.examples()[::-1], answers[::-1])
        assert set(turned) == set(given)
        for name, values in given.items():
            np.testing.assert_allclose(turned[name][::-1], values)

    def test_nothing_is_measured_of_nothing(self) -> None:
        """Without examples every figure is empty, and none is left out."""
        assert set(self.make()([], [])) == set(self.make()(self.examples(), self.good()))
        measured([], [], by=self.make(), task="the contract's")
