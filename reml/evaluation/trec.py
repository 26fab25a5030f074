"""TREC's run and relevance files at page level, for trec_eval, ir-measures and their like.

A run line is `question Q0 page rank score tag`, a relevance line `question 0 page 1`. Fields are separated by spaces,
so white space in an id is percent-encoded, and so is `%`; reading decodes it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from reml.contract.arguments.paths import takes_paths
from reml.contract.arguments.several import several
from reml.contract.examples import Example
from reml.files.atomic import atomic_file

_UNSAFE = re.compile(r"[\s%]")


class RunError(ValueError):
    """A line of a run is not what TREC prescribes; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class RankedPage:
    """A page and the score it was retrieved with."""

    page_id: str
    score: float


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
    """Write the ranking of each question, best first, whole or not at all; `ValueError` for an empty id or tag.

    Rankings that come as a stream of pairs are held one at a time.
    """
    with atomic_file(path) as draft, draft.open("w", encoding="utf-8") as stream:
        for question, ranking in rankings.items() if isinstance(rankings, Mapping) else rankings:
            for rank, page in enumerate(ranking, start=1):
                fields = (_encode(question), "Q0", _encode(page.page_id), str(rank), repr(page.score), _encode(tag))
                stream.write(" ".join(fields) + "\n")


@takes_paths
def read_run(path: Path) -> dict[str, tuple[RankedPage, ...]]:
    """Read the ranking of each question, sorted by rank; `RunError` for a line that is not a run's."""
    ranked: dict[str, list[tuple[int, RankedPage]]] = {}
    for question, rank, page in _run_lines(path):
        ranked.setdefault(question, []).append((rank, page))
    return {question: tuple(page for _, page in sorted(lines, key=_rank)) for question, lines in ranked.items()}


@takes_paths
def write_relevance(path: Path, examples: Iterable[Example]) -> None:
    """Write the pages that some right answer of each example comes from, whole or not at all."""
    with atomic_file(path) as draft, draft.open("w", encoding="utf-8") as stream:
        for example in examples:
            pages = dict.fromkeys(
                place.wikipedia_id.strip() for output in example.output for place in output.provenance
            )
            stream.writelines(f"{_encode(example.id)} 0 {_encode(page)} 1\n" for page in pages)


def _rank(line: tuple[int, RankedPage]) -> int:
    return line[0]


def _run_lines(path: Path) -> Iterator[tuple[str, int, RankedPage]]:
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                question, _, page_id, rank, score, _ = line.split()
                yield unquote(question), int(rank), RankedPage(unquote(page_id), float(score))
            except ValueError as error:
                raise RunError(
                    f"{path}, line {number}: {line.strip()!r} is not `question Q0 page rank score tag`."
                ) from error


def _encode(identifier: str) -> str:
    if not identifier:
        raise ValueError("an empty id or tag cannot stand in a TREC file; give it a name.")
    return _UNSAFE.sub(lambda found: quote(found.group()), identifier)
