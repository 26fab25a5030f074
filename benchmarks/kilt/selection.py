"""A part of an experiment: some of its tasks, and some of its access models with those that they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reml.cli.loading import make_runner
from reml.experiment.runner import Runner
from reml.experiment.settings.experiment import Experiment, TrainOn


def narrowed(runner: Runner, tasks: Sequence[str], accesses: Sequence[str]) -> Runner:
    """Give a runner of the part; the predictor is trained on chosen tasks only. `ValueError` names what is not there.

    tasks, accesses: names in the order they are to be shown, all if there are none.
    """
    experiment = runner.experiment
    known = {task.name: place for place, task in enumerate(experiment.tasks)}
    places = [known[name] for name in _known(tasks, list(known), "task")]
    chosen = {task.name for place, task in enumerate(experiment.tasks) if place in places}
    names = _needed(experiment, _known(accesses, list(experiment.access), "access model"))
    part = replace(
        experiment,
        tasks=[experiment.tasks[place] for place in places],
        access={name: experiment.access[name] for name in names},
        train_on=_learnt(experiment.train_on, chosen),
    )
    return make_runner(part, runner.stages.home)


def _known(chosen: Sequence[str], there: Sequence[str], kind: str) -> Sequence[str]:
    unknown = [name for name in chosen if name not in there]
    if unknown or len(set(chosen)) < len(chosen):
        raise ValueError(f"cannot choose the {kind}s {', '.join(chosen)}: name some of {', '.join(there)}, each once.")
    return chosen or there


def _needed(experiment: Experiment, chosen: Sequence[str]) -> list[str]:
    """Add to the chosen access models those that they fuse or learn from, and the one that training reads with."""
    names = list(chosen)
    names += experiment.train_on.names if experiment.train_on is not None else []
    for name in names:  # grows while it is gone through
        names += [needed for needed in experiment.access[name].needs if needed not in names]
    return list(dict.fromkeys(names))


def _learnt(train_on: TrainOn | None, chosen: set[str]) -> TrainOn | None:
    if train_on is None or not train_on.tasks:
        return train_on
    kept = [name for name in train_on.tasks if name in chosen]
    if not kept:
        raise ValueError(f"no chosen task is learnt: choose some of {', '.join(train_on.tasks)} too.")
    return replace(train_on, tasks=kept)
