"""Plain text from the HTML fragments that the fields of the World Factbook are written in."""

from __future__ import annotations

import html
import re
import unicodedata

_BREAK = re.compile(r"<\s*/?\s*(?:br|p|li|ul|ol|div|h\d|tr)\b[^>]*>|[\r\n]+", re.IGNORECASE)
# What most texts lack, which is told at a fraction of the price.
_BREAKING = re.compile(r"[<\r\n]")
_SPACED = re.compile(" [,;:.]")
_UNCLEAN = re.compile(r"[<&\t-\r\x1c-\x1f]|^ | (?:[ ,;:.]|$)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
_SPACE_BEFORE = re.compile(r"\s+([,;:.](?:\s|$))")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def clean_text(fragment: str) -> str:
    """Strip tags, resolve entities, make whitespace single; pieces between line breaks end in punctuation."""
    if fragment.isascii() and not _UNCLEAN.search(fragment):  # as nearly all are
        return fragment
    unescaped, text = _unescape(fragment), ""
    pieces = _BREAK.split(unescaped) if _BREAKING.search(unescaped) else [unescaped]
    for piece in filter(None, map(_plain, pieces)):
        if text:
            text += " " if text.endswith((".", ";", ":", ",", "!", "?")) else "; "
        text += piece
    return text


def _unescape(fragment: str) -> str:
    # Some fields were escaped twice (&amp;nbsp;).
    return html.unescape(html.unescape(fragment))


def _plain(piece: str) -> str:
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", _TAG.sub("", piece)))
    single = " ".join(text.split())
    return _SPACE_BEFORE.sub(r"\1", single) if _SPACED.search(single) else single
