"""What is looked at of a whole experiment before any of its work: that it can be planned, and who gives what."""

from __future__ import annotations

import inspect

from reml.contract.predictor_module import PredictorMaker
from reml.contract.signals import Signal
from reml.experiment.runner import Runner
from reml.experiment.settings.settings_of import class_made
from reml.training.regimes.signals import available, require


def check_plan(runner: Runner) -> None:
    """Raise what planning can know: `ValueError` for examples that are not there, or signals that nobody gives.

    All examples are read; nothing is made but a predictor whose class alone does not tell its signals, if a retriever
    is to learn from it still.
    """
    plan, experiment = runner.plan, runner.experiment
    for name, access in experiment.access.items():
        needs = access.feedback.asks & ~(Signal.ITEM_UTILITY | Signal.IN_BATCH) if access.feedback else Signal.NONE
        for task in experiment.tasks if needs else ():
            if not runner.stages.is_made(plan.taught(name, task.name)):
                _check_signals(experiment.makers[experiment.speaker(name)], needs)
    for task in experiment.tasks:
        runner.examples(task.name, experiment.reading.split_of(task.name))
        for system in experiment.compared if experiment.makers else ():
            plan.predictions(system, task.name)


def _check_signals(maker: PredictorMaker, needs: Signal) -> None:
    cls = class_made(maker)
    told = inspect.getattr_static(cls, "signals", None)
    if cls is None or not isinstance(told, Signal):
        predictor = maker()
        cls, told = type(predictor), predictor.signals
    require(cls.__name__, available(told), needs)
