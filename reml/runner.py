"""Runs an experiment: prepare, index, retrieve, train, predict, evaluate; each as far as it is not done yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from reml.evaluation.kilt import Evaluation, evaluate
from reml.experiment import Experiment
from reml.files import digest
from reml.records import read_examples
from reml.retrieval_stages import RetrievalStages
from reml.stages import Stages
from reml.types import Json


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
