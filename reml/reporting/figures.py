"""The figures of a result folder, read back: of predictions, and of what access models found.

They stand in three files (`reml.experiment.figures` makes them): `metrics.json` by system and task, `retrieval.json` by
task and access model, `differences.json` has the tests. A folder of a former version has the first alone, and only
means in it: then `Figures.former` is set, and there are no intervals, no figures of access models and no tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from reml.contract.examples import Json
from reml.evaluation.kilt import KILT, MEASURES
from reml.files.atomic import CorruptError, read_json

Value = TypeVar("Value")

METRICS, RETRIEVAL, DIFFERENCES = "metrics.json", "retrieval.json", "differences.json"
PREDICTION, RETRIEVER = "prediction", "retriever"
# Figures of access models that tables show, by what they call them, as far as they are measured.
SHOWN_OF_RETRIEVERS = {
    "Rprec": "R-precision",
    "precision@1": "P@1",
    "recall@5": "recall@5",
    "recall@20": "recall@20",
    "RR@10": "RR@10",
    "nDCG@10": "nDCG@10",
    "passage_recall@5": "passages@5",
    "answer_recall@5": "answers@5",
}
PROVENANCE = "provenance"  # how tables call the R-precision of the pages that a prediction names
LEVEL = 0.05
_AGAIN = "Run the experiment again to have it made anew."


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over `n` examples and its 95 % interval; what a folder does not say is `None`."""

    mean: float
    low: float | None = None
    high: float | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What an access model found for a task: its figures by measure, and its mean recall at 1, 2, ... pages.

    graded: whether degrees of relevance were judged.
    """

    figures: Mapping[str, Figure]
    recall: tuple[float, ...]
    graded: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between two systems, or access models, by one figure: first minus second, with its interval.

    of: `prediction` or `retriever`. corrected: the p-value by Holm's method, over all tasks and pairs.
    """

    of: str
    figure: str
    task: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    corrected: float

    @property
    def better(self) -> str:
        """The one that is better, if that is significant."""
        return "" if self.corrected >= LEVEL else self.first if self.difference > 0 else self.second


@dataclass(frozen=True)
class Figures:
    """All figures. predicted: by system, task and measure; retrieved: by task and access model.

    own: the only access model of a system and its figures, by system and task; rankings: those of each of its access
    models. predicts: whether anything is predicted.
    """

    predicted: Mapping[str, Mapping[str, Mapping[str, Figure]]]
    own: Mapping[str, Mapping[str, tuple[str, Mapping[str, Figure]]]]
    retrieved: Mapping[str, Mapping[str, Retrieved]]
    tests: tuple[Difference, ...]
    former: bool
    predicts: bool
    rankings: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Figure]]]] = field(default_factory=dict)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of the tasks, in their order."""
        return tuple(dict.fromkeys(task for by_task in self.predicted.values() for task in by_task))

    def better_than(self, of: str, figure: str, task: str, name: str) -> list[str]:
        """Name the systems, or access models, that one is significantly better than by a figure."""
        return self._better.get((of, figure, task, name), [])

    @cached_property
    def _better(self) -> dict[tuple[str, str, str, str], list[str]]:
        found: dict[tuple[str, str, str, str], list[str]] = {}
        for one in self.tests:
            if one.better:
                worse = one.second if one.first == one.better else one.first
                found.setdefault((one.of, one.figure, one.task, one.better), []).append(worse)
        return found


def read_figures(run: Path, measures: Mapping[str, str]) -> Figures:
    """Read the figures of a result folder; `CorruptError` for what is not laid out so.

    measures: what each task is ranked by, `em` where a task is left out.
    """
    metrics = objects(read_json(run / METRICS, _AGAIN), run / METRICS)
    places = [(system, task) for system, by_task in metrics.items() for task in by_task]
    every = [objects(metrics[system][task], run / METRICS) for system, task in places]
    former = any(RETRIEVER not in one for one in every)
    predicted: dict[str, dict[str, Mapping[str, Figure]]] = {system: {} for system in metrics}
    own: dict[str, dict[str, tuple[str, Mapping[str, Figure]]]] = {system: {} for system in metrics}
    rankings: dict[str, dict[str, Mapping[str, Mapping[str, Figure]]]] = {system: {} for system in metrics}
    retrieved = _read_file(run / RETRIEVAL, dict[str, dict[str, Retrieved]], {})
    for (system, task), one in zip(places, every, strict=True):
        given = _read(one.get(PREDICTION, {}), dict[str, Figure], run / METRICS)
        predicted[system][task] = _former(one, measures.get(task, "em")) if former else given
        found = _read(one.get(RETRIEVER, {}), dict[str, dict[str, Figure]], run / METRICS)
        rankings[system][task] = found
        access, given = next(iter(found.items())) if len(found) == 1 else ("", {})
        apart = f"{system}: {access}"  # what it is called where it finds otherwise under each system
        own[system][task] = (apart if apart in retrieved.get(task, {}) else access, given)
    return Figures(
        predicted,
        own,
        retrieved,
        _read_file(run / DIFFERENCES, tuple[Difference, ...], []),
        former,
        predicts=former or any(PREDICTION in one for one in every),
        rankings=rankings,
    )


def objects(value: Json, path: Path) -> Mapping[str, Mapping[str, Json]]:
    """Take an object of objects; `CorruptError` if it is none."""
    if not isinstance(value, dict) or not all(isinstance(inner, dict) for inner in value.values()):
        raise CorruptError(f"{path} is not an object of objects. {_AGAIN}")
    return cast("Mapping[str, Mapping[str, Json]]", value)


def _read_file(path: Path, kind: type[Value], otherwise: Json) -> Value:
    return _read(read_json(path, _AGAIN) if path.is_file() else otherwise, kind, path)


def _read(value: Json, kind: type[Value], path: Path) -> Value:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise CorruptError(f"{path} has no figures as they are written: {error}. {_AGAIN}") from error


def _former(scores: Json, measure: str) -> dict[str, Figure]:
    """Take the means that a folder of a former version has; nothing is made of what was not measured."""
    own = measure not in MEASURES and not _has(scores, "downstream", "kilt", f"{KILT}{measure}")
    places = {
        "Rprec": ("retrieval", "Rprec"),
        measure: ("downstream", "downstream", measure),
        f"{KILT}{measure}": None if own else ("downstream", "kilt", f"{KILT}{measure}"),
    }
    found = {name: _number(scores, *place) for name, place in places.items() if place is not None}
    return {name: Figure(mean) for name, mean in found.items() if mean is not None}


def _has(scores: Json, *names: str) -> bool:
    for name in names:
        if not isinstance(scores, dict) or name not in scores:
            return False
        scores = scores[name]
    return True


def _number(scores: Json, *names: str) -> float | None:
    for name in names:
        if not isinstance(scores, dict) or name not in scores:
            raise CorruptError(f"{METRICS} lacks {'.'.join(names)}. {_AGAIN}")
        scores = scores[name]
    return None if scores is None else float(cast("float", scores))
