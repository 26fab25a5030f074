"""The metric of a task, and predictions measured by it: its figures are checked before anything is made of them.

Figures of retrieval (R-precision, recall, ...) are of the access model, not of answers: they are measured as KILT does,
whatever a task measures its answers by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reml.contract.examples import Answer, Example
from reml.contract.tasks import MeasuredTask, Metric, MetricTask, Task
from reml.contract.vectors import Float64Array
from reml.evaluation.judgements import Gold
from reml.evaluation.kilt import KILT, RETRIEVAL, Evaluation, evaluate, unmeasured
from reml.evaluation.metrics.kilt import KiltMetric


def metric_of(task: Task) -> Metric:
    """Give what a task is measured by: its `metric`, or KILT's with its `measure` as headline.

    Tasks of either kind are told apart by two protocols of one member each, so that a task with a `measure` alone
    stays a task, and none must say both. `ValueError` for a task that has neither, and for a metric that is none.
    """
    if isinstance(task, MetricTask):
        return _sound(task.metric, task.name)
    if isinstance(task, MeasuredTask):
        return KiltMetric(task.measure)
    raise ValueError(
        f"task {task.name!r} does not say what it is measured by: give its class {type(task).__name__} a `measure` "
        "(accuracy, em, f1 or rougel), or a `metric` (reml.contract.tasks.Metric)."
    )


def measured(examples: Sequence[Example], answers: Sequence[Answer], *, by: Metric, task: str) -> Evaluation:
    """Measure one predicted answer for each example, in the same order, and retrieval.

    by: the metric. task: its name, for messages. `ValueError` if the figures are not what `Metric` promises.
    """
    figures = _checked(by(examples, answers), examples, by=by, task=task)
    lacking = [name for name in RETRIEVAL if name not in figures]
    retrieval = evaluate(examples, answers).values if lacking else {}
    of_answers = [name for name in figures if name not in RETRIEVAL and not name.startswith(KILT)]
    of_pages = {*figures, *RETRIEVAL} - {*of_answers, by.headline}
    quoted = any(place.text is not None for answer in answers for place in answer.provenance)
    return Evaluation(
        tuple(example.id.strip() for example in examples),
        {**figures, **{name: retrieval[name] for name in lacking}},
        of_answers=tuple(dict.fromkeys([*of_answers, by.headline])),
        unmeasured=unmeasured(map(Gold.of, examples), of_pages, quoted=quoted),
    )


def _sound(metric: object, task: str) -> Metric:
    if isinstance(metric, Metric) and not isinstance(metric, type):
        if isinstance(metric.headline, str) and metric.headline:
            return metric
        raise ValueError(f"the metric {_name(metric)} of task {task!r} has the headline {metric.headline!r}: name one.")
    raise ValueError(
        f"the metric of task {task!r} is {metric!r}, which is none: give an object with a `headline` that is called "
        "with examples and answers (reml.contract.tasks.Metric)."
    )


def _checked(given: object, examples: Sequence[Example], *, by: Metric, task: str) -> dict[str, Float64Array]:
    gave = f"the metric {_name(by)} of task {task!r} gave"
    if not isinstance(given, Mapping):
        raise ValueError(f"{gave} {type(given).__name__}, not figures by name: give a mapping with {by.headline!r}.")
    if by.headline not in given:
        raise ValueError(f"{gave} {', '.join(map(repr, given)) or 'nothing'}, and not its headline {by.headline!r}.")
    return {str(name): _figure(values, f"{gave} {name!r} as", examples) for name, values in given.items()}


def _figure(values: object, gave: str, examples: Sequence[Example]) -> Float64Array:
    wanted = f"give one finite number for each of the {len(examples)} examples, in order"
    try:
        figure = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{gave} {values!r}, which is no array of numbers: {wanted}.") from error
    if figure.shape != (len(examples),):
        raise ValueError(f"{gave} an array of shape {list(figure.shape)}: {wanted}.")
    wrong = np.flatnonzero(~np.isfinite(figure))
    if wrong.size:
        first = int(wrong[0])
        raise ValueError(f"{gave} {figure[first]} for example {examples[first].id!r}: {wanted}.")
    return figure


def _name(metric: object) -> str:
    return type(metric).__name__
