"""What became of each example of a run: was the evidence retrieved, was the answer right, and with which provenance."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from reml.contract.examples import Answer, Example, Measure
from reml.evaluation.judgements import Gold, Guess
from reml.evaluation.kilt import answer_scores
from reml.evaluation.ranking import evidence_ranks, r_precision

# An answer counts as right from here on, by a measure that is not here from GRADED on. Words of a sentence rarely agree
# all.
GRADED = 0.5
RIGHT_FROM: Mapping[str, float] = {"accuracy": 1.0, "em": 1.0, "f1": GRADED, "rougel": GRADED}
_CURVE_DEPTH = 100


class Outcome(enum.Enum):
    """The four ways a prediction ends, by what must be mended first. Every prediction has exactly one."""

    MISSED = "retrieval missed"
    NOT_USED = "retrieved but not used"
    WRONG_PROVENANCE = "right answer, wrong provenance"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Case:
    """One prediction beside its right answers. `score` is by the measure of its task, `r_precision` by KILT's rule."""

    example: Example
    answer: Answer
    outcome: Outcome
    score: float
    r_precision: float


@dataclass(frozen=True, slots=True)
class Cell:
    """All predictions of one access model on one task.

    counts: of each outcome. recall: at 1, 2, ... places, KILT's recall of evidence sets, as far as provenance goes.
    cases: the first few of each outcome.
    """

    access: str
    task: str
    measure: str
    counts: Mapping[Outcome, int]
    recall: tuple[float, ...]
    cases: tuple[Case, ...]


def gather(
    pairs: Iterable[tuple[Example, Answer]],
    *,
    access: str,
    task: str,
    measure: str,
    cases_each: int,
    scores: Mapping[str, float] | None = None,
) -> Cell:
    """Sort predictions by outcome, in memory bounded by the cases that are kept: `cases_each` of each outcome.

    scores: as of `judge`.
    """
    counts = dict.fromkeys(Outcome, 0)
    kept: list[Case] = []
    recalls = np.zeros(_CURVE_DEPTH)
    deepest = 0
    for example, answer in pairs:
        gold, guess = Gold.of(example), Guess.of(example.id, answer)
        case = judge(example, answer, measure, scores)
        counts[case.outcome] += 1
        if counts[case.outcome] <= cases_each:
            kept.append(case)
        recalls += _recall_curve(gold, guess)
        deepest = max(deepest, min(len(guess.pages), _CURVE_DEPTH))
    curve = recalls[:deepest] / max(1, sum(counts.values()))
    return Cell(access, task, measure, counts, tuple(curve.tolist()), tuple(kept))


def judge(example: Example, answer: Answer, measure: str, scores: Mapping[str, float] | None = None) -> Case:
    """Say what became of one prediction.

    scores: what the measure says of each example by id, 0 of those left out; without it, it is one of KILT's.

    Right answers divide by whether KILT gives points for their provenance (R-precision 1), wrong ones by whether the
    whole evidence for some right answer was among the pages. Where no right answer names a page, none is wrong.
    """
    gold, guess = Gold.of(example), Guess.of(example.id, answer)
    precision = r_precision(guess.pages, gold.page_sets)
    score = answer_scores(gold, guess)[cast("Measure", measure)] if scores is None else scores.get(gold.id, 0.0)
    if score >= RIGHT_FROM.get(measure, GRADED):
        outcome = Outcome.RIGHT if precision == 1 or not any(gold.page_sets) else Outcome.WRONG_PROVENANCE
    else:
        outcome = Outcome.NOT_USED if evidence_ranks(guess.pages, gold.evidence_sets) else Outcome.MISSED
    return Case(example, answer, outcome, score, precision)


def ordered(cases: Iterable[Case]) -> Iterator[Case]:
    """Yield the cases of an outcome together, what must be mended first at the start."""
    places = {outcome: place for place, outcome in enumerate(Outcome)}
    yield from sorted(cases, key=lambda case: places[case.outcome])


def _recall_curve(gold: Gold, guess: Guess) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    curve = np.zeros(_CURVE_DEPTH)
    for rank in evidence_ranks(guess.pages, gold.evidence_sets):
        curve[rank - 1 :] += 1 / len(gold.evidence_sets)
    return curve
