"""Whether systems differ, of one experiment or of two, on the questions that both were asked.

The unit is the example: its scores are averaged over seeds, and the pairs of averages are tested. Questions are found
by their ids; one that asks something else, or has other right answers, is another question though its id is the same.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reml.contract.arguments.several import several
from reml.contract.vectors import Float64Array
from reml.evaluation import significance
from reml.evaluation.kilt import KILT
from reml.experiment.seed_results import SeedResults

OF_PAGES = ("precision@1", "recall@5", "recall@20", "RR@10", "nDCG@10")
Runs = Sequence[SeedResults]  # those of one experiment, one a seed
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Shared:
    """Which scored questions of a task two runs have in common.

    ids: theirs. altered: how many have an id in common, and another input or other right answers. first_only,
    second_only: how many ids one of the two alone has.
    """

    ids: tuple[str, ...]
    altered: int
    first_only: int
    second_only: int

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False, slots=True)
class Pairing:
    """Two systems' scores by one measure on the questions of a task that both were asked.

    scores: of each of the `ids`, [N] each.
    """

    task: str
    measure: str
    first: str
    second: str
    ids: tuple[str, ...]
    scores: tuple[Float64Array, Float64Array]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two systems on a task by one measure: both means over n questions and seeds, and first minus second.

    Intervals are of 95 %, those of means as `score_interval` has them, of differences by bootstrap over questions. p:
    of the paired randomisation test, two-sided. corrected: by Holm's method over all that was tested together.
    """

    task: str
    measure: str
    first: str
    second: str
    first_mean: float
    first_low: float
    first_high: float
    second_mean: float
    second_low: float
    second_high: float
    difference: float
    low: float
    high: float
    p: float
    corrected: float
    n: int


def differences(first: Runs, second: Runs, systems: Pairs, measures: Sequence[str]) -> list[Difference]:
    """Test differences, first minus second, of pairs of systems on the tasks that both have (`reml.compare`)."""
    found = pairings(first, second, systems, measures)
    if not found:
        raise ValueError(f"no task has 2 or more scored examples in common: {too_few(first, second)}.")
    return tested_pairings(found)


def pairings(first: Runs, second: Runs, systems: Pairs, measures: Sequence[str]) -> list[Pairing]:
    """Align the scores of pairs of systems; a task of which fewer than 2 questions are common gives none."""
    several(systems, "systems")
    several(measures, "measures")
    pairs = systems or _pairs(first, second)
    return [
        _pairing(first, second, task, measure, pair)
        for task in common_tasks(first, second)
        for pair in pairs
        if len(scored(first, second, task, pair)) > 1
        for measure in measures or default_measures(first, second, task, pair)
    ]


def _pairing(first: Runs, second: Runs, task: str, measure: str, pair: tuple[str, str]) -> Pairing:
    ids = scored(first, second, task, pair)
    both = _scores(first, pair[0], task, measure, ids), _scores(second, pair[1], task, measure, ids)
    return Pairing(task, measure, *pair, ids, both)


def tested_pairings(found: Sequence[Pairing]) -> list[Difference]:
    """Test all pairings as one family."""
    tested = significance.differences([one.scores for one in found])
    return [_difference(pairing, one) for pairing, one in zip(found, tested, strict=True)]


def shared(first: Runs, second: Runs, task: str) -> Shared:
    """Find the questions of a task that all runs of both were asked, in the order of the first."""
    every = [run.questions[task] for run in (*first, *second)]
    both = [one for one in every[0] if all(one in asked for asked in every)]
    alike = tuple(one for one in both if len({asked[one] for asked in every}) == 1)
    own, others = len(first[0].questions[task]), len(second[0].questions[task])
    return Shared(alike, len(both) - len(alike), own - len(both), others - len(both))


def common_tasks(first: Runs, second: Runs) -> list[str]:
    """List the tasks that both have; `ValueError` if there are none."""
    own, others = first[0].measures, second[0].measures
    both = [task for task in own if task in others]
    if not both:
        raise ValueError(f"the results have no task in common: {', '.join(own)}; {', '.join(others)}.")
    return both


