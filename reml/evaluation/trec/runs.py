"""Rankings as TREC's run files: written without ties, read in one order.

A line is `question Q0 page rank score tag`. Programs rank by score alone, whatever the rank says, and each breaks ties
in its own way: what is written here has none (`reml.evaluation.trec.scores`), and its ranks and scores agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from reml.contract.arguments.paths import takes_paths
from reml.contract.arguments.several import several
from reml.evaluation.trec.fields import fields_of, finite_number, whole_number
from reml.evaluation.trec.ids import decode_id, encode_id
from reml.evaluation.trec.scores import in_single_precision, untied
from reml.files.atomic import atomic_file
from reml.files.lines import LineError, decoded_lines

LAYOUT = "question Q0 page rank score tag"
_FARTHEST = 1 << 31

# The score, negative, the rank and the number of a line: sorted by them, the best comes first.
_Line = tuple[float, int, int, str]


class RunError(ValueError):
    """A run is not what TREC prescribes; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class RankedPage:
    """A page and the score it was retrieved with."""

    page_id: str
    score: float


@dataclass(frozen=True, slots=True)
class ReadRun:
    """The ranking of each question, best first, and what is to be said of the file: ties, ranks against scores."""

    rankings: Mapping[str, tuple[RankedPage, ...]]
    remarks: tuple[str, ...]


def rank_pages(page_ids: Iterable[str], scores: Iterable[float]) -> tuple[RankedPage, ...]:
    """Keep the first and best passage of each page, in order; surplus and infinite scores are padding and left out."""
    best: dict[str, float] = {}
    for page_id, score in zip(several(page_ids, "page_ids"), scores, strict=False):
        if math.isfinite(score):
            best.setdefault(page_id, float(score))
    return tuple(RankedPage(page_id, score) for page_id, score in best.items())


@takes_paths
def write_run(
    path: Path, rankings: Mapping[str, Sequence[RankedPage]] | Iterable[tuple[str, Sequence[RankedPage]]], *, tag: str
) -> None:
    """Write the ranking of each question, best first, whole or not at all.

    The order is kept: a score that is not below the one before it is lowered by the smallest step, so that no reader
    ranks otherwise. `ValueError` for an empty id or tag, a page that comes twice in a ranking, and a score that is not
    finite. Rankings that come as a stream of pairs are held one at a time.
    """
    label = encode_id(tag)
    with atomic_file(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as stream:
        for question, ranking in rankings.items() if isinstance(rankings, Mapping) else rankings:
            stream.writelines(_written(question, ranking, label))


@takes_paths
def read_run(path: Path) -> Mapping[str, tuple[RankedPage, ...]]:
    """Give the rankings of `open_run`."""
    return open_run(path).rankings


@takes_paths
def open_run(path: Path) -> ReadRun:
    """Read a run, plain or gzip: pages by score, as TREC prescribes, equal ones by rank, then by line.

    Blank lines are passed over. `RunError` for a line that is not a run's, a score that is not finite, and a page that
    comes twice in a question.
    """
    lines: dict[str, list[_Line]] = {}
    for question, line in _run_lines(path):
        lines.setdefault(question, []).append(line)
    for question, ranked in lines.items():
        ranked.sort()
        _check_distinct(path, question, ranked)
    rankings = {
        question: tuple([RankedPage(page, -score) for score, _, _, page in ranked])
        for question, ranked in lines.items()
    }
    return ReadRun(rankings, (*_ties(lines), *_contradictions(lines)))


def _written(question: str, ranking: Sequence[RankedPage], tag: str) -> Iterator[str]:
    pages = [page.page_id for page in ranking]
    if len(set(pages)) < len(pages):
        twice = next(page for page in pages if pages.count(page) > 1)
        raise ValueError(f"page {twice!r} comes twice in the ranking of question {question!r}: rank each page once.")
    try:
        scores = untied([page.score for page in ranking])
    except ValueError as error:
        raise ValueError(f"question {question!r}: {error}") from error
    start = f"{encode_id(question)} Q0 "
    for rank, (page, score) in enumerate(zip(pages, scores, strict=True), start=1):
        yield f"{start}{encode_id(page)} {rank} {score!r} {tag}\n"


def _run_lines(path: Path) -> Iterator[tuple[str, _Line]]:
    try:
        for number, (question, page, rank, score) in decoded_lines(path, _parsed):
            yield question, (-score, rank, number, page)
    except LineError as error:
        raise RunError(str(error)) from error


def _parsed(line: str) -> tuple[str, str, int, float]:
    question, _, page, rank, score, _ = fields_of(line, LAYOUT)
    return (
        decode_id(question),
        decode_id(page),
        whole_number(rank, "rank", -_FARTHEST, _FARTHEST),
        finite_number(score, "score"),
    )


def _check_distinct(path: Path, question: str, ranked: Sequence[_Line]) -> None:
    if len({page for *_, page in ranked}) == len(ranked):
        return
    seen: dict[str, int] = {}
    for _, _, number, page in sorted(ranked, key=lambda line: line[2]):
        if page in seen:
            raise RunError(
                f"{path}, line {number}: page {page!r} of question {question!r} stands in line {seen[page]} already. "
                "Rank each page once."
            )
        seen[page] = number


def _ties(lines: Mapping[str, Sequence[_Line]]) -> Iterator[str]:
    """Say how many questions have scores that are equal in the precision that trec_eval reads."""
    tied = {}
    for question, ranked in lines.items():
        scores = in_single_precision([line[0] for line in ranked])
        if len(alike := np.flatnonzero(scores[1:] == scores[:-1])):
            tied[question] = ranked[alike[0]], ranked[alike[0] + 1]
    if tied:
        question, (one, other) = next(iter(tied.items()))
        yield (
            f"{len(tied)} of {len(lines)} questions have pages of equal score, such as {one[3]!r} and {other[3]!r} of "
            f"question {question!r} (lines {one[2]} and {other[2]}). They are ranked by score, then rank, then line "
            "for every measure; programs that break ties by id give other figures."
        )


def _contradictions(lines: Mapping[str, Sequence[_Line]]) -> Iterator[str]:
    """Say how many questions have ranks that contradict their scores."""
    wrong = {}
    for question, ranked in lines.items():
        pair = next((pair for pair in pairwise(ranked) if pair[0][1] > pair[1][1]), None)
        if pair is not None:
            wrong[question] = pair
    if wrong:
        question, (one, other) = next(iter(wrong.items()))
        yield (
            f"{len(wrong)} of {len(lines)} questions have ranks that contradict their scores, as {one[3]!r} of "
            f"question {question!r} (line {one[2]}: rank {one[1]}, score {-one[0]}) and {other[3]!r} (line {other[2]}: "
            f"rank {other[1]}, score {-other[0]}). Scores decide, as TREC prescribes."
        )
