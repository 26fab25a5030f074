"""What a configuration names where an objective needs the utility of items: a judge, before it has whom it asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from reml.contract.predictors import Judge, Predictor


@runtime_checkable
class Judging(Protocol):
    """Settings of a judge: `GoldEvidence`, `DownstreamUtility`, `TeacherScores`, or a class of your own."""

    @property
    def access(self) -> Sequence[str]:
        """The access models that it asks, by name."""

    def open(self, predictor: Predictor, teachers: Mapping[str, Judge]) -> Judge:
        """Give the judge. predictor: the one that gives the feedback. teachers: those of `access`, by name."""
