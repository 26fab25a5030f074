r"""Finds the words of texts, as the regular expression `WORDS` does, and numbers them, at the speed of compiled code.

A word is a run of two characters or more that `\w` matches in Python. The kernel reads UTF-8 and keeps the distinct
words in a hash table, so that no string is made for a word that was met before.
"""

from __future__ import annotations

import functools
import itertools
import re
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from reml.types import Int32Array, Int64Array

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
# What `WordNumbers` finds, as a regular expression.
WORDS = r"\b\w\w+\b"
SEED, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # FNV-1a
FEWEST_SLOTS = 1 << 12


class WordTable(NamedTuple):
    """Distinct words by their hashes: an open-addressing table, and the words' bytes one behind the other.

    slots: int32 [a power of two], the numbers of words, or -1. hashes: uint64, of each word. letters: uint8, word n
    being `letters[starts[n]:starts[n + 1]]`. size: int64 [1], how many words there are; the arrays have room for more.
    """

    slots: Int32Array
    hashes: npt.NDArray[np.uint64]
    starts: Int64Array
    letters: Bytes
    size: Int64Array


class WordNumbers:
    """Numbers distinct words 0, 1, 2, ... in the order they are met."""

    def __init__(self) -> None:
        size = FEWEST_SLOTS
        self._table = WordTable(
            slots=np.full(size, -1, dtype=np.int32),
            hashes=np.empty(size, dtype=np.uint64),
            starts=np.zeros(size + 1, dtype=np.int64),
            letters=np.empty(size, dtype=np.uint8),
            size=np.zeros(1, dtype=np.int64),
        )

    def __len__(self) -> int:
        return int(self._table.size[0])

    def number(self, texts: Sequence[str]) -> tuple[Int32Array, Int64Array]:
        """Give the numbers of all words of lower-case texts, one text behind the other, and how many each text has."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum(np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)))
        letters = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        numbers, sizes, self._table = _number_words(letters, ends, _word_characters(), self._table)
        return numbers, sizes

    def since(self, number: int) -> list[str]:
        """Give the words from this number on."""
        starts = self._table.starts[number : len(self) + 1].tolist()
        letters = self._table.letters[starts[0] : starts[-1]].tobytes()
        bounds = [start - starts[0] for start in starts]
        return [letters[low:high].decode() for low, high in itertools.pairwise(bounds)]


@functools.cache
def _word_characters() -> Flags:
    r"""Say of each code point whether `\w` matches it: asked of `re` itself."""
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    marked = re.sub(r"\w", "w", everything).encode("utf-32-le", "surrogatepass")
    flags: Flags = np.frombuffer(marked, dtype="<u4") == ord("w")
    return flags


@njit(cache=True, nogil=True)
def _number_words(
    text: Bytes, ends: Int64Array, is_word: Flags, table: WordTable
) -> tuple[Int32Array, Int64Array, WordTable]:  # pragma: no cover - compiled
    """Find the words of texts that end at `ends`: (all numbers, how many of each text, the table with new words)."""
    numbers = np.empty(len(text) // 2 + 1, dtype=np.int32)
    sizes = np.zeros(len(ends), dtype=np.int64)
    start = found = 0
    for row in range(len(ends)):
        table = _with_room(table, ends[row] - start)
        sizes[row] = _number_text(text, start, ends[row], is_word, table, numbers[found:])
        found += sizes[row]
        start = ends[row]
    return numbers[:found].copy(), sizes, table


@njit(cache=True, nogil=True)
def _number_text(
    text: Bytes, start: int, end: int, is_word: Flags, table: WordTable, numbers: Int32Array
) -> int:  # pragma: no cover - compiled
    """Write the numbers of the words of one text, and give how many there are."""
    found, place = 0, start
    while place < end:
        begin, characters, hashed = place, 0, SEED
        point, width = _decode(text, place)
        while is_word[point]:
            for letter in range(place, place + width):
                hashed = (hashed ^ np.uint64(text[letter])) * PRIME
            characters += 1
            place += width
            if place >= end:
                break
            point, width = _decode(text, place)
        if characters > 1:
            numbers[found] = _number_word(text, begin, place, hashed, table)
            found += 1
        place += width
    return found


@njit(cache=True, nogil=True, inline="always")
def _decode(text: Bytes, place: int) -> tuple[np.int64, int]:  # pragma: no cover - compiled
    """Read the code point at a place of valid UTF-8: (code point, number of bytes)."""
    lead = np.int64(text[place])
    if lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | np.int64(text[place + 1] & 0x3F), 2
    tail = np.int64(text[place + 1] & 0x3F) << 6 | np.int64(text[place + 2] & 0x3F)
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | tail, 3
    return (lead & 0x07) << 18 | tail << 6 | np.int64(text[place + 3] & 0x3F), 4


@njit(cache=True, nogil=True, inline="always")
def _number_word(
    text: Bytes, begin: int, end: int, hashed: np.uint64, table: WordTable
) -> int:  # pragma: no cover - compiled
    """Find a word in the table, or put it there under the next number: there is room."""
    slots, hashes, starts, letters, size = table
    mask = np.uint64(len(slots) - 1)
    slot = (hashed ^ hashed >> np.uint64(32)) & mask
    while slots[slot] >= 0:
        number = slots[slot]
        if hashes[number] == hashed and starts[number + 1] - starts[number] == end - begin:
            place = 0
            while place < end - begin and letters[starts[number] + place] == text[begin + place]:
                place += 1
            if place == end - begin:
                return int(number)
        slot = (slot + np.uint64(1)) & mask
    number, slots[slot], hashes[size[0]] = size[0], size[0], hashed
    letters[starts[number] : starts[number] + end - begin] = text[begin:end]
    starts[number + 1] = starts[number] + end - begin
    size[0] += 1
    return int(number)


@njit(cache=True, nogil=True)
def _with_room(table: WordTable, length: int) -> WordTable:  # pragma: no cover - compiled
    """Give a table with room for all words of a text of this length, with at most half of the slots taken."""
    slots, hashes, starts, letters, size = table
    words, most = size[0], size[0] + length // 3 + 1
    if starts[words] + length > len(letters):
        letters = _longer(letters, 2 * (len(letters) + length))
    if 2 * most > len(slots):
        room = len(slots)
        while 2 * most > room:
            room *= 2
        hashes, starts = _longer(hashes, room), _longer(starts, room + 1)
        slots = _slots(hashes[:words], room)
    return WordTable(slots, hashes, starts, letters, size)


@njit(cache=True, nogil=True)
def _slots(hashes: npt.NDArray[np.uint64], size: int) -> Int32Array:  # pragma: no cover - compiled
    slots = np.full(size, -1, dtype=np.int32)
    mask = np.uint64(size - 1)
    for number in range(len(hashes)):
        slot = (hashes[number] ^ hashes[number] >> np.uint64(32)) & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = number
    return slots


@njit(cache=True, nogil=True)
def _longer(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:  # pragma: no cover - compiled
    longer = np.empty(size, dtype=array.dtype)
    longer[: len(array)] = array
    return longer
