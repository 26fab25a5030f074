"""Where the methods of a class are not written as a configuration asks: it knows a class by its annotations alone."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from typing import TypeVar

EMPTY = inspect.Parameter.empty


def unlike(kind: type, contract: type) -> Iterator[str]:
    """Say of each method of a class whose annotations are not those of a contract how it is to be written."""
    for base in contract.__mro__:
        for name, wanted in vars(base).items():
            if inspect.isfunction(wanted) and (name == "__call__" or not name.startswith("_")):
                given = inspect.getattr_static(kind, name, None)
                if inspect.isfunction(given) and (missing := _missing(_signature(given), _signature(wanted))):
                    yield f"{name} is not annotated as it must be to be named in a YAML: write {missing}"


def untyped(kind: type) -> Iterator[str]:
    """Name the arguments of a constructor with neither annotation nor default: nothing says what they take."""
    parameters = list(_signature(kind).parameters.values()) if "__init__" in dir(kind) else []
    bare = [one for one in parameters if one.annotation is EMPTY and one.default is EMPTY]
    for one in bare:
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY):
            yield f"an annotation of its argument {one.name!r}: write what it takes, such as `{one.name}: str`"


def _missing(given: inspect.Signature, wanted: inspect.Signature) -> str:
    """Write the annotations that a method lacks, or has otherwise; a type of a generic contract may be any."""
    pairs = zip(list(given.parameters.values())[1:], list(wanted.parameters.values())[1:], strict=False)
    wrong = [
        f"`{other.name}: {_shown(other.annotation)}`"
        for one, other in pairs
        if _counts(other.annotation) and (one.name, _shown(one.annotation)) != (other.name, _shown(other.annotation))
    ]
    back = wanted.return_annotation
    if _counts(back) and _shown(given.return_annotation) != _shown(back):
        wrong.append(f"`-> {_shown(back)}`")
    return ", ".join(wrong)


def _counts(annotation: object) -> bool:
    return annotation is not EMPTY and not isinstance(annotation, TypeVar)


def _signature(function: object) -> inspect.Signature:
    try:
        written = inspect.signature(function)  # type: ignore[arg-type]
    except ValueError:  # a built-in, which does not say what it takes
        return inspect.Signature()
    names = vars(sys.modules.get(getattr(function, "__module__", ""), inspect))
    parameters = [one.replace(annotation=_type(one.annotation, names)) for one in written.parameters.values()]
    return written.replace(parameters=parameters, return_annotation=_type(written.return_annotation, names))


def _type(annotation: object, names: Mapping[str, object]) -> object:
    """Give what an annotation means in a module, each by itself: its text where a checker alone imports the type."""
    try:
        return eval(annotation, dict(names)) if isinstance(annotation, str) else annotation  # noqa: S307 - as inspect does
    except NameError:
        return annotation


def _shown(annotation: object) -> str:
    plain = isinstance(annotation, type) and not hasattr(annotation, "__args__")
    return re.sub(r"\b(\w+\.)+", "", annotation.__name__ if plain else str(annotation))  # type: ignore[attr-defined]


def returned(function: object) -> str:
    """Write what a function says that it gives; "" if it does not say."""
    try:
        back = _signature(function).return_annotation
    except (TypeError, ValueError):  # a built-in says nothing
        return ""
    return "" if back is EMPTY else _shown(back)
