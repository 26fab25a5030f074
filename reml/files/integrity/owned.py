"""Whose folder it is: a writer replaces or sweeps only what it made itself.

A folder may be written over if it is not there, is empty, or holds nothing but files of the names that its maker gives
them and, where the maker writes a manifest, one of its kind. Files in it that nobody of us made are the user's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from reml.contract.arguments.paths import takes_paths
from reml.files.replacing.drafts import HELD, is_draft

MANIFEST = "manifest.json"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Made:
    """What a maker of folders writes.

    names: patterns of the paths of its files in the folder, in which a star stands for any letters, slashes too. kind:
    of its manifest, which must then be there; "" for a maker that writes none, or writes it last.
    """

    names: tuple[str, ...]
    kind: str = ""

    @classmethod
    def like(cls, folder: Path) -> Made:
        """Take the names, and the kind of the manifest, from a folder that its maker has just written."""
        return cls(tuple(_escaped(name) for name in _leaves(folder)), _kind(folder / MANIFEST) or "")

    def also(self, other: Made) -> Made:
        """Give both their names, and this one's kind, or the other's where it has none."""
        return Made((*self.names, *other.names), self.kind or other.kind)


@takes_paths
def refuse_others(folder: Path, made: Made) -> None:
    """Raise `FileExistsError`, which names some of them, if a folder holds files that its maker did not make."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder} is not a folder. Name a new or an empty one.")
    leaves = sorted(_leaves(folder))
    others = [leaf for leaf in leaves if not any(fnmatchcase(leaf, name) for name in made.names)]
    if not others and leaves and made.kind and _kind(folder / MANIFEST) not in (made.kind, None):
        others = leaves
    if others:
        named = list(dict.fromkeys(_shown(leaf, made.names) for leaf in others))
        more = ", ..." if len(named) > _SHOWN else ""
        raise FileExistsError(f"{folder} holds other files ({', '.join(named[:_SHOWN])}{more}). Name an empty folder.")


def is_ours(name: str) -> bool:
    """Tell whether a hidden file is, by its name, one that writers leave beside their own: a lock, a draft."""
    # .nfs...: what NFS keeps of a file that is deleted while somebody reads it
    return name in {".lock", HELD} or is_draft(name) or name.startswith(".nfs")


def _leaves(folder: Path) -> Iterator[str]:
    """Give the paths in a folder of all files, and of empty folders with a slash behind, but those that are ours."""
    for inner, folders, files in os.walk(folder):
        where = Path(inner).relative_to(folder)
        folders[:] = [name for name in folders if not is_ours(name)]
        links = [name for name in folders if Path(inner, name).is_symlink()]
        for name in (*files, *links):
            if not is_ours(name):
                yield (where / name).as_posix()
        if not folders and not files and inner != str(folder):
            yield f"{where.as_posix()}/"


def _shown(leaf: str, names: tuple[str, ...]) -> str:
    """Name a file by its folder alone, if that is not one of the maker's."""
    top, _, inner = leaf.partition("/")
    return leaf if not inner or any(name.startswith(f"{top}/") for name in names) else top


def _kind(manifest: Path) -> str | None:
    """Give the kind that a manifest says, "" where there is none, and nothing where it cannot be read as one.

    Such a one is damaged, and a folder of our names with a damaged manifest is ours.
    """
    try:
        content = json.loads(manifest.read_bytes())
    except FileNotFoundError:
        return ""
    except ValueError:
        return None
    kind = content.get("kind") if isinstance(content, dict) else None
    return kind if isinstance(kind, str) else "?"


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
