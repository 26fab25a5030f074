"""What a part of a configuration depends on: its settings and the source of the classes it names."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from reml.contract.examples import Json
from reml.files.atomic import digest


def identity(part: Json) -> Json:
    """Add to every `class_path` in a configuration a digest of the file (or package) that defines the class.

    So a stage is made again when the code of a user's class changes, not only when its settings do.
    """
    if isinstance(part, Mapping):
        known: dict[str, Json] = {key: identity(value) for key, value in part.items()}
        path = part.get("class_path")
        return {**known, "source": _source(path)} if isinstance(path, str) else known
    if isinstance(part, Sequence) and not isinstance(part, str):
        return [identity(value) for value in part]
    return part


@functools.cache
def _source(class_path: str) -> str:
    """Digest the module that `class_path` is in; "" if there is none (a built-in, say)."""
    spec = _module(class_path.rpartition(".")[0])
    if spec is None or spec.origin is None or not spec.has_location:
        return ""
    origin = Path(spec.origin)
    files = sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]
    return digest(*(path.read_bytes() for path in files if path.is_file()))


def _module(name: str) -> ModuleSpec | None:
    """Find the module of this name, or the nearest above it: a class may stand in another class."""
    try:
        return importlib.util.find_spec(name) if name else None
    except ModuleNotFoundError:
        return _module(name.rpartition(".")[0])


def written(config: Mapping[str, Json], *path: str) -> Json:
    """Give a part of a configuration; nothing where it says nothing."""
    value: Json = dict(config)
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
