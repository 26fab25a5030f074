"""Runs an experiment: prepare, index, retrieve, train, predict, evaluate; each as far as it is not done yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from reml.contract.examples import Json
from reml.evaluation.kilt import Evaluation, evaluate
from reml.experiment.plan.hits import RetrievalStages
from reml.experiment.plan.store import Stages
from reml.experiment.settings.experiment import Experiment
from reml.files.atomic import digest
from reml.files.records import read_examples


class Runner:
    """Runs one experiment under one home folder.

    config: the experiment as it was written. console: where progress is shown.
    """

    def __init__(self, experiment: Experiment, config: Mapping[str, Json], home: Path, console: Console) -> None:
        self.experiment = experiment
        self.config = config
        self.stages = Stages(home, console)
        self.retrieval = RetrievalStages(experiment, config, self.stages)
        self.prediction = self.retrieval.prediction

    @property
    def folder(self) -> Path:
        """The result folder: another configuration has another one."""
        return self.stages.home / "runs" / f"{self.experiment.name}-{digest(dict(self.config))[:8]}"

    def retrieve(self) -> None:
        """See that the hits of every access model for every task are there."""
        for access in self.experiment.access:
            for task in self.experiment.tasks:
                self.retrieval.hits(access, task.name, self.experiment.reading.split)

    def evaluate(self, access: str, task: str) -> Evaluation:
        """Score the predictions of an access model for those examples of a task that have a right answer."""
        examples = [
            example for example in self.retrieval.examples(task, self.experiment.reading.split) if example.answers
        ]
        predicted = {
            example.id: example.output[0] for example in read_examples(self.prediction.predictions(access, task))
        }
        return evaluate(examples, [predicted[example.id] for example in examples])
