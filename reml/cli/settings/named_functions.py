"""What is no class where a configuration names what makes an object: which functions may be called.

A class is known by its methods. A function is known by what it says that it gives: it is called only where that is
what is wanted, and without settings where it is handed on as what makes an object later (a predictor).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from typing import get_args, get_origin

from jsonargparse import Namespace

from reml.contract.arguments.signatures import returned
from reml.contract.examples import Json

Place = tuple[str | int, ...]


def called(parsed: Namespace | Json, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Go through the functions that parsed settings name by `class_path`: where each stands, and its path."""
    inner = vars(parsed) if isinstance(parsed, Namespace) else parsed
    if isinstance(inner, dict):
        path = inner.get("class_path")
        if isinstance(path, str) and not isinstance(_named(path), type):
            yield place, path
        for name, one in inner.items():
            yield from called(one, (*place, name))
    elif isinstance(inner, list | tuple):
        for number, one in enumerate(inner):
            yield from called(one, (*place, number))


def with_settings(path: str, hint: object) -> str:
    """Say that a function is called at once, where what makes an object later is wanted."""
    if get_origin(hint) is Callable and _gives(path, wanted := get_args(hint)[1]):
        return f"{path} is a function, which takes no init_args here: name it alone, without class_path, or a class"
    return no_class(path, wanted if get_origin(hint) is Callable else None)


def no_class(path: str, wanted: object) -> str:
    """Say that a path names no class, and how a function is written that may stand in its place."""
    function = path.rpartition(".")[2]
    is_routine = inspect.isroutine(_named(path))
    given = returned(_named(path)) if is_routine else ""
    what = f"a function that gives {given or 'what it does not say'}" if is_routine else "no class"
    kind = wanted.__name__ if isinstance(wanted, type) else ""
    name = f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}" if kind else "what is wanted"
    how = f"a function that says by its annotation that it gives {name}, as in `def {function}() -> THE_CLASS`"
    return f"{path} is {what}: name a class, or {how}"


def _gives(path: str, wanted: object) -> bool:
    """Tell whether a function says that it gives what is wanted."""
    try:
        given = inspect.signature(_named(path), eval_str=True).return_annotation  # type: ignore[arg-type]
    except (NameError, TypeError, ValueError):  # a built-in says nothing
        return False
    return isinstance(given, type) and isinstance(wanted, type) and issubclass(given, wanted)


def _named(path: str) -> object:
    """Give what a path names in a module that is loaded, a class in a class too; nothing if there is no such thing."""
    module, _, name = path.rpartition(".")
    found = sys.modules.get(module)
    return getattr(found if found is not None or not module else _named(module), name, None)
