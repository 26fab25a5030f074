"""Who judges items where an objective needs their utility: what a configuration names, made into a `Judge`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from reml.contract.predictors import Judge, Predictor
from reml.feedback.judges.answer_utility import AnswerUtility
from reml.feedback.judges.downstream_utility import DownstreamUtility
from reml.feedback.judges.gold_evidence import GoldEvidence
from reml.feedback.judges.teacher import Teacher


@dataclass(frozen=True, eq=False)
class Known:
    """Whom a judge may ask: the predictor that gives the feedback, and the access models of the experiment by name."""

    predictor: Predictor
    teacher: Callable[[str], Teacher]


@runtime_checkable
class Judging(Protocol):
    """Settings that make a judge."""

    @property
    def access(self) -> Sequence[str]:
        """The access models it asks."""

    def judge(self, known: Known) -> Judge:
        """Make the judge."""


@dataclass(frozen=True)
class ByEvidence:
    """The gold labels judge: an item that holds the evidence of a right answer is useful."""

    @property
    def access(self) -> Sequence[str]:
        """None."""
        return ()

    def judge(self, known: Known) -> Judge:  # noqa: ARG002
        """Make the judge."""
        return GoldEvidence()


@dataclass(frozen=True)
class ByAnswer:
    """The predictor judges: an item is as useful as the answer that it gives with that item alone."""

    utility: AnswerUtility = field(default_factory=AnswerUtility)
    batch_size: int = 16

    @property
    def access(self) -> Sequence[str]:
        """None."""
        return ()

    def judge(self, known: Known) -> Judge:
        """Make the judge."""
        return DownstreamUtility(known.predictor, self.utility, self.batch_size)


@dataclass(frozen=True)
class ByTeacher:
    """Another access model judges: an item is as useful as it scores there. teacher: its name."""

    teacher: str

    @property
    def access(self) -> Sequence[str]:
        """The teacher."""
        return (self.teacher,)

    def judge(self, known: Known) -> Judge:
        """Make the judge."""
        return known.teacher(self.teacher)
