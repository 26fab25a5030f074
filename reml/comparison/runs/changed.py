"""The questions that one of two runs answers rightly and the other one wrongly, with both answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reml.comparison.runs.kept import PREDICTIONS
from reml.contract.examples import Example
from reml.evaluation.cases import GRADED, RIGHT_FROM
from reml.experiment.differences import Pairing, Runs, shared
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
    task, least, ids = pairing.task, RIGHT_FROM.get(pairing.measure, GRADED), shared(first, second, pairing.task).ids
    own, others = pairing.scores
    places = [place for place in range(len(ids)) if (own[place] >= least) != (others[place] >= least)]
    wanted = {ids[place] for place in places}
    asked = _records(first[0], f"gold/{task}.jsonl", wanted)
    answers = [
        _records(run, f"{system}/{task}/{PREDICTIONS}", wanted)
        for run, system in ((first[0], pairing.first), (second[0], pairing.second))
    ]
    return [
        ChangedAnswer(
            *(task, pairing.measure, pairing.first, pairing.second, ids[place]),
            asked[ids[place]].input,
            asked[ids[place]].answers,
            *(given[ids[place]].output[0].text or "" for given in answers),
            *(float(scores[place]) for scores in pairing.scores),
        )
        for place in places
    ]


def _records(run: SeedResults, place: str, wanted: Collection[str]) -> Mapping[str, Example]:
    """Read those records of a run's folder that are wanted, by their ids as evaluations have them."""
    if not wanted:
        return {}
    return {name: one for one in read_examples(run.folder / place) if (name := one.id.strip()) in wanted}
