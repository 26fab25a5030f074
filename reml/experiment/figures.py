"""The figures of an experiment as its result folder has them: of predictions, and of what access models found.

Two things have the same names, R-precision and recall, and are not the same: an access model's ranking, and the
provenance that a predictor gives, which is what KILT measures. `metrics.json` has KILT's layout for each system and
task, and beside it `prediction` and `retriever`, by access model: each figure with its mean, its 95 % interval (`low`,
`high`; `reml.evaluation.significance.score_interval`) and `n`, the examples it is a mean of. What was not measured is
left out there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from reml.contract.examples import Json
from reml.contract.vectors import Float64Array
from reml.evaluation.kilt import KILT, Evaluation
from reml.evaluation.significance import differences, score_interval
from reml.evaluation.trec.page_measures import RankedPages
from reml.reporting.figures import PREDICTION, RETRIEVER, SHOWN_OF_RETRIEVERS


@dataclass(frozen=True, eq=False)
class Found:
    """What an access model found for the examples of a task: how good its pages are, and its passages."""

    pages: RankedPages
    passages: Evaluation

    @property
    def scores(self) -> dict[str, Float64Array]:
        """The scores by measure, [N] each; those of passages may be of other examples than those of pages."""
        there = self.pages.scores.measured if len(self.pages.scores) else {}
        return {**there, **(self.passages.measured if len(self.passages) else {})}

    @cached_property
    def figures(self) -> dict[str, Json]:
        """The figures by measure."""
        return _figures(self.scores)

    def is_as(self, other: Found) -> bool:
        """Tell whether both have the same scores."""
        ours, theirs = self.scores, other.scores
        return list(ours) == list(theirs) and all(np.array_equal(ours[name], theirs[name]) for name in ours)

    def to_json(self) -> dict[str, Json]:
        """Give its figures, the curve of its recall, and whether degrees of relevance were judged."""
        return {"figures": self.figures, "recall": list(self.pages.recall), "graded": self.pages.graded}


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """What is measured of a system on a task that is ranked by `measure`.

    passages: of all its access models, one list after the other. found: by access model that can find anything.
    evaluation: of its predictions, if it predicts.
    """

    measure: str
    passages: Evaluation
    found: Mapping[str, Found] = field(default_factory=dict)
    evaluation: Evaluation | None = None

    @property
    def scores(self) -> dict[str, Float64Array]:
        """The scores of its predictions by measure, [N] each: of answers alone if nothing was found and none is cited.

        KILT counts 0 for provenance that is not there, and so does its layout in `metrics.json`.
        """
        one = self.evaluation
        if one is None or not len(one):
            return {}
        cites = bool(self.found) or ("Rprec" in one.values and bool(one.values["Rprec"].any()))
        return {name: scores for name, scores in one.measured.items() if cites or name in one.of_answers}

    def to_json(self) -> dict[str, Json]:
        """Give its part of `metrics.json`."""
        of_pages: dict[str, Json] = {access: one.figures for access, one in self.found.items()}
        if self.evaluation is None:
            return {RETRIEVER: of_pages}
        return {**self.evaluation.to_json(), PREDICTION: _figures(self.scores), RETRIEVER: of_pages}


# By system, by task.
AllMeasured = Mapping[str, Mapping[str, Measured]]


def retrieval_of(measured: AllMeasured) -> dict[str, dict[str, Found]]:
    """Give by task what each access model found; one that finds otherwise under each system is named with it."""
    by_task: dict[str, dict[str, Found]] = {}
    for system, of_tasks in measured.items():
        for task, one in of_tasks.items():
            for access, found in one.found.items():
                known = by_task.setdefault(task, {})
                alone = access not in known or known[access].is_as(found)
                known[access if alone else f"{system}: {access}"] = found
    return by_task


def difference_rows(measured: AllMeasured) -> list[dict[str, Json]]:
    """Test every two systems by each figure that tables show: rows of `differences.json`.

    A family, in which Holm's method corrects, is one figure over all tasks and pairs.
    """
    tasks = {task: one.measure for by_task in measured.values() for task, one in by_task.items()}
    found = retrieval_of(measured)
    rows: list[dict[str, Json]] = []
    for kind in ("score", "Rprec", "KILT score"):
        scores = {task: _scores(measured, task, kind, measure) for task, measure in tasks.items()}
        rows += _family(PREDICTION, kind, scores)
    for name in SHOWN_OF_RETRIEVERS:
        rows += _family(RETRIEVER, name, {task: _having(name, by_access) for task, by_access in found.items()})
    return rows


def _having(name: str, found: Mapping[str, Found]) -> dict[str, Float64Array]:
    return {access: one.scores[name] for access, one in found.items() if name in one.scores}


def _scores(measured: AllMeasured, task: str, kind: str, measure: str) -> dict[str, Float64Array]:
    name = {"score": measure, "KILT score": f"{KILT}{measure}"}.get(kind, kind)
    there = {system: by_task[task].scores for system, by_task in measured.items() if task in by_task}
    return {system: scores[name] for system, scores in there.items() if name in scores}


def _family(of: str, figure: str, scores: Mapping[str, Mapping[str, Float64Array]]) -> Iterator[dict[str, Json]]:
    pairs = [
        (task, first, second)
        for task, by_system in scores.items()
        for first, second in itertools.combinations(by_system, 2)
        if len(by_system[first]) == len(by_system[second]) > 1
    ]
    aligned = [(scores[task][first], scores[task][second]) for task, first, second in pairs]
    for (task, first, second), one in zip(pairs, differences(aligned), strict=True):
        yield {
            "of": of,
            "figure": figure,
            "task": task,
            "first": first,
            "second": second,
            "difference": one.mean,
            "low": one.interval.low,
            "high": one.interval.high,
            "p": one.p,
            "corrected": one.corrected,
        }


def _figures(scores: Mapping[str, Float64Array]) -> dict[str, Json]:
    return {name: _figure(values) for name, values in scores.items()}


def _figure(scores: Float64Array) -> dict[str, Json]:
    interval = score_interval(scores)
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return {"mean": float(scores.mean()), "low": low, "high": high, "n": len(scores)}
