r"""What a word is, in any script: the one place where texts are cut into words.

A text is written in Unicode's composed canonical form (NFC), in lower case, with full-width forms in their ordinary
width and without characters that have no glyph (soft hyphens, joiners, variation selectors; not the zero-width space,
which parts words). Then

    a word        is a run of two letters, digits, underscores or marks, or more, that begins with none of the marks; so
                  marks belong to their letter, as in UAX #29
    without       letters of scripts that put no spaces between words are cut into pairs of neighbours, each with its
    spaces        marks, as in Lucene's CJKBigramFilter, and so is Hangul, whose particles stand at its words; a letter
                  that has no such neighbour is a word alone

A single letter or digit of all other scripts is no word. An index has each letter of a pair as well (`singles`), so
that a query of one letter finds it.

For texts in ASCII this is `re.findall(r"\w\w+", text.lower())`.
"""

from __future__ import annotations

import itertools
import re
import unicodedata

import regex

from reml.contract.examples import canonical

# Scripts that put no spaces between words: those whose lines are broken by dictionaries (SA) or syllables (AK, AS) in
# UAX #14, and those of East Asia.
UNSPACED = r"\p{lb=SA}\p{lb=AK}\p{lb=AS}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{Bopomofo}\p{Yi}"
LETTERS = r"\p{L}\p{N}\p{M}_"
# A letter that makes pairs. Digits of these scripts make words with their neighbours.
PAIRED = rf"[[{UNSPACED}\p{{Hangul}}]&&[\p{{L}}\p{{Nl}}]]"

# Outside of these nothing is to be done beyond NFC and lower case: no marks, nothing invisible, no pairs.
_MORE = re.compile(
    "[\u00ad\u0300-\u036f\u0483-\u0489\u0590-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u2c00-\uffff"
    "\U00010000-\U0010ffff]"
)
_INVISIBLE = regex.compile(r"(?V1)[\p{Default_Ignorable_Code_Point}--\u200b]+")
_WIDE = regex.compile(r"[\uff01-\uffee]+")
_NO_LETTERS_MARKS = regex.compile(rf"(?<![{LETTERS}])\p{{M}}+")
_CLUSTER = regex.compile(rf"(?V1){PAIRED}\p{{M}}*")
_RUN = regex.compile(rf"(?V1)(?:{PAIRED}\p{{M}}*)+")
_WORD = regex.compile(rf"(?V1)[{LETTERS}]{{2,}}|{PAIRED}")
_ASCII_WORD = re.compile(r"\w\w+")  # the same where there are no other letters, and faster
_LETTER_RUN = regex.compile(rf"[{LETTERS}]+")
_SIGN = regex.compile(rf"[^{LETTERS}\s]")
_OWN_SPACES = regex.compile(rf"[{UNSPACED}\p{{Hangul}}]")


def lowered(text: str) -> str:
    """Write a text in canonical form and in lower case, of which some has no canonical form of its own."""
    return text.lower() if text.isascii() else canonical(canonical(text).lower())


def folded(text: str, *, singles: bool = False) -> str:
    """Write a text so that its words are runs of `LETTERS`: pairs stand apart, with their letters if `singles`."""
    text = lowered(text)
    if text.isascii() or _MORE.search(text) is None:
        return text
    text = _WIDE.sub(lambda wide: unicodedata.normalize("NFKC", wide[0]), _INVISIBLE.sub("", text))
    # The lower case of the Turkish capital I with a dot keeps that dot beside the one of i.
    text = canonical(text.replace("i\u0307", "i"))
    cut: str = _RUN.sub(lambda run: _pairs(run[0], singles), _NO_LETTERS_MARKS.sub(" ", text))
    return cut


def words(text: str, *, singles: bool = False) -> list[str]:
    """Give the words of a text in order; with `singles` also the letters of which pairs are made."""
    written = folded(text, singles=singles)
    if written.isascii():
        return _ASCII_WORD.findall(written)
    found: list[str] = _WORD.findall(written)
    return found


def letter_runs(text: str) -> list[str]:
    """Give the runs of letters, digits and marks of a text in canonical form, single ones too, in order."""
    runs: list[str] = _LETTER_RUN.findall(canonical(text))
    return runs


def single_letters(text: str) -> list[str]:
    """Give the letters and digits of a text that are no words since they stand alone, in order."""
    return [run for run in letter_runs(folded(text)) if _WORD.fullmatch(run) is None]


def is_paired(word: str) -> bool:
    """Say whether a word is of a script that is cut into pairs."""
    return _RUN.fullmatch(word) is not None


def parts_word(text: str, place: int) -> bool:
    """Say whether a cut before this character leaves parts of one word on its sides, or a mark without its letter."""
    before, after = text[place - 1], text[place]
    if unicodedata.category(after)[0] == "M":
        return True
    inside = before.isalnum() or unicodedata.category(before)[0] == "M"
    return inside and after.isalnum() and _OWN_SPACES.search(before + after) is None


def has_signs(text: str) -> bool:
    """Say whether a text has more than letters, digits and spaces."""
    return _SIGN.search(text) is not None


def script(word: str) -> str:
    """Name the script of a word by its first letter, as Unicode's names of letters do; "" if it has none."""
    letter = next((character for character in word if character.isalpha()), "")
    return unicodedata.name(letter, "").partition(" ")[0].title().replace("Cjk", "Chinese") if letter else ""


def _pairs(run: str, singles: bool) -> str:
    letters: list[str] = _CLUSTER.findall(run)
    pairs = list(map("".join, itertools.pairwise(letters)))
    if not pairs or not singles:
        return f" {' '.join(pairs or letters)} "
    mixed = itertools.chain.from_iterable(zip(letters, pairs, strict=False))
    return f" {' '.join([*mixed, letters[-1]])} "
