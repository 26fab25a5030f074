"""What a value must be by an annotation: a number in bounds, a text, a list, an object of a class."""

from __future__ import annotations

import dataclasses
import os
import re
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from reml.contract.arguments.numbers import Bounds, wrong_number
from reml.contract.arguments.several import several

# What is no object of any class that a protocol describes.
PLAIN = {str, bytes, bytearray, bool, int, float, list, tuple, dict, set, frozenset, type(None)}
LONGEST = 60
# Beyond it a whole number fits no array and no slice, and ends in an OverflowError of whoever takes it.
WIDEST, WIDE = 2**63 - 1, "a whole number of at most 64 bits"
ADDRESS = re.compile(r" at 0x[0-9a-f]+>")  # of an object that prints as Python prints one
PLAINLY: Mapping[object, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    Path: "a path",
    type: "a class or function",
    Callable: "a class or function",
}


def wrong(value: object, hint: object, place: str, *, optional: bool = False) -> Iterator[str]:
    """Say of a value, and of all in it, what is not as an annotation has it; `TypeError` for a text instead of a list.

    An annotation that nothing can be told by, such as a type variable, is kept by everything.
    """
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        yield from _of_choices(value, get_args(hint), place, optional=optional)
    elif (must := _must(value, hint)) is not None:
        yield f"{place} is {shown(value)}, but must be {must}{', or left out' if optional else ''}."
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield from _of_mapping(value, get_args(hint), place)
    elif isinstance(origin, type) and issubclass(origin, Collection):
        yield from _of_list(value, origin, get_args(hint), place)


def _of_choices(value: object, choices: Sequence[object], place: str, *, optional: bool) -> Iterator[str]:
    wanted = [one for one in choices if one is not type(None)]
    optional = optional or len(wanted) < len(choices)
    if value is None and optional:
        return
    if len(wanted) == 1:
        yield from wrong(value, wanted[0], place, optional=optional)
    elif not any(_fits(value, one) for one in wanted):
        yield f"{place} is {shown(value)}, but must be {asked(Union[*wanted], optional=optional)}."


def _fits(value: object, hint: object) -> bool:
    try:
        return not any(wrong(value, hint, ""))
    except TypeError:  # one text where several are wanted
        return False


def _of_mapping(value: Any, inner: Sequence[object], place: str) -> Iterator[str]:
    for name, one in value.items():
        if inner and _must(name, inner[0]) is not None:
            yield f"{place} has the name {name!r}, which must be {_must(name, inner[0])}."
        yield from wrong(one, inner[1], f"{place}.{name}") if inner else ()


def _of_list(value: Any, origin: type, inner: Sequence[object], place: str) -> Iterator[str]:
    fixed = origin is tuple and Ellipsis not in inner
    listed = value if fixed and isinstance(value, str) else several(value, place)
    if not isinstance(listed, Collection):
        yield f"{place} is a {type(value).__name__}, which can be gone through once: give a list."
        return
    if fixed and (isinstance(value, str) or len(listed) != len(inner)):
        yield f"{place} is {shown(value)}, but must be {len(inner)} values: ({', '.join(map(_named, inner))})."
        return
    hints = inner if fixed else [*inner[:1]] * len(listed)
    for number, (one, hint) in enumerate(zip(listed, hints, strict=False)):
        yield from wrong(one, hint, f"{place}[{number}]")


def _must(value: object, hint: object) -> str | None:
    """Say what a value must be by an annotation; nothing if it is, as far as it alone can tell."""
    origin = get_origin(hint)
    if origin is Annotated:
        kind, *marks = get_args(hint)
        if not any(isinstance(bounds, Bounds) for bounds in marks):
            return _must(value, kind)
        found = (wrong_number(value, kind, bounds) for bounds in marks if isinstance(bounds, Bounds))
        return next((must for must in found if must is not None), None)
    if hint is int or hint is float:
        return WIDE if hint is int and _is_wide(value) else wrong_number(value, hint, Bounds())
    return None if _keeps(value, hint, origin) else _named(hint, value)


def _is_wide(value: object) -> bool:
    return isinstance(value, int) and not -WIDEST <= value <= WIDEST


def _keeps(value: object, hint: object, origin: Any) -> bool:
    cls: Any = origin if isinstance(origin, type) else hint
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in get_args(hint))
    if cls in {type, Callable}:
        return callable(value)
    if not isinstance(cls, type) or cls is object:
        return True
    if _is_abstract(cls) and not issubclass(cls, Mapping):
        return value is not None  # what it holds is looked at one by one
    if _is_protocol(cls):
        return _may_follow(value, cls)
    return isinstance(value, str | os.PathLike if cls is Path else cls)


def _is_abstract(cls: Any) -> bool:
    return (cls.__module__ == "collections.abc" and cls is not Callable) or cls in {list, tuple, set, frozenset}


def _is_protocol(cls: type) -> bool:
    return bool(getattr(cls, "_is_protocol", False))


def _may_follow(value: object, protocol: type) -> bool:
    """Tell whether a value can be what a protocol describes: a protocol of calls alone, as of makers, takes classes."""
    names = {name for base in protocol.__mro__ for name in vars(base) if _is_protocol(base)}
    public = {name for name in names if not name.startswith("_")}
    if "__call__" in names and not callable(value):
        return False
    return type(value) not in PLAIN and not (public and isinstance(value, type))


def asked(hint: object, *, optional: bool = False) -> str:
    """Say in words what an annotation asks for: `a whole number, 1 or more, or left out`."""
    choices = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    optional = optional or type(None) in choices
    names = dict.fromkeys(_named(one) for one in choices if one is not type(None))
    return f"{' or '.join(names)}{', or left out' if optional else ''}"


def _named(hint: object, value: object = None) -> str:
    """Name what an annotation asks for."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _must(None, hint) or _named(inner[0])
    cls: Any = origin if isinstance(origin, type) else hint
    name: str = getattr(cls, "__name__", str(cls))
    if isinstance(value, type) and isinstance(cls, type) and (_is_protocol(cls) or issubclass(value, cls)):
        return f"an object of it: write {value.__name__}(...)"
    choices = (
        (origin is Literal, f"one of {', '.join(map(repr, inner))}"),
        (cls in PLAINLY, PLAINLY.get(cls, "")),
        (isinstance(cls, type) and issubclass(cls, Mapping), "a mapping by name"),
        (isinstance(cls, type) and _is_abstract(cls), "a list"),
        (dataclasses.is_dataclass(cls), f"`{name}(...)`{'' if value is None else f' of {cls.__module__}'}"),
    )
    return next((named for is_one, named in choices if is_one), f"{'an' if name[0] in 'AEIOU' else 'a'} {name}")


def shown(value: object) -> str:
    """Show a value in a message: as a YAML has it, an object without a text of its own by its class."""
    if value is None:
        return "null"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    text = repr(value)
    if ADDRESS.search(text):
        return f"an object of {type(value).__name__}"
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST - 3]}..." if isinstance(value, str) else f"an object of {type(value).__name__}"


def resolved(annotations: Mapping[str, Any], module: Mapping[str, Any]) -> Mapping[str, object]:
    """Give annotations with what stands in them, but those that name what is imported for type checkers alone."""
    found: dict[str, object] = {}
    for name, written in annotations.items():
        one = type("One", (), {"__annotations__": {name: written}})
        try:
            found |= typing.get_type_hints(one, dict(module), include_extras=True)
        except NameError:
            continue
    return found
