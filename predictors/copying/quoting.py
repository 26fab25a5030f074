"""From decoded tokens back to the exact words: copied tokens are cut from the text that they were copied from.

An uncased tokeniser loses case and accents, and every tokeniser loses some spacing, but KILT's accuracy is equality of
strings. So what was copied is quoted, and what was generated is written in the case that the decoder chose. Texts are
read and quoted in canonical form (NFC), in which an answer stands wherever it is written; provenance points to items,
whose spans are of the page as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from reml.contract.examples import canonical
from reml.contract.vectors import Int64Array
from reml.text.models.transformers_types import PreTrainedTokenizerFast
from reml.text.token_table import Ids
from reml.text.words import parts_word

_NO_SPACE_BEFORE = re.compile(r"\s+([.,;:!?%)\]’'])(?=\s|$)")
_IN_NUMBER = re.compile(r"(?<=\d)([.,])\s+(?=\d)")
_NO_SPACE_AFTER = re.compile(r"([(\[$])\s+")


class Case(IntEnum):
    """How a token is written."""

    LOWER = 0
    CAPITALISED = 1
    UPPER = 2


@dataclass(frozen=True, eq=False, slots=True)
class Quotable:
    """A text that can be quoted, and its token ids."""

    text: str
    ids: Ids


@dataclass(frozen=True, slots=True)
class Written:
    """A decoded token: its id, whether it was copied rather than generated, and its case if it was generated."""

    id: int
    copied: bool
    case: Case


def case_of(text: str) -> Case:
    """Tell how a piece of text is written; what has no letters counts as lower case."""
    if text.isupper() and len(text) > 1:
        return Case.UPPER
    return Case.CAPITALISED if text[:1].isupper() else Case.LOWER


def cased_ids(tokeniser: PreTrainedTokenizerFast, text: str) -> tuple[Int64Array, Int64Array]:
    """Give the token ids of a text in canonical form and the `Case` of each token."""
    text = canonical(text)
    encoded = tokeniser(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    cases = [case_of(text[first:last]) for first, last in encoded["offset_mapping"]]
    return np.array(encoded["input_ids"], dtype=np.int64), np.array(cases, dtype=np.int64)


def cut(text: str, first: int, length: int, tokeniser: PreTrainedTokenizerFast) -> str:
    """Give the characters of `length` tokens of a text from token `first` on, and the rest of a word cut in two.

    Scripts without spaces show no end of a word: there only marks are added to their letter.
    """
    text = canonical(text)
    offsets = tokeniser(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    start, stop = offsets[first][0], offsets[first + length - 1][1]
    while 0 < start < stop and parts_word(text, start):
        start -= 1
    while start < stop < len(text) and parts_word(text, stop):
        stop += 1
    return text[start:stop].strip()


def wording(tokens: Sequence[Written], sources: Sequence[Quotable], tokeniser: PreTrainedTokenizerFast) -> str:
    """Write decoded tokens out; a stretch that may be quoted from several sources: longest match, then first source."""
    parts: list[str] = []
    start = 0
    while start < len(tokens):
        stop = _run(tokens, start)
        if tokens[start].copied:
            ids = np.array([token.id for token in tokens[start:stop]])
            part, length = _quote(ids, sources, tokeniser)
            stop = start + length
        else:
            part = _tidy(_spelled(tokens[start:stop], tokeniser))
        parts.append(part)
        start = stop
    text = _tidy(" ".join(parts)) if len(parts) > 1 else "".join(parts)
    # A sentence that begins with a quotation still begins with a capital.
    return text[:1].upper() + text[1:] if tokens and tokens[0].case is Case.CAPITALISED else text


def _tidy(text: str) -> str:
    return _IN_NUMBER.sub(r"\1", _NO_SPACE_AFTER.sub(r"\1", _NO_SPACE_BEFORE.sub(r"\1", text)))


def _run(tokens: Sequence[Written], start: int) -> int:
    stop = start + 1
    while stop < len(tokens) and tokens[stop].copied == tokens[start].copied:
        stop += 1
    return stop


def _quote(ids: Int64Array, sources: Sequence[Quotable], tokeniser: PreTrainedTokenizerFast) -> tuple[str, int]:
    matches = [_longest(ids, source.ids) for source in sources]
    length = max((length for _, length in matches), default=0)
    if length == 0:
        return str(tokeniser.decode(ids[:1])), 1
    best = next(number for number, match in enumerate(matches) if match[1] == length)
    return cut(sources[best].text, matches[best][0], length, tokeniser), length


def _longest(ids: Int64Array, tokens: Ids) -> tuple[int, int]:
    """Give where the longest prefix of `ids` stands in `tokens`, and its length."""
    best = (0, 0)
    for place in np.flatnonzero(tokens == ids[0]).tolist():
        there = tokens[place : place + len(ids)]
        differs = np.flatnonzero(there != ids[: len(there)])
        length = int(differs[0]) if len(differs) else len(there)
        if length > best[1]:
            best = (place, length)
    return best


def _spelled(tokens: Sequence[Written], tokeniser: PreTrainedTokenizerFast) -> str:
    pieces = tokeniser.convert_ids_to_tokens([token.id for token in tokens])
    cased = [_in_case(piece, token.case) for piece, token in zip(pieces, tokens, strict=True)]
    return str(tokeniser.convert_tokens_to_string(cased)).strip()


def _in_case(piece: str, case: Case) -> str:
    if case is Case.UPPER:
        return piece.upper()
    if case is Case.CAPITALISED:
        # The first letter may stand behind a mark of the tokeniser, such as `##`.
        return re.sub(r"[^\W\d_]", lambda letter: letter.group().upper(), piece, count=1)
    return piece
