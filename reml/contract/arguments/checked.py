"""Arguments of a class or function by its annotations: numbers in bounds, lists that are no texts, objects of a class.

    @checked("reading")
    @dataclass(frozen=True)
    class Reading:
        k: Count = 5                    # `Reading(k=0)`: reading.k is 0, but must be 1 or more

A YAML and Python make objects by the same constructor, so what is refused there is refused for both.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from reml.contract.arguments.kinds import resolved, wrong
from reml.contract.recorded import bound_to

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class ArgumentError(TypeError, ValueError):
    """An argument is not of the type, or not in the bounds, that its annotation asks for."""


def checked(place: str | None = None) -> Callable[[type[T]], type[T]]:
    """Let the constructor of a class look at its arguments first.

    `ArgumentError` for what is not as its annotation has it, `TypeError` for one text where several are wanted.
    place: what a YAML calls an object of the class; the name of the class if left out.
    """

    def with_checks(cls: type[T]) -> type[T]:
        original: Any = cls.__init__
        look = _looking(original, functools.cache(lambda: hints_of(original, cls)), cls.__name__, place)
        cls.__init__ = look  # type: ignore[method-assign]
        return cls

    return with_checks


def checked_call(function: F) -> F:
    """Let a function or method look at its arguments first, as `checked` does for a constructor."""
    hints = functools.cache(lambda: resolved(function.__annotations__, function.__globals__))
    return cast(F, _looking(function, hints, function.__name__, None))


def _looking(
    original: Callable[..., Any], hints: Callable[[], Mapping[str, object]], name: str, place: str | None
) -> Callable[..., Any]:
    signature = inspect.signature(original)
    own = next(iter(signature.parameters), None) == "self"

    @functools.wraps(original)
    def look(*args: object, **given: object) -> object:
        bound = dict(list(bound_to(signature, name, args, given).arguments.items())[int(own) :])
        for complaint in complaints(bound, hints(), place or name):
            raise ArgumentError(complaint)
        return original(*args, **given)

    return look


def hints_of(function: Callable[..., None], cls: type) -> Mapping[str, object]:
    """Give the annotations of a constructor with what stands in them; those known to type checkers alone are left."""
    written: Any = cls if dataclasses.is_dataclass(cls) else function
    try:
        return typing.get_type_hints(written, include_extras=True)
    except NameError:
        return resolved(inspect.get_annotations(written), vars(sys.modules[cls.__module__]))


def complaints(arguments: Mapping[str, object], hints: Mapping[str, object], place: str) -> Iterator[str]:
    """Say of each argument that is not as its annotation has it what it is and must be."""
    for name, value in arguments.items():
        yield from wrong(value, hints.get(name), f"{place}.{name}")
