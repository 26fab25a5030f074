"""What classes and commands of reml are for, read from their source: nothing is imported."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What a class of a room is there for, by the methods it has.
KINDS = {
    "tasks": ("reml.tasks", {"source", "examples"}),
    "metrics of tasks": ("reml.evaluation.metrics", {"headline"}),
    "retrievers": ("reml.retrievers", {"index"}),
    "predictors": ("reml.predictors", {"loss", "generate"}),
    "objectives of feedback": ("reml.feedback", {"needs"}),
}


@dataclass(frozen=True)
class Listed:
    """A class: its dotted path, the first line of its docstring, its methods; whether it only says what others do."""

    path: str
    purpose: str
    methods: frozenset[str]
    abstract: bool


def listing(only: str | None = None) -> str:
    """Write what there is to choose from, one class a line; of one kind, if it is named."""
    lines = []
    for kind, (room, methods) in KINDS.items():
        if only not in {None, kind}:
            continue
        lines.append(f"{kind}:")
        offered = [one for one in listed(room) if methods <= one.methods and not one.abstract]
        lines += [f"  {one.path}  {one.purpose}" for one in offered]
    return "\n".join(lines)


def purpose(path: str) -> str:
    """Give the first line of the docstring of a function or class, named by its dotted path."""
    module, _, name = path.rpartition(".")
    for node in ast.parse(_origin(module).read_bytes()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    raise ImportError(f"there is no {name!r} in {module}.")


def listed(room: str) -> list[Listed]:
    """List the public classes of a module, or of the modules of a package, as far as a configuration names them."""
    origin = _origin(room)
    if origin.name != "__init__.py":
        return list(_classes(room, origin))
    exported = list(_classes(room, origin))
    known = {one.path.rpartition(".")[2] for one in exported}
    inner = [one for name, path in _modules(room, origin.parent) for one in _classes(name, path)]
    return [*exported, *(one for one in inner if one.path.rpartition(".")[2] not in known)]


def _origin(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no module {module!r}.")
    return Path(spec.origin)


def _modules(package: str, folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()):
        inner = path / "__init__.py"
        if path.suffix == ".py" and path.stem != "__init__":
            yield f"{package}.{path.stem}", path
        elif inner.is_file():
            yield f"{package}.{path.name}", inner


def _classes(module: str, path: Path) -> Iterator[Listed]:
    """Go through the classes of a file, and those that a package takes from its own files."""
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield _listed(module, node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{module}."):
            own = path.with_name(f"{str(node.module).rpartition('.')[2]}.py")
            taken = {f"{module}.{alias.name}" for alias in node.names}
            yield from (one for one in _classes(module, own) if one.path in taken)


def _listed(module: str, node: ast.ClassDef) -> Listed:
    purpose = (ast.get_docstring(node) or "").partition("\n")[0]
    methods = frozenset(part.name for part in node.body if isinstance(part, ast.FunctionDef))
    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    return Listed(f"{module}.{node.name}", purpose, methods, bool(bases & {"ABC", "Protocol"}))
