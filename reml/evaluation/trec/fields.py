"""The fields of a line of TREC's files, and the numbers in them."""

from __future__ import annotations

import math
import re
from typing import Final

_BLANKS: Final = " \t\n\r\x0b\x0c"
_GAP: Final = re.compile(f"[{_BLANKS}]+")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def fields_of(line: str, layout: str) -> list[str]:
    """Part a line as TREC's programs do, at white space of ASCII; `ValueError` unless there are as many as in `layout`.

    layout: the names of the fields, apart by spaces.
    """
    wanted, found = layout.count(" ") + 1, line.split()
    if len(found) != wanted or not line.isascii():  # Python knows more white space
        found = _GAP.split(line.strip(_BLANKS))
    if len(found) != wanted:
        raise ValueError(
            f"{len(found)} fields where {wanted} must be, `{layout}`: {line.strip()[:80]!r}. In an id, write a space "
            r"as \u0020."
        )
    return found


def whole_number(text: str, what: str, least: int, most: int) -> int:
    """Read a whole number from `least` to `most`; `ValueError` names what it is for."""
    if not _WHOLE.fullmatch(text) or not least <= (number := int(text)) <= most:
        raise ValueError(f"the {what} is {text[:40]!r}: give a whole number from {least} to {most}.")
    return number


def finite_number(text: str, what: str) -> float:
    """Read a finite number; `ValueError` names what it is for."""
    if not _NUMBER.fullmatch(text) or not math.isfinite(number := float(text)):
        raise ValueError(f"the {what} is {text[:40]!r}: give a finite number.")
    return number
