"""nDCG, reciprocal rank and their like, computed by ir-measures from TREC files (`reml.evaluation.trec`).

MacAvaney, Macdonald and Ounis, "Streamlining Evaluation with ir-measures", ECIR 2022, https://ir-measur.es: measures
are named as there, `nDCG@10`, `RR@10`, `R@100`, `AP`, and computed with trec_eval's own code.

The programs behind them read files, sort and break ties each in its own way. Here they get neither files nor ids nor
scores: questions and pages are numbered, and each ranking has been sorted once, so that all of them rank alike.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reml.contract.arguments.extras import install_hint
from reml.contract.arguments.paths import takes_paths
from reml.contract.arguments.several import several
from reml.evaluation.meeting import alike, beside, differ_in_writing
from reml.evaluation.trec import open_run, read_relevance
from reml.evaluation.trec.named_measures import MEASURES, NamedMeasure, named_measure

Judgements = Mapping[str, Mapping[str, int]]
Rankings = Mapping[str, Sequence[str]]

_FAILURES = (ArithmeticError, AssertionError, LookupError, OSError, RuntimeError, TypeError, ValueError)


class MeasureError(ValueError):
    """A measure cannot be computed of these files; the message says why."""


@dataclass(frozen=True, eq=False)
class RankedScores(Mapping[str, float]):
    """The mean of each measure by name, with what is to be said of the files: ties, questions that are not judged.

    A measure that is not defined for these files has no mean, and a remark. Equal to whatever has the same means.
    """

    means: Mapping[str, float]
    remarks: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        return self.means[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.means)

    def __len__(self) -> int:
        return len(self.means)


@takes_paths
def ranked_measures(run: Path, relevance: Path, measures: Sequence[str] = MEASURES) -> RankedScores:
    """Average measures over all questions that `relevance` judges; one without a ranking scores 0.

    Pages are ranked as `reml.evaluation.trec.open_run` says. `ValueError` names a measure that is not known, not
    allowed, not installed or not defined for any question; a file and line that is not TREC's; and files that do not
    meet: no question or no page in common, with the ids that are nearest. `ImportError` gives the command that installs
    ir-measures.
    """
    try:
        import ir_measures  # noqa: F401  # asked for before any file is read
    except ImportError as error:
        raise ImportError(f"{error}. Install what computes these measures: {install_hint('measures')}.") from error
    named = [named_measure(name) for name in several(measures, "measures")]
    found, judged = open_run(run), read_relevance(relevance)
    rankings = {question: [page.page_id for page in ranking] for question, ranking in found.rankings.items()}
    remarks = [*found.remarks, *_met(rankings, judged, run, relevance)]
    _check_grades(named, judged, relevance)
    return _means(named, *_numbered(rankings, judged), remarks)


def _met(rankings: Rankings, judged: Judgements, run: Path, relevance: Path) -> Iterator[str]:
    """Say how far two files meet; `ValueError` if they do not."""
    for path, read in ((run, rankings), (relevance, judged)):
        if not read:
            raise ValueError(f"{path} has no line: there is nothing to measure.")
    both = [question for question in rankings if question in judged]
    if not both:
        raise ValueError(
            f"no question of {run} is judged in {relevance}: {beside(rankings, judged)}. Write ids alike in both files."
        )
    if not any(grade > 0 for question in both for grade in judged[question].values()):
        raise ValueError(f"{relevance} has no page of relevance 1 or more for any question of {run}: nothing to find.")
    yield from _questions_met(rankings, judged, run)
    yield from _pages_met({question: rankings[question] for question in both}, judged, run, relevance)


def _questions_met(rankings: Rankings, judged: Judgements, run: Path) -> Iterator[str]:
    unjudged = [question for question in rankings if question not in judged]
    unranked = [question for question in judged if question not in rankings]
    if unjudged:
        yield f"{len(unjudged)} of {len(rankings)} questions of {run} are not judged: they are left out."
    if unranked:
        yield f"{len(unranked)} of {len(judged)} judged questions have no ranking: they count 0."
    if pairs := alike(unjudged, unranked):
        yield (
            f"{len(pairs)} questions seem to be written in two ways, such as {pairs[0][0]!r} in the run and "
            f"{pairs[0][1]!r} in the judgements. Write ids alike in both files."
        )


def _pages_met(rankings: Rankings, judged: Judgements, run: Path, relevance: Path) -> Iterator[str]:
    if all(judged[question].keys().isdisjoint(ranking) for question, ranking in rankings.items()):
        ranked = {page: None for ranking in rankings.values() for page in ranking}
        known = {page: None for question in rankings for page in judged[question]}
        said = f"no page that {run} ranks for a question is judged for it in {relevance}: {beside(ranked, known)}."
        if differ_in_writing(ranked, known):
            raise ValueError(f"{said} Write ids alike in both files.")
        yield said
    pairs = [pair for question, ranking in rankings.items() for pair in _written_twice(ranking, judged[question])]
    if pairs:
        yield (
            f"{len(pairs)} judged pages are ranked under another writing, such as {pairs[0][0]!r} for {pairs[0][1]!r}: "
            "they count as not found. Write ids alike in both files."
        )


def _written_twice(ranking: Sequence[str], grades: Mapping[str, int]) -> list[tuple[str, str]]:
    """Pair pages that are ranked and not judged with those that are relevant, not ranked, and alike."""
    ranked = set(ranking)
    missed = [page for page, grade in grades.items() if grade > 0 and page not in ranked]
    return alike([page for page in ranking if page not in grades], missed) if missed else []


# A page that is judged and stands in no ranking: where nothing is relevant, it changes no measure.
_NOBODYS = "nobody's"


def _check_grades(measures: Sequence[NamedMeasure], judged: Judgements, relevance: Path) -> None:
    highest = max(grade for grades in judged.values() for grade in grades.values())
    for one in measures:
        if one.grade > highest:
            raise ValueError(
                f"measure {one.name!r} counts pages of relevance {one.grade} or more, and {relevance} has {highest} at "
                "most."
            )
        if one.highest_grade < highest:
            raise ValueError(
                f"measure {one.name!r} is defined for relevance up to {one.highest_grade}, and {relevance} has "
                f"{highest}."
            )


def _numbered(rankings: Rankings, judged: Judgements) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, float]]]:
    """Give judgements and rankings with numbers for ids, and scores that fall by 1 from place to place."""
    pages: dict[str, str] = {}
    graded, scored = {}, {}
    for number, (question, grades) in enumerate(judged.items(), start=1):
        graded[str(number)] = {pages.setdefault(page, str(len(pages))): grade for page, grade in grades.items()}
        if max(grades.values()) < 0:  # of such a question, trec_eval writes before its table of grades
            graded[str(number)][_NOBODYS] = 0
        if question in rankings:
            ranking = rankings[question]
            scored[str(number)] = {
                pages.setdefault(page, str(len(pages))): float(len(ranking) - place)
                for place, page in enumerate(ranking)
            }
    return graded, scored


def _means(
    measures: Sequence[NamedMeasure],
    judged: dict[str, dict[str, int]],
    ranked: dict[str, dict[str, float]],
    remarks: Sequence[str],
) -> RankedScores:
    means, failures = {}, []
    for one in measures:
        try:
            means[one.name] = _mean(one, judged, ranked)
        except MeasureError as error:
            failures.append(str(error))
    if not means:
        raise MeasureError(" ".join(failures))
    return RankedScores(means, (*remarks, *failures))


def _mean(one: NamedMeasure, judged: dict[str, dict[str, int]], ranked: dict[str, dict[str, float]]) -> float:
    """Average one measure, each in a call of its own: some programs mix up the settings of several."""
    if one.measure.NAME == "NumQ":  # ir-measures counts only those that are ranked, of relevant pages too
        return float(len(judged))
    if one.measure.NAME == "NumRel":
        return float(sum(grade >= one.grade for grades in judged.values() for grade in grades.values()))
    try:
        mean = float(one.program.calc_aggregate([one.measure], judged, ranked)[one.measure])
    except (*_FAILURES, subprocess.SubprocessError) as error:
        raise MeasureError(f"{one.name} is not defined for these files ({type(error).__name__}: {error}).") from error
    if not math.isfinite(mean):
        raise MeasureError(f"{one.name} is not defined for any question of these files.")
    return mean
