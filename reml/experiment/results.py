"""The result folder of an experiment: predictions, runs, measures, what made them, and the report."""

from __future__ import annotations

import itertools
import platform
import shutil
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from reml.collection.ranked_pages import batches_of_examples, first_of_pages, items_of_examples, page_ids
from reml.contract.collections import Collection
from reml.contract.examples import Example, Json, Provenance
from reml.contract.retrieved import Hits
from reml.evaluation.kilt import DEPTHS, Evaluation
from reml.evaluation.passages import evaluate_passages
from reml.evaluation.trec import RankedPage, write_relevance, write_run
from reml.experiment.plan.store import Stage
from reml.files.atomic import atomic_file, write_json, write_manifest, write_text
from reml.files.records import write_examples
from reml.files.trajectories import TRAJECTORIES, rewarded
from reml.reporting.report import write_report

if TYPE_CHECKING:
    from reml.experiment.runner import Runner

PACKAGES = ("torch", "transformers", "pytorch-lightning", "faiss-cpu", "numpy", "numba", "datasets")

Evaluations = Mapping[str, Mapping[str, Evaluation]]


def publish(runner: Runner, evaluations: Evaluations) -> Path:
    """Write the result folder and its report; give the report's path. Files are replaced whole, one by one."""
    folder = runner.folder
    write_text(folder / "config.yaml", yaml.safe_dump(dict(runner.config), sort_keys=False, allow_unicode=True))
    for task in runner.experiment.tasks:
        write_examples(_examples(runner, task.name), folder / "gold" / f"{task.name}.jsonl")
        write_relevance(folder / "gold" / f"{task.name}.qrels", _examples(runner, task.name))
    for access, by_task in evaluations.items():
        for task_name in by_task:
            _publish_predictions(runner, access, task_name)
            _publish_trajectories(runner, access, task_name, by_task[task_name])
    write_json(
        folder / "metrics.json",
        {
            access: {task: scores.to_json() for task, scores in by_task.items()}
            for access, by_task in evaluations.items()
        },
    )
    write_json(
        folder / "passages.json",
        {
            access: {task: retrieved_passages(runner, access, task).means() for task in by_task}
            for access, by_task in evaluations.items()
        },
    )
    _publish_training(runner)
    write_manifest(folder, "run", _manifest(runner))
    return write_report(folder)


def _examples(runner: Runner, task: str) -> tuple[Example, ...]:
    return runner.examples(task, runner.experiment.reading.split)


def _publish_predictions(runner: Runner, access: str, task: str) -> None:
    folder = runner.folder / access / task
    source = runner.predictions(access, task)
    with atomic_file(folder / source.name) as draft:
        shutil.copyfile(source, draft)
    examples, split = _examples(runner, task), runner.experiment.reading.split
    hits, collection = runner.hits(access, task, split), runner.collection(task)
    rankings = zip((example.id for example in examples), page_rankings(hits, collection), strict=True)
    write_run(folder / "run.trec", rankings, tag=access)


def _publish_trajectories(runner: Runner, access: str, task: str, scores: Evaluation) -> None:
    """Write how each example was predicted, with its downstream measure as reward."""
    source = runner.predictions(access, task).parent / TRAJECTORIES
    if not source.is_file():  # predictions of an older version have none
        return
    (measure,) = [one.measure for one in runner.experiment.tasks if one.name == task]
    rewards = dict(zip(scores.ids, scores.values[measure].tolist(), strict=True))
    rewarded(source, runner.folder / access / task / TRAJECTORIES, rewards)


def page_rankings(hits: Hits, collection: Collection) -> Iterator[tuple[RankedPage, ...]]:
    """Rank the pages of each query's hits by the best of their items, a batch of queries in memory at a time."""
    for batch in batches_of_examples(hits.rows):
        scores = np.asarray(hits.scores[batch])
        rows = np.where(np.isfinite(scores), hits.rows[batch], -1)
        kept = first_of_pages(collection, rows)
        best = zip(page_ids(collection, rows[kept]), scores[kept].tolist(), strict=True)
        for count in kept.sum(axis=1).tolist():
            yield tuple(itertools.starmap(RankedPage, itertools.islice(best, count)))


def retrieved_passages(runner: Runner, access: str, task: str) -> Evaluation:
    """Measure the passages that were retrieved, before any processor changes them."""
    examples, split = _examples(runner, task), runner.experiment.reading.split
    hits, collection = runner.hits(access, task, split).first(max(DEPTHS)), runner.collection(task)
    judged = [number for number, example in enumerate(examples) if example.output]
    retrieved = (list(map(Provenance.of, items)) for items in items_of_examples(collection, hits.rows[judged]))
    return evaluate_passages([examples[number] for number in judged], retrieved)


def _publish_training(runner: Runner) -> None:
    stage = runner.train()
    if stage is not None:
        _publish_log(stage, runner.folder / "training")
    learning = [name for name, access in runner.experiment.access.items() if access.feedback is not None]
    for task in runner.experiment.tasks:
        for access in learning:
            taught = runner.taught(access, task.name)
            _publish_log(taught, runner.folder / "training" / taught.name)


def _publish_log(stage: Stage, folder: Path) -> None:
    with atomic_file(folder / "metrics.csv") as draft:
        shutil.copyfile(stage.folder / "metrics.csv", draft)


def _manifest(runner: Runner) -> dict[str, Json]:
    versions: dict[str, Json] = {name: metadata.version(name) for name in PACKAGES}
    checksums: dict[str, Json] = {}
    split = runner.experiment.reading.split
    for task in runner.experiment.tasks:
        checksums[f"{task.name} source"] = task.source().fingerprint
        checksums[f"{task.name} {split}"] = runner.checksum(task.name, split)
    return {
        "versions": {"python": platform.python_version(), **versions},
        "config": dict(runner.config),
        "seed": runner.experiment.seed,
        "measures": {task.name: task.measure for task in runner.experiment.tasks},
        "checksums": checksums,
        "stages": [stage.to_json() for stage in runner.stages.done.values()],
    }
