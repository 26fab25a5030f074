"""Where settings do not fit the class they are for, and the nearest names: told when the parser has refused them."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from types import UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin

from jsonargparse import ArgumentError, ArgumentParser

from reml.cli.settings.class_paths import explain
from reml.cli.settings.moved_paths import RENAMED
from reml.contract.arguments.signatures import unlike, untyped
from reml.contract.examples import Json
from reml.files.yaml_files.reading import YamlError, parse_yaml

Place = tuple[str | int, ...]  # keys of mappings and numbers of items of lists, from the outermost
Kind = Callable[..., Any]  # a class, or the function that is a command


@dataclass(frozen=True)
class Wrong:
    """What is wrong with settings. place: of the one that is, or that lacks some. said: with the name of the place."""

    place: Place
    said: str

    def __str__(self) -> str:
        return self.said


def dotted(place: Place) -> str:
    """Write a place as it is named in messages: `tasks[0].init_args.name`."""
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place).removeprefix(".")


def wrong_settings(written: Json, kind: Kind, place: Place = (), beside: Collection[str] = ()) -> list[Wrong]:
    """Say of each setting of `kind` that is unknown, missing or of another type where it is and what there is.

    A setting that refers to another one (`${seed}`) is not looked at. Modules of classes are imported, as the parser
    does. beside: names that are taken beside the settings.
    """
    return list(_of_class(written, kind, place, beside))


def wrong_values(written: Mapping[str, Json], kind: Kind) -> list[Wrong]:
    """Say of each setting that `kind` has whether its value is of another type."""
    hints = {name: one.annotation for name, one in parameters_of(kind).items()}
    return [one for name, value in written.items() if name in hints for one in _wrong(value, hints[name], (name,))]


def _wrong(value: Json, hint: object, place: Place) -> Iterator[Wrong]:
    hint = meant_by(value, hint)
    origin = get_origin(hint)
    if value is None or (isinstance(value, str) and "${" in value):
        return
    if origin is Sequence and isinstance(value, list):
        for number, one in enumerate(value):
            yield from _wrong(one, get_args(hint)[0], (*place, number))
    elif origin is Mapping and isinstance(value, dict):
        for name, one in value.items():
            yield from _wrong(one, get_args(hint)[1], (*place, name))
    elif origin is Callable:
        yield from _wrong(value, get_args(hint)[1], place)
    elif isinstance(hint, type) and (is_dataclass(hint) or is_contract(hint)):
        yield from _object(value, hint, place)
    elif not _fits(value, hint):
        quoted = f": write it in quotes, {str(value)!r}" if hint is str and not isinstance(value, dict | list) else ""
        yield Wrong(place, f"{dotted(place)} is {as_yaml(value)}; it takes {_wanted(hint)}{quoted}")


def meant_by(value: Json, hint: object) -> object:
    """Choose from a union what a value is meant for: what is not nothing, and what a class path can name.

    Bounds of numbers are no part of it: they are the constructor's to check.
    """
    if get_origin(hint) is Annotated:
        return meant_by(value, get_args(hint)[0])
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    choices = [one for one in get_args(hint) if one is not type(None)]
    if len(choices) > 1 and isinstance(value, dict) and "class_path" in value:
        choices = [one for one in choices if isinstance(one, type) and is_contract(one)]
    return meant_by(value, choices[0]) if len(choices) == 1 else hint


def _wanted(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else re.sub(r"\b(\w+\.)+", "", str(hint))


def _object(value: Json, hint: type, place: Place) -> Iterator[Wrong]:
    """Look at what makes an object: a class path with or without settings, or the settings of a class of ours."""
    at, named = dotted(place), {"class_path": value} if isinstance(value, str) else value
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):  # of an option that could not be read
        yield Wrong(place, f"{at} is {value!r}: {_unread(value)}")
        return
    path = named.get("class_path") if isinstance(named, dict) else None
    if not isinstance(named, dict) or not isinstance(path, str):
        if is_contract(hint):
            yield Wrong(place, f"{at} needs a class_path, with init_args if it has settings; it is {value!r}")
        else:
            yield from _of_class(value, hint, place)
    elif unknown := explain(path):
        yield Wrong(_of_path(value, place), f"{at}: {unknown}")
    elif broken := _broken(path):
        yield Wrong(_of_path(value, place), f"{at}: {broken}")
    elif (kind := imported(path)) is not None:
        if lacking := [name for name in _methods(hint) if name not in dir(kind)]:
            yield Wrong(_of_path(value, place), f"{at}: {path} is no {hint.__name__}, it has no {', '.join(lacking)}")
        elif Protocol in hint.__mro__:
            yield from (Wrong(place, f"{at}: {path}.{wanted}") for wanted in unlike(kind, hint))
        yield from (Wrong(place, f"{at}: {path} needs {wanted}") for wanted in untyped(kind))
        yield from _of_class(named.get("init_args") or {}, kind, (*place, "init_args"))


def _broken(path: str) -> str:
    """Say what the module of a class raises when it is imported, which the parser has tried; "" if nothing."""
    module = path.rpartition(".")[0]
    try:
        importlib.import_module(module)
    except Exception as error:  # of any kind: it may be a user's module
        return f"{module} cannot be imported: {type(error).__name__}: {error}"
    return ""


def _of_path(value: Json, place: Place) -> Place:
    return (*place, "class_path") if isinstance(value, dict) else place


def imported(path: str) -> type | None:
    """Give the class of a dotted path if its module is loaded."""
    module, _, name = path.rpartition(".")
    kind = vars(sys.modules.get(module, object)).get(name)
    return kind if isinstance(kind, type) else None


def is_contract(hint: type) -> bool:
    """Tell whether a type only says what a class must do, so that a class must be named."""
    return inspect.isabstract(hint) or Protocol in hint.__mro__


def _of_class(written: Json, kind: Kind, place: Place, beside: Collection[str] = ()) -> Iterator[Wrong]:
    given, at = parameters_of(kind), dotted(place)
    parameters = {name: one for name, one in given.items() if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
    if not isinstance(written, dict):
        names = ", ".join(parameters) or "none"
        yield Wrong(place, f"{at} is {written!r}; it takes the settings of {kind.__name__} by name ({names})")
        return
    within = f"{at}: " if place else ""
    for name in written:
        if name not in parameters and name not in beside and len(parameters) == len(given):
            now = RENAMED.get(f"{kind.__module__}.{kind.__qualname__}", {}).get(name)
            hint = f"it is called {now} now" if now is not None else _nearest(name, parameters, beside)
            yield Wrong((*place, name), f"{within}{kind.__name__} has no setting {name!r}; {hint}")
    missing = [name for name, one in parameters.items() if one.default is one.empty and name not in written]
    if missing:
        yield Wrong(place, f"{within}{kind.__name__} needs {', '.join(missing)}")
    for name, one in parameters.items():
        if name in written and one.annotation is not one.empty and not isinstance(one.annotation, str):
            yield from _wrong(written[name], one.annotation, (*place, name))


def parameters_of(kind: Kind) -> Mapping[str, inspect.Parameter]:
    """Give the parameters of a class or function, their annotations as types as far as they can be found."""
    try:
        return inspect.signature(kind, eval_str=True).parameters
    except NameError:  # a type that is imported for type checkers alone
        return inspect.signature(kind).parameters


def _methods(hint: type) -> list[str]:
    names = (name for name, value in vars(hint).items() if inspect.isfunction(value))
    return [name for name in names if not name.startswith("_") or name == "__call__"]


def _fits(value: Json, hint: object) -> bool:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--value", type=hint)
    try:
        parser.parse_object({"value": value})
    except ArgumentError:
        return False
    return True


def _unread(text: str) -> str:
    try:
        parse_yaml(text)
    except YamlError as error:
        return f"{error.where} {error.problem}".strip()
    return "settings are no text"


def as_yaml(value: Json) -> str:
    """Show a value as a message does."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _nearest(name: str, known: Iterable[str], beside: Iterable[str] = ()) -> str:
    near = difflib.get_close_matches(name, [*known, *beside], n=3, cutoff=0.5)
    return f"the nearest: {', '.join(near)}" if near else f"there are {', '.join(known)}"
