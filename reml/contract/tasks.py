"""What is predicted and how it is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Answer, Example, Measure
from reml.contract.vectors import Float64Array


@runtime_checkable
class Metric(Protocol):
    """Says how good answers are: KILT's measures are one, likelihood and BLEU others (`reml.evaluation.metrics`)."""

    @property
    def headline(self) -> str:
        """The name of the figure that a task is ranked by, the larger the better.

        Reports count an answer as right from 0.5 on, by `accuracy` and `em` from 1. Where the metric gives a figure
        `KILT-` and this name too, that is its KILT score.
        """

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Mapping[str, Float64Array]:
        """Give figures by name, [N] and finite, the headline among them: one number for each example, in order.

        N may be 0. Every example has a right answer, and every answer a text. What stands in tables is the mean.
        """


@runtime_checkable
class Task(Protocol):
    """Examples and the knowledge source they refer to. Is a `MeasuredTask` or a `MetricTask`, too."""

    @property
    def name(self) -> str:
        """A short name, unique in an experiment."""

    def source(self) -> KnowledgeSource:
        """Give the knowledge source that the provenance of the examples points to."""

    def examples(self, split: str) -> Sequence[Example]:
        """Give the examples of `train`, `dev` or `test`; `ValueError` for a split it does not have."""


@runtime_checkable
class MeasuredTask(Task, Protocol):
    """A task that is measured as KILT measures."""

    @property
    def measure(self) -> Measure:
        """The downstream measure KILT ranks this kind of task by: short for KILT's metric with this headline."""


@runtime_checkable
class MetricTask(Task, Protocol):
    """A task that is measured by a metric of its own; what it says of a `measure` beside it does not count."""

    @property
    def metric(self) -> Metric:
        """What its answers are measured by."""


def examples_of(task: Task, split: str) -> tuple[Example, ...]:
    """Ask a task for the examples of a split, and hold what it gives to the contract.

    Any iterable of them is taken, a generator too, which is gone through once. `ValueError` names task and split for
    what is none, for a split without examples, for an id that is empty or given twice, and for an empty input.
    """
    given: object = task.examples(split)
    where = f"examples({split!r}) of the task {task.name!r} ({type(task).__name__})"
    wanted = "give a list of `Example(id, input, output)`"
    if isinstance(given, str | bytes | Mapping | Example) or not isinstance(given, Iterable):
        shown = "nothing (None)" if given is None else f"a {type(given).__name__}"
        raise ValueError(f"{where} gave {shown}: {wanted}.")
    examples, places = tuple(given), dict[str, int]()
    for place, one in enumerate(examples):
        if not isinstance(one, Example):
            raise ValueError(f"{where} gave a {type(one).__name__} at place {place}: {wanted}.")
        if not one.id.strip():
            raise ValueError(f"{where} gave an example with the empty id {one.id!r} at place {place}: give it one.")
        if not one.input.strip() and not one.media:
            raise ValueError(f"{where} gave example {one.id!r} without an input: give it a question, or leave it out.")
        if places.setdefault(one.id, place) != place:
            raise ValueError(
                f"{where} gave the id {one.id!r} twice, at places {places[one.id]} and {place}: give each example an "
                "id of its own."
            )
    if not examples:
        raise ValueError(f"{where} gave no examples: {wanted}, or raise ValueError for a split that there is not.")
    return examples