def predicts(runs: Runs) -> bool:
    """Tell whether answers are scored, as those of all tasks are, or pages alone."""
    of_first = next(iter(runs[0].evaluations.values()), {})
    return any(one.of_answers for one in itertools.islice(of_first.values(), 1))


def too_few(first: Runs, second: Runs) -> str:
    """Say of each task how many questions are common, and why others are not."""
    return "; ".join(f"{task}: {told(shared(first, second, task))}" for task in common_tasks(first, second))


def told(counts: Shared) -> str:
    """Say in words how many questions are common and how many are left out."""
    left = {
        "only in the first": counts.first_only,
        "only in the second": counts.second_only,
        "of one id with another input or other right answers": counts.altered,
    }
    return ", ".join([f"{len(counts)} in common", *(f"{count} {where}" for where, count in left.items() if count)])


def scored(first: Runs, second: Runs, task: str, pair: tuple[str, str]) -> tuple[str, ...]:
    """Give the shared questions that both systems are scored on: all, but where only pages are it takes evidence."""
    sides = ((first, pair[0]), (second, pair[1]))
    every = [frozenset(run.evaluation(system, task).ids) for runs, system in sides for run in runs]
    return tuple(one for one in shared(first, second, task).ids if all(one in ids for ids in every))


def default_measures(first: Runs, second: Runs, task: str, pair: tuple[str, str]) -> Iterator[str]:
    """Name what is compared unless measures are named: R-precision, what either ranks the task by, its KILT score.

    Where nothing is predicted, further measures of the pages that were retrieved.
    """
    sides = ((first[0], pair[0]), (second[0], pair[1]))
    measured = [run.evaluation(system, task).measured for run, system in sides]
    headlines = dict.fromkeys(run.measures[task] for run, _ in sides)
    both = [name for name in measured[0] if name in measured[1]]
    further = () if any(name in both for name in headlines) else OF_PAGES
    for name in ("Rprec", *headlines, *(f"{KILT}{headline}" for headline in headlines), *further):
        if name in both:
            yield name


def _pairs(first: Runs, second: Runs) -> Pairs:
    own, others = list(first[0].evaluations), list(second[0].evaluations)
    both = [system for system in own if system in others]
    if both:
        return [(system, system) for system in both]
    if len(own) == len(others) == 1:
        return [(own[0], others[0])]
    raise ValueError(
        f"the results have no system of one name ({', '.join(own)}; {', '.join(others)}): say which to compare, as "
        "systems=[(FIRST, SECOND)], on the command line --access FIRST/SECOND."
    )


def _scores(runs: Runs, system: str, task: str, measure: str, ids: Sequence[str]) -> Float64Array:
    """Give the score of each of these examples, its mean over seeds, [N]."""
    scores: Float64Array = np.mean([_of_seed(run, system, task, measure, ids) for run in runs], axis=0)
    return scores


def _of_seed(run: SeedResults, system: str, task: str, measure: str, ids: Sequence[str]) -> Float64Array:
    evaluation = run.evaluation(system, task)
    if measure not in evaluation.values:
        raise ValueError(f"there is no measure {measure!r}; there are {', '.join(evaluation.values)}.")
    places = {name: place for place, name in enumerate(evaluation.ids)}
    return evaluation.values[measure][[places[one] for one in ids]]


def _difference(pairing: Pairing, found: significance.Difference) -> Difference:
    first, second = pairing.scores
    own, others = _interval(first), _interval(second)
    return Difference(
        task=pairing.task,
        measure=pairing.measure,
        first=pairing.first,
        second=pairing.second,
        first_mean=float(first.mean()),
        first_low=own.low,
        first_high=own.high,
        second_mean=float(second.mean()),
        second_low=others.low,
        second_high=others.high,
        difference=found.mean,
        low=found.interval.low,
        high=found.interval.high,
        p=found.p,
        corrected=found.corrected,
        n=len(first),
    )


def _interval(scores: Float64Array) -> significance.Interval:
    return significance.score_interval(scores) or significance.Interval(math.nan, math.nan)
