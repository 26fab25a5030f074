"""What to say when a configuration names a class that is not there."""

from __future__ import annotations

import difflib
import importlib.util
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from reml.cli.class_listing import listed
from reml.cli.settings.moved_paths import MOVED

OURS = "reml"
LONGEST = 300  # letters of a path, which is looked for part by part
DOTTED = re.compile(r"\b[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\b")
NEAREST = "; the nearest: "
NOW = " has moved: name it "
ROOMS = (
    "reml.tasks",
    "reml.retrievers",
    "reml.predictors",
    "reml.feedback",
    "reml.access.querying",
    "reml.access.presenting",
)


def suggestions(message: str) -> list[str]:
    """Explain each path of a class in an error message that names none: what it lacks and the nearest names."""
    paths = [path for path in dict.fromkeys(DOTTED.findall(message)) if _may_be_class(path)]
    return [line for path in paths if NEAREST in (line := explain(path)) or NOW in line]


def explain(class_path: str) -> str:
    """Say why this path names nothing, and where its class is now or which are nearest; "" if it names something."""
    if class_path in MOVED:
        return f"{class_path}{NOW}{MOVED[class_path]}"
    module_name, _, name = class_path.rpartition(".")
    if not module_name or len(class_path) > LONGEST:
        return f"{class_path[-LONGEST:]!r} is no dotted path of a class{_nearest(_called(name))}"
    if not _exists(module_name):
        if difflib.get_close_matches(module_name.partition(".")[0], [OURS], cutoff=0.7):
            near = difflib.get_close_matches(class_path, known_classes(), n=3, cutoff=0.5)
            return f"there is no module {module_name!r}{_nearest(near)}"
        looked = f"in the folder where reml is called ({Path.cwd()}) and in those of PYTHONPATH"
        return f"there is no module {module_name!r}: it is looked for {looked}{_nearest(_called(name))}"
    module = sys.modules.get(module_name)  # never imported for the sake of a hint: its code would run
    if module is None or name in vars(module) or _exists(class_path):
        return ""
    classes = [f"{module_name}.{other}" for other in _classes(module)]
    near = difflib.get_close_matches(class_path, classes, n=3, cutoff=0.5) or classes[:3]
    return f"{module_name} has no {name!r}" + _nearest(near)


def lying_beside(class_path: str, files: Iterable[Path]) -> str:
    """Say that the module of a class that is not found lies beside one of these files; "" if none does."""
    top = class_path.partition(".")[0]
    places = [file.parent / name for file in files for name in (f"{top}.py", top)]
    found = [place for place in places if top and place.exists()]
    if not found or _exists(top):
        return ""
    return f"; there is {found[0]}: call reml in {found[0].parent.resolve()}, or name that folder in PYTHONPATH"


def known_classes() -> list[str]:
    """List the dotted paths of all classes in the rooms of reml."""
    return [one.path for room in ROOMS for one in listed(room)]


def _called(name: str) -> list[str]:
    """List the classes of reml with this name, whatever its letters' case."""
    return [path for path in known_classes() if path.rpartition(".")[2].casefold() == name.casefold()]


def _classes(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and not name.startswith("_") and value.__module__.startswith(module.__name__)
    ]


def _may_be_class(path: str) -> bool:
    """Tell class paths from the names of files and settings: those of reml, and what ends in a capitalised name."""
    return path.startswith("reml.") or path.rpartition(".")[2][0].isupper()


def _exists(module_name: str) -> bool:
    parent = module_name.rpartition(".")[0]
    if parent and parent not in sys.modules:
        return _exists(parent)  # `find_spec` would import it
    try:
        return importlib.util.find_spec(module_name) is not None
    except (ModuleNotFoundError, ValueError):
        return False


def _nearest(paths: list[str]) -> str:
    return f"{NEAREST}{', '.join(paths)}" if paths else ""
