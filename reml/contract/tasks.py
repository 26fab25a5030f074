"""What is predicted and how it is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Example, Measure


@runtime_checkable
class Task(Protocol):
    """Examples, the knowledge source they refer to, and how they are measured."""

    @property
    def name(self) -> str:
        """A short name, unique in an experiment."""

    @property
    def measure(self) -> Measure:
        """The downstream measure KILT ranks this kind of task by."""

    def source(self) -> KnowledgeSource:
        """Give the knowledge source that the provenance of the examples points to."""

    def examples(self, split: str) -> Sequence[Example]:
        """Give the examples of `train`, `dev` or `test`; `ValueError` for a split it does not have."""
