"""Plain text from the HTML fragments that the fields of the World Factbook are written in."""

from __future__ import annotations

import html
import re
import unicodedata

_BREAK = re.compile(r"<\s*/?\s*(?:br|p|li|ul|ol|div|h\d|tr)\b[^>]*>|[\r\n]+", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
_SPACE_BEFORE = re.compile(r"\s+([,;:.](?:\s|$))")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def clean_text(fragment: str) -> str:
    """Strip tags, resolve entities, make whitespace single; pieces between line breaks end in punctuation."""
    pieces = [_plain(piece) for piece in _BREAK.split(_unescape(fragment))]
    text = ""
    for piece in filter(None, pieces):
        if text:
            text += " " if text.endswith((".", ";", ":", ",", "!", "?")) else "; "
        text += piece
    return text


def _unescape(fragment: str) -> str:
    # Some fields were escaped twice (&amp;nbsp;).
    return html.unescape(html.unescape(fragment))


def _plain(piece: str) -> str:
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", _TAG.sub("", piece)))
    return _SPACE_BEFORE.sub(r"\1", " ".join(text.split()))
