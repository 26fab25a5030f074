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
from reml.cli.settings.named_functions import no_class
from reml.cli.settings.trusted import distrusted
from reml.cli.settings.written import within
from reml.contract.arguments.kinds import asked
from reml.contract.arguments.names import CLASS_KEYS, above_classes
from reml.contract.arguments.signatures import unlike, untyped
from reml.contract.examples import Json
from reml.files.yaml_files.reading import YamlError, parse_yaml

Place = tuple[str | int, ...]  # keys of mappings and numbers of items of lists, from the outermost
LONGEST = 2_000  # letters of a value that is shown

Kind = Callable[..., Any]  # a class, or the function that is a command


@dataclass(frozen=True)
class Wrong:
    """What is wrong with settings. place: of the one that is, or that lacks some. said: with the name of the place.

    class_path: the one that names nothing, where that is what is wrong.
    """

    place: Place
    said: str
    class_path: str = ""

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


def _wrong(value: Json, hint: object, place: Place, *, optional: bool = False) -> Iterator[Wrong]:
    optional = optional or type(None) in get_args(hint)
    bounded, hint = _chosen(hint), meant_by(value, hint)
    origin = get_origin(hint)
    if (value is None and optional) or (isinstance(value, str) and "${" in value):
        return
    if origin is Sequence and isinstance(value, list):
        for number, one in enumerate(value):
            yield from _wrong(one, get_args(hint)[0], (*place, number))
    elif origin is Mapping and isinstance(value, dict):
        yield from _by_name(value, get_args(hint)[1], place)
    elif origin is Callable:
        yield from _wrong(value, get_args(hint)[1], place)
    elif isinstance(hint, type) and _makes_object(hint):
        yield from _object(value, hint, place)
    elif value is None or not _fits(value, hint):
        how = _mended(value, hint, place)
        yield Wrong(place, f"{dotted(place)} is {as_yaml(value)}, but must be {asked(bounded, optional=optional)}{how}")


def _chosen(hint: object) -> object:
    """Choose from a union as `meant_by` does, and leave the bounds of a number."""
    choices = [one for one in get_args(hint) if one is not type(None)]
    return choices[0] if get_origin(hint) in {Union, UnionType} and len(choices) == 1 else hint


def _mended(value: Json, hint: object, place: Place) -> str:
    """Say how a value is written that was written otherwise."""
    if hint is str and not isinstance(value, dict | list | None):
        return f": write it in quotes, {str(value)!r}"
    if get_origin(hint) is Mapping and isinstance(value, str | int | float):
        return f", such as {{NAME: {as_yaml(value)}}}"
    if get_origin(hint) is Sequence and isinstance(value, dict):
        return f": a list is given whole, on the command line as --{dotted(place)} '[...]'"
    return ""


def unread(error: Exception, written: Mapping[str, Json]) -> list[Wrong]:
    """Say which setting a parser refuses for a reason that was found nowhere else; nothing if it names none."""
    for key in re.findall(r'Parser key "([\w.]+)"', str(error))[:1]:
        value = within(written, *key.split("."))
        return [Wrong(tuple(key.split(".")), f"{key} is {as_yaml(value)}, which is none of the values that it takes")]
    return []


def _by_name(value: Mapping[str, Json], hint: object, place: Place) -> Iterator[Wrong]:
    """Look at what stands under names; a name without anything may be meant for a value, as in `{data/dev.jsonl}`."""
    for name, one in value.items():
        if one is None and not _makes_object(hint) and type(None) not in get_args(hint):
            said = f"{dotted(place)} names {name!r} and gives it nothing, where {asked(hint)} is wanted"
            yield Wrong((*place, name), f"{said}: write `{name}: ...`, or a name in front of it, `NAME: {name}`")
        else:
            yield from _wrong(one, hint, (*place, name))


def _makes_object(hint: object) -> bool:
    """Tell whether a class, or the settings of one, are wanted."""
    made = get_args(hint)[1] if get_origin(hint) is Callable else hint
    return isinstance(made, type) and (is_dataclass(made) or is_contract(made))


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


