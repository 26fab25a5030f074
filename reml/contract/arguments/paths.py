"""Paths given as texts: whoever wants a `Path` takes a text too.

A protocol's methods say `folder: Path`, and a configuration accepts a class only if its methods say the same; so what
is taken beside that is said here, above the function, and not in its annotations.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
HINTS = ("Path", "Path | None", Path, Path | None)


def takes_paths(function: F) -> F:
    """Let a function or method take texts for its arguments that are annotated as `Path`."""
    parameters = inspect.signature(function).parameters
    wanted = {name: place for place, (name, one) in enumerate(parameters.items()) if one.annotation in HINTS}

    @functools.wraps(function)
    def with_paths(*args: object, **given: object) -> object:
        placed = [Path(one) if isinstance(one, str) and n in wanted.values() else one for n, one in enumerate(args)]
        named = {name: Path(one) if isinstance(one, str) and name in wanted else one for name, one in given.items()}
        return function(*placed, **named)

    return cast(F, with_paths)
