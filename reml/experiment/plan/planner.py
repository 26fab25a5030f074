"""Turns the names of an experiment into nodes; nothing else knows names.

Planning makes nothing: of an experiment only its examples are read, by which nodes are known.
"""

from __future__ import annotations

from pathlib import Path

from reml.experiment.plan import predictions, storing_predictions, trained_predictors
from reml.experiment.plan.node import Node, later
from reml.experiment.plan.part_planner import PartPlanner
from reml.experiment.plan.predictions import Asked
from reml.experiment.plan.task_nodes import named
from reml.experiment.settings.system import System


class Planner(PartPlanner):
    """Gives the nodes of an experiment: of its parts, and of what each system predicts for each task."""

    def predictions(self, system: str, task: str) -> Node[Path]:
        """Give what a system predicts for a task."""
        parts, reading = named(system, self.experiment.compared, "system"), self.experiment.reading
        name, speaker = f"predict {task} with {system}", self._predicting(parts, task)
        examples, shown = self.tasks.examples(task, reading.split), predictions.Shown(reading.pages, self._prefix(task))
        pace = predictions.Pace(reading.batch_size, self.console)
        if any(self.access(access).storage is not None for access in parts.access):
            stored = [(one, self.access(one).storage, self.limits(one).depth) for one in parts.access]
            memory = storing_predictions.Memory(stored, shown, reading.batch_size)
            models = [self.model(access, task) for access in parts.access]
            return storing_predictions.predictions(name, speaker, models, examples, memory, self.console)
        asked = [self._asked(access, task, reading.split) for access in parts.access]
        return predictions.predictions(name, speaker, examples, asked, shown=shown, pace=pace)

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
