"""A result folder read back for its report."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Answer, Example, Json
from reml.evaluation.cases import Cell, gather
from reml.evaluation.kilt import KILT, MEASURES
from reml.files.atomic import CorruptError, read_json, read_manifest
from reml.files.checked import reading
from reml.files.records import read_examples

SCORES = "scores.json"  # of each example, by the measure its task is ranked by
RATE = "train/rate"  # what training logs beside its losses and scores


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of an access model on a task: R-precision, the task's measure, and its KILT score if it has one.

    What was not measured, as no example has a right answer, is no figure.
    """

    r_precision: float | None
    downstream: float | None
    kilt: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric of the training log: steps and values, those that are no numbers left out."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """A result folder. `measures` gives the measure that each task is ranked by; figures are by access and task.

    curves: of the predictor's training. taught: of those of retrievers that learnt from feedback, by stage.
    """

    name: str
    manifest: Mapping[str, Json]
    measures: Mapping[str, str]
    accesses: tuple[str, ...]
    figures: Mapping[tuple[str, str], Figures]
    cells: tuple[Cell, ...]
    curves: tuple[Curve, ...]
    taught: Mapping[str, tuple[Curve, ...]]


@takes_paths
def read_results(run: Path, cases_each: int) -> Results:
    """Read a result folder; `CorruptError` names what is missing or unreadable.

    `measures` of the manifest says by which measure each task is ranked; a task it leaves out counts by exact match.
    """
    manifest = read_manifest(run, "run")
    metrics = _objects(read_json(run / "metrics.json"), run / "metrics.json")
    tasks = dict.fromkeys(task for by_task in metrics.values() for task in by_task)
    measures = {task: _measure(manifest, task) for task in tasks}
    places = [(access, task) for access, by_task in metrics.items() for task in by_task]
    return Results(
        name=run.resolve().name,
        manifest=manifest,
        measures=measures,
        accesses=tuple(metrics),
        figures={(access, task): _figures(metrics[access][task], measures[task]) for access, task in places},
        cells=tuple(_cell(run, access, task, measure=measures[task], cases_each=cases_each) for access, task in places),
        curves=tuple(_curves(run / "training" / "metrics.csv")),
        taught={path.parent.name: tuple(_curves(path)) for path in sorted(run.glob("training/*/metrics.csv"))},
    )


def _objects(value: Json, path: Path) -> Mapping[str, Mapping[str, Json]]:
    if not isinstance(value, dict) or not all(isinstance(inner, dict) for inner in value.values()):
        raise CorruptError(f"{path} is not an object of objects. Run the experiment again to have it made anew.")
    return cast("Mapping[str, Mapping[str, Json]]", value)


def _measure(manifest: Mapping[str, Json], task: str) -> str:
    measures = manifest.get("measures")
    measure = measures.get(task, "em") if isinstance(measures, dict) else "em"
    if not isinstance(measure, str):
        raise CorruptError(f"manifest.json measures task {task!r} by {measure!r}, which names no measure.")
    return measure


def _figures(scores: Json, measure: str) -> Figures:
    own = measure not in MEASURES and not _has(scores, "downstream", "kilt", f"{KILT}{measure}")
    return Figures(
        r_precision=_number(scores, "retrieval", "Rprec"),
        downstream=_number(scores, "downstream", "downstream", measure),
        kilt=None if own else _number(scores, "downstream", "kilt", f"{KILT}{measure}"),
    )


def _has(scores: Json, *names: str) -> bool:
    for name in names:
        if not isinstance(scores, dict) or name not in scores:
            return False
        scores = scores[name]
    return True


def _number(scores: Json, *names: str) -> float | None:
    for name in names:
        if not isinstance(scores, dict) or name not in scores:
            raise CorruptError(f"metrics.json lacks {'.'.join(names)}. Run the experiment again to have it made anew.")
        scores = scores[name]
    return None if scores is None else float(cast("float", scores))


def _cell(run: Path, access: str, task: str, *, measure: str, cases_each: int) -> Cell:
    golds = {example.id: example for example in read_examples(run / "gold" / f"{task}.jsonl")}
    pairs = _pairs(golds, run / access / task / "predictions.jsonl")
    scores = _scores(run / access / task / SCORES, measure)
    return gather(pairs, access=access, task=task, measure=measure, cases_each=cases_each, scores=scores)


def _scores(path: Path, measure: str) -> Mapping[str, float] | None:
    """Read what the task's metric said of each example; folders of KILT's measures can be without it."""
    if not path.is_file() and measure in MEASURES:
        return None
    if not path.is_file():
        raise CorruptError(
            f"there is no {path}, and {measure!r} is none of KILT's measures ({', '.join(MEASURES)}), which could be "
            "measured anew. Run the experiment again to have it made."
        )
    scores = _objects(read_json(path), path).get(measure)
    if scores is None or not all(isinstance(score, int | float) for score in scores.values()):
        raise CorruptError(f"{path} has no number by {measure!r} of each example. Run the experiment again.")
    return cast("Mapping[str, float]", scores)


def _pairs(golds: Mapping[str, Example], predictions: Path) -> Iterator[tuple[Example, Answer]]:
    for predicted in read_examples(predictions):
        if predicted.id in golds and predicted.output:
            answer = predicted.output[0]
            yield golds[predicted.id], Answer(answer.text or "", answer.provenance)


def _curves(path: Path) -> Iterator[Curve]:
    """Yield what a training log (step, name, value) has beside its rates; nothing if there is none."""
    if not path.is_file():
        return
    points: dict[str, list[tuple[float, float]]] = {}
    again = "It is to be a training log (step, name, value): run the experiment again to have it made anew."
    with reading(path, again), path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, strict=True):
            step, name, value = float(row["step"]), row["name"], float(row["value"])
            if name != RATE and math.isfinite(value):
                points.setdefault(name, []).append((step, value))
    for name, found in points.items():
        steps, values = zip(*found, strict=True)
        yield Curve(name, steps, values)
