"""Turns the names of an experiment into nodes; nothing else knows names.

Planning makes nothing: of an experiment only its examples are read, by which nodes are known.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

from reml.contract.predictor_module import PredictorMaker
from reml.evaluation.metrics import metric_of
from reml.experiment.plan import predictions, storing_predictions
from reml.experiment.plan.node import Node, later, once, several
from reml.experiment.plan.part_planner import PartPlanner
from reml.experiment.plan.predictions import Asked
from reml.experiment.plan.task_nodes import named
from reml.experiment.settings.system import System
from reml.experiment.settings.train_on import TrainOn
from reml.experiment.trained import predictors as trained_predictors
from reml.training.settings import Training


class Planner(PartPlanner):
    """Gives the nodes of an experiment: of its parts, of predictors, and of what each system predicts for each task."""

    @once
    def predictions(self, system: str, task: str) -> Node[Path]:
        """Give what a system predicts for a task."""
        parts, reading = named(system, self.experiment.compared, "system"), self.experiment.reading
        name, speaker = f"predict {task} with {system}", self._predicting(parts, task)
        examples, shown = self.tasks.evaluated(task), predictions.Shown(reading.pages, self._prefix(task))
        if any(self.access(access).storage is not None for access in parts.access):
            stored = [(one, self.access(one).storage, self.limits(one)) for one in parts.access]
            memory = storing_predictions.Memory(stored, shown, reading.batch_size)
            models = [self.model(access, task) for access in parts.access]
            return storing_predictions.predictions(name, speaker, models, examples, memory)
        asked = [self._asked(access, task, reading.split_of(task)) for access in parts.access]
        return predictions.predictions(name, speaker, examples, asked, shown=shown, batch_size=reading.batch_size)

    def _predicting(self, system: System, task: str) -> Node[trained_predictors.Speaker]:
        """Give the predictor of a system: the one that learnt with the retriever of a joint access model, if any."""
        for access in system.access:
            feedback = self.access(access).feedback
            if feedback is not None and feedback.joint and self.experiment.speaker(access) == system.predictor:
                return self.taught(access, task)
        return self.predictor(system.predictor)

    def _asked(self, access: str, task: str, split: str) -> Asked:
        return Asked(
            access,
            later(self.model(access, task)),
            self.collection(access, task),
            self.hits(access, task, split),
            self.queries(access),
            self.limits(access),
        )

    def maker(self, name: str | None = None) -> PredictorMaker:
        """Give what makes a predictor, the first one if none is named; `ValueError` if the experiment names none."""
        makers = self.experiment.makers
        if not makers:
            raise ValueError(
                "the experiment names no predictor: give one under `predictor`; for retrieval alone, leave out what "
                "needs one and name an access model with a retriever."
            )
        return named(name if name is not None else next(iter(makers)), makers, "predictor")

    @once
    def predictor(self, name: str, *, trained: bool = True) -> Node[trained_predictors.Predictors]:
        """Give a predictor; `trained`: after its training, if it has one."""
        called = f"the {self._called(name)} as it comes"
        maker, prepared, learns = self.maker(name), self.home / "prepared", self.experiment.learns_somehow(name)
        begun = trained_predictors.untrained(called, maker, self._seed, prepared, learns=learns)
        return self._trained_predictor(name, begun) if trained and self.experiment.trains(name) else begun

    @functools.cached_property
    def _learnt(self) -> dict[str, Node[trained_predictors.Predictors]]:
        return {}

    def _trained_predictor(
        self, name: str, begun: Node[trained_predictors.Predictors]
    ) -> Node[trained_predictors.Predictors]:
        """Give a predictor after all phases of its training."""
        source = self.experiment.train_on
        assert source is not None  # noqa: S101 - asked only where something is trained
        if begun.key not in self._learnt:
            trainings = source.trainings(replace(self.experiment.training, seed=self._seed))
            made = begun
            for number, (part, training) in enumerate(zip(source.all_phases, trainings, strict=True), start=1):
                phase = f" in phase {number}" if source.phases else ""
                made = self._after(f"train the {self._called(name)}{phase}", made, part, training)
            self._learnt[begun.key] = made
        return self._learnt[begun.key]

    def _after(
        self, name: str, begun: Node[trained_predictors.Predictors], source: TrainOn, training: Training
    ) -> Node[trained_predictors.Predictors]:
        """Give a predictor after one phase."""
        learnt = [task for task in self.experiment.tasks if not source.tasks or task.name in source.tasks]
        return trained_predictors.trained(
            name,
            begun,
            {task.name: self._reading(task.name, source) for task in learnt},
            [metric_of(task) for task in learnt],
            source=replace(source, predictors=()),
            limits={access: self.limits(access) for access in source.names},
            training=training,
            console=self.console,
        )

    def _reading(self, task: str, source: TrainOn) -> trained_predictors.Material:
        dev = source.dev_limit
        return trained_predictors.Material(
            self.tasks.examples(task, "train"),
            self.tasks.examples(task, "dev", dev),
            several([self.collection(access, task) for access in source.names]),
            several([self.hits(access, task, "train") for access in source.names]),
            several([self.hits(access, task, "dev", dev) for access in source.names]),
            several([later(self.model(access, task)) for access in source.names]),
        )