def _object(value: Json, hint: type, place: Place) -> Iterator[Wrong]:
    """Look at what makes an object: a class path with or without settings, or the settings of a class of ours."""
    at, named = dotted(place), {"class_path": value} if isinstance(value, str) else value
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):  # of an option that could not be read
        yield Wrong(place, f"{at} is {as_yaml(value)}: {_unread(value)}")
        return
    path = named.get("class_path") if isinstance(named, dict) else None
    if not isinstance(named, dict) or not isinstance(path, str):
        if is_contract(hint):
            yield Wrong(place, f"{at} needs a class_path, with init_args if it has settings; it is {as_yaml(value)}")
        else:
            yield from _of_class(value, hint, place)
    elif beside := [name for name in named if name not in CLASS_KEYS]:
        near = _nearest(str(beside[0]), CLASS_KEYS)
        said = f"{at} has no setting {beside[0]!r}; {near} (allowed: {', '.join(CLASS_KEYS)})"
        yield Wrong((*place, beside[0]), said)
    else:
        yield from _of_path_named(path, named, hint, place, _of_path(value, place))


def _of_path_named(path: str, named: Mapping[str, Json], hint: type, place: Place, of_path: Place) -> Iterator[Wrong]:
    """Look at a class path, and at the settings of its class; nothing is imported that is not trusted."""
    at = dotted(place)
    if unknown := explain(path):
        yield Wrong(of_path, f"{at}: {unknown}", path)
    elif broken := distrusted(path) or _broken(path):
        yield Wrong(of_path, f"{at}: {broken}")
    elif (kind := imported(path)) is None:
        yield Wrong(of_path, f"{at}: {no_class(path, hint)}")
    elif said := distrusted(f"{kind.__module__}.{kind.__qualname__}"):
        yield Wrong(of_path, f"{at}: {path} is {said}")
    else:
        if lacking := [name for name in _methods(hint) if name not in dir(kind)]:
            yield Wrong(of_path, f"{at}: {path} is no {hint.__name__}, it has no {', '.join(lacking)}")
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
        yield Wrong(place, f"{at} is {as_yaml(written)}; it takes the settings of {kind.__name__} by name ({names})")
        return
    within = f"{at}: " if place else ""
    for name in written:
        if name not in parameters and name not in beside and len(parameters) == len(given):
            now = RENAMED.get(f"{kind.__module__}.{kind.__qualname__}", {}).get(name)
            near = _nested(name, parameters) or _nearest(name, parameters, beside)
            hint = f"it is called {now} now" if now is not None else near
            yield Wrong((*place, name), f"{within}{kind.__name__} has no setting {name!r}; {hint}")
    missing = [name for name, one in parameters.items() if one.default is one.empty and name not in written]
    if missing:
        yield Wrong(place, f"{within}{kind.__name__} needs {', '.join(missing)}")
    for name, one in parameters.items():
        if name in written and one.annotation is not one.empty and not isinstance(one.annotation, str):
            alone = name.removesuffix("s")
            alone = alone if alone in {*parameters} - {name} else ""
            yield from _named_or_wrong(written[name], one, (*place, name), alone)


def _named_or_wrong(value: Json, one: inspect.Parameter, place: Place, alone: str) -> Iterator[Wrong]:
    """Look at the value of a setting; first whether a class stands where names do, each with a class."""
    hint = meant_by(value, one.annotation)
    of_objects = get_origin(hint) is Mapping and _makes_object(get_args(hint)[1])
    if of_objects and (said := above_classes(_keys(value), dotted(place), alone)):
        yield Wrong((*place, next(key for key in CLASS_KEYS if key in _keys(value))), said)
    else:
        yield from _wrong(value, one.annotation, place, optional=one.default is None)


def _keys(value: Json) -> Sequence[str]:
    return list(value) if isinstance(value, dict) else []


def parameters_of(kind: Kind) -> Mapping[str, inspect.Parameter]:
    """Give the parameters of a class or function, their annotations as types as far as they can be found."""
    try:
        return inspect.signature(kind, eval_str=True).parameters
    except NameError:  # a type that is imported for type checkers alone
        return inspect.signature(kind).parameters
    except ValueError:  # a built-in, which does not say what it takes
        return {}


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
    text = str(value).lower() if isinstance(value, bool) else "null" if value is None else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _nested(name: str, parameters: Mapping[str, inspect.Parameter]) -> str:
    """Name the settings of this name within those that there are."""
    kinds = {outer: meant_by({}, one.annotation) for outer, one in parameters.items()}
    found = [
        f"{outer}.{name}"
        for outer, kind in kinds.items()
        if isinstance(kind, type) and is_dataclass(kind) and name in parameters_of(kind)
    ]
    return f"there is {' and '.join(found)}" if found else ""


def _nearest(name: str, known: Iterable[str], beside: Iterable[str] = ()) -> str:
    near = difflib.get_close_matches(name, [*known, *beside], n=3, cutoff=0.5)
    return f"the nearest: {', '.join(near)}" if near else f"there are {', '.join(known)}"
