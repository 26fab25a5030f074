"""The result folder of an experiment: predictions, runs, measures, what made them, and the report."""

from __future__ import annotations

import itertools
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from reml.collection.ranked_pages import batches_of_examples, first_of_pages, items_of_examples, page_ids
from reml.contract.collections import Collection, credit_of
from reml.contract.examples import Answer, Example, Json, Provenance
from reml.contract.retrieved import Hits
from reml.devices.disk import FORBIDDEN
from reml.evaluation.kilt import DEPTHS, Evaluation
from reml.evaluation.metrics import metric_of
from reml.evaluation.passages import evaluate_passages
from reml.evaluation.trec import RankedPage, rank_pages, write_relevance, write_run
from reml.evaluation.trec.page_measures import PageScorer, RankedPages
from reml.experiment.figures import Found, Measured, difference_rows, retrieval_of
from reml.experiment.former import REPLACES, changed, fingerprints, put_aside
from reml.experiment.part_costs import part_costs, step_costs
from reml.experiment.plan.store import Stage
from reml.experiment.predict import complete
from reml.files.atomic import MANIFEST, atomic_file, read_manifest, write_json, write_manifest, write_text
from reml.files.environment import without_values
from reml.files.integrity.sealed import FILES, sealed
from reml.files.records import write_examples
from reml.files.trajectories import TRAJECTORIES, rewarded
from reml.reporting.figures import DIFFERENCES, METRICS, RETRIEVAL
from reml.reporting.report import REPORT, write_report
from reml.reporting.result_folder import FOUND, SCORES
from reml.reporting.terminal import say

if TYPE_CHECKING:
    from reml.experiment.runner import Runner

CONFIG = "config.yaml"
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


def begin(runner: Runner) -> None:
    """Write the settings of what is to be run, so that a run that is stopped is known; not where nothing may change."""
    path = runner.folder / CONFIG
    if path.is_file():
        return
    try:
        write_text(path, _settings(runner))
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise


def _settings(runner: Runner) -> str:
    return yaml.safe_dump(runner.written_config, sort_keys=False, allow_unicode=True)


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
    write_text(folder / CONFIG, _settings(runner))
    for one in runner.experiment.tasks:
        write_examples(_gold(runner, one.name), folder / "gold" / f"{one.name}.jsonl")
        write_relevance(folder / "gold" / f"{one.name}.qrels", _examples(runner, one.name))
    measured = {
        system: {task: _publish_system(runner, system, task, scores) for task, scores in by_task.items()}
        for system, by_task in evaluations.items()
    }
    write_json(folder / METRICS, {system: _to_json(by_task) for system, by_task in measured.items()})
    write_json(folder / RETRIEVAL, {task: _to_json(found) for task, found in retrieval_of(measured).items()})
    write_json(folder / DIFFERENCES, difference_rows(measured))
    write_json(
        folder / "passages.json",
        {system: {task: one.passages.means() for task, one in by_task.items()} for system, by_task in measured.items()},
    )
    _publish_training(runner)
    said: dict[str, Json] = {REPLACES: replaces} if replaces is not None else {}
    files: Json = sealed(folder, but=REPORT)
    write_manifest(folder, "run", {**_manifest(runner), "checksums": checksums, **said, FILES: files})
    return write_report(folder)


def _to_json(parts: Mapping[str, Measured] | Mapping[str, Found]) -> dict[str, Json]:
    return {name: one.to_json() for name, one in parts.items()}


def _examples(runner: Runner, task: str) -> tuple[Example, ...]:
    return runner.examples(task, runner.experiment.reading.split_of(task))


def _gold(runner: Runner, task: str) -> Sequence[Example]:
    """Give the examples that predictions are scored by, all where none is: KILT's gold has a right answer each."""
    examples = _examples(runner, task)
    return [one for one in examples if one.answers or not runner.experiment.makers] or examples


