"""Text as it can be shown: what is written in names, ids, titles and paths is never a command to a terminal.

Escape sequences move its cursor and change its colours; some signs turn the direction of the text beside them; the end
of a line begins another one; half a surrogate pair, and letters that its encoding lacks, cannot be written at all.
"""

from __future__ import annotations

import re

# Controls (Cc), line and paragraph separators (Zl, Zp), halves of surrogate pairs (Cs), and Unicode's Bidi_Control.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str, encoding: str = "utf-8", *, keep: str = "") -> str:
    r"""Show a text in one line of signs that can be seen: what cannot is written as Python writes it, such as `\x1b`.

    encoding: what it must be possible to write it in. keep: signs that are left as they are, such as a line's end.
    """
    shown = _UNSEEN.sub(lambda found: found[0] if found[0] in keep else _escaped(found[0]), text)
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
