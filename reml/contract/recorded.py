"""How a class that is no dataclass keeps the arguments it was made with, so that keys and configurations can be made.

    @recorded
    class Mine:
        def __init__(self, path: str, limit: int = 3) -> None: ...

A class that keeps each constructor argument under its own name, and a dataclass, need it not.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
_KEPT = "_recorded_arguments"


def recorded(cls: type[T]) -> type[T]:
    """Let the objects of a class remember the arguments of their constructor, by name."""
    original: Any = cls.__init__
    signature = inspect.signature(original)

    @functools.wraps(original)
    def remember(self: object, *args: object, **given: object) -> None:
        bound = bound_to(signature, cls.__name__, (self, *args), given)
        vars(self)[_KEPT] = dict(list(bound.arguments.items())[1:])
        original(self, *args, **given)

    cls.__init__ = remember  # type: ignore[method-assign]
    return cls


def bound_to(
    signature: inspect.Signature, name: str, args: Sequence[object], given: Mapping[str, object]
) -> inspect.BoundArguments:
    """Bind arguments to the signature of a function or constructor; `TypeError` names it and what it takes."""
    try:
        return signature.bind(*args, **given)
    except TypeError as error:
        wanted = [one for one in signature.parameters.values() if one.name != "self"]
        takes = ", ".join(f"{one.name}={'...' if one.default is one.empty else repr(one.default)}" for one in wanted)
        raise TypeError(f"{name}: {error}. It takes {takes}; say arguments by name.") from None


def recorded_arguments(value: object) -> Mapping[str, object] | None:
    """Give the arguments that an object of a `recorded` class was made with; nothing of other objects."""
    kept: Mapping[str, object] | None = getattr(value, "__dict__", {}).get(_KEPT)
    return kept
