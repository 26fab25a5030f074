"""A task from any files of KILT records and any knowledge source: written in YAML alone.

class_path: reml.tasks.jsonl.Jsonl
init_args:
  name: fever
  examples: {train: data/fever-train-kilt.jsonl.gz, dev: data/fever-dev-kilt.jsonl.gz}
  knowledge_source: data/knowledge_source.jsonl.gz
  measure: accuracy

Instead of one of KILT's measures it may have a metric of your own, such as `metric: {class_path: mine.Mine}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reml.collection.sources.kilt_pages import JsonlPages
from reml.contract.arguments.checked import checked
from reml.contract.arguments.names import check_name
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Example, Measure
from reml.contract.recorded import recorded
from reml.contract.tasks import Metric
from reml.evaluation.metrics import KiltMetric
from reml.evaluation.problems import other_kind
from reml.files.lines import existing_file
from reml.files.records import WANTED, RecordError, read_examples


@recorded
@checked()
class Jsonl:
    """Examples of files in KILT's record format, one file a split, plain or gzip.

    name: short and unique in an experiment. examples: the path of each split's file. knowledge_source: the path of
    pages in KILT's schema, or any `KnowledgeSource`. measure: of KILT's, what the task is ranked by. metric: measures
    instead of KILT (`reml.evaluation.metrics` has some). limit: keep the first so many examples of each split.

    Raises `FileNotFoundError` or `IsADirectoryError` for a file that is not there and `ValueError` for a measure or
    limit that is not allowed, at once; `reml.files.records.RecordError` for a malformed line, an id given twice or a
    file without records, when a split is read.
    """

    def __init__(
        self,
        name: str,
        examples: Mapping[str, str | Path],
        *,
        knowledge_source: str | Path | KnowledgeSource,
        measure: Measure = "em",
        metric: Metric | None = None,
        limit: int | None = None,
    ) -> None:
        _check_settings(name, limit)
        self._name = name
        self._metric = _chosen(name, measure, metric)
        self._limit = limit
        self._files = _existing_files(name, examples)
        self._source = JsonlPages(knowledge_source) if isinstance(knowledge_source, str | Path) else knowledge_source
        self._splits: dict[str, list[Example]] = {}

    @property
    def name(self) -> str:
        """The name it was given."""
        return self._name

    @property
    def metric(self) -> Metric:
        """The metric it was given, or KILT's with the measure that it was given."""
        return self._metric

    def source(self) -> KnowledgeSource:
        """Give the knowledge source."""
        return self._source

    def examples(self, split: str) -> Sequence[Example]:
        """Read the examples of a split, once; `ValueError` for a split that has no file."""
        if split not in self._files:
            raise ValueError(_without(self._name, split, sorted(self._files)))
        if split not in self._splits:
            _refuse_other(self._files[split])
            self._splits[split] = list(read_examples(self._files[split], self._limit))
        return self._splits[split]


def _existing_files(name: str, examples: Mapping[str, str | Path]) -> dict[str, Path]:
    if not examples:
        raise ValueError(f"task {name!r} has no files. Give at least one: examples: {{dev: PATH.jsonl}}.")
    roles = {split: f" for split {split!r} of task {name!r}" for split in examples}
    return {split: existing_file(path, WANTED, role=roles[split]) for split, path in examples.items()}


def _without(name: str, split: str, there: Sequence[str]) -> str:
    other = "" if split == "train" else f", or choose --reading.split {there[0]}"
    lead = f"task {name!r} has no split {split!r}; it has {', '.join(there)}"
    return f"{lead}: give a file under examples.{split}{other}."


def _refuse_other(path: Path) -> None:
    """Raise `RecordError` for pages, settings, a run and their like, by the first lines; test sets have no answers."""
    kind = other_kind(path)
    if kind is not None and not kind.startswith("questions"):
        raise RecordError(f"{path} holds {kind}. As examples, name {WANTED} (docs/kilt.md shows one).")


def _chosen(name: str, measure: Measure, metric: Metric | None) -> Metric:
    try:
        kilt = KiltMetric(measure)
    except ValueError as error:
        raise ValueError(f"task {name!r}: {error}") from error
    if metric is not None and kilt != KiltMetric():
        raise ValueError(f"task {name!r} has both the measure {measure!r} and a metric: leave out one of the two.")
    return kilt if metric is None else metric


def _check_settings(name: str, limit: int | None) -> None:
    check_name(name, "task")
    if limit is not None and limit < 1:
        raise ValueError(f"task {name!r}: limit is {limit}. Give at least 1, or nothing for all examples.")
