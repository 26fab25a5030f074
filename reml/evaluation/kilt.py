"""KILT's measures of predictions against right answers, for each example and on average.

They equal those of KILT's public code (facebookresearch/KILT, `kilt/eval_downstream.py` and `kilt/eval_retrieval.py`,
ranked by `wikipedia_id`). A KILT score gives an answer its points only where R-precision is 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from reml.contract.arguments.several import several
from reml.contract.examples import Answer, Example, Json, Measure
from reml.contract.vectors import Float64Array
from reml.evaluation.answers import exact_match, f1, normalise
from reml.evaluation.context import context_ranks, holds_any
from reml.evaluation.judgements import Gold, Guess
from reml.evaluation.ranking import r_precision, scores_at
from reml.evaluation.rouge import rouge_l

MEASURES: tuple[Measure, ...] = get_args(Measure)
DEPTHS = (1, 5, 10, 20)
KILT = "KILT-"  # with a measure: its KILT score


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """The scores of N predictions.

    ids: of the examples, in the order of the right answers. values: each measure's float64 [N], by KILT's names (`em`,
    `KILT-em`, `Rprec`, `recall@5`, ...). unmatched: how many predictions had no right answer to compare with.
    of_answers: the names that say how good answers are; KILT scores and what says how good retrieval is are others.
    unmeasured: the names that compare with pages or titles where no right answer names any (`unmeasured`), or look into
    texts of provenance where no prediction has any: they have 0 as in KILT's code, and tables leave them out. remarks:
    what has to be known to read the scores, a sentence each.
    """

    ids: tuple[str, ...]
    values: Mapping[str, Float64Array]
    unmatched: int = 0
    of_answers: tuple[str, ...] = MEASURES
    unmeasured: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def mean(self, name: str) -> float:
        """Average a measure over the examples; NaN if there are none. `KeyError` names the measures there are."""
        if name not in self.values:
            raise KeyError(f"no measure {name!r}; there are {', '.join(self.values)}.")
        return float(self.values[name].mean()) if self.ids else math.nan

    def downstream(self, measure: str) -> float:
        """Average the measure that a task is ranked by."""
        return self.mean(measure)

    def kilt(self, measure: str) -> float:
        """Average the KILT score of that measure: points count only where R-precision is 1."""
        return self.mean(f"{KILT}{measure}")

    @property
    def measured(self) -> dict[str, Float64Array]:
        """The values of the measures that had something to compare with."""
        return {name: values for name, values in self.values.items() if name not in self.unmeasured}

    def measures(self, name: str) -> bool:
        """Tell whether a measure says something: there is an example, and something to compare with."""
        return name in self.values and name not in self.unmeasured and len(self) > 0

    def has_kilt(self, measure: str) -> bool:
        """Tell whether there is a KILT score of that measure: a metric of a task's own need not give one."""
        return f"{KILT}{measure}" in self.measured

    def dev_score(self, measure: str) -> float:
        """Average what a predictor is kept by while it trains: the KILT score; the measure where there is none."""
        return self.mean(self.dev_measure(measure))

    def dev_measure(self, measure: str) -> str:
        """Name the measure that `dev_score` averages."""
        return f"{KILT}{measure}" if self.has_kilt(measure) else measure

    def means(self) -> dict[str, float | None]:
        """Average every measure; nothing was measured where there are no examples, or nothing to compare with."""
        return {name: self.mean(name) if self.measures(name) else None for name in self.values}

    def to_json(self) -> dict[str, Json]:
        """Give the averages, laid out as the two programs of KILT print them."""
        means = self.means()
        answers: dict[str, Json] = {name: means[name] for name in self.of_answers}
        kilt: dict[str, Json] = {
            name: mean for name, mean in means.items() if name.startswith(KILT) and name not in answers
        }
        retrieval = {name: mean for name, mean in means.items() if name not in answers and name not in kilt}
        brief = {name: means[name] for name in ("Rprec", "recall@5")}
        return {"downstream": {"downstream": answers, "kilt": kilt, "retrieval": brief}, "retrieval": retrieval}


class Scorer:
    """Scores predictions one at a time, in any order, in memory bounded by the number of right answers."""

    def __init__(self, golds: Sequence[Gold], depths: Sequence[int] = DEPTHS) -> None:
        if any(depth < 1 for depth in several(depths, "depths")):
            raise ValueError(f"depths {tuple(depths)}: each must be 1 or more.")
        # `recall@5` is among KILT's headline figures.
        self._depths = tuple(sorted({*depths, 5}))
        self._names = measure_names(self._depths)
        self._golds = golds
        self._values = np.zeros((len(golds), len(self._names)))
        self._quotes = False

    def add(self, position: int, guess: Guess) -> None:
        """Score a prediction for the right answer at `position`."""
        self._quotes = self._quotes or guess.texts.count(None) < len(guess.texts)
        self._values[position] = _scores(self._golds[position], guess, self._depths)

    def result(self, unmatched: int = 0) -> Evaluation:
        """Give what was scored; a right answer without prediction has 0 in every measure."""
        columns = {name: self._values[:, number] for number, name in enumerate(self._names)}
        lacking = unmeasured(self._golds, self._names, quoted=self._quotes)
        return Evaluation(tuple(gold.id for gold in self._golds), columns, unmatched, unmeasured=lacking)


