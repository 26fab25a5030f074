"""What predictors are trained on, and in which phases: what a configuration says under `train_on`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Temper
from reml.training.settings import Stretch, Training


def untrained(access: Iterable[str]) -> str:
    """Say what to write where a predictor's training is described and nothing says what it learns from."""
    return (
        "training says how a predictor learns, and nothing says from what, so that it would be used as it comes: add "
        f"`train_on: {{access: {next(iter(access), 'NAME')}}}`, the access model that it reads in training, or leave "
        "out training; how a retriever learns stands under its own `train`."
    )


@checked("train_on.phases")
@dataclass(frozen=True, kw_only=True)
class Phase(Stretch):
    """One phase, with settings of a stretch of training (`reml.training.settings.Stretch`).

    Args:
        access: the access models that are read; as in `train_on` if left out, and so are the next two.
        k: items read.
        tasks: names of the tasks that are learnt.
    """

    access: str | Sequence[str] | None = None
    k: Count | None = None
    tasks: Sequence[str] | None = None

    def of_source(self, source: TrainOn) -> TrainOn:
        """Give what is learnt on in this phase."""
        return replace(
            source,
            access=source.access if self.access is None else self.access,
            k=source.k if self.k is None else self.k,
            tasks=source.tasks if self.tasks is None else self.tasks,
            phases=(),
        )


@checked("train_on")
@dataclass(frozen=True)
class TrainOn:
    """What the predictor is trained on: the train split of tasks, as one access model answers it.

    Args:
        access: its name, or several names: what each finds is read side by side.
        k: items read while it trains, `reading.k` if left out.
        limit: examples of each task, all if left out.
        relevant: only examples of which evidence is among the items read (`reml.training.data.relevance_sampling`).
        dev_limit: dev examples of each task on which training is judged while it runs.
        tasks: names of the tasks it learns, all if left out.
        temperature: if given, a task with n examples has a share of n^(1 / temperature) in what is learnt: 1 is in
            proportion to size, 2 takes less of large tasks. Left out, each example comes once an epoch.
        prefix: the predictor sees the name of its task in front of every input.
        predictors: names of the predictors that are trained so, all if left out.
        mixed: of several access models, each example is read with the list of one at a time, once with each, so that
            the predictor learns to read any of them; it is judged with the first.
        phases: if given, it learns in so many phases, each from the best weights of the one before.
    """

    access: str | Sequence[str]
    k: Count | None = None
    limit: Count | None = None
    relevant: bool = False
    dev_limit: Count | None = 50
    tasks: Sequence[str] = ()
    temperature: Temper | None = None
    prefix: bool = False
    predictors: Sequence[str] = ()
    phases: Sequence[Phase] = ()
    mixed: bool = False

    def __post_init__(self) -> None:
        if not all(part.names for part in self.all_phases):
            raise ValueError("train_on.access names no access model: give one or several.")

    @property
    def names(self) -> Sequence[str]:
        """The access models that are read: in a phase, or where there are none."""
        return [self.access] if isinstance(self.access, str) else list(self.access)

    @property
    def all_phases(self) -> Sequence[TrainOn]:
        """What is learnt on in each phase, one without phases of its own if there are none."""
        return [phase.of_source(self) for phase in self.phases] if self.phases else [self]

    @property
    def all_names(self) -> Sequence[str]:
        """The access models that are read in any phase."""
        return list(dict.fromkeys(name for part in self.all_phases for name in part.names))

    def trainings(self, training: Training) -> Sequence[Training]:
        """Give the settings of each phase."""
        return [phase.of(training) for phase in self.phases] if self.phases else [training]
