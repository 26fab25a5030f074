"""Arguments of a class by its annotations: numbers in bounds, and lists that are no texts.

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
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from reml.contract.arguments.numbers import Bounds, wrong_number
from reml.contract.arguments.several import several
from reml.contract.recorded import bound_to

T = TypeVar("T")


def checked(place: str) -> Callable[[type[T]], type[T]]:
    """Let the constructor of a class look at its arguments first. place: what a YAML calls an object of the class.

    `ValueError` for a number out of the bounds of its annotation, `TypeError` for one text where several are wanted.
    """

    def with_checks(cls: type[T]) -> type[T]:
        original: Any = cls.__init__
        signature = inspect.signature(original)
        hints = functools.cache(lambda: hints_of(original, cls))

        @functools.wraps(original)
        def look(self: object, *args: object, **given: object) -> None:
            bound = dict(list(bound_to(signature, cls, (self, *args), given).arguments.items())[1:])
            for complaint in complaints(bound, hints(), place):
                raise ValueError(complaint)
            original(self, *args, **given)

        cls.__init__ = look  # type: ignore[method-assign]
        return cls

    return with_checks


def hints_of(function: Callable[..., None], cls: type) -> Mapping[str, object]:
    """Give the annotations of a constructor with all that stands in them; none where one is known to checkers alone."""
    written = cls if dataclasses.is_dataclass(cls) else function
    try:
        return typing.get_type_hints(written, include_extras=True)
    except NameError:
        return {}


def complaints(arguments: Mapping[str, object], hints: Mapping[str, object], place: str) -> Iterator[str]:
    """Say of each number that is out of its bounds what it is and must be; `TypeError` for a text instead of a list."""
    for name, value in arguments.items():
        yield from _wrong(value, hints.get(name), f"{place}.{name}", optional=False)


def _wrong(value: object, hint: object, place: str, *, optional: bool) -> Iterator[str]:
    origin, shown = get_origin(hint), "null" if value is None else repr(value)
    if origin in {Union, UnionType}:
        choices = [one for one in get_args(hint) if one is not type(None)]
        left_out = value is None and len(choices) < len(get_args(hint))
        if len(choices) == 1 and not left_out:
            yield from _wrong(value, choices[0], place, optional=True)
    elif (must := _must(value, hint)) is not None:
        yield f"{place} is {shown}, but must be {must}{', or left out' if optional else ''}."
    elif isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        for name, one in value.items():
            yield from _wrong(one, get_args(hint)[1], f"{place}.{name}", optional=False)
    elif isinstance(origin, type) and issubclass(origin, Collection) and not issubclass(origin, Mapping):
        if value is None:
            yield f"{place} is null, but must be a list."
            return
        listed: Any = value
        for number, one in enumerate(several(listed, place)):
            yield from _wrong(one, get_args(hint)[0], f"{place}[{number}]", optional=False)


def _must(value: object, hint: object) -> str | None:
    """Say what a value must be by an annotation of one number, text or truth."""
    if get_origin(hint) is Annotated:
        kind, *marks = get_args(hint)
        found = (wrong_number(value, kind, bounds) for bounds in marks if isinstance(bounds, Bounds))
        return next((must for must in found if must is not None), None)
    if hint is int or hint is float:
        return wrong_number(value, hint, Bounds())
    if hint is bool:
        return None if isinstance(value, bool) else "true or false"
    return "a text" if hint is str and not isinstance(value, str) else None
