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
from reml.devices.disk import FORBIDDEN
from reml.evaluation.kilt import DEPTHS, Evaluation
from reml.evaluation.metrics import metric_of
from reml.evaluation.passages import evaluate_passages
from reml.evaluation.trec import RankedPage, rank_pages, write_relevance, write_run
from reml.experiment.former import REPLACES, changed, fingerprints, put_aside
from reml.experiment.part_costs import part_costs
from reml.experiment.plan.store import Stage
from reml.files.atomic import MANIFEST, atomic_file, read_manifest, write_json, write_manifest, write_text
from reml.files.records import write_examples
from reml.files.trajectories import TRAJECTORIES, rewarded
from reml.reporting.report import REPORT, write_report
from reml.reporting.result_folder import SCORES
from reml.reporting.terminal import say

if TYPE_CHECKING:
    from reml.experiment.runner import Runner

PACKAGES = ("torch", "transformers", "pytorch-lightning", "faiss-cpu", "numpy", "numba", "datasets")

Evaluations = Mapping[str, Mapping[str, Evaluation]]


def publish(runner: Runner, evaluations: Evaluations) -> Path:
    """Write the result folder and its report; give the report's path. Files are replaced whole, one by one.

    Where they cannot be replaced, as in a home that may only be read, those that are there of the same stay.
    """
    try:
        return _published(runner, evaluations)
    except OSError as error:
        if error.errno not in FORBIDDEN or not _is_published(runner):
            raise
        say(runner.stages.console, f"{runner.folder} cannot be written: what is there of the same experiment stays")
        return runner.folder / REPORT


def _is_published(runner: Runner) -> bool:
    """Tell whether the result folder is that of the same settings, examples and sources."""
    if not (runner.folder / REPORT).is_file() or not (runner.folder / MANIFEST).is_file():
        return False
    there, now = read_manifest(runner.folder, "run"), _manifest(runner)
    same = all(there.get(part) == now[part] for part in ("config", "seed", "measures"))
    known = there.get("checksums")
    return same and isinstance(known, dict) and not changed(known, fingerprints(runner))


def _published(runner: Runner, evaluations: Evaluations) -> Path:
    folder, checksums = runner.folder, fingerprints(runner)
    replaces = put_aside(runner, checksums)
    write_text(folder / "config.yaml", yaml.safe_dump(dict(runner.config), sort_keys=False, allow_unicode=True))
    for one in runner.experiment.tasks:
        write_examples(_examples(runner, one.name), folder / "gold" / f"{one.name}.jsonl")
        write_relevance(folder / "gold" / f"{one.name}.qrels", _examples(runner, one.name))
    for system, by_task in evaluations.items():
        for task, scores in by_task.items():
            _publish_predictions(runner, system, task)
            headline = metric_of(runner.plan.tasks.task(task)).headline
            by_example = dict(zip(scores.ids, scores.values[headline].tolist(), strict=True))
            _publish_trajectories(runner, system, task, by_example)
            # The report cannot ask a task's metric what it says of each example.
            write_json(folder / system / task / SCORES, {headline: by_example})
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
            system: {task: retrieved_passages(runner, system, task).means() for task in by_task}
            for system, by_task in evaluations.items()
        },
    )
    _publish_training(runner)
    said: dict[str, Json] = {REPLACES: replaces} if replaces is not None else {}
    write_manifest(folder, "run", {**_manifest(runner), "checksums": checksums, **said})
    return write_report(folder)


def _examples(runner: Runner, task: str) -> tuple[Example, ...]:
    return runner.examples(task, runner.experiment.reading.split_of(task))


def _publish_predictions(runner: Runner, system: str, task: str) -> None:
    folder = runner.folder / system / task
    source = runner.predictions(system, task)
    with atomic_file(folder / source.name) as draft:
        shutil.copyfile(source, draft)
    examples, given = _examples(runner, task), runner.experiment.compared[system].access
    for access in given:
        hits, collection = runner.found(system, access, task)
        rankings = zip((example.id for example in examples), page_rankings(hits, collection), strict=True)
        write_run(folder / ("run.trec" if len(given) == 1 else f"run-{access}.trec"), rankings, tag=access)


def _publish_trajectories(runner: Runner, system: str, task: str, rewards: Mapping[str, float]) -> None:
    """Write how each example was predicted, with its downstream measure as reward."""
    source = runner.predictions(system, task).parent / TRAJECTORIES
    if source.is_file():  # predictions of an older version have none
        rewarded(source, runner.folder / system / task / TRAJECTORIES, rewards)


def page_rankings(hits: Hits, collection: Collection) -> Iterator[tuple[RankedPage, ...]]:
    """Rank the pages of each query's hits by the best of their items, a batch of queries in memory at a time.

    Items without a page are in no ranking of pages; ids are stripped, as KILT compares them.
    """
    for batch in batches_of_examples(hits.rows):
        scores = np.asarray(hits.scores[batch])
        rows = np.where(np.isfinite(scores), hits.rows[batch], -1)
        kept = first_of_pages(collection, rows)
        best = zip(page_ids(collection, rows[kept]), scores[kept].tolist(), strict=True)
        for count in kept.sum(axis=1).tolist():
            pages = [(name, score) for page, score in itertools.islice(best, count) if (name := page.strip())]
            yield rank_pages(*zip(*pages, strict=True)) if pages else ()


def retrieved_passages(runner: Runner, system: str, task: str) -> Evaluation:
    """Measure the passages that a system's access models found, after processing: one list after the other."""
    examples = _examples(runner, task)
    judged = [number for number, example in enumerate(examples) if example.output]
    lists = []
    for access in runner.experiment.compared[system].access:
        hits, collection = runner.found(system, access, task)
        lists.append(items_of_examples(collection, np.asarray(hits.first(max(DEPTHS)).rows[judged])))
    retrieved = ([Provenance.of(item) for items in found for item in items] for found in zip(*lists, strict=True))
    nothing: Iterator[list[Provenance]] = iter([[] for _ in judged])
    return evaluate_passages([examples[number] for number in judged], retrieved if lists else nothing)


def _publish_training(runner: Runner) -> None:
    trained = runner.train()
    for name, stage in trained.items():
        _publish_log(stage, runner.folder / "training" / ("" if len(trained) == 1 else name))
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
    return {
        "versions": {"python": platform.python_version(), **versions},
        "config": dict(runner.config),
        "seed": runner.experiment.seed,
        "measures": {task.name: metric_of(task).headline for task in runner.experiment.tasks},
        "stages": [stage.to_json() for stage in runner.stages.done.values()],
        "costs": part_costs(runner.stages.done.values()),
    }
