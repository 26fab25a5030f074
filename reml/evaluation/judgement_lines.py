"""Lines of KILT files straight to right answers and predictions: only the fields that are measured are decoded.

What is not as simple as KILT's own records (an id that is a number, say, or a mistake) is left to `Gold.parse` and
`Guess.parse`, which know all that is allowed and say what is wrong.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from reml.evaluation.judgements import NO_PAGE, Gold, Guess, distinct_pages
from reml.files.typed_json import check_json, plain_json

_NOT_SIMPLE = (msgspec.DecodeError, RecursionError)


class _GoldPlace(msgspec.Struct, gc=False):
    wikipedia_id: str
    title: str | None = None


class _GoldOutput(msgspec.Struct, gc=False):
    answer: str | None = None
    provenance: list[_GoldPlace] | msgspec.UnsetType = msgspec.UNSET


class _GoldRecord(msgspec.Struct, gc=False):
    id: str
    input: str
    output: list[_GoldOutput]


class _GuessPlace(msgspec.Struct, gc=False):
    wikipedia_id: str
    text: str | None = None


class _GuessOutput(msgspec.Struct, gc=False):
    answer: str
    provenance: list[_GuessPlace] = []


class _GuessRecord(msgspec.Struct, gc=False):
    id: str
    output: Annotated[list[_GuessOutput], msgspec.Meta(min_length=1, max_length=1)]


class _MarkedPlace(msgspec.Struct, gc=False):
    bleu_score: Any = None
    meta: Any = None
    text: Any = None


class _MarkedOutput(msgspec.Struct, gc=False):
    provenance: list[_MarkedPlace] | None = None


class _MarkedRecord(msgspec.Struct, gc=False):
    output: list[_MarkedOutput] | None = None


# What provenance has that only right answers have (a BLEU score, what annotators said), and quotations.
JUDGED, QUOTED = "judged", "quoted"
_MARKED = msgspec.json.Decoder(_MarkedRecord)
_GOLD = msgspec.json.Decoder(_GoldRecord)
_GUESS = msgspec.json.Decoder(_GuessRecord)


def gold_of(line: str) -> Gold:
    """Read the right answers of a line; `RecordError` if there are none, another `ValueError` if it is no JSON."""
    try:
        record = _GOLD.decode(line)
    except _NOT_SIMPLE:
        return Gold.parse(plain_json(line))
    check_json(line)
    places = [[] if output.provenance is msgspec.UNSET else output.provenance for output in record.output]
    sets = [frozenset([place.wikipedia_id.strip() for place in some]) for some in places]
    evidence = [
        pages for pages, output in zip(sets, record.output, strict=True) if output.provenance is not msgspec.UNSET
    ]
    return Gold(
        record.id.strip(),
        record.input,
        frozenset([text for output in record.output if output.answer and (text := output.answer.strip())]),
        frozenset([text for some in places for place in some if place.title and (text := place.title.strip())]),
        tuple([pages - {NO_PAGE} for pages in sets]),
        tuple(dict.fromkeys(evidence)),
    )


def guess_of(line: str) -> Guess:
    """Read the prediction of a line; `RecordError` if there is not one, another `ValueError` if it is no JSON."""
    try:
        record = _GUESS.decode(line)
    except _NOT_SIMPLE:
        return Guess.parse(plain_json(line))
    check_json(line)
    output = record.output[0]
    return Guess(
        record.id.strip(),
        output.answer.strip(),
        distinct_pages([place.wikipedia_id for place in output.provenance]),
        tuple([place.text for place in output.provenance]),
    )


def marks_of(line: str) -> frozenset[str]:
    """Tell by what its provenance has which kind of record a line is: `JUDGED`, `QUOTED`, both or none."""
    try:
        record = _MARKED.decode(line)
    except _NOT_SIMPLE:
        return frozenset()
    places = [place for output in record.output or () for place in output.provenance or ()]
    judged = any(place.bleu_score is not None or place.meta for place in places)
    quoted = any(place.text is not None for place in places)
    return frozenset(([JUDGED] if judged else []) + ([QUOTED] if quoted else []))
