"""Judgements as TREC's relevance files, written and read: a line is `question 0 page 1`; BEIR's are read too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Example, Provenance
from reml.evaluation.trec.beir import of_beir, read_judgements
from reml.evaluation.trec.fields import fields_of, whole_number
from reml.evaluation.trec.ids import decode_id, encode_id
from reml.files.atomic import atomic_file
from reml.files.lines import LineError, decoded_lines

LAYOUT = "question 0 page relevance"
# Programs make room for each grade up to the highest: one of 2147483647 takes 17 GB.
LOWEST, HIGHEST = -100, 100_000


class RelevanceError(ValueError):
    """Judgements are not what TREC prescribes; the message names the file and the line."""


@takes_paths
def write_relevance(path: Path, examples: Iterable[Example]) -> None:
    """Write the pages that some right answer of each example comes from, whole or not at all.

    Their relevance is 1, or the whole number that stands as `relevance` in the `meta` of their provenance; the largest
    counts.
    """
    with atomic_file(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as stream:
        for example in examples:
            pages = grades(example)
            stream.writelines(f"{encode_id(example.id)} 0 {encode_id(page)} {pages[page]}\n" for page in pages)


def grades(example: Example) -> dict[str, int]:
    """Give the relevance of each page that some right answer of an example comes from; what names no page has none."""
    pages: dict[str, int] = {}
    for place in (place for output in example.output for place in output.provenance):
        page = place.wikipedia_id.strip()
        pages[page] = max(_relevance(place), pages.get(page, 1))
    pages.pop("", None)
    return pages


@takes_paths
def read_relevance(path: Path) -> Mapping[str, Mapping[str, int]]:
    """Read the grade of each judged page of each question, TREC's or BEIR's, plain or gzip; blank lines are skipped.

    `RelevanceError` for a line that is not one of judgements, a grade that is no whole number or out of bounds, and a
    page that is judged twice in one question and not alike.
    """
    try:
        if of_beir(next((line for _, line in decoded_lines(path, str)), "")):
            return _of_beir(path)
    except LineError as error:
        raise RelevanceError(str(error)) from error
    judged: dict[str, dict[str, tuple[int, int]]] = {}
    for number, question, page, grade in _judgements(path):
        first, line = judged.setdefault(question, {}).setdefault(page, (grade, number))
        if first != grade:
            raise RelevanceError(
                f"{path}, line {number}: page {page!r} of question {question!r} has relevance {grade}, and {first} in "
                f"line {line}. Judge each page of a question once."
            )
    return {question: {page: grade for page, (grade, _) in pages.items()} for question, pages in judged.items()}


def _relevance(place: Provenance) -> int:
    said = (place.meta or {}).get("relevance")
    return said if isinstance(said, int) and not isinstance(said, bool) and said > 0 else 1


def _judgements(path: Path) -> Iterator[tuple[int, str, str, int]]:
    try:
        for number, judgement in decoded_lines(path, _parsed):
            yield number, *judgement
    except LineError as error:
        raise RelevanceError(str(error)) from error


def _of_beir(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    for query, document, score in read_judgements(path):
        if not LOWEST <= score <= HIGHEST:
            raise LineError(
                f"{path}: document {document!r} of query {query!r} has the score {score}: give a whole number from "
                f"{LOWEST} to {HIGHEST}."
            )
        judged.setdefault(query, {})[document] = score
    return judged


def _parsed(line: str) -> tuple[str, str, int]:
    question, _, page, grade = fields_of(line, LAYOUT)
    return decode_id(question), decode_id(page), whole_number(grade, "relevance", LOWEST, HIGHEST)
