"""The questions that one of two runs answers rightly and the other one wrongly, with both answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reml.comparison.runs.kept import PREDICTIONS
from reml.contract.examples import Example
from reml.evaluation.cases import GRADED, RIGHT_FROM
from reml.experiment.differences import Pairing, Runs
from reml.experiment.seed_results import SeedResults
from reml.files.records import read_examples


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """A question that one of two systems answers rightly and the other one not, by what its task is ranked by.

    Scores are means over seeds, and right from 1, or from 0.5 by graded measures; answers are those of the first seed.
    """

    task: str
    measure: str
    first: str
    second: str
    id: str
    question: str
    right: tuple[str, ...]
    first_answer: str
    second_answer: str
    first_score: float
    second_score: float

    @property
    def gained(self) -> bool:
        """Whether it is the second one that is right."""
        return self.second_score > self.first_score


def changed_answers(first: Runs, second: Runs, found: Sequence[Pairing]) -> list[ChangedAnswer]:
    """List, of pairings by what both runs rank the task by, the questions of which the outcome is another."""
    ranked = [one for one in found if one.measure == first[0].measures[one.task] == second[0].measures[one.task]]
    return [change for one in ranked for change in _changed(first, second, one)]


def _changed(first: Runs, second: Runs, pairing: Pairing) -> list[ChangedAnswer]:
    task, least, (own, others) = pairing.task, RIGHT_FROM.get(pairing.measure, GRADED), pairing.scores
    ids = enumerate(pairing.ids)
    places = {name: place for place, name in ids if (own[place] >= least) != (others[place] >= least)}
    asked = _records(first[0], f"gold/{task}.jsonl", places)
    answered = _records(first[0], f"{pairing.first}/{task}/{PREDICTIONS}", places)
    answered_by_other = _records(second[0], f"{pairing.second}/{task}/{PREDICTIONS}", places)
    return [
        ChangedAnswer(
            task=task,
            measure=pairing.measure,
            first=pairing.first,
            second=pairing.second,
            id=name,
            question=asked[name].input,
            right=asked[name].answers,
            first_answer=answered[name].output[0].text or "",
            second_answer=answered_by_other[name].output[0].text or "",
            first_score=float(own[place]),
            second_score=float(others[place]),
        )
        for name, place in places.items()
    ]


def _records(run: SeedResults, place: str, wanted: Collection[str]) -> Mapping[str, Example]:
    """Read those records of a run's folder that are wanted, by their ids as evaluations have them."""
    if not wanted:
        return {}
    return {name: one for one in read_examples(run.folder / place) if (name := one.id.strip()) in wanted}
