"""What became of each example of a run: was the evidence retrieved, was the answer right, and with which provenance."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from reml.contract.examples import Answer, Example, Measure
from reml.evaluation.judgements import Gold, Guess, distinct_pages
from reml.evaluation.kilt import answer_scores
from reml.evaluation.ranking import evidence_ranks, r_precision

# An answer counts as right from here on, by a measure that is not here from GRADED on. Words of a sentence rarely agree
# all.
GRADED = 0.5
RIGHT_FROM: Mapping[str, float] = {"accuracy": 1.0, "em": 1.0, "f1": GRADED, "rougel": GRADED}


class Outcome(enum.Enum):
    """The ways a prediction ends, by what must be mended first; every one has exactly one of `PREDICTED`.

    Where nothing was predicted from what was retrieved, that has one of `RETRIEVED`.
    """

    MISSED = "retrieval missed"
    NOT_USED = "retrieved but not used"
    WRONG = "wrong, evidence not known"
    WRONG_PROVENANCE = "right answer, wrong provenance"
    RIGHT = "right"
    FOUND = "retrieved"
    NOT_JUDGED = "evidence not known"


PREDICTED = (Outcome.MISSED, Outcome.NOT_USED, Outcome.WRONG, Outcome.WRONG_PROVENANCE, Outcome.RIGHT)
RETRIEVED = (Outcome.MISSED, Outcome.FOUND, Outcome.NOT_JUDGED)


@dataclass(frozen=True, slots=True)
class Case:
    """One prediction beside its right answers. `score` is by the measure of its task, `r_precision` by KILT's rule.

    score: none where nothing was predicted.
    """

    example: Example
    answer: Answer
    outcome: Outcome
    score: float | None
    r_precision: float


@dataclass(frozen=True, slots=True)
class Cell:
    """How all predictions of one access model on one task ended, by example; `among` which outcomes."""

    access: str
    task: str
    measure: str
    outcomes: Mapping[str, Outcome]
    among: tuple[Outcome, ...] = PREDICTED

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many ended in each way."""
        found = Counter(self.outcomes.values())
        return {outcome: found[outcome] for outcome in self.among}


def chosen(cells: Sequence[Cell], each: int) -> list[str]:
    """Choose examples of a task to show side by side, in order: `each` of every outcome of every access model.

    One example shows the outcomes of all access models, so that few are needed.
    """
    lacking = Counter({(cell.access, outcome): each for cell in cells for outcome in cell.among})
    kept = []
    for name in dict.fromkeys(name for cell in cells for name in cell.outcomes):
        ends = [(cell.access, cell.outcomes[name]) for cell in cells if name in cell.outcomes]
        if any(lacking[end] > 0 for end in ends):
            kept.append(name)
            lacking.subtract(ends)
    return kept


def judge_retrieved(example: Example, answer: Answer) -> Case:
    """Say of pages from which nothing was predicted whether all evidence for some right answer is among them."""
    gold, pages = Gold.of(example), distinct_pages(place.wikipedia_id for place in answer.provenance)
    found = Outcome.FOUND if evidence_ranks(pages, gold.evidence_sets) else Outcome.MISSED
    outcome = found if any(gold.page_sets) else Outcome.NOT_JUDGED
    return Case(example, answer, outcome, None, r_precision(pages, gold.page_sets))


def judge(example: Example, answer: Answer, measure: str, scores: Mapping[str, float] | None = None) -> Case:
    """Say what became of one prediction.

    scores: what the measure says of each example by id, 0 of those left out; without it, it is one of KILT's.

    Right answers divide by whether KILT gives points for their provenance (R-precision 1), wrong ones by whether the
    whole evidence for some right answer was among the pages. Where no right answer names a page, none is wrong, and
    whether retrieval missed is not known.
    """
    gold, guess = Gold.of(example), Guess.of(example.id, answer)
    precision = r_precision(guess.pages, gold.page_sets)
    score = answer_scores(gold, guess)[cast("Measure", measure)] if scores is None else scores.get(gold.id, 0.0)
    if score >= RIGHT_FROM.get(measure, GRADED):
        outcome = Outcome.RIGHT if precision == 1 or not any(gold.page_sets) else Outcome.WRONG_PROVENANCE
    elif not any(gold.page_sets):
        outcome = Outcome.WRONG
    else:
        outcome = Outcome.NOT_USED if evidence_ranks(guess.pages, gold.evidence_sets) else Outcome.MISSED
    return Case(example, answer, outcome, score, precision)
