"""What counts as a word of a passage, and which paragraphs of a page hold no statement.

A word is what stands between white space. In a paragraph that is mostly of scripts that put no spaces between words,
two of their letters are one, and of other characters up to 20; and so in a stretch of more than 300 characters without
white space, which is no word of any script.
"""

from __future__ import annotations

import re

import regex

from reml.text.words import UNSPACED

HEADING = "Section::::"
# Characters of a stretch that may be one word.
LONGEST = 300
# Tibetan puts spaces between sentences only.
_SCRIPTS = rf"{UNSPACED}\p{{Tibetan}}"
_LETTER = rf"[{_SCRIPTS}&&\p{{L}}]"
_SPACE = r"\s\x1c-\x1f"  # what `str.split` and `re` take for white space
_PIECE = rf"(?:{_LETTER}[^\p{{L}}\p{{N}}_{_SPACE}]{{0,20}}+){{1,2}}|(?:(?!{_LETTER})[^{_SPACE}]){{1,20}}\p{{M}}*+"
PIECES = regex.compile(rf"(?V1){_PIECE}")
WORDS = regex.compile(rf"(?V1)(?=[^{_SPACE}]{{{LONGEST + 1}}})(?:{_PIECE})|[^{_SPACE}]++")
_OF_SCRIPTS = regex.compile(f"[{_SCRIPTS}]")
# None of their characters is outside, so that most texts are told at a glance.
_MAY_BE = re.compile("[\u0e00-\u1dff\u2e80-\U0010ffff]")


def words_of(text: str) -> list[tuple[int, int]]:
    """Give where the words of a text begin and end, as passages count them."""
    return [word.span() for word in (PIECES if is_unspaced(text) else WORDS).finditer(text)]


def count_words(text: str) -> int:
    """Count the words of a text, as passages do."""
    stretches = text.split()
    if max(map(len, stretches), default=0) <= LONGEST and not is_unspaced(text):
        return len(stretches)
    return len(words_of(text))


def is_unspaced(paragraph: str) -> bool:
    """Say whether a paragraph is mostly of scripts that put no spaces between words."""
    if paragraph.isascii() or _MAY_BE.search(paragraph) is None:
        return False
    return 2 * len(_OF_SCRIPTS.findall(paragraph)) > len(paragraph)
