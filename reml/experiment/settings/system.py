"""What an experiment compares: predictors, each with the access models it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.collections import KnowledgeSource


@checked("collections")
@dataclass(frozen=True)
class Passages:
    """A collection that access models name: a knowledge source, cut into passages of so many words, or its whole pages.

    words: of a passage; `null` for whole pages.
    """

    source: KnowledgeSource
    words: Count | None = 100


@checked("system")
@dataclass(frozen=True)
class System:
    """A predictor and the access models it is given, by name and in this order; none is a closed book."""

    predictor: str
    access: Sequence[str] = ()

    def __post_init__(self) -> None:
        if len(set(self.access)) < len(self.access):
            raise ValueError(f"a system names each access model once, not {', '.join(self.access)}.")
