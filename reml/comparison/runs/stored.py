"""The results of a run read back from its folder.

Its predictions are scored anew by KILT's measures; what the metric of a task's own said of each example was kept.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from reml.comparison.runs.kept import METRICS, PREDICTIONS, KeptRun, kept_run
from reml.contract.examples import Answer, Example
from reml.contract.vectors import Float64Array
from reml.evaluation.judgements import questions_of
from reml.evaluation.kilt import MEASURES, RETRIEVAL, Evaluation, evaluate
from reml.experiment.experiment_results import Results
from reml.experiment.seed_results import SeedResults
from reml.files.atomic import CorruptError
from reml.files.records import read_examples
from reml.reporting.report import REPORT
from reml.reporting.result_folder import SCORES, measure_of, read_objects, read_scores

AGAIN = "Run the experiment again to have it made anew."
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
    systems = read_objects(folder / METRICS)
    measures = {task: measure_of(run.manifest, task) for task in run.tasks}
    for system, by_task in systems.items():
        for task in measures.keys() - by_task:
            raise CorruptError(f"{folder / METRICS} has no figures of {system!r} on {task!r}. {AGAIN}")

    @functools.cache
    def gold(task: str) -> list[Example]:
        return [one for one in read_examples(folder / "gold" / f"{task}.jsonl") if one.answers]

    def of_system(system: str) -> Mapping[str, Evaluation]:
        place = folder / system
        return OnDemand(run.tasks, lambda task: _evaluation(gold(task), place / task, measures[task]))

    seed = run.seed if run.seed is not None else 0
    questions = OnDemand(run.tasks, lambda task: questions_of(gold(task)))
    evaluations = OnDemand(tuple(systems), of_system)
    return Results((SeedResults(seed, folder, folder / REPORT, measures, evaluations, questions, {}),))


def whole_run(folder: Path) -> KeptRun:
    """Read what a run's folder says; `ValueError` or `CorruptError` unless the run is whole."""
    run = kept_run(folder)
    if run.state == "unfinished":
        raise ValueError(f"the run {folder} is unfinished. {run.note}")
    if run.state == "damaged":
        raise CorruptError(f"the run {folder} is damaged. {run.note}")
    return run


def _evaluation(gold: Sequence[Example], place: Path, measure: str) -> Evaluation:
    """Score the predictions that one system made for a task. gold: its examples that have a right answer."""
    path = place / PREDICTIONS
    predicted = {one.id: one.output[0] for one in read_examples(path) if one.output}
    found = evaluate(gold, [_answer(predicted, one.id, path) for one in gold])
    own = read_scores(place / SCORES, measure)
    if own is None:
        return found
    kept = found.values if measure in MEASURES else {measure: None, **{name: found.values[name] for name in RETRIEVAL}}
    values = {**kept, measure: _own_scores(own, found.ids, place / SCORES)}
    of_answers = found.of_answers if measure in MEASURES else (measure,)
    return Evaluation(found.ids, values, of_answers=of_answers, unmeasured=found.unmeasured & values.keys() - {measure})


def _answer(predicted: Mapping[str, Answer], name: str, path: Path) -> Answer:
    answer = predicted.get(name)
    if answer is None or answer.text is None:
        raise CorruptError(f"{path} has no answer to {name!r}, which is among the right answers. {AGAIN}")
    return answer


def _own_scores(own: Mapping[str, float], ids: Sequence[str], path: Path) -> Float64Array:
    lacking = next((name for name in ids if name not in own), None)
    if lacking is not None:
        raise CorruptError(f"{path} has no score of {lacking!r}. {AGAIN}")
    scores = np.array([own[name] for name in ids], dtype=np.float64)
    if not np.isfinite(scores).all():
        raise CorruptError(f"{path} has scores that are no finite numbers. {AGAIN}")
    return scores
