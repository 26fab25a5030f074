"""The names that people give to tasks, access models, predictors, systems, collections and experiments: one rule.

A name becomes that of a file or folder, so it must be one on every system that results are copied to, and no other's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

# Folders are named by two names and some letters, and file systems take 255 bytes.
LONGEST = 100
# Files that a result folder has beside the folders of its systems.
OURS = frozenset(
    {"manifest.json", "report.html", "config.yaml", "metrics.json", "retrieval.json", "passages.json"}
    | {"differences.json", "cells.csv", "gains.csv"}
)
# What says which class makes an object, and with what.
CLASS_KEYS = ("class_path", "init_args")
# What Windows takes for a device, whatever follows a dot.
DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"}
)


def check_name(name: object, kind: str) -> None:
    """Raise `ValueError` for what cannot name a thing. kind: of thing, such as "task"."""
    if not isinstance(name, str):
        raise ValueError(f"{name!r} cannot name {_one(kind)}: names are texts; write {str(name)!r} in quotes.")
    if (why := _wrong(name)) is not None:
        shown = repr(name) if len(name) <= 60 else f"{name[:57]!r}..."
        raise ValueError(f"{shown} cannot name {_one(kind)}: {why}. Give it another name.")


def check_above_classes(names: Iterable[object], setting: str, alone: str = "") -> None:
    """Raise `ValueError` for a class where names stand, each with a class. alone: the setting that takes one class."""
    if said := above_classes(names, setting, alone):
        raise ValueError(said)


def above_classes(names: Iterable[object], setting: str, alone: str = "") -> str:
    """Say that a class stands where names do; "" if none does."""
    found = [name for name in names if name in CLASS_KEYS]
    meant = f"; did you mean `{alone}`?" if alone else "."
    return f"{setting} wants names, each with a class: {found[0]!r} is no name{meant}" if found else ""


def check_names(names: Iterable[object], kind: str) -> None:
    """Check names of things of one kind; `ValueError` too for two that some file systems hold for the same."""
    known: dict[str, object] = {}
    for name in names:
        check_name(name, kind)
        other = known.setdefault(_folded(str(name)), name)
        if other is not name and other != name:
            raise ValueError(
                f"{other!r} and {name!r} cannot both name {_one(kind)}: file systems that do not tell apart capital "
                "letters, or ways to write an accent, take them for one. Give one of them another name."
            )


def _wrong(name: str) -> str | None:
    strange = next((letter for letter in name if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}), None)
    size, folded = len(name.encode(errors="replace")), _folded(name)
    rules = (
        (not name.strip(), "names are not empty"),
        (bool({"/", "\\"} & set(name)), "names have no slash, which makes a path of them"),
        (name[:1] == "." or name[:1].isspace(), "names have no dot and no space in front"),
        (name[-1:] == "." or name[-1:].isspace(), "names have no dot and no space at the end, which Windows drops"),
        (strange is not None, f"names have no control characters and no line ends, and this has {strange!r}"),
        (size > LONGEST, f"names have at most {LONGEST} bytes, and this has {size}"),
        (folded in OURS, "a result folder has a file of that name"),
        (folded.partition(".")[0].rstrip() in DEVICES, "Windows takes it for a device"),
    )
    return next((why for broken, why in rules if broken), None)


def _one(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
