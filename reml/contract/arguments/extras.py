"""Where an optional package is, and what to install where it is absent: the one hint, which works where it is given."""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]


def package_folder(name: str) -> Path | None:
    """Find the folder of an installed package by the name it is imported by, without importing it; else `None`."""
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    return Path(spec.submodule_search_locations[0]) if spec is not None and spec.submodule_search_locations else None


def install_hint(extra: str) -> str:
    """Give the command that installs an extra of reml: of the checkout it runs from, or its packages by their names."""
    if (CHECKOUT / "pyproject.toml").is_file():
        return f"`pip install -e '.[{extra}]'` in {CHECKOUT}"
    return f"`pip install {' '.join(repr(one) for one in requirements(extra))}`"


def requirements(extra: str) -> list[str]:
    """Name the packages of an extra, with their versions, as the installed reml declares them."""
    marked = re.compile(rf"""\s*;.*\bextra\s*==\s*['"]{re.escape(extra)}['"].*""")
    return [marked.sub("", one) for one in metadata.requires("reml") or [] if marked.search(one)]
