"""Made-up words for term numbers, so that the tokenisers of all engines cut a text into the same terms.

The words have no vowel and three letters at least: none is a stop word, none is stemmed, none has punctuation. Small
numbers, which are common terms, have short words, as in languages.
"""

from __future__ import annotations

import itertools

LETTERS = "bcdfghjklmnpqrstvwxz"
SHORTEST = 3


def words(count: int) -> list[str]:
    """Give the words of the numbers 0 to `count - 1`."""
    every = (letters for size in itertools.count(SHORTEST) for letters in itertools.product(LETTERS, repeat=size))
    return ["".join(letters) for letters in itertools.islice(every, count)]
