"""Other forms in which a value is right as well: numbers with and without their unit, in digits and in millions."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MEASURED = re.compile(
    r"(?P<number>\d[\d,.]*(?: million| billion)?) "
    r"(?P<unit>sq km|km|m|years of age|years|children born/woman|births/1,000 population)"
)
_SCALED = re.compile(r"(?P<number>\d[\d.]*) (?P<scale>million|billion)(?P<rest>.*)")
_SCALES = {"million": 10**6, "billion": 10**9}
SYNONYMS = (
    ("USA", "US", "United States", "United States of America"),
    ("UK", "United Kingdom"),
    ("UAE", "United Arab Emirates"),
    ("DRC", "Democratic Republic of the Congo"),
    ("NZ", "New Zealand"),
)
_LONG_UNITS = {"sq km": "square kilometers", "km": "kilometers", "m": "meters"}


def other_forms(value: str) -> Iterator[str]:
    """Yield the other ways to write a value: `1.284 million sq km` is also `1,284,000 sq km` and `1,284,000`."""
    for names in SYNONYMS:
        if value in names:
            yield from names
    for written in (value, *_in_digits(value)):
        if written != value:
            yield written
        match = _MEASURED.fullmatch(written)
        if match:
            yield match["number"]
            if match["unit"] in _LONG_UNITS:
                yield f"{match['number']} {_LONG_UNITS[match['unit']]}"


def _in_digits(value: str) -> Iterator[str]:
    match = _SCALED.fullmatch(value)
    if match:
        yield f"{round(float(match['number']) * _SCALES[match['scale']]):,}{match['rest']}"