def evaluate(examples: Sequence[Example], answers: Sequence[Answer], depths: Sequence[int] = DEPTHS) -> Evaluation:
    """Score one predicted answer for each example, in the same order.

    `ValueError` if the numbers differ, an example has no right answer, or a prediction has no text. Provenance that is
    empty counts as none given.
    """
    if len(examples) != len(answers):
        raise ValueError(f"{len(examples)} examples but {len(answers)} answers: give one answer for each example.")
    golds = [Gold.of(example) for example in examples]
    unanswered = [gold.id for gold in golds if not gold.answers]
    if unanswered:
        raise ValueError(f"{len(unanswered)} examples have no right answer to compare with, such as {unanswered[:5]}.")
    scorer = Scorer(golds, depths)
    for position, (example, answer) in enumerate(zip(examples, answers, strict=True)):
        scorer.add(position, Guess.of(example.id, answer))
    return scorer.result()


def answer_scores(gold: Gold, guess: Guess) -> dict[Measure, float]:
    """Score one answer by each downstream measure; an empty answer has 0 in all."""
    if not guess.answer:
        return dict.fromkeys(MEASURES, 0.0)
    right, bare = guess.answer in gold.answers, normalise(guess.answer)
    answers = {bare} if right else {normalise(answer) for answer in gold.answers}
    return {
        "accuracy": float(right),
        "em": exact_match(bare, answers),
        "f1": f1(bare, answers),
        "rougel": rouge_l(guess.answer, gold.answers),
    }


def measure_names(depths: Sequence[int]) -> tuple[str, ...]:
    """Give the names of all measures for these depths, in the order of the scores."""
    deeper = [depth for depth in depths if depth > 1]
    return (
        *MEASURES,
        *(f"{KILT}{measure}" for measure in MEASURES),
        "Rprec",
        "entity_in_input",
        *(f"precision@{depth}" for depth in depths),
        *(f"recall@{depth}" for depth in deeper),
        *(f"success_rate@{depth}" for depth in deeper),
        *(f"answer_in_context@{depth}" for depth in depths),
        *(f"entity_in_context@{depth}" for depth in depths),
        *(f"answer_and_ent_in_context@{depth}" for depth in depths),
    )


def unmeasured(golds: Iterable[Gold], names: Iterable[str], *, quoted: bool) -> frozenset[str]:
    """Name those of KILT's measures that compare with pages, or with titles, where no right answer has any.

    quoted: whether some prediction's provenance has a text; without any, there is no context to look into.
    """
    lacking = {
        "page": (KILT, "Rprec", "precision@", "recall@", "success_rate@"),
        "title": ("entity_", "answer_and_ent_"),
    }
    for gold in golds:
        if any(gold.page_sets):
            lacking.pop("page", None)
        if gold.titles:
            lacking.pop("title", None)
        if not lacking:
            break
    starts = tuple(start for some in lacking.values() for start in some)
    return frozenset(name for name in names if name.startswith(starts) or (not quoted and "_in_context@" in name))


# What says how good retrieval is, whatever answers are measured by.
RETRIEVAL = measure_names(DEPTHS)[2 * len(MEASURES) :]


def _scores(gold: Gold, guess: Guess, depths: Sequence[int]) -> list[float]:
    points = answer_scores(gold, guess).values()
    precision = r_precision(guess.pages, gold.page_sets)
    titles = {normalise(title) for title in gold.titles}
    return [
        *points,
        *(points if precision == 1 else [0.0] * len(points)),
        precision,
        float(holds_any(gold.input, titles)),
        *_ranking_scores(gold, guess, depths),
        *_context_scores(gold, guess, titles, depths=depths),
    ]


def _ranking_scores(gold: Gold, guess: Guess, depths: Sequence[int]) -> list[float]:
    precision, recall, success = scores_at(depths, guess.pages, gold.evidence_sets)
    deeper = [place for place, depth in enumerate(depths) if depth > 1]
    return [*precision, *(recall[place] for place in deeper), *(success[place] for place in deeper)]


def _context_scores(gold: Gold, guess: Guess, titles: set[str], *, depths: Sequence[int]) -> list[float]:
    if guess.texts.count(None) == len(guess.texts):
        return [0.0] * (3 * len(depths))
    answers = {normalise(answer) for answer in gold.answers}
    ranks = context_ranks(guess.texts, answers=answers, titles=titles, depth=max(depths))
    return [float(place <= depth) for place in (ranks.answer, ranks.entity, ranks.both) for depth in depths]
