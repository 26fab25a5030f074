"""What makes a key of settings: beside them the versions or sources of the classes they name, and local model files."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reml.contract.examples import Json
from reml.files.atomic import digest, file_digest
from reml.files.model_location import PREFIX, located

OURS = "reml"
# Settings that name a model, whatever its folder holds.
MODELS = {"model", "encoder"}


def identity(settings: Json, name: str = "") -> Json:
    """Add to settings what a change of code or files changes. name: of the setting they are.

    A class of ours gives its `version`, a number that is raised when its results change; of another's, all source of
    its package counts. Settings that a class names in a tuple `beside` change no result and are left out. A path of a
    local model counts with what is in it.
    """
    if isinstance(settings, Mapping):
        path = settings.get("class_path")
        if isinstance(path, str):
            settings = _with_results(path, settings)
        known: dict[str, Json] = {key: identity(value, key) for key, value in settings.items()}
        return {**known, **_of_class(path)} if isinstance(path, str) else known
    if isinstance(settings, Sequence) and not isinstance(settings, str):
        return [identity(value, name) for value in settings]
    return _with_files(settings, name) if isinstance(settings, str) else settings


def _of_class(class_path: str) -> dict[str, Json]:
    package = class_path.partition(".")[0]
    if package != OURS:
        return {"source": _source(package)}
    version = _version(class_path)
    return {"version": version} if version != 1 else {}


def _with_results(class_path: str, settings: Mapping[str, Json]) -> Mapping[str, Json]:
    """Leave out the arguments that change no result, such as how many requests are made at once."""
    given, beside = settings.get("init_args"), _said(class_path, "beside", ())
    if not isinstance(given, Mapping) or not isinstance(beside, tuple):
        return settings
    left = {name: value for name, value in given.items() if name not in beside}
    return {
        **{name: value for name, value in settings.items() if value is not given},
        **({"init_args": left} if left else {}),
    }


def _version(class_path: str) -> int:
    """Give the `version` of a class, 1 if it says none."""
    version = _said(class_path, "version", 1)
    return version if isinstance(version, int) else 1


def _said(class_path: str, name: str, otherwise: object) -> object:
    """Give what a class says of itself under a name."""
    module, _, cls = class_path.rpartition(".")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError:  # a class in a class
        return _said(module, name, otherwise)
    return getattr(getattr(found, cls, None), name, otherwise)


@functools.cache
def _source(package: str) -> str:
    """Digest all Python files of a package, or a module; "" if it has none (a built-in, say)."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None or not spec.has_location:
        return ""
    origin = Path(spec.origin)
    files = sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]
    return digest(*(path.read_bytes() for path in files if path.is_file()))


def _with_files(value: str, name: str) -> Json:
    """Add the digest of a file, or of a folder of a local model or of feedback records.

    Not of any other folder, which may be a cache, or all data.
    """
    if name != "model" and "/" not in value:
        return value
    try:
        path = Path(located(value) if value.startswith(PREFIX) else value).expanduser()
        there = path.is_file() or _holds_model(path, name) or _holds_records(path)
    except OSError:  # a prompt, too long for a name
        return value
    return {"path": value, "files": digest(*_digests(path))} if there else value


def _holds_model(path: Path, name: str) -> bool:
    if not path.is_dir():
        return False
    return name in MODELS or (path / "config.json").is_file() or any(path.glob("*.safetensors"))


def _holds_records(path: Path) -> bool:
    return (path / "00000001.arrow").is_file()  # feedback: its log counts from 1


def _digests(path: Path) -> Iterator[Json]:
    files = [path] if path.is_file() else sorted(part for part in path.rglob("*") if part.is_file())
    for file in files:
        stat = file.stat()
        yield str(file.relative_to(path))
        yield _digest(file, stat.st_mtime_ns, stat.st_size)


@functools.cache
def _digest(file: Path, changed: int, size: int) -> str:  # noqa: ARG001 - by which a change is seen
    return file_digest(file)
