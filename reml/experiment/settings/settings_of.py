"""What an object was made with, told by the object itself, in the form that a YAML would write.

    JSON values           as they are; whole floats as integers, so that 2 and 2.0 are one setting
    a dataclass           its fields
    functools.partial     the class it makes and the arguments that are given
    another object        its constructor's arguments: recorded (`reml.contract.recorded`) or kept under their own names

Settings at their defaults are left out, so that a new setting with a default changes no key. An object is
`{class_path, init_args}`, its arguments alone where the field that holds it names its very class.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from reml.contract.examples import Json
from reml.contract.recorded import recorded_arguments

T = TypeVar("T")
Arguments = Mapping[str, object]
Types = Collection[object]


class UntoldSettingsError(TypeError):
    """An object cannot tell what it was made with; the message says how it could."""


def settings_of(value: object, plain: Types = ()) -> Json:
    """Tell the settings of a value; `UntoldSettingsError` if it cannot. plain: classes told by arguments alone."""
    if isinstance(value, enum.Enum):
        return _of_enum(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {str(name): settings_of(part, plain) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [settings_of(part, plain) for part in value]
    return str(value) if isinstance(value, Path) else _made(value, plain)


def arguments_of(maker: object, hint: object) -> Iterator[object]:
    """Give the arguments of one type that a class is made with by a partial, those of partials among them too."""
    if isinstance(maker, functools.partial):
        cls, given = made_by(maker)
        hints = _hints(cls)
        for name, argument in given.items():
            yield from [argument] if hints.get(name) == hint else arguments_of(argument, hint)


def made_anew(value: T) -> T:
    """Make an object with the settings of another one."""
    return type(value)(**_arguments(value))


def class_made(maker: object) -> type | None:
    """Find the class that makes an object, itself or by a partial; nothing of a function, which does not tell."""
    if isinstance(maker, functools.partial):
        return made_by(maker)[0]
    return maker if isinstance(maker, type) else None


def _of_enum(value: enum.Enum) -> Json:
    """Tell members by name: a number changes its meaning when a member is put between others."""
    if isinstance(value, enum.Flag):
        return sorted(str(member.name) for member in value)
    return value.name


def _made(value: object, plain: Types) -> Json:
    if isinstance(value, type) or inspect.isroutine(value):
        return {"class_path": _path(value)}
    cls, given = made_by(value) if isinstance(value, functools.partial) else (type(value), _arguments(value))
    hints, defaults = _hints(cls), dict(_defaults(cls))
    told: dict[str, Json] = {}
    for name, argument in given.items():
        settings = settings_of(argument, _named(hints.get(name)))
        if name not in defaults or settings != settings_of(defaults[name], _named(hints.get(name))):
            told[name] = settings
    if cls in plain:
        return told
    return {"class_path": _path(cls), **({"init_args": told} if told else {})}


def made_by(value: functools.partial[Any]) -> tuple[type, Arguments]:
    """Find the class that a partial makes: jsonargparse hands it to a function of its own, as the last argument."""
    parts = [value.func, *value.args]
    place = next((number for number, part in enumerate(parts) if isinstance(part, type)), None)
    if place is None:
        raise UntoldSettingsError(f"{value!r} makes no class: give a class, or functools.partial(CLASS, name=value).")
    cls = typing.cast(type, parts[place])
    return cls, inspect.signature(cls).bind_partial(*parts[place + 1 :], **value.keywords).arguments


def _arguments(value: Any) -> Arguments:
    if (kept := recorded_arguments(value)) is not None:
        return kept
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
    names = list(_parameters(type(value)))
    untold = [name for name in names if getattr(value, name, inspect.Parameter.empty) is inspect.Parameter.empty]
    if untold:
        raise UntoldSettingsError(
            f"{type(value).__module__}.{type(value).__qualname__} does not tell what it was made with "
            f"({', '.join(untold)}): keep each constructor argument under its own name, make it a dataclass, or put "
            "@recorded (reml.contract.recorded) above the class."
        )
    return {name: getattr(value, name) for name in names}


def _parameters(cls: type) -> Mapping[str, inspect.Parameter]:
    written = any("__init__" in vars(base) for base in cls.__mro__[:-1] if Protocol not in base.__bases__)
    found = list(inspect.signature(cls.__init__).parameters.items())[1:] if written else []  # type: ignore[misc]
    return dict(found)


def _defaults(cls: type) -> Iterator[tuple[str, object]]:
    if dataclasses.is_dataclass(cls):
        for field in dataclasses.fields(cls):
            if field.default is not dataclasses.MISSING:
                yield field.name, field.default
            elif field.default_factory is not dataclasses.MISSING:
                yield field.name, field.default_factory()
        return
    for name, parameter in _parameters(cls).items():
        if parameter.default is not inspect.Parameter.empty:
            yield name, parameter.default


def _hints(cls: type) -> Mapping[str, object]:
    written = cls if dataclasses.is_dataclass(cls) else cls.__init__  # type: ignore[misc]
    try:
        return typing.get_type_hints(written, include_extras=True)
    except NameError:  # a type that is imported for type checkers alone
        return {}


def _named(hint: object) -> Types:
    """Name the classes in a type, those in its arguments too."""
    return [hint, *(one for argument in typing.get_args(hint) for one in _named(argument))]


def _path(value: Any) -> str:
    name = f"{value.__module__}.{value.__qualname__}"
    if "<" in name:
        raise UntoldSettingsError(f"{name} has no name of its own in a module: define it at the top of one.")
    return name
