"""A result folder read back for its report."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Answer, Example, Json
from reml.evaluation.cases import PREDICTED, RETRIEVED, Case, Cell, chosen, judge, judge_retrieved
from reml.evaluation.kilt import MEASURES
from reml.files.atomic import CorruptError, read_json, read_manifest
from reml.files.integrity.checked import reading
from reml.files.integrity.sealed import check_sealed
from reml.files.records import read_chosen, read_examples
from reml.reporting.figures import Figures, objects, read_figures

FOUND = "retrieved.jsonl"  # what was found, in KILT's format, where nothing is predicted
SCORES = "scores.json"  # of each example, by the measure its task is ranked by
AGAIN = "Run the experiment again to have it made."
RATE = "train/rate"  # what training logs beside its losses and scores


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric of the training log: steps and values, those that are no numbers left out."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """An example of a task and what became of it, by access model."""

    task: str
    example: Example
    cases: Mapping[str, Case]


@dataclass(frozen=True, slots=True)
class Results:
    """A result folder. `measures` gives the measure that each task is ranked by.

    questions: some of the examples. curves: of the predictor's training. taught: of those of retrievers that learnt
    from feedback, by stage.
    """

    name: str
    manifest: Mapping[str, Json]
    measures: Mapping[str, str]
    accesses: tuple[str, ...]
    figures: Figures
    cells: tuple[Cell, ...]
    questions: tuple[Question, ...]
    curves: tuple[Curve, ...]
    taught: Mapping[str, tuple[Curve, ...]]


@takes_paths
def read_results(run: Path, cases_each: int) -> Results:
    """Read a result folder; `CorruptError` names what is missing or unreadable.

    `measures` of the manifest says by which measure each task is ranked; a task it leaves out counts by exact match.
    cases_each: how many examples of each outcome, task and access model are kept, at least.
    """
    manifest = read_run_manifest(run)
    figures, measures = read_measured(run)
    cells: list[Cell] = []
    questions: list[Question] = []
    for task, measure in measures.items():
        of_task = _Task(run, task, measure, figures)
        found = of_task.cells()
        cells += found
        questions += of_task.questions(chosen(found, cases_each))
    return Results(
        name=_name(manifest, run),
        manifest=manifest,
        measures=measures,
        accesses=tuple(figures.predicted),
        figures=figures,
        cells=tuple(cells),
        questions=tuple(questions),
        curves=tuple(_curves(run / "training" / "metrics.csv")),
        taught={path.parent.name: tuple(_curves(path)) for path in sorted(run.glob("training/*/metrics.csv"))},
    )


@takes_paths
def read_run_manifest(run: Path) -> dict[str, Json]:
    """Read the manifest of a result folder, and see that all files on record are what was written.

    `CorruptError` names the first that is not.
    """
    manifest = read_manifest(run, "run", AGAIN)
    check_sealed(run, manifest, again=AGAIN)
    return manifest


@takes_paths
def read_measured(run: Path) -> tuple[Figures, dict[str, str]]:
    """Read the figures of a result folder and what each task is ranked by; `CorruptError` as of `read_results`."""
    manifest = read_manifest(run, "run", AGAIN)
    known = manifest.get("measures")
    figures = read_figures(run, {task: _measure(manifest, task) for task in (known if isinstance(known, dict) else {})})
    return figures, {task: _measure(manifest, task) for task in figures.tasks}


def _name(manifest: Mapping[str, Json], run: Path) -> str:
    """Give the experiment's name; that of the folder where the manifest of a former version does not say it."""
    config = manifest.get("config")
    named = manifest.get("name", config.get("name") if isinstance(config, dict) else None)
    return named if isinstance(named, str) and named.strip() else run.resolve().name


def _measure(manifest: Mapping[str, Json], task: str) -> str:
    measures = manifest.get("measures")
    measure = measures.get(task, "em") if isinstance(measures, dict) else "em"
    if not isinstance(measure, str):
        raise CorruptError(f"manifest.json measures task {task!r} by {measure!r}, which names no measure.")
    return measure


class _Task:
    """What was predicted for a task, or only retrieved, read from the result folder twice: to count, and to show."""

    def __init__(self, run: Path, task: str, measure: str, figures: Figures) -> None:
        systems = (system for system, by_task in figures.predicted.items() if task in by_task)
        self._folders = {system: run / system / task for system in systems}
        self._golds = {example.id: example for example in read_examples(run / "gold" / f"{task}.jsonl")}
        self._task, self._measure, self._predicts = task, measure, figures.predicts
        self._places: dict[str, dict[str, int]] = {system: {} for system in self._folders}

    def cells(self) -> list[Cell]:
        """Say how the predictions of each access model ended."""
        among = PREDICTED if self._predicts else RETRIEVED
        ends = {access: {case.example.id: case.outcome for case in self._cases(access)} for access in self._folders}
        return [Cell(access, self._task, self._measure, found, among) for access, found in ends.items()]

    def questions(self, names: Sequence[str]) -> list[Question]:
        """Give examples, each with what became of it by access model: those that `cells` has met."""
        found = {name: dict[str, Case]() for name in names}
        for access in self._folders:
            for case in self._cases(access, names):
                found[case.example.id][access] = case
        return [Question(self._task, self._golds[name], found[name]) for name in names]

    def _cases(self, access: str, wanted: Sequence[str] | None = None) -> Iterator[Case]:
        folder = self._folders[access]
        scores = _scores(folder / SCORES, self._measure) if self._predicts else None
        for record in self._records(access, folder / ("predictions.jsonl" if self._predicts else FOUND), wanted):
            gold = self._golds.get(record.id)
            answer = record.output[0] if record.output else None
            if gold is not None and not self._predicts:
                yield judge_retrieved(gold, answer or Answer())
            elif gold is not None and answer is not None:
                yield judge(gold, Answer(answer.text or "", answer.provenance), self._measure, scores)

    def _records(self, access: str, path: Path, wanted: Sequence[str] | None) -> Iterator[Example]:
        """Read all records and note where each stands, or those that are wanted, from where they stand."""
        places = self._places[access]
        if wanted is not None:
            yield from read_chosen(path, {places[name] for name in wanted if name in places})
            return
        for record in read_examples(path):
            places[record.id] = len(places)
            yield record


def _scores(path: Path, measure: str) -> Mapping[str, float] | None:
    """Read what the task's metric said of each example; folders of KILT's measures can be without it."""
    if not path.is_file() and measure in MEASURES:
        return None
    if not path.is_file():
        raise CorruptError(
            f"there is no {path}, and {measure!r} is none of KILT's measures ({', '.join(MEASURES)}), which could be "
            "measured anew. Run the experiment again to have it made."
        )
    scores = objects(read_json(path, AGAIN), path).get(measure)
    if scores is None or not all(isinstance(score, int | float) for score in scores.values()):
        raise CorruptError(f"{path} has no number by {measure!r} of each example. Run the experiment again.")
    return cast("Mapping[str, float]", scores)


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
