"""The nodes of what the tasks of an experiment give, by name: examples of a split, and passages."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reml.collection.disk import DiskCollection
from reml.contract.asking import noted
from reml.contract.examples import Json
from reml.contract.tasks import Task, examples_of
from reml.experiment.plan import collections
from reml.experiment.plan.node import Node, once
from reml.experiment.settings.experiment import Experiment

Value = TypeVar("Value")


def named(name: str, known: Mapping[str, Value], kind: str) -> Value:
    """Give what has a name; `ValueError` names those there are."""
    if name not in known:
        raise ValueError(f"there is no {kind} {name!r}; the experiment has {', '.join(known)}.")
    return known[name]


@dataclass(frozen=True, eq=False)
class TaskNodes:
    """Gives the nodes of tasks. Of an experiment only examples are read, by which nodes are known."""

    experiment: Experiment

    def task(self, name: str) -> Task:
        """Give a task by name; `ValueError` names those there are."""
        return named(name, {task.name: task for task in self.experiment.tasks}, "task")

    @functools.cached_property
    def _read(self) -> dict[tuple[str, str], Node[collections.Examples]]:
        return {}

    @once
    def examples(self, task: str, split: str, first: int | None = None) -> Node[collections.Examples]:
        """Give the examples of a split, at most `limit` of `reading`; what is learnt from, at most that of `train_on`.

        Those without a right answer (KILT's test sets) are predicted too; they are not learnt from and not scored.
        """
        if (task, split) not in self._read:
            read = self._given(task, split)[: self._limit(split)]
            self._read[task, split] = collections.examples(f"{task} {split}", read)
        whole = self._read[task, split]
        if first is None or first >= len(self.read(whole)):
            return whole
        return collections.examples(f"{task} {split}, the first {first}", self.read(whole)[:first])

    def evaluated(self, task: str) -> Node[collections.Examples]:
        """Give the examples that are evaluated, those of the split that `reading` names."""
        return self.examples(task, self.experiment.reading.split_of(task))

    def _given(self, task: str, split: str) -> collections.Examples:
        """Ask a task for a split; where it has none, a note says what for, if a training asks."""
        if split == self.experiment.reading.split_of(task):
            return examples_of(self.task(task), split)
        with noted(f"the {split} split of {task!r} is asked for by a training (train_on, train, feedback)"):
            return examples_of(self.task(task), split)

    def asked(self) -> Iterator[tuple[str, str, Json]]:
        """Go through the splits that were asked for: task, split, and the digest of what was read of it."""
        for (task, split), node in self._read.items():
            yield task, split, node.marks

    def read(self, examples: Node[collections.Examples]) -> collections.Examples:
        """Give what an examples node holds: it is read when it is planned."""
        return examples.open(**examples.given, **examples.beside)

    def _limit(self, split: str) -> int | None:
        if split != "train" or not self.experiment.learns:
            return self.experiment.reading.limit
        return self.experiment.train_on.limit if self.experiment.train_on is not None else None

    @once
    def collection(self, task: str) -> Node[DiskCollection]:
        """Give the passages of a task's knowledge source."""
        reading = self.experiment.reading
        return collections.collection(self.task(task).source(), reading.words, reading.units, of=self.of(task))

    @once
    def named_collection(self, name: str) -> Node[DiskCollection]:
        """Give a collection that access models name."""
        passages = named(name, self.experiment.collections, "collection")
        return collections.collection(passages.source, passages.words, passages.units, of=f" {name}")

    def sharing(self, task: str, chosen: Sequence[str]) -> list[str]:
        """Name the tasks of the same knowledge source, those of `chosen` if there are any; `ValueError` if unknown."""
        for name in chosen:
            self.task(name)
        source = self.task(task).source().fingerprint
        same = [other.name for other in self.experiment.tasks if other.source().fingerprint == source]
        return [name for name in same if not chosen or name in chosen]

    def of(self, task: str) -> str:
        """Name a task's knowledge source where the experiment has several."""
        first: dict[str, str] = {}
        for other in self.experiment.tasks:
            first.setdefault(other.source().fingerprint, other.name)
        return f" of {first[self.task(task).source().fingerprint]}" if len(first) > 1 else ""
