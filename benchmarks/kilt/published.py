"""What papers report on KILT's datasets (`benchmarks/published.yaml`), and whether ours can be compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal, get_args

from jsonargparse import ArgumentParser

from reml.collection.sources.kilt_pages import JsonlPages
from reml.contract.tasks import Task
from reml.experiment.runner import Runner
from reml.files.yaml_files.reading import parse_yaml
from reml.kilt.catalogue import DATASETS, KNOWLEDGE_SOURCE
from reml.tasks.kilt import Kilt

Figure = Literal["R-precision", "downstream", "KILT score"]


@dataclass(frozen=True, kw_only=True)
class Published:
    """What one paper prints of one system, in per cent, by KILT's names of datasets.

    source: who prints it. split, data: what it was measured on. kilt: whether the data is KILT's own.
    """

    system: str
    source: str
    split: str
    data: str
    kilt: bool
    figure: Figure
    values: Mapping[str, float]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.values) - set(DATASETS))
        if unknown or not self.values or self.figure not in get_args(Figure) or not self.source.strip():
            raise ValueError(f"{self.system}: needs a source, a figure of {get_args(Figure)}, values of {[*DATASETS]}.")
        if not all(0 <= value <= 100 for value in self.values.values()):
            raise ValueError(f"{self.system}: values are per cent, 0 to 100, not {dict(self.values)}.")


def read_published(text: str | None = None) -> list[Published]:
    """Read published results from YAML, the shipped ones if left out; `ValueError` for one that is not whole."""
    shipped = resources.files("reml.benchmarks").joinpath("published.yaml")
    found = parse_yaml(text if text is not None else shipped.read_text(encoding="utf-8"))
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--published", type=list[Published])
    return list(parser.instantiate(parser.parse_object({"published": found})).published)


def differences(runner: Runner, task: Task) -> list[str]:
    """Say in what the examples and pages of a task differ from those that the leaderboard measures; best nothing."""
    split = runner.experiment.reading.split_of(task.name)
    found = [] if split == "test" else [f"{split} split"]
    if not isinstance(task, Kilt):
        return [*found, "not KILT's own examples"]
    count, whole = len(runner.examples(task.name, split)), task.dataset.file(split).examples
    if count != whole:
        found.append(f"{count:,} of {whole:,} examples")
    source = task.source()
    if not isinstance(source, JsonlPages) or source.path.stat().st_size != KNOWLEDGE_SOURCE.size:
        found.append("not KILT's own file of pages")
    return found
