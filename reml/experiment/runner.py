"""Runs an experiment: prepare, index, retrieve, train, predict, evaluate; each as far as it is not done yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast, overload

from rich.console import Console

from reml.collection.checks import MissingPage, missing_pages
from reml.collection.disk import DiskCollection
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.examples import Example, Json
from reml.contract.retrieved import Hits
from reml.contract.retrievers import Retriever, Scorer
from reml.evaluation.kilt import Evaluation
from reml.evaluation.metrics import measured, metric_of
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.hits import Model
from reml.experiment.plan.planner import Planner
from reml.experiment.plan.store import Stage, Stages
from reml.experiment.plan.storing_predictions import found_in
from reml.experiment.settings.experiment import Experiment
from reml.experiment.settings.settings_of import settings_of
from reml.files.atomic import digest
from reml.files.environment import without_values
from reml.files.records import read_examples


class Runner:
    """Runs one experiment under one home folder. console: where progress is shown."""

    @takes_paths
    def __init__(self, experiment: Experiment, home: Path, console: Console) -> None:
        self.experiment = experiment
        self.stages = Stages(home, console)
        self.plan = Planner(experiment, home, console)

    @cached_property
    def config(self) -> Mapping[str, Json]:
        """The experiment as a YAML would write it, told by its objects; settings at their defaults are left out."""
        return cast(Mapping[str, Json], settings_of(self.experiment, [Experiment]))

    @property
    def written_config(self) -> dict[str, Json]:
        """The same as it is written to files: with names of environment variables in place of their values."""
        return cast("dict[str, Json]", without_values(dict(self.config)))

    @property
    def folder(self) -> Path:
        """The result folder: another configuration has another one."""
        return self.stages.home / "runs" / f"{self.experiment.name}-{digest(dict(self.config))[:8]}"

    def examples(self, task: str, split: str) -> Examples:
        """Give the examples of a split."""
        return self.plan.tasks.read(self.plan.tasks.examples(task, split))

    @overload
    def collection(self, task: str) -> DiskCollection: ...
    @overload
    def collection(self, task: str, access: str) -> Collection: ...
    def collection(self, task: str, access: str | None = None) -> Collection:
        """Give the passages of a task's knowledge source, or the collection that an access model finds rows of."""
        node = self.plan.tasks.collection(task) if access is None else self.plan.collection(access, task)
        return self.stages.open(node)

    def absent(self, task: str, split: str) -> list[MissingPage]:
        """List the pages that answers come from and the collection lacks: no retriever can find them."""
        collection, examples = self.collection(task), self.examples(task, split)
        places = (place for example in examples for answer in example.output for place in answer.provenance)
        named = {place.wikipedia_id.strip() for place in places}
        return missing_pages(examples, {page for page in named if collection.by_page(page)})

    def retriever(self, access: str, task: str) -> Retriever:
        """Give the retriever of an access model over a task's collection."""
        return self.stages.open(self.plan.retriever(access, task))

    def access(self, name: str, task: str) -> Model:
        """Give an access model over a task's collection."""
        return self.stages.open(self.plan.model(name, task))

    def ranker(self, name: str, task: str) -> Scorer:
        """Give a ranker, after its training if it has one; `save` of a `CrossEncoder`, say, writes it elsewhere."""
        return self.stages.open(self.plan.ranker(name, task)).scorer()

    def search(self, access: str, task: str, examples: Sequence[Example], k: int) -> Hits:
        """Ask an access model: at most k items for each example, [B, k]; [B, 0] if it retrieves nothing."""
        return self.access(access, task).search(examples, k)

    def hits(self, access: str, task: str, split: str) -> Hits:
        """Give the hits of every example of a split, [B, depth]; those of a fusion come from its parts' hits."""
        return self.stages.open(self.plan.hits(access, task, split))

    def found(self, system: str, access: str, task: str) -> tuple[Hits, Collection]:
        """Give what a system's access model found for the examples that are evaluated, and in what."""
        storage = self.plan.access(access).storage
        stores = any(self.plan.access(one).storage is not None for one in self.experiment.compared[system].access)
        if not stores:
            return self.hits(access, task, self.experiment.reading.split_of(task)), self.collection(task, access)
        hits, folder = found_in(self.predictions(system, task), access)
        return hits, self.collection(task, access) if storage is None else storage.collection(folder)

    def retrieve(self) -> None:
        """See that the hits of every access model for every task are there; those that store find as they predict."""
        for access in self.experiment.access:
            for task in self.experiment.tasks:
                if self.plan.access(access).storage is None:
                    self.hits(access, task.name, self.experiment.reading.split_of(task.name))

    def train(self) -> dict[str, Stage]:
        """Train the predictors that are to be trained unless that is done; give their stages by name."""
        return {
            name: self.stages.stage(self.plan.predictor(name))
            for name in self.experiment.makers
            if self.experiment.trains(name)
        }

    def taught(self, access: str, task: str) -> Stage:
        """Let the retriever of an access model learn from feedback unless that is done."""
        return self.stages.stage(self.plan.taught(access, task))

    def predictions(self, system: str, task: str) -> Path:
        """Give the file of what a system predicts for a task, in KILT's format."""
        return self.stages.open(self.plan.predictions(system, task))

    def evaluate(self, system: str, task: str) -> Evaluation:
        """Measure the predictions of a system for those examples of a task that have a right answer."""
        metric = metric_of(self.plan.tasks.task(task))
        examples = [
            example for example in self.examples(task, self.experiment.reading.split_of(task)) if example.answers
        ]
        predicted = {example.id: example.output[0] for example in read_examples(self.predictions(system, task))}
        return measured(examples, [predicted[example.id] for example in examples], by=metric, task=task)
