"""What an experiment gave under one seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reml.contract.examples import Answer, Example, Json
from reml.evaluation.kilt import Evaluation
from reml.files.atomic import CorruptError
from reml.files.records import read_examples
from reml.reporting.result_folder import FOUND

if TYPE_CHECKING:
    from reml.experiment.costs import Costs


@dataclass(frozen=True, slots=True)
class ScoredExample:
    """An example, what was predicted for it, and its scores by measure; none where it has no right answer."""

    example: Example
    answer: Answer
    scores: Mapping[str, float]


@dataclass(frozen=True, eq=False, slots=True)
class SeedResults:
    """What an experiment gave under one seed.

    folder: its result folder. measures: what each task is ranked by. evaluations: by system, by task. questions: by
    task, what each of its scored examples asks, by id (`reml.evaluation.judgements.question_digest`). costs: by system
    and task; none of a run that was read back from its folder. parts: what collections, indexes, retrieval,
    training and predictions cost, and steps: each step of what was found (`reml.experiment.part_costs`).
    """

    seed: int
    folder: Path
    report: Path
    measures: Mapping[str, str] = field(repr=False)
    evaluations: Mapping[str, Mapping[str, Evaluation]] = field(repr=False)
    questions: Mapping[str, Mapping[str, str]] = field(repr=False)
    costs: Mapping[tuple[str, str], Costs] = field(repr=False)
    parts: Mapping[str, Json] = field(repr=False, default_factory=dict)
    steps: Mapping[str, Json] = field(repr=False, default_factory=dict)

    def evaluation(self, system: str, task: str) -> Evaluation:
        """Give the scores of all examples of a task; `ValueError` names the systems and tasks there are."""
        if system not in self.evaluations:
            raise ValueError(
                f"there is no system {system!r}; there are {', '.join(self.evaluations)} in {self.folder.name}."
            )
        if task not in self.measures:
            raise ValueError(f"there is no task {task!r}; there are {', '.join(self.measures)}.")
        return self.evaluations[system][task]

    def examples(self, system: str, task: str) -> Iterator[ScoredExample]:
        """Stream the examples of a task from the result folder, in its order, each with its prediction and scores.

        Of one that has no right answer, and so no scores, it is the question alone.
        """
        scores = self.evaluation(system, task)
        places = {name: place for place, name in enumerate(scores.ids)}
        folder = self.folder / system / task
        predictions = folder / "predictions.jsonl"
        predicted = read_examples(predictions if predictions.is_file() else folder / FOUND)
        gold = self.folder / "gold" / f"{task}.jsonl"
        for example, answer in _beside_gold(predicted, gold):
            place = places.get(example.id.strip())  # evaluations strip ids, as KILT does
            own = {} if place is None else {name: float(values[place]) for name, values in scores.values.items()}
            yield ScoredExample(example, answer, own)


def _beside_gold(predicted: Iterator[Example], path: Path) -> Iterator[tuple[Example, Answer]]:
    """Pair each prediction with its right answers, which come in the same order; without any, with its question."""
    golds = read_examples(path)
    gold = next(golds, None)
    for one in predicted:
        answer = one.output[0] if one.output else Answer()
        if gold is not None and gold.id == one.id:
            yield gold, answer
            gold = next(golds, None)
        else:
            yield replace(one, output=()), answer
    if gold is not None:
        raise CorruptError(f"{path} has right answers for {gold.id!r}, which was not predicted in that order.")
