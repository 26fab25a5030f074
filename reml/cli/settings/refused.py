"""Which of the objects that settings make refuses what it is given, and for which of its settings.

The parser reports the refusal of an object deep within settings among all the types that might have been meant. Here
the objects are made one by one, from the innermost, so that the first one that refuses is the one to be named.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any, get_args, get_origin

from jsonargparse import ArgumentError, ArgumentParser

from reml.cli.settings.written import parts_of, within
from reml.cli.settings.wrong_settings import Place, Wrong, dotted, imported, is_contract, meant_by, parameters_of
from reml.contract.arguments.checked import complaints, hints_of
from reml.contract.examples import Json
from reml.experiment.settings.settings_of import made_by


@dataclass
class _RefusedError(Exception):
    """An object could not be made. settings: those it was given. cause: what was raised."""

    place: Place
    settings: Json
    cause: Exception


def refused(parsed: Json, written: Json, kind: type, place: Place = ()) -> tuple[Wrong, Exception] | None:
    """Say which object of `kind` and all that is in it refuses its settings, and what it raised; `None` if none does.

    parsed: the settings with all defaults. written: those that somebody gave, one of which is to blame.
    """
    try:
        _made(parsed, kind, place, written)
    except _RefusedError as error:
        said = str(error.cause)
        where = error.place if _begun(said, error.place) else (*error.place, *_told(said, error.settings))
        return Wrong(where, _said(said, where)), error.cause
    except (ArgumentError, TypeError, ValueError):  # a value that the parser alone can read
        return None
    return None


def refused_later(maker: object, place: Place) -> list[Wrong]:
    """Say which numbers a class will refuse that is made when it is needed, as predictors are.

    maker: makes it. place: of the maker.
    """
    if not isinstance(maker, functools.partial):
        return []
    kind, given = made_by(maker)
    within_it = (*place, "init_args")
    told = complaints(given, hints_of(kind.__init__, kind), dotted(within_it))  # type: ignore[misc]
    names = (one.removeprefix(f"{dotted(within_it)}.") for one in told)
    return [Wrong((*within_it, re.split(r"[^\w]", name)[0]), f"{dotted(within_it)}.{name}") for name in names]


def _made(value: Json, hint: object, place: Place, written: Json) -> Any:
    if value is None:
        return None
    hint = meant_by(value, hint)
    kind = _class_of(value, hint)
    if isinstance(value, list) and get_origin(hint) is Sequence:
        return [_made(one, get_args(hint)[0], (*place, n), within(written, n)) for n, one in enumerate(value)]
    if isinstance(value, dict) and get_origin(hint) is Mapping:
        return {
            name: _made(one, get_args(hint)[1], (*place, name), within(written, name)) for name, one in value.items()
        }
    if kind is None or not isinstance(value, dict):
        return _leaf(value, hint)
    whole = value
    if "class_path" in value:
        value, place = value.get("init_args") or {}, (*place, "init_args")
        written = within(written, "init_args")
    hints = {name: one.annotation for name, one in parameters_of(kind).items()}
    given = {
        name: _made(one, hints[name], (*place, name), within(written, name))
        for name, one in value.items()
        if name in hints
    }
    if get_origin(hint) is Callable:
        return _leaf(whole, hint)  # it is made later, when it is needed
    return _object(kind, given, place, written)


def _object(kind: type, given: Mapping[str, object], place: Place, written: Json) -> object:
    try:
        return kind(**given)
    except Exception as error:
        blamed = _blamed(kind, given, written if isinstance(written, dict) else {})
        raise _RefusedError((*place, *blamed), within(written, *blamed), error) from error


def _blamed(kind: type, given: Mapping[str, object], written: Mapping[str, Json]) -> Place:
    """Name the setting without which an object could be made, if there is exactly one."""
    found = [name for name in written if _can_be_made(kind, {one: given[one] for one in given if one != name})]
    return tuple(found) if len(found) == 1 else ()


def _can_be_made(kind: type, given: Mapping[str, object]) -> bool:
    try:
        kind(**given)
    except Exception:  # of any kind: it is somebody's constructor
        return False
    return True


def _told(message: str, written: Json) -> Place:
    """Find the one key or value that is quoted in a message."""
    found = [
        place
        for place, shown in _quotable(written, ())
        if re.search(rf"(?<![\w.]){re.escape(shown)}(?![\w.]\w)", message)
    ]
    return found[0] if len(found) == 1 else ()


def _quotable(written: Json, place: Place) -> Iterator[tuple[Place, str]]:
    for name, one in parts_of(written).items():
        if isinstance(name, str):
            yield (*place, name), repr(name)
        yield from _quotable(one, (*place, name))
    if isinstance(written, str | int | float) and not isinstance(written, bool):
        yield place, repr(written)


def _said(message: str, place: Place) -> str:
    """Put the place in front of a message; in place of the setting's name where it begins with that."""
    if begun := _begun(message, place):
        return f"{dotted(place)}{begun['number'] or ''}{message[begun.end() :]}"
    return f"{dotted(place)}: {message}" if place else message


def _begun(message: str, place: Place) -> re.Match[str] | None:
    """Match the setting's name at the beginning of a message, and the number of one in it if the place has none."""
    if not place:
        return None
    name = re.escape(dotted(place[-2:] if isinstance(place[-1], int) else place[-1:]))
    return re.match(rf"(\w+\.)*{name}(?P<number>\[\d+\])?(?= )", message)


def _class_of(value: Json, hint: object) -> type | None:
    """Give the class that a value makes an object of, if it makes one."""
    hint = get_args(hint)[1] if get_origin(hint) is Callable else hint
    path = value.get("class_path") if isinstance(value, dict) else None
    if isinstance(path, str):
        return imported(path)
    return hint if isinstance(hint, type) and is_dataclass(hint) and not is_contract(hint) else None


def _leaf(value: Json, hint: object) -> object:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--value", type=hint)
    return parser.instantiate(parser.parse_object({"value": value})).value
