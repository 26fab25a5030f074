"""A toy ranking task: a query shares no word with the item that answers it, so that only training can find it."""

from __future__ import annotations

import numpy as np

from reml.contract.examples import Example
from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array
from reml.testing import MemoryCollection

ASKED = ("car", "child", "doctor", "film", "house", "money", "ocean", "road", "sickness", "song", "stone", "war")
HELD = ("vehicle", "kid", "physician", "movie", "home", "cash", "sea", "street", "illness", "tune", "rock", "battle")
AROUND = ("a note on the {} of old", "the {} which nobody saw", "about one {} and its name")


def collection() -> MemoryCollection:
    """Three items for each pair of words: rows 3 n to 3 n + 2 answer query n. The last one has all queries."""
    texts = [text.format(word) for word in HELD for text in AROUND]
    return MemoryCollection([*texts, " ".join(["where", *ASKED])], [""] * (len(texts) + 1))


def examples() -> list[Example]:
    """One query for each pair."""
    return [Example(word, f"where is the {word}") for word in ASKED]


def teacher_hits() -> Hits:
    """What a teacher who knows finds: the three items of the pair, then those of the next pair; scores fall from 9."""
    first = 3 * np.arange(len(ASKED))[:, None]
    rows = (first + np.arange(6)) % (3 * len(HELD))
    return Hits(rows.astype(np.int64), np.tile(np.arange(9, 3, -1, dtype=np.float32), (len(ASKED), 1)))


def right_rows() -> list[Int64Array]:
    """The rows that answer each query."""
    return [np.arange(3 * number, 3 * number + 3, dtype=np.int64) for number in range(len(ASKED))]


def found(rows: Int64Array) -> float:
    """Give the share of queries whose first hit answers them, from hits [B, K]."""
    return float(np.mean(rows[:, 0] // 3 == np.arange(len(ASKED))))
