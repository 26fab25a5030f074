"""Several texts where one text was given: a text is a sequence of letters, and nobody means those."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Values = TypeVar("Values", bound=Iterable[object])


def several(values: Values, name: str) -> Values:
    """Give back what is several; `TypeError` for one text, or what cannot be gone through. name: of the argument."""
    if isinstance(values, str | bytes | bytearray) or not isinstance(values, Iterable):
        raise TypeError(
            f"{name} is {_shown(values)}, one {type(values).__name__}, where several are wanted: give a list, "
            f"[{_shown(values)}]."
        )
    return values


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
