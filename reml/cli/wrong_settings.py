"""Where settings do not fit the class they are for, and the nearest names: told when the parser has refused them."""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from types import UnionType
from typing import Annotated, Protocol, Union, get_args, get_origin

from jsonargparse import ArgumentError, ArgumentParser

from reml.cli.classes.class_paths import explain
from reml.cli.classes.moved_paths import RENAMED
from reml.contract.arguments.signatures import unlike, untyped
from reml.contract.examples import Json


def wrong_settings(written: Json, kind: type, place: str = "") -> list[str]:
    """Say of each setting of `kind` that is unknown, missing or of another type where it is and what there is.

    A setting that refers to another one (`${seed}`) is not looked at. No class is imported: what the parser could not
    import, it has said itself.
    """
    return list(_of_class(written, kind, place))


def _wrong(value: Json, hint: object, place: str) -> Iterator[str]:
    hint = _meant(value, hint)
    origin = get_origin(hint)
    if origin is Annotated:
        hint, origin = get_args(hint)[0], None
    if value is None or (isinstance(value, str) and "${" in value):
        return
    if origin is Sequence and isinstance(value, list):
        for number, one in enumerate(value):
            yield from _wrong(one, get_args(hint)[0], f"{place}[{number}]")
    elif origin is Mapping and isinstance(value, dict):
        for name, one in value.items():
            yield from _wrong(one, get_args(hint)[1], f"{place}.{name}")
    elif origin is Callable:
        yield from _wrong(value, get_args(hint)[1], place)
    elif isinstance(hint, type) and (is_dataclass(hint) or _is_contract(hint)):
        yield from _object(value, hint, place)
    elif not _fits(value, hint):
        wanted = hint.__name__ if isinstance(hint, type) else re.sub(r"\b(\w+\.)+", "", str(hint))
        quoted = f": write it in quotes, {str(value)!r}" if hint is str and not isinstance(value, dict | list) else ""
        yield f"{place} is {_as_yaml(value)}; it takes {wanted}{quoted}"


def _meant(value: Json, hint: object) -> object:
    """Choose from a union what a value is meant for: what is not nothing, and what a class path can name."""
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    choices = [one for one in get_args(hint) if one is not type(None)]
    if len(choices) > 1 and isinstance(value, dict) and "class_path" in value:
        choices = [one for one in choices if isinstance(one, type) and _is_contract(one)]
    return choices[0] if len(choices) == 1 else hint


def _object(value: Json, hint: type, place: str) -> Iterator[str]:
    """Look at what makes an object: a class path with or without settings, or the settings of a class of ours."""
    named = {"class_path": value} if isinstance(value, str) else value
    path = named.get("class_path") if isinstance(named, dict) else None
    if not isinstance(named, dict) or not isinstance(path, str):
        if _is_contract(hint):
            yield f"{place} needs a class_path, with init_args if it has settings; it is {value!r}"
        else:
            yield from _of_class(value, hint, place)
    elif unknown := explain(path):
        yield f"{place}: {unknown}"
    elif isinstance(kind := vars(sys.modules.get(path.rpartition(".")[0], object)).get(path.rpartition(".")[2]), type):
        if lacking := [name for name in _methods(hint) if name not in dir(kind)]:
            yield f"{place}: {path} is no {hint.__name__}, it has no {', '.join(lacking)}"
        elif Protocol in hint.__mro__:
            yield from (f"{place}: {path}.{wanted}" for wanted in unlike(kind, hint))
        yield from (f"{place}: {path} needs {wanted}" for wanted in untyped(kind))
        yield from _of_class(named.get("init_args") or {}, kind, f"{place}.init_args")


def _is_contract(hint: type) -> bool:
    """Tell whether a type only says what a class must do, so that a class must be named."""
    return inspect.isabstract(hint) or Protocol in hint.__mro__


def _of_class(written: Json, kind: type, place: str) -> Iterator[str]:
    given = _parameters(kind)
    parameters = {name: one for name, one in given.items() if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
    if not isinstance(written, dict):
        names = ", ".join(parameters) or "none"
        yield f"{place} is {written!r}; it takes the settings of {kind.__name__} by name ({names})"
        return
    within = f"{place}: " if place else ""
    for name in written:
        if name not in parameters and len(parameters) == len(given):
            now = RENAMED.get(f"{kind.__module__}.{kind.__qualname__}", {}).get(name)
            hint = f"it is called {now} now" if now is not None else _nearest(name, parameters)
            yield f"{within}{kind.__name__} has no setting {name!r}; {hint}"
    missing = [name for name, one in parameters.items() if one.default is one.empty and name not in written]
    if missing:
        yield f"{within}{kind.__name__} needs {', '.join(missing)}"
    for name, one in parameters.items():
        if name in written and one.annotation is not one.empty and not isinstance(one.annotation, str):
            yield from _wrong(written[name], one.annotation, f"{place}.{name}" if place else name)


def _parameters(kind: type) -> Mapping[str, inspect.Parameter]:
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


def _as_yaml(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"the nearest: {', '.join(near)}" if near else f"there are {', '.join(known)}"
