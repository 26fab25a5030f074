"""What each step of an access model takes: its search, and every processor after it.

with watched() as steps:
hits = access.search(examples)
steps[0].seconds, steps[0].items
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from reml.contract.access import ResponseProcessor, ScoredProcessor, SparingProcessor
from reml.contract.retrieved import Responses

SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Step:
    """One step for some queries. items: that it read, of all queries; of a search, those that it found."""

    name: str
    queries: int
    items: int
    seconds: float


_WATCHED: ContextVar[list[Step] | None] = ContextVar("watched", default=None)


@contextlib.contextmanager
def watched() -> Iterator[Sequence[Step]]:
    """Note each step that access models take meanwhile, in order; steps of the same name are added up."""
    steps: list[Step] = []
    before = _WATCHED.set(steps)
    try:
        yield steps
    finally:
        _WATCHED.reset(before)


class Clock:
    """Notes steps one after the other; nothing where nobody watches."""

    def __init__(self) -> None:
        self._steps, self._begun = _WATCHED.get(), time.perf_counter()

    def note(self, name: str, queries: int, items: Callable[[], int]) -> None:
        """Say that a step is over: it began with this clock, or where the step before ended.

        items: counts them, if anybody watches; that takes none of the step's time.
        """
        if self._steps is None:
            return
        seconds = time.perf_counter() - self._begun
        step = Step(name, queries, items(), seconds)
        place = next((place for place, one in enumerate(self._steps) if one.name == name), None)
        if place is None:
            self._steps.append(step)
        else:
            other = self._steps[place]
            self._steps[place] = Step(name, other.queries + queries, other.items + step.items, other.seconds + seconds)
        self._begun = time.perf_counter()


def items_read(processor: ResponseProcessor, responses: Responses) -> int:
    """Count the items that a processor reads: all that it is given, unless it says so itself."""
    return processor.reads(responses) if isinstance(processor, SparingProcessor) else int((responses.rows >= 0).sum())


def step_names(processors: Sequence[ResponseProcessor]) -> list[str]:
    """Name the steps of processors, each its own: by class and scorer, and by number where these are alike."""
    names: list[str] = []
    for one in processors:
        name = type(one).__name__
        if isinstance(one, ScoredProcessor) and not isinstance(one.scorer, str | None):
            name = f"{name} by {type(one.scorer).__name__}"
        alike = sum(other.partition(" (")[0] == name for other in names)
        names.append(f"{name} ({alike + 1})" if alike else name)
    return names
