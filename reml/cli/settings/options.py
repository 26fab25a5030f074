"""Values of options as their settings take them: lists with commas, and no word that is another number."""

from __future__ import annotations

import importlib
import inspect
import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from types import UnionType
from typing import Any, TypeGuard, Union, get_args, get_origin

from jsonargparse import ArgumentError, ArgumentParser, Namespace

from reml.cli.settings.class_paths import lying_beside
from reml.cli.settings.named_functions import called, with_settings
from reml.cli.settings.trusted import refuse_distrusted
from reml.cli.settings.written import SettingsError, Source, merged, parts_of, sources, where, within
from reml.cli.settings.wrong_settings import (
    Kind,
    Place,
    Wrong,
    dotted,
    imported,
    meant_by,
    parameters_of,
    wrong_settings,
)
from reml.contract.arguments.several import names_in
from reml.contract.examples import Json
from reml.files.yaml_files.scalars import AMBIGUITY, meant, written

_MISSING, _UNKNOWN = "the following arguments are required: ", "unrecognized arguments: "

Hint = Callable[[Sequence[str]], object]


def listed(arguments: Sequence[str], hint: Hint) -> list[str]:
    """Write values with commas as lists where an option takes one: `--depths 1,5` is `--depths [1,5]`.

    hint: the type of the setting that has a name. Where it takes a text as well as several, commas make it several.
    """
    shown = list(arguments)
    for number, (argument, following) in enumerate(zip_longest(arguments, arguments[1:])):
        name, joined, value = argument.partition("=")
        text = value if joined else following
        if not name.startswith("--") or name.endswith("+") or text is None or text.lstrip().startswith(("[", "{", "$")):
            continue
        if _takes_list(hint(name.removeprefix("--").split(".")), text):
            one = json.dumps([written(name) for name in names_in(text)])
            shown[number : number + 1 if joined else number + 2] = [f"{name}={one}"] if joined else [argument, one]
    return shown


def hint_at(kind: Kind, names: Sequence[str | int], settings: Json) -> object:
    """Give the type of a setting within those of a class or function; nothing where no such setting is known.

    settings: what was written, which says by class paths whose settings are meant. Their modules are imported.
    """
    hint: object = kind
    for name in names:
        hint = meant_by(settings, hint)
        hint = get_args(hint)[1] if get_origin(hint) is Callable else hint
        if get_origin(hint) is Mapping:
            hint = get_args(hint)[1]
        elif get_origin(hint) is Sequence and isinstance(name, int):
            hint = get_args(hint)[0]
        elif name == "init_args":
            hint = _class(within(settings, "class_path"))
        else:
            found = parameters_of(hint).get(str(name)) if _has_parameters(hint) else None
            hint = None if found is None else found.annotation
        settings = within(settings, name)
    return hint


def parsed_options(
    parser: ArgumentParser, arguments: Sequence[str], kind: Kind, flags: Collection[str] = ()
) -> Namespace:
    """Parse the options of a command that is this function or class; `SettingsError` names each that is wrong.

    flags: the options that take no value. A first word that no option names is the one option that must be given.
    """
    needed = [name for name, one in parameters_of(kind).items() if one.default is one.empty]
    shown = listed(_named(arguments, needed, kind), lambda names: hint_at(kind, names, {}))
    given = sources(shown, flags)
    try:
        parsed = parser.parse_args(shown)
    except ArgumentError as error:
        wrong = [one for one in wrong_settings(merged(given), kind) if one.place]
        raise (settings_error(wrong, given) if wrong else _by_options(error, needed)) from error
    refuse_misread(parsed, given)
    refuse_functions(parsed, kind, given)
    return parsed


def _named(arguments: Sequence[str], needed: Sequence[str], kind: Kind) -> list[str]:
    """Write `report FOLDER` as `report --run=FOLDER`."""
    alone = len(needed) == 1 and parameters_of(kind)[needed[0]].kind is not inspect.Parameter.VAR_POSITIONAL
    if not alone or arguments[0:1] == [] or arguments[0].startswith("-") or f"--{needed[0]}" in arguments:
        return list(arguments)
    return [f"--{needed[0]}={arguments[0]}", *arguments[1:]]


