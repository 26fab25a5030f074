"""Finds the words of texts, as `reml.text.words` says what they are, and numbers them, at the speed of compiled code.

The kernel reads UTF-8 and keeps the distinct words in a hash table, so that no string is made for a word that was met
before. It is given texts in which words are runs of characters of a word (`reml.text.words.folded`).
"""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import regex

from reml.contract.vectors import Int32Array, Int64Array
from reml.index.compiling import kernel, part
from reml.text.words import LETTERS, PAIRED, folded

Bytes = npt.NDArray[np.uint8]
Keys = npt.NDArray[np.uint64]
Lengths = npt.NDArray[np.uint8]
SEED, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # FNV-1a
# Spreads keys over slots: 2**64 divided by the golden ratio (Knuth, The Art of Computer Programming 3, section 6.4).
SPREAD = np.uint64(0x9E3779B97F4A7C15)
SHORT = 8
FEWEST_SLOTS = 1 << 12


class WordTable(NamedTuple):
    """Distinct words in an open-addressing table, and the words' bytes one behind the other.

    slots: uint64 [a power of two, 2], the key of a word and its mark, or 0 and 0: side by side, so that a word is found
    with one look into memory. starts: int64, letters: uint8, word n being `letters[starts[n]:starts[n + 1]]`. size:
    int64 [1], how many words there are; the arrays have room for more.

    The key of a word of up to `SHORT` bytes is these bytes, which tell it from all others as none is 0; of a longer one
    their hash. The mark is twice the word's number counted from 1, and 1 more for a longer one.
    """

    slots: Keys
    starts: Int64Array
    letters: Bytes
    size: Int64Array


class FoundWords(NamedTuple):
    """The words of one text in order, with room for more: uint64 keys, and int64, where each begins and ends."""

    keys: Keys
    begins: Int64Array
    ends: Int64Array


class WordNumbers:
    """Numbers distinct words 0, 1, 2, ... in the order they are met."""

    def __init__(self) -> None:
        size = FEWEST_SLOTS
        self._table = WordTable(
            slots=np.zeros((size, 2), dtype=np.uint64),
            starts=np.zeros(size + 1, dtype=np.int64),
            letters=np.empty(size, dtype=np.uint8),
            size=np.zeros(1, dtype=np.int64),
        )

    def __len__(self) -> int:
        return int(self._table.size[0])

    def number(self, texts: Sequence[str]) -> tuple[Int32Array, Int64Array]:
        """Give the numbers of all words of items' texts, one text behind the other, and how many each text has."""
        encoded = [folded(text, singles=True).encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum(np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)))
        letters = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        numbers, sizes, self._table = _number_words(letters, ends, _lengths(), self._table)
        return numbers, sizes

    def since(self, number: int) -> list[str]:
        """Give the words from this number on."""
        starts = self._table.starts[number : len(self) + 1].tolist()
        letters = self._table.letters[starts[0] : starts[-1]].tobytes()
        bounds = [start - starts[0] for start in starts]
        return [letters[low:high].decode() for low, high in itertools.pairwise(bounds)]


@functools.cache
def _lengths() -> Lengths:
    """Say of each code point what it adds to the length of a word, which must be 2 or more: 0 where it is in none."""
    lengths: Lengths = _matching(f"[{LETTERS}]", "a", np.arange(sys.maxunicode + 1)).astype(np.uint8)
    (letters,) = np.nonzero(lengths)
    lengths[letters] += _matching(f"(?V1){PAIRED}", "京", letters)
    return lengths


def _matching(pattern: str, one: str, points: Int64Array) -> npt.NDArray[np.bool_]:
    """Say of code points whether a pattern matches them, as it does `one`."""
    characters = points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    marked = regex.sub(pattern, one, characters).encode("utf-32-le", "surrogatepass")
    matching: npt.NDArray[np.bool_] = np.frombuffer(marked, dtype="<u4") == ord(one)
    return matching


@kernel
def _number_words(
    text: Bytes, ends: Int64Array, lengths: Lengths, table: WordTable
) -> tuple[Int32Array, Int64Array, WordTable]:  # pragma: no cover - compiled
    """Find the words of texts that end at `ends`: (all numbers, how many of each text, the table with new words)."""
    numbers = np.empty(len(text) // 2 + 1, dtype=np.int32)
    sizes = np.zeros(len(ends), dtype=np.int64)
    words = _room_for_words(ends)
    start = found = 0
    for row in range(len(ends)):
        table = _with_room(table, ends[row] - start)
        # First all words of a text, then all their numbers: the looks into memory need not wait for one another.
        sizes[row] = _find_words(text, start, ends[row], lengths, words)
        _number_found(text, words, table, numbers[found : found + sizes[row]])
        found += sizes[row]
        start = ends[row]
    return numbers[:found].copy(), sizes, table


@part
def _room_for_words(ends: Int64Array) -> FoundWords:  # pragma: no cover - compiled
    longest = start = 0
    for end in ends:
        longest, start = max(longest, end - start), end
    most = longest // 2 + 1
    return FoundWords(np.empty(most, dtype=np.uint64), np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64))


