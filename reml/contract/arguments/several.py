"""Several texts where one text was given: a text is a sequence of letters, and nobody means those."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeVar

Values = TypeVar("Values", bound=Iterable[object])
_COMMA: Final = re.compile(r",(?![^(\[{]*[)\]}])")  # not within brackets


def several(values: Values, name: str) -> Values:
    """Give back what is several; `TypeError` for one text, or what cannot be gone through. name: of the argument."""
    if isinstance(values, str | bytes | bytearray) or not isinstance(values, Iterable):
        raise TypeError(
            f"{name} is {_shown(values)}, one {type(values).__name__}, where several are wanted: give a list, "
            f"[{_shown(values)}]."
        )
    return values


def names_in(text: str) -> list[str]:
    """Part names at commas, but for those within brackets: `P(rel=2,judged_only=True)@5,AP` has two.

    A list of YAML is the same: `[nq, fever]` and `nq,fever`.
    """
    bare = text.strip()
    bare = bare[1:-1] if bare[:1] == "[" and bare[-1:] == "]" else bare
    return [name for part in _COMMA.split(bare) if (name := part.strip().strip("'\""))]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
