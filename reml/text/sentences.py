"""Where sentences end, by one rule for all scripts and no model of any language.

A sentence ends
- at a blank line;
- at a full stop of a script that has one of its own (`。`, `।`, `؟`, `።` and their like), with or without white space,
  and with the quotes and brackets that close behind it; where some do, only before white space or what opens again;
- at `.`, `!`, `?` or `…`, with the quotes and brackets that close behind it, before white space and what can begin a
  sentence: no letter in lower case;
- in Thai and Lao, which have no full stop, at a space between two of their letters.

A full stop ends none behind an abbreviation (`Dr.`, `etc.`), an initial (`J. R. R. Tolkien`) or letters with stops
between them (`U.S.`, `a.m.`, `z.B.`), unless a word follows that mostly begins sentences (`The`, `He`, `Die`); none
behind `No.`, `pp.` or `Fig.` before a number; none behind a number that begins a sentence (`1. Introduction`) or counts
what follows (`3. Oktober`). Where this is wrong, two sentences mostly stay together: few are broken within a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import regex

_OWN: Final = "。！？｡．।॥؟۔։።፧፨။។៕༎།᠃⁇⁈⁉"
_CLOSING: Final = r"""["'”’»›)\]}」』】》〉）］｝〕]"""
_OPENING: Final = r"""["'“‘«‹(\[{「『【《〈（［｛〔¿¡–—-]"""
_SPACE: Final = r"[\s\x1c-\x1f]"
_THAI_OR_LAO: Final = r"[\p{Thai}\p{Lao}]"
_ENDS: Final = regex.compile(
    rf"""(?V1)(?P<blank>\n[^\S\n]*\n)
    |(?P<own>[{_OWN}]+)(?P<closed>{_CLOSING}*)
    |(?P<stop>[.!?…]+){_CLOSING}*(?={_SPACE}|$)
    |(?<={_THAI_OR_LAO})(?={_SPACE}+{_THAI_OR_LAO})""",
    regex.VERBOSE,
)
_GOES_ON: Final = regex.compile(rf"(?V1){_SPACE}*{_OPENING}*\p{{Ll}}")
_AGAIN: Final = regex.compile(rf"(?V1)$|{_SPACE}|{_OPENING}")
_NEXT: Final = regex.compile(rf"(?V1){_SPACE}*{_OPENING}*([\p{{L}}\p{{M}}’']+|\p{{N}})?")
_BEFORE: Final = regex.compile(r"(?V1)[^\s\x1c-\x1f]+$")
_DOTTED: Final = regex.compile(r"(?V1)(?:\p{L}{1,2}\.)*\p{L}|(?:\p{L}{1,2}\.)+\p{L}{1,2}")
_NUMBER: Final = regex.compile(r"(?V1)\d{1,3}|[ivxIVX]{1,4}|[A-Za-z]")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_ABBREVIATIONS: Final = _words(
    """mr mrs ms mx dr drs prof st ste mt ft gen col lt maj capt cmdr cdr sgt cpl pvt adm rev hon gov sen rep pres amb
    messrs mme mlle mgr fr br sr jr esq vs etc al inc ltd co corp bros dept univ assn est approx ca cf viz ibid op cit
    ed eds trans jan feb mar apr jun jul aug sept sep oct nov dec mon tue tues wed thu thur thurs fri sat sun ave blvd
    rd hwy bzw usw bspw evtl ggf hrsg hl sog vgl zzgl dipl ing str sra srta dra ud uds av avda núm pág гг им др тыс млн
    млрд руб ул св"""
)
_BEFORE_NUMBERS: Final = _words("no nos nr vol vols pp fig figs eq eqs sec sect ch chap art par bd abs aufl")
_COUNTED: Final = _words(
    """januar jänner februar märz april mai juni juli august september oktober november dezember jahrhundert
    jahrhunderts jahrtausend weltkrieg weltkriegs liga bundesliga klasse kapitel fc"""
)
_STARTERS: Final = _words(
    """the this that these those there it its he she his her they their we our you in on at as by for from after before
    when while where since during with without if although though however but and so then thus also another some many
    most both each all such under over between until because today later der die das ein eine er sie es im am le la les
    il elle ils elles un une el los las он она они это"""
)


def sentences(text: str) -> list[tuple[int, int]]:
    """Give where each sentence begins and ends, without the white space around it; none for a blank text."""
    found, start = list[tuple[int, int]](), 0
    for end in (*_ends(text), len(text)):
        first, last = _bare(text, start, end)
        if first < last:
            found.append((first, last))
        start = end
    return found


def _ends(text: str) -> Iterator[int]:
    start = 0
    for found in _ENDS.finditer(text):
        end = found.end()
        if found["own"]:
            ends = not found["closed"] or _AGAIN.match(text, end) is not None
        elif found["stop"]:
            ends = not _goes_on(text, start, found.start(), end, found["stop"])
        else:
            ends = True
        if ends:
            yield end
            start = end


def _goes_on(text: str, start: int, stop: int, end: int, sign: str) -> bool:
    """Tell whether a sentence from `start` goes on behind a stop."""
    if _GOES_ON.match(text, end):
        return True
    before = _BEFORE.search(text, start, stop)
    if sign != "." or before is None:
        return False
    word = before[0].lstrip("\"'“‘«‹([{¿¡–—-")
    if _NUMBER.fullmatch(word) and not text[start : before.start()].strip():
        return True
    following = _NEXT.match(text, end)
    following_word = (following[1] or "").lower() if following is not None else ""
    if word.lower() in _BEFORE_NUMBERS:
        return following_word.isdigit()
    if word.isdigit():
        return following_word in _COUNTED
    return (word.lower() in _ABBREVIATIONS or bool(_DOTTED.fullmatch(word))) and following_word not in _STARTERS


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
