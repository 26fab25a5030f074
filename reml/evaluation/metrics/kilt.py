"""KILT's measures as the metric of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reml.contract.arguments.checked import checked
from reml.contract.examples import Answer, Example, Measure
from reml.contract.vectors import Float64Array
from reml.evaluation.kilt import MEASURES, evaluate


@checked()
@dataclass(frozen=True)
class KiltMetric:
    """Measure as KILT does: its four measures of answers, their KILT scores, and retrieval.

    measure: the one that KILT ranks the task by; `ValueError` for one that KILT does not have.
    """

    measure: Measure = "em"

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ValueError(
                f"there is no measure {self.measure!r}. Choose one of {list(MEASURES)}, or measure by a metric of your "
                "own (reml.contract.tasks.Metric)."
            )

    @property
    def headline(self) -> str:
        """The measure."""
        return self.measure

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Mapping[str, Float64Array]:
        """Give all that `reml.evaluation.kilt.evaluate` measures."""
        return evaluate(examples, answers).values
