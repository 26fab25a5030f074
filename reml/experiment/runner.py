"""Runs an experiment: prepare, index, retrieve, train, predict, evaluate; each as far as it is not done yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

from rich.console import Console

from reml.collection.checks import MissingPage, missing_pages
from reml.collection.disk import DiskCollection
from reml.contract.collections import Collection
from reml.contract.examples import Example, Json
from reml.contract.retrieved import Hits
from reml.contract.retrievers import Retriever
from reml.evaluation.kilt import Evaluation, evaluate
from reml.experiment.plan.collections import Examples, checksum
from reml.experiment.plan.planner import Planner
from reml.experiment.plan.store import Stage, Stages
from reml.experiment.plan.storing_predictions import MEMORY
from reml.experiment.settings.experiment import Experiment
from reml.experiment.settings.settings_of import settings_of
from reml.files.atomic import digest
from reml.files.hits import open_hits
from reml.files.records import read_examples


class Runner:
    """Runs one experiment under one home folder. console: where progress is shown."""

    def __init__(self, experiment: Experiment, home: Path, console: Console) -> None:
        self.experiment = experiment
        self.stages = Stages(home, console)
        self.plan = Planner(experiment, home, console)

    @cached_property
    def config(self) -> Mapping[str, Json]:
        """The experiment as a YAML would write it, told by its objects; settings at their defaults are left out."""
        return cast(Mapping[str, Json], settings_of(self.experiment, [Experiment]))

    @property
    def folder(self) -> Path:
        """The result folder: another configuration has another one."""
        return self.stages.home / "runs" / f"{self.experiment.name}-{digest(dict(self.config))[:8]}"

    def examples(self, task: str, split: str) -> Examples:
        """Give the examples of a split."""
        return self.plan.tasks.read(self.plan.tasks.examples(task, split))

    def checksum(self, task: str, split: str) -> str:
        """Give a digest of the examples of a split."""
        return checksum(self.examples(task, split))

    def collection(self, task: str) -> DiskCollection:
        """Give the passages of a task's knowledge source."""
        return self.stages.open(self.plan.tasks.collection(task))

    def absent(self, task: str, split: str) -> list[MissingPage]:
        """List the pages that answers come from and the collection lacks: no retriever can find them."""
        collection, examples = self.collection(task), self.examples(task, split)
        named = {place.wikipedia_id for example in examples for answer in example.output for place in answer.provenance}
        return missing_pages(examples, {page for page in named if collection.by_page(page)})

    def retriever(self, access: str, task: str) -> Retriever:
        """Give the retriever of an access model over a task's collection."""
        return self.stages.open(self.plan.retriever(access, task))

    def search(self, access: str, task: str, examples: Sequence[Example], k: int) -> Hits:
        """Ask an access model: at most k items for each example, [B, k]; [B, 0] if it retrieves nothing."""
        return self.stages.open(self.plan.model(access, task)).search(examples, k)

    def hits(self, access: str, task: str, split: str) -> Hits:
        """Give the hits of every example of a split, [B, depth]; those of a fusion come from its parts' hits."""
        return self.stages.open(self.plan.hits(access, task, split))

    def found(self, access: str, task: str) -> tuple[Hits, Collection]:
        """Give what was found for the examples that are evaluated, and in what: for one that stores, in its memory."""
        storage = self.plan.access(access).storage
        if storage is None:
            return self.hits(access, task, self.experiment.reading.split), self.collection(task)
        folder = self.predictions(access, task).parent
        return open_hits(folder), storage.collection(folder / MEMORY)

    def retrieve(self) -> None:
        """See that the hits of every access model for every task are there; those that store find as they predict."""
        for access in self.experiment.access:
            for task in self.experiment.tasks:
                if self.plan.access(access).storage is None:
                    self.hits(access, task.name, self.experiment.reading.split)

    def train(self) -> Stage | None:
        """Train the predictor unless that is done; nothing if the experiment has nothing to train on."""
        return None if self.experiment.train_on is None else self.stages.stage(self.plan.predictor())

    def taught(self, access: str, task: str) -> Stage:
        """Let the retriever of an access model learn from feedback unless that is done."""
        return self.stages.stage(self.plan.taught(access, task))

    def predictions(self, access: str, task: str) -> Path:
        """Give the file of what is predicted for a task with an access model, in KILT's format."""
        return self.stages.open(self.plan.predictions(access, task))

    def evaluate(self, access: str, task: str) -> Evaluation:
        """Score the predictions of an access model for those examples of a task that have a right answer."""
        examples = [example for example in self.examples(task, self.experiment.reading.split) if example.answers]
        predicted = {example.id: example.output[0] for example in read_examples(self.predictions(access, task))}
        return evaluate(examples, [predicted[example.id] for example in examples])
