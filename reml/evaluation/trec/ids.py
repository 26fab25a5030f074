r"""Ids as they stand in a line of TREC's files: one reversible rule.

Readers part the fields of a line at white space, and some end a text at NUL or drop a byte order mark. Such a character
of an id is written as in JSON, `\u` and its code in four hexadecimal digits: `\u0020` for a space. All else stands as
it is, so that an id without white space is the same in judgements made elsewhere: `Lima_%28Peru%29`, `a%20b`, `50%`.
An id that holds such an escape itself has `005cu` put in after its `\u`, which reading takes away again: what is
written comes back, whatever it is.
"""

from __future__ import annotations

import functools
import re

# All characters that Python takes for white space, and so do the readers written in it; NUL; the byte order mark.
HIDDEN = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\0\ufeff"
)

_ESCAPED = r"\u005cu"
_CODES = "|".join(f"{ord(character):04x}" for character in HIDDEN)
_UNSAFE = re.compile(rf"[{HIDDEN}]|\\u(?=(?:005cu)*(?:{_CODES}))")
_WRITTEN = re.compile(rf"\\u(005cu)?((?:005cu)*(?:{_CODES}))")


@functools.lru_cache(maxsize=4096)  # a page is found for many questions
def encode_id(identifier: str) -> str:
    """Write an id so that it is one field; `ValueError` if it is empty or no text that a file can hold."""
    if not identifier:
        raise ValueError("an empty id or tag cannot stand in a TREC file; give it a name.")
    try:
        identifier.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the id {identifier!r} has half a surrogate pair: no file can hold it.") from error
    return _UNSAFE.sub(_escape, identifier)


def decode_id(field: str) -> str:
    """Give the id that `encode_id` wrote; a field of somebody else's without such an escape is the id itself."""
    return _WRITTEN.sub(_plain, field) if "\\u" in field else field


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    return _ESCAPED if len(character) > 1 else f"\\u{ord(character):04x}"


def _plain(found: re.Match[str]) -> str:
    return f"\\u{found[2]}" if found[1] else chr(int(found[2], 16))