@part
def _find_words(
    text: Bytes, start: int, end: int, lengths: Lengths, words: FoundWords
) -> int:  # pragma: no cover - compiled
    """Write the words of one text, and give how many there are."""
    keys, begins, ends = words
    found, place = 0, start
    while place < end:
        begin, length, packed, hashed = place, 0, np.uint64(0), SEED
        point, width = _decode(text, place)
        while lengths[point]:
            for letter in range(place, place + width):
                packed = packed << np.uint64(8) | np.uint64(text[letter])
                hashed = (hashed ^ np.uint64(text[letter])) * PRIME
            length += lengths[point]
            place += width
            if place >= end:
                break
            point, width = _decode(text, place)
        if length > 1:
            keys[found] = packed if place - begin <= SHORT else hashed
            begins[found], ends[found] = begin, place
            found += 1
        place += width
    return found


@functools.partial(part, inline=True)
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


@part
def _number_found(
    text: Bytes, words: FoundWords, table: WordTable, numbers: Int32Array
) -> None:  # pragma: no cover - compiled
    """Write the numbers of the first `len(numbers)` words; new words are put into the table, where there is room.

    One function, as numba counts references to each array that it hands on for a word.
    """
    keys, begins, ends = words
    slots, starts, letters, size = table
    for word in range(len(numbers)):
        key, begin, end = keys[word], begins[word], ends[word]
        long = np.uint64(end - begin > SHORT)
        slot = _first_slot(key, len(slots))
        while slots[slot, 1] != 0:
            if slots[slot, 0] == key and slots[slot, 1] & np.uint64(1) == long:
                number = np.int64(slots[slot, 1] >> np.uint64(1)) - 1
                if not long or _same(letters, starts[number], starts[number + 1], text, begin, end):
                    break
            slot = (slot + np.uint64(1)) & np.uint64(len(slots) - 1)
        else:
            start, stop = starts[size[0]], starts[size[0]] + end - begin
            for place in range(end - begin):
                letters[start + place] = text[begin + place]
            size[0] += 1
            starts[size[0]] = stop
            slots[slot, 0], slots[slot, 1] = key, np.uint64(2 * size[0]) + long
        numbers[word] = np.int64(slots[slot, 1] >> np.uint64(1)) - 1


@part
def _same(
    letters: Bytes, start: int, stop: int, text: Bytes, begin: int, end: int
) -> bool:  # pragma: no cover - compiled
    """Tell whether a word of the table is that of a text, which is not empty."""
    place, length = 0, end - begin if stop - start == end - begin else 0
    while place < length and letters[start + place] == text[begin + place]:
        place += 1
    return place == end - begin


@part
def _first_slot(key: np.uint64, size: int) -> np.uint64:  # pragma: no cover - compiled
    return key * SPREAD >> np.uint64(32) & np.uint64(size - 1)


@part
def _with_room(table: WordTable, length: int) -> WordTable:  # pragma: no cover - compiled
    """Give a table with room for all words of a text of this length, with at most half of the slots taken."""
    slots, starts, letters, size = table
    words, most = size[0], size[0] + length // 3 + 1
    if starts[words] + length > len(letters):
        letters = _longer(letters, 2 * (len(letters) + length))
    if 2 * most > len(slots):
        room = len(slots)
        while 2 * most > room:
            room *= 2
        starts, slots = _longer(starts, room + 1), _spread_again(slots, room)
    return WordTable(slots, starts, letters, size)


@part
def _spread_again(slots: Keys, size: int) -> Keys:  # pragma: no cover - compiled
    """Give more slots that hold the same words."""
    spread = np.zeros((size, 2), dtype=np.uint64)
    for place in range(len(slots)):
        key, mark = slots[place, 0], slots[place, 1]
        if mark != 0:
            slot = _first_slot(key, size)
            while spread[slot, 1] != 0:
                slot = (slot + np.uint64(1)) & np.uint64(size - 1)
            spread[slot, 0], spread[slot, 1] = key, mark
    return spread


@part
def _longer(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:  # pragma: no cover - compiled
    longer = np.empty(size, dtype=array.dtype)
    for place in range(len(array)):
        longer[place] = array[place]
    return longer
