"""What a dev score is the mean of is said beside it: the measure, and the tasks."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from reml.contract.examples import Answer, Example, Provenance
from reml.contract.tasks import Metric
from reml.evaluation.metrics import Bleu, KiltMetric
from reml.experiment.trained.predictors import _judged
from reml.training.loop.best import KeepBest
from reml.training.loop.module import PredictorTraining
from reml.training.loop.progress import ProgressLine
from reml.training.regimes.regimes import Independent
from tests.training.pointing import SETTINGS, dev_sets, predictor, retrieved

PAGE = (Provenance("p"),)


@pytest.mark.parametrize(
    ("measures", "said"),
    [
        ([], ""),
        ([("qa", "KILT-em")], "KILT-em of qa"),
        ([("qa", "em")], "em of qa"),
        ([("a b", "RR")], "RR of a b"),
        ([("qa", "KILT-em"), ("zsre", "KILT-em")], "mean of KILT-em of qa and zsre"),
        ([("qa", "KILT-em"), ("fever", "KILT-accuracy")], "mean of KILT-em of qa, KILT-accuracy of fever"),
        ([("a", "em"), ("b", "f1"), ("c", "em")], "mean of em of a and c, f1 of b"),
        ([("a", "em"), ("b", "em"), ("c", "em")], "mean of em of a and b and c"),
        ([("a", "em"), ("b", "KILT-em")], "mean of em of a, KILT-em of b"),
        ([("a", "log-likelihood"), ("b", "score")], "mean of log-likelihood of a, score of b"),
    ],
)
def test_measures_are_named_with_their_tasks(measures: list[tuple[str, str]], said: str) -> None:
    (one, _) = dev_sets()
    dev = [replace(one, name=name, measure=functools.partial(str, measure)) for name, measure in measures]
    assert PredictorTraining(Independent(predictor()), dev, SETTINGS).judged_by == said


@pytest.mark.parametrize(
    ("metric", "provenance", "measure"),
    [
        (KiltMetric("em"), PAGE, "KILT-em"),
        (KiltMetric("f1"), PAGE, "KILT-f1"),
        (KiltMetric("accuracy"), (), "accuracy"),
        (KiltMetric("rougel"), (Provenance(" "),), "rougel"),
        (Bleu(), PAGE, "bleu"),
    ],
)
def test_it_is_the_kilt_score_where_there_is_one(
    metric: Metric, provenance: Sequence[Provenance], measure: str
) -> None:
    read = retrieved(8, 10)
    examples = [Example(one.id, one.input, (Answer("x", tuple(provenance)),)) for one in read.examples]
    dev = _judged("qa", metric, replace(read, examples=examples))
    assert dev.score(dev.retrieved.examples, [Answer("x", PAGE)] * 2) == pytest.approx(1.0)
    assert dev.measure() == measure


def test_the_progress_says_it(tmp_path: Path) -> None:
    training = PredictorTraining(Independent(predictor()), dev_sets(), SETTINGS)
    best = KeepBest(training, tmp_path / "best", None)
    line = ProgressLine(training, best)
    training.loss, training.dev_score = 0.25, 0.595
    assert line._described() == "loss 0.25", "before the first look"
    best.best_step, best.best_score = 3, 0.595
    assert line._described() == "loss 0.25, dev 0.595, mean of score of first and second"
    best.best_score = 0.61
    assert line._described() == "loss 0.25, dev 0.595 (best 0.610), mean of score of first and second"
