"""Several texts where one text was given: a text is a sequence of letters, and nobody means those."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

Values = TypeVar("Values", bound=Iterable[object])
_COMMA: Final = re.compile(r",(?![^(\[{]*[)\]}])")  # not within brackets


def several(values: Values, name: str) -> Values:
    """Give back what is several; `TypeError` for one text, or what cannot be gone through. name: of the argument."""
    if isinstance(values, str | bytes | bytearray) or not isinstance(values, Iterable):
        raise TypeError(
            f"{name} is {shown(values)}, one {type(values).__name__}, where several are wanted: give a list, "
            f"[{shown(values)}]."
        )
    return values


def hold_several(value: object, *fields: str) -> None:
    """Raise `TypeError` if one of these fields of a value is one text, or cannot be gone through again and again.

    Only the field is looked at, not what is in it: values are made by the million.
    """
    for field in fields:
        held = getattr(value, field)
        if type(held) is not tuple:
            _hold(held, f"{type(value).__name__}.{field}")


def hold_mappings(value: object, *fields: str) -> None:
    """Raise `TypeError` if one of these fields of a value is no mapping by name; `None` is where nothing is said."""
    for field in fields:
        held = getattr(value, field)
        if held is not None and type(held) is not dict and not isinstance(held, Mapping):
            raise TypeError(
                f"{type(value).__name__}.{field} is {shown(held)}, one {type(held).__name__}, where values by name "
                "are wanted: give a dict."
            )


def names_in(text: str) -> list[str]:
    """Part names at commas, but for those within brackets: `P(rel=2,judged_only=True)@5,AP` has two.

    A list of YAML is the same: `[nq, fever]` and `nq,fever`.
    """
    bare = text.strip()
    bare = bare[1:-1] if bare[:1] == "[" and bare[-1:] == "]" else bare
    return [name for part in _COMMA.split(bare) if (name := part.strip().strip("'\""))]


def _hold(held: Iterable[object], name: str) -> None:
    if isinstance(several(held, name), Iterator):
        raise TypeError(f"{name} is a {type(held).__name__}, which can be gone through once: give a tuple.")


def shown(value: object) -> str:
    """Show what was given, however long it is."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
