"""What an experiment compares: predictors, each with the access models it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reml.collection.passages import Unit, Units
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.contract.collections import KnowledgeSource


@checked("collections")
@dataclass(frozen=True)
class Passages:
    """A collection that access models name: a knowledge source, cut into passages, or its whole pages.

    words, unit, size, overlap: how pages are cut, as under `reading`.
    """

    source: KnowledgeSource
    words: Count | None = 100
    unit: Unit = "words"
    size: Count | None = None
    overlap: Size = 0

    def __post_init__(self) -> None:
        self.units.check(self.words)

    @property
    def units(self) -> Units:
        """What a passage is made of."""
        return Units(self.unit, self.size, self.overlap)


@checked("system")
@dataclass(frozen=True)
class System:
    """A predictor and the access models it is given, by name and in this order; none is a closed book."""

    predictor: str
    access: Sequence[str] = ()

    def __post_init__(self) -> None:
        if len(set(self.access)) < len(self.access):
            raise ValueError(f"a system names each access model once, not {', '.join(self.access)}.")
