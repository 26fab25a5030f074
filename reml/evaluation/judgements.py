"""What evaluation needs of a right answer and of a prediction, and nothing more.

A file of a million predictions is scored one line at a time, so these are made straight from the JSON of a KILT record
as well as from an `Example` and an `Answer`.

A page that is not named is no evidence: a `wikipedia_id` that is missing, null or blank finds nothing and takes no
place. KILT's code does so where the key is missing; of null it makes the text "None", which equals any other null.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reml.contract.examples import Answer, Example, Json
from reml.files.atomic import digest
from reml.files.records import RecordError, format_answer

# What KILT's code puts in an evidence set for a provenance that names no page: no prediction has it.
NO_PAGE = ""


@dataclass(frozen=True, slots=True)
class Gold:
    """The right answers to one example.

    `answers` and `titles` are distinct, stripped and not empty. `page_sets` are the pages of each output, one set for
    each, for R-precision; `evidence_sets` are the distinct ones among the outputs that have provenance.
    """

    id: str
    input: str
    answers: frozenset[str]
    titles: frozenset[str]
    page_sets: tuple[frozenset[str], ...]
    evidence_sets: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, example: Example) -> Gold:
        """Take the right answers of an example; an output without provenance says nothing about pages."""
        provenance = [output.provenance for output in example.output]
        evidence_sets = [frozenset(place.wikipedia_id.strip() for place in places) for places in provenance]
        return cls(
            id=example.id.strip(),
            input=example.input,
            answers=_filled(output.text for output in example.output),
            titles=_filled(place.title for places in provenance for place in places),
            page_sets=tuple(pages - {NO_PAGE} for pages in evidence_sets),
            evidence_sets=tuple(dict.fromkeys(pages for pages in evidence_sets if pages)),
        )

    @classmethod
    def parse(cls, record: Json) -> Gold:
        """Read a KILT record; `RecordError` if it is not one."""
        fields = _mapping(record, "the record")
        outputs = _outputs(fields)
        provenance = [_places(output) for output in outputs]
        page_sets, evidence_sets = [], []
        for output, places in zip(outputs, provenance, strict=True):
            pages = frozenset(_pages(places))
            page_sets.append(pages)
            if "provenance" in output:
                evidence_sets.append(pages if len(_named(places)) == len(places) else pages | {NO_PAGE})
        return cls(
            id=_id(fields),
            input=_text(fields, "input"),
            answers=_filled(_optional_text(output, "answer") for output in outputs),
            titles=_filled(_optional_text(place, "title") for places in provenance for place in places),
            page_sets=tuple(page_sets),
            evidence_sets=tuple(dict.fromkeys(evidence_sets)),
        )


@dataclass(frozen=True, slots=True)
class Guess:
    """One prediction: the answer, the distinct pages of its provenance best first, and the text of each place in it."""

    id: str
    answer: str
    pages: tuple[str, ...]
    texts: tuple[str | None, ...]

    @classmethod
    def of(cls, example_id: str, answer: Answer) -> Guess:
        """Take a predicted answer; `RecordError` if it has no text."""
        if answer.text is None:
            raise RecordError("the prediction has no answer; give a text, which may be empty")
        pages = distinct_pages(place.wikipedia_id for place in answer.provenance)
        texts = tuple(place.text for place in answer.provenance)
        return cls(example_id.strip(), answer.text.strip(), pages, texts)

    @classmethod
    def parse(cls, record: Json) -> Guess:
        """Read a KILT record with one output; `RecordError` if it is not one."""
        fields = _mapping(record, "the record")
        outputs = _outputs(fields)
        if len(outputs) != 1:
            raise RecordError(f"{len(outputs)} outputs where exactly one prediction must be")
        answer = outputs[0].get("answer")
        if answer is None:
            raise RecordError("the output has no answer; give a text, which may be empty")
        places = _places(outputs[0])
        texts = tuple(_optional_text(place, "text") for place in places)
        return cls(_id(fields), str(answer).strip(), distinct_pages(_pages(places)), texts)


def question_digest(example: Example) -> str:
    """Give a digest of what an example asks and what answers to it are judged by; another is another question's.

    It is of the input and of the right answers, in any order: text, pages, places in them, degrees of relevance. What
    evidence quotes is not of it, nor are media, which records do not have; nor the id, by which questions are found.
    """
    right = sorted(json.dumps(format_answer(_unquoted(output)), sort_keys=True) for output in example.output)
    return digest(example.input, list[Json](right))


def questions_of(examples: Iterable[Example], *, predicted: bool = True) -> dict[str, str]:
    """Give the digest of each question that can be scored, by its id as evaluations have it.

    It has a right answer or, where nothing is predicted from them, names pages.
    """
    known = (one for one in examples if one.answers or (not predicted and _names_pages(one)))
    return {one.id.strip(): question_digest(one) for one in known}


def _names_pages(example: Example) -> bool:
    return any(place.wikipedia_id.strip() for output in example.output for place in output.provenance)


def _unquoted(answer: Answer) -> Answer:
    places = tuple(replace(place, text=None, section=None, bleu_score=None) for place in answer.provenance)
    return replace(answer, provenance=places)


def distinct_pages(names: Iterable[str]) -> tuple[str, ...]:
    """Give the pages that are named, each once, in order."""
    return tuple(dict.fromkeys([page for name in names if (page := name.strip())]))


def _filled(texts: Iterable[str | None]) -> frozenset[str]:
    return frozenset(stripped for text in texts if text and (stripped := text.strip()))


def _named(places: Sequence[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    return [place for place in places if _page(place)]


def _pages(places: Sequence[Mapping[str, Json]]) -> list[str]:
    return [_page(place) for place in _named(places)]


def _page(place: Mapping[str, Json]) -> str:
    page = place.get("wikipedia_id")
    return NO_PAGE if page is None else str(page).strip()


def _kind(value: Json) -> str:
    return "null or missing" if value is None else type(value).__name__


def _mapping(value: Json, what: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise RecordError(f"{what} is {_kind(value)}, not an object")
    return value


def _mappings(value: Json, what: str) -> list[Mapping[str, Json]]:
    if not isinstance(value, list):
        raise RecordError(f"{what} is {_kind(value)}, not a list")
    return [_mapping(item, f"an item of {what}") for item in value]


def _outputs(fields: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    if "output" not in fields:
        raise RecordError("there is no `output`")
    return _mappings(fields["output"], "`output`")


def _places(output: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    return _mappings(output["provenance"], "`provenance`") if "provenance" in output else []


def _id(fields: Mapping[str, Json]) -> str:
    if not isinstance(fields.get("id"), str | int):
        raise RecordError("there is no `id` that is a text or a number")
    return str(fields["id"]).strip()


def _text(fields: Mapping[str, Json], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise RecordError(f"`{name}` is {_kind(value)}, not a text")
    return value


def _optional_text(fields: Mapping[str, Json], name: str) -> str | None:
    return None if fields.get(name) is None else _text(fields, name)