def _by_options(error: ArgumentError, needed: Sequence[str]) -> ArgumentError:
    """Say of arguments that are missing, or that no option names, by which options they are given."""
    text = str(error)
    if text.startswith(_MISSING):
        missing = ", ".join(f"--{name}" for name in text.removeprefix(_MISSING).split(", "))
        return ArgumentError(
            None, f"{_MISSING}{missing}{', or its value as the first word' if len(needed) == 1 else ''}"
        )
    if text.startswith(_UNKNOWN) and not text.startswith(f"{_UNKNOWN}-"):
        such = f", such as {', '.join(f'--{name}' for name in needed)}" if needed else ""
        return ArgumentError(None, f"{text}. Name each by its option{such}; --help shows them")
    return error


def settings_error(wrong: Sequence[Wrong], given: Sequence[Source]) -> SettingsError:
    """Say what is wrong, each with the file and line or the option where it was given."""
    return SettingsError("\n  ".join(["the settings are wrong:", *(_placed(one, given) for one in wrong)]))


def _placed(wrong: Wrong, given: Sequence[Source]) -> str:
    place, files = where(given, wrong.place), [one.place for one in given if isinstance(one.place, Path)]
    said = f"{wrong.said}{lying_beside(wrong.class_path, files)}" if wrong.class_path else wrong.said
    if place == f"--{dotted(wrong.place)}" and wrong.said.startswith(dotted(wrong.place)):
        return f"--{said}"
    return f"{place}: {said}" if place else said


def refuse_misread(parsed: Namespace, given: Sequence[Source]) -> None:
    """Raise `SettingsError` for what the parser has taken for something else.

    A text for another number than it shows, such as `1:30`; a null in a mapping for a text, which only a file can say.
    """
    for place, one in _leaves(merged(given), ()):
        value = _at(parsed, place)
        if one is None and value == "None":
            said = "is null, and an option cannot say so within a mapping: write the mapping in the file."
            raise settings_error([Wrong(place, f"{dotted(place)} {said}")], given)
        if not isinstance(one, str) or "${" in one or not _is_number(value) or math.isnan(value):
            continue
        if meant(one) != value:
            raise settings_error([Wrong(place, f"{dotted(place)} is {one!r}, {AMBIGUITY}")], given)


def refuse_functions(parsed: Namespace, kind: Kind, given: Sequence[Source]) -> None:
    """Raise `SettingsError` for a function that stands where what is called at once is no maker of what is wanted.

    The parser looks at the classes that are named and at what functions say that they give, but not everywhere.
    """
    settings = merged(given)
    for place, path in called(parsed):
        hint = meant_by({}, hint_at(kind, place, settings))
        if not isinstance(hint, type):
            raise settings_error(
                [Wrong((*place, "class_path"), f"{dotted(place)}: {with_settings(path, hint)}")], given
            )


def _is_number(value: object) -> TypeGuard[int | float]:
    """Tell numbers from all else; a flag is none, and what stands behind it is not its value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _takes_list(hint: object, text: str) -> bool:
    choices = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    lists = [one for one in choices if get_origin(one) in {Sequence, tuple, list}]
    return bool(lists) and (str not in choices or "," in text) and text.strip() not in {"null", "~", ""}


def _has_parameters(hint: object) -> TypeGuard[Kind]:
    return inspect.isfunction(hint) or (isinstance(hint, type) and hint.__module__ != "builtins")


def _class(path: Json) -> type | None:
    if not isinstance(path, str):
        return None
    with suppress(Exception):  # what is wrong with it, the parser says
        refuse_distrusted(path)
        importlib.import_module(path.rpartition(".")[0])
    return imported(path)


def _leaves(settings: Json, place: Place) -> Iterator[tuple[Place, Json]]:
    parts = parts_of(settings)
    if not parts:
        yield place, settings
    for name, one in parts.items():
        yield from _leaves(one, (*place, name))


def _at(parsed: Any, place: Place) -> object:
    for name in place:
        parsed = parts_of(vars(parsed) if isinstance(parsed, Namespace) else parsed).get(name)
    return parsed
