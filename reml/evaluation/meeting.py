"""Ids of two files that should meet and do not, because each writes them in a way of its own.

Writings that are told as one: capitals, leading zeros, `1.0` for 1, percent encoding (once or more), `_` for a space,
composed and decomposed letters, a byte order mark, NUL; and for whole files that share nothing, all signs but letters
and digits, and the folders and the suffix of a file's name.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import Final
from urllib.parse import unquote

_SPACES: Final = re.compile(r"[\s_\0\ufeff]+")
_LEADING_ZEROS: Final = re.compile(r"(?<![\d.])0+(?=\d)")
_DECIMAL: Final = re.compile(r"(\d+)\.0+")
_SIGNS: Final = re.compile(r"[\W_]+")
_SUFFIX: Final = re.compile(r"(?<=.)\.[A-Za-z]\w{0,4}$")
_SHOWN = 3
_COMPARED, _COMPARED_WITH = 100, 1_000
_LENGTH = 80
_KEPT = 10_000

Pair = tuple[str, str]


class Watch:
    """Watches whether ids that go by are among those wanted; until one is, some of them are kept."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = wanted
        self._strange: dict[str, None] = {}
        self._met = False

    def see(self, ids: Iterable[str]) -> None:
        """Look at some ids."""
        for one in () if self._met else ids:
            self._met = self._met or one in self._wanted
            if len(self._strange) < _KEPT:
                self._strange[one] = None

    def apart(self) -> str:
        """Show the nearest ids if none was wanted and they are written in another way; else nothing."""
        if self._met or not self._strange or not self._wanted or not differ_in_writing(self._strange, self._wanted):
            return ""
        return beside(self._strange, self._wanted)


def form(identifier: str) -> str:
    """Give what an id has in common with its other writings."""
    if identifier.isdigit() and identifier.isascii():
        return identifier.lstrip("0") or "0"
    for _ in range(3):
        identifier = unquote(identifier)
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", identifier).casefold()).strip()
    whole = _DECIMAL.fullmatch(text)
    return _LEADING_ZEROS.sub("", whole[1] if whole else text)


def alike(ours: Iterable[str], theirs: Iterable[str], key: Callable[[str], str] = form) -> list[Pair]:
    """Pair each of their ids with one of ours of the same form, where there is one."""
    known = {found: one for one in ours if (found := key(one))}
    return [(known[found], one) for one in theirs if (found := key(one)) in known]


def differ_in_writing(ours: Collection[str], theirs: Collection[str]) -> bool:
    """Tell whether ids that share nothing must be two writings: some are alike, or those of one file alone are numbers.

    A system may well miss all that is right; but not by naming pages in another way than those who judged.
    """
    numbers = [[one.isdigit() for one in ids] for ids in (ours, theirs)]
    one_alone = any(all(these) and not any(those) for these, those in (numbers, reversed(numbers)))
    return one_alone or bool(alike(ours, theirs, _bare))


def beside(ours: Collection[str], theirs: Collection[str]) -> str:
    """Show the nearest ids of two files that share none, as `'001' and '1', 'x' and 'X'`, or the first of each."""
    if pairs := nearest(ours, theirs):
        return f"the nearest are {', '.join(f'{cut(one)} and {cut(other)}' for one, other in pairs[:_SHOWN])}"
    return f"there are {first_of(ours)} and {first_of(theirs)}"


def nearest(ours: Collection[str], theirs: Collection[str]) -> list[Pair]:
    """Pair their ids with those of ours that are likely the same in another writing, or resemble them most."""
    written = (pairs for key in (form, _bare, _file) if (pairs := alike(ours, theirs, key)))
    return next(written, None) or _resembling(ours, theirs)


def _bare(identifier: str) -> str:
    return _SIGNS.sub("", form(identifier))


def _file(identifier: str) -> str:
    """Give the name of a file without folders and suffix: `notes/chad.txt` is `chad`."""
    return form(_SUFFIX.sub("", identifier.rstrip("/").rpartition("/")[2]))


def _resembling(ours: Collection[str], theirs: Collection[str]) -> list[Pair]:
    known = [one for one in islice(ours, _COMPARED_WITH) if len(one) <= _LENGTH]
    others = (one for one in islice(theirs, _COMPARED) if len(one) <= _LENGTH)
    found = ((difflib.get_close_matches(one, known, n=1), one) for one in others)
    return list(islice(((near[0], one) for near, one in found if near), _SHOWN))


def first_of(ids: Collection[str]) -> str:
    """Show the first of some ids."""
    return ", ".join(map(cut, islice(ids, _SHOWN)))


def cut(identifier: str) -> str:
    """Show an id, however long it is."""
    return repr(identifier) if len(identifier) <= _LENGTH else f"{identifier[:_LENGTH]!r}..."