def _publish_system(runner: Runner, system: str, task: str, scores: Evaluation) -> Measured:
    """Write what a system found and predicted for a task, and give what is measured of it."""
    headline = metric_of(runner.plan.tasks.task(task)).headline
    given = runner.experiment.compared[system].access
    pages = {access: _publish_run(runner, system, access, task=task) for access in given}
    passages = {access: _passages(runner, system, task, [access]) for access in given}
    finding = [access for access in given if runner.experiment.access[access].finds]
    found = {access: Found(pages[access], passages[access]) for access in finding}
    joined = passages[given[0]] if len(given) == 1 else _passages(runner, system, task, given)
    if not runner.experiment.makers:
        _publish_found(runner, system, task)
        return Measured(headline, joined, found)
    folder = runner.folder / system / task
    source = runner.predictions(system, task)
    with atomic_file(folder / source.name) as draft:
        shutil.copyfile(source, draft)
    by_example = dict(zip(scores.ids, scores.values[headline].tolist(), strict=True))
    _publish_trajectories(runner, system, task, by_example)
    # The report cannot ask a task's metric what it says of each example.
    write_json(folder / SCORES, {headline: by_example})
    return Measured(headline, joined, found, scores)


def _publish_run(runner: Runner, system: str, access: str, *, task: str) -> RankedPages:
    """Write the pages that an access model found for a system, and measure them."""
    alone = len(runner.experiment.compared[system].access) == 1
    hits, collection = runner.found(system, access, task)
    scorer = PageScorer()

    def rankings() -> Iterator[tuple[str, tuple[RankedPage, ...]]]:
        for example, ranking in zip(_examples(runner, task), page_rankings(hits, collection), strict=True):
            scorer.add(example, [page.page_id for page in ranking])
            yield example.id, ranking

    path = runner.folder / system / task / ("run.trec" if alone else f"run-{access}.trec")
    write_run(path, rankings(), tag=access)
    return scorer.result()


def _publish_found(runner: Runner, system: str, task: str) -> None:
    """Write the best passages of the first pages found, in KILT's format, where nothing is predicted from them."""
    examples, reading = _examples(runner, task), runner.experiment.reading
    nothing = [Answer() for _ in examples]
    for access in runner.experiment.compared[system].access:
        hits, collection = runner.found(system, access, task)
        found = zip(examples, complete(nothing, hits, collection, reading.pages), strict=True)
        records = (replace(example, output=(answer,), meta={}) for example, answer in found)
        write_examples(records, runner.folder / system / task / FOUND)


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
    return _passages(runner, system, task, runner.experiment.compared[system].access)


def retrieved_pages(runner: Runner, system: str, task: str) -> Evaluation:
    """Measure the pages that the only access model of a system found."""
    (access,) = runner.experiment.compared[system].access
    rankings, scorer = page_rankings(*runner.found(system, access, task)), PageScorer()
    for example, ranking in zip(_examples(runner, task), rankings, strict=True):
        scorer.add(example, [page.page_id for page in ranking])
    return scorer.result().scores


def _passages(runner: Runner, system: str, task: str, accesses: Sequence[str]) -> Evaluation:
    examples = _examples(runner, task)
    judged = [number for number, example in enumerate(examples) if example.output]
    lists = []
    for access in accesses:
        hits, collection = runner.found(system, access, task)
        best = hits.first(max(DEPTHS)).take(np.array(judged, dtype=np.int64))
        lists.append(items_of_examples(collection, best.rows, best.shown))
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
        "name": runner.experiment.name,
        "config": runner.written_config,
        "seed": runner.experiment.seed,
        "measures": {task.name: metric_of(task).headline for task in runner.experiment.tasks},
        "credits": {one.name: said for one in runner.experiment.tasks if (said := credit_of(one.source()))},
        "stages": without_values([stage.to_json() for stage in runner.stages.distinct]),
        "costs": part_costs(runner.stages.distinct),
        "steps": step_costs(found_stages(runner)),
    }


def found_stages(runner: Runner) -> dict[tuple[str, str], Stage]:
    """Give the stages of what was found, by task and access model; what stores finds while it predicts."""
    places = [(task, access) for task in runner.experiment.tasks for access in runner.experiment.access]
    nodes = {
        (task.name, access): runner.plan.hits(access, task.name, runner.experiment.reading.split_of(task.name))
        for task, access in places
        if runner.plan.access(access).storage is None
    }
    known = {place: runner.stages.known(node) for place, node in nodes.items() if node.make is not None}
    return {place: stage for place, stage in known.items() if stage is not None}
