"""When the vectors of items are made anew while their encoder learns, and which.

    Never             the index stays as it was: exact where queries alone learn, else the control that shows staleness
    Every             all items, while training waits
    MostRetrieved     the items that were retrieved most since they were encoded
    (`reml.training.refresh.most_retrieved`)
    Asynchronous      all items, in another process while training goes on (`reml.training.refresh.asynchronous`)

The synchronous ones are functions of the step, so that a run which was killed goes on with the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from reml.contract.arguments.checked import checked

if TYPE_CHECKING:
    from reml.contract.retrievers import Index
    from reml.training.refresh.index_versions import IndexVersions
    from reml.training.refresh.live_examples import LiveRetrieval
    from reml.training.refresh.live_index import LiveIndex

Change = Callable[[], None]


class RefreshDiedError(RuntimeError):
    """A refresh came to nothing, and training can go on with the vectors that it has."""


class Refresher(Protocol):
    """A refresh at work in one training run."""

    def after(self, step: int) -> Change | None:
        """Say what is to be done to the live index after `step` steps, if anything; `RefreshDiedError` if that died."""

    def end(self) -> None:
        """Leave nothing running."""


@dataclass(frozen=True, eq=False)
class Run:
    """A training run whose index is refreshed. epoch: its length in steps."""

    live: LiveIndex
    versions: IndexVersions
    epoch: Fraction

    def rebuild(self, step: int) -> Change:
        """Make a whole version of the encoder as it is, and say how it is put to use."""
        index = self.versions.rebuild(self.versions.begin(self.live, step))
        return lambda: self.live.swap(index, step)

    def period(self, steps: int | None) -> Fraction:
        """Give a number of steps, those of an epoch if there is none."""
        return self.epoch if steps is None else Fraction(steps)

    def due(self, step: int, steps: int | None) -> bool:
        """Tell whether `step` is the first one that a further `steps`, or a further epoch, are through."""
        return step // self.period(steps) > (step - 1) // self.period(steps)


@runtime_checkable
class Refresh(Protocol):
    """Settings of a refresh. Their `repr` shows them all: a run goes on only under the settings that it began with."""

    def begin(self, run: Run) -> Refresher:
        """Start in a run, at whatever step it is."""


@dataclass(frozen=True, eq=False)
class RefreshedIndex:
    """How the index of live examples keeps up with the encoder. rebuild: a `Rebuild`, or what does the same."""

    retrieval: LiveRetrieval
    refresh: Refresh
    rebuild: Callable[[Path], Index]


@dataclass(frozen=True)
class Never:
    """Makes no vector anew."""

    def begin(self, run: Run) -> Refresher:  # noqa: ARG002
        """Do nothing."""
        return _Still()


class _Still:
    def after(self, step: int) -> None:
        pass

    def end(self) -> None:
        pass


@checked()
@dataclass(frozen=True)
class Every:
    """Makes all vectors anew every `steps` steps, or once an epoch if left out, while training waits."""

    steps: int | None = None

    def __post_init__(self) -> None:
        check_steps(self.steps)

    def begin(self, run: Run) -> Refresher:
        """Wait for the first time."""
        return _Every(run, self.steps)


class _Every:
    def __init__(self, run: Run, steps: int | None) -> None:
        self._run, self._steps = run, steps

    def after(self, step: int) -> Change | None:
        return self._run.rebuild(step) if self._run.due(step, self._steps) else None

    def end(self) -> None:
        pass


def check_steps(steps: int | None) -> None:
    """Raise `ValueError` for a number of steps that is none."""
    if steps is not None and steps < 1:
        raise ValueError(f"refresh every 1 step or more, or once an epoch if `steps` is left out; not every {steps}.")
