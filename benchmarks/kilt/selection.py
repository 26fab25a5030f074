"""A part of an experiment: some of its tasks, and some of its access models with those that they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reml.cli.loading import make_runner
from reml.experiment.runner import Runner
from reml.experiment.settings.experiment import Experiment
from reml.experiment.settings.train_on import TrainOn


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
    names += experiment.train_on.all_names if experiment.train_on is not None else []
    for name in names:  # grows while it is gone through
        names += [needed for needed in experiment.access[name].needs if needed not in names]
    return list(dict.fromkeys(names))


def _learnt(train_on: TrainOn | None, chosen: set[str]) -> TrainOn | None:
    if train_on is None:
        return None
    phases = [
        phase if phase.tasks is None else replace(phase, tasks=_kept(phase.tasks, chosen)) for phase in train_on.phases
    ]
    return replace(train_on, tasks=_kept(train_on.tasks, chosen), phases=phases)


def _kept(tasks: Sequence[str], chosen: set[str]) -> Sequence[str]:
    """Give those tasks that were chosen, of the names of some; none names all."""
    kept = [name for name in tasks if name in chosen]
    if tasks and not kept:
        raise ValueError(f"no chosen task is learnt: choose some of {', '.join(tasks)} too.")
    return kept
