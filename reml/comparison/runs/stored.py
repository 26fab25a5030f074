"""The results of a run read back from its folder.

Its predictions are scored anew by KILT's measures, or the pages that it found as it did itself where it only retrieved;
what the metric of a task's own said of each example was kept.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from reml.comparison.runs.kept import (
    AGAIN,
    FOUND,
    METRICS,
    PREDICTIONS,
    KeptRun,
    kept_run,
    measure_of,
    predictions_of,
    read_metrics,
)
from reml.contract.examples import Answer, Example
from reml.contract.vectors import Float64Array
from reml.evaluation.judgements import questions_of
from reml.evaluation.kilt import MEASURES, RETRIEVAL, Evaluation, evaluate
from reml.evaluation.trec import read_run
from reml.evaluation.trec.page_measures import PageScorer
from reml.experiment.experiment_results import Results
from reml.experiment.seed_results import SeedResults
from reml.files.atomic import CorruptError, read_json
from reml.files.records import read_examples
from reml.reporting.report import REPORT
from reml.reporting.result_folder import SCORES, read_run_manifest

Value = TypeVar("Value")


class OnDemand(Mapping[str, Value], Generic[Value]):
    """A mapping of which each value is made when it is first asked for."""

    def __init__(self, names: Sequence[str], make: Callable[[str], Value]) -> None:
        self._names, self._make = tuple(names), functools.cache(make)

    def __getitem__(self, name: str) -> Value:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def stored_results(folder: Path) -> Results:
    """Read the results of a whole run; each system's predictions for a task are scored when they are asked for.

    `ValueError` for a run that is unfinished, `CorruptError` for one that is damaged, here or when it is scored. What
    it cost is not read.
    """
    run = whole_run(folder)
    systems = read_metrics(folder)
    measures = {task: measure_of(run.manifest, task) for task in run.tasks}
    for system, by_task in systems.items():
        for task in measures.keys() - by_task:
            raise CorruptError(f"{folder / METRICS} has no figures of {system!r} on {task!r}: {AGAIN}")

    @functools.cache
    def gold(task: str) -> list[Example]:
        return [*read_examples(folder / "gold" / f"{task}.jsonl")]

    def of_system(system: str) -> Mapping[str, Evaluation]:
        place = folder / system
        return OnDemand(run.tasks, lambda task: _evaluation(gold(task), place / task, measures[task]))

    seed = run.seed if run.seed is not None else 0
    predicts = any((folder / system / task / PREDICTIONS).is_file() for system in systems for task in run.tasks)
    questions = OnDemand(run.tasks, lambda task: questions_of(gold(task), predicted=predicts))
    evaluations = OnDemand(tuple(systems), of_system)
    return Results((SeedResults(seed, folder, folder / REPORT, measures, evaluations, questions, {}),))


def whole_run(folder: Path) -> KeptRun:
    """Read what a run's folder says; `ValueError` or `CorruptError` unless the run is whole."""
    run = kept_run(folder)
    if run.state == "unfinished":
        raise ValueError(f"the run {folder} is unfinished. {run.note}")
    if run.state == "damaged":
        raise CorruptError(f"the run {folder} is damaged. {run.note}")
    if run.state == "unreadable":
        raise OSError(f"the run {folder} cannot be read. {run.note}")
    read_run_manifest(folder)
    return run


def _evaluation(gold: Sequence[Example], place: Path, measure: str) -> Evaluation:
    """Score what one system predicted for a task, or only retrieved. gold: its examples."""
    path = predictions_of(place)
    if path.name == FOUND:
        return _of_pages(gold, place / "run.trec")
    gold = [one for one in gold if one.answers]
    predicted = {one.id: one.output[0] for one in read_examples(path) if one.output}
    found = evaluate(gold, [_answer(predicted, one.id, path) for one in gold])
    if measure in MEASURES and not (place / SCORES).is_file():  # of an older version
        return found
    own = {measure: _own_scores(place / SCORES, measure, found.ids)}
    if measure in MEASURES:
        return replace(found, values={**found.values, **own})
    values = {**own, **{name: found.values[name] for name in RETRIEVAL if name != measure}}
    return Evaluation(found.ids, values, of_answers=(measure,), unmeasured=found.unmeasured & values.keys() - {measure})


def _of_pages(gold: Sequence[Example], path: Path) -> Evaluation:
    """Score the ranking of pages where nothing was predicted from it, as the run did."""
    rankings, scorer = read_run(path), PageScorer()
    for one in gold:
        scorer.add(one, [page.page_id for page in rankings.get(one.id, ())])
    return scorer.result().scores


def _answer(predicted: Mapping[str, Answer], name: str, path: Path) -> Answer:
    answer = predicted.get(name)
    if answer is None or answer.text is None:
        raise CorruptError(f"{path} has no answer to {name!r}, which is among the right answers: {AGAIN}")
    return answer


def _own_scores(path: Path, measure: str, ids: Sequence[str]) -> Float64Array:
    """Read what the task's metric said of each example."""
    if not path.is_file():
        raise CorruptError(f"there is no {path}, and {measure!r} is none of KILT's measures, made anew: {AGAIN}")
    written = read_json(path)
    own = written.get(measure) if isinstance(written, dict) else None
    if not isinstance(own, dict):
        raise CorruptError(f"{path} has no scores by {measure!r}: {AGAIN}")
    for name in ids:
        if not (isinstance(score := own.get(name), int | float) and math.isfinite(score)):
            raise CorruptError(f"{path} has no finite number as the score of {name!r}: {AGAIN}")
    return np.array([own[name] for name in ids], dtype=np.float64)
