from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reml.text import word_kernel
from reml.text.word_kernel import WordNumbers
from reml.text.words import words

# Letters of one to four bytes, of scripts with spaces and without, digits of other scripts, marks, joiners, separators,
# the underscore, half a surrogate.
CHARACTERS = (
    "aB9_ .'-\n\0éßİıſΣς\u0301\u200d\u00ad·²½٣五々〇한\u3000\ufeff𝐀𝟘😀\U0010ffff\ud800\udfff\x7f\x80\u07ff\u0800\uffff"
    "ไทย้่ិកहि्दीカガ゛ーｶﾞＡ９\u1100\u1161\ufe0f\u200b"
)
TEXTS = st.lists(st.text(st.sampled_from(CHARACTERS) | st.characters(), max_size=40), max_size=8)


def _found(numbers: WordNumbers, texts: Sequence[str]) -> list[list[str]]:
    found, sizes = numbers.number(texts)
    known = numbers.since(0)
    flat = iter(found.tolist())
    return [[known[next(flat)] for _ in range(size)] for size in sizes.tolist()]


@settings(max_examples=400, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_finds_the_words_of_an_item(batches: list[list[str]]) -> None:
    numbers = WordNumbers()
    for texts in batches:
        assert _found(numbers, texts) == [words(text, singles=True) for text in texts]
    assert len(set(numbers.since(0))) == len(numbers)


def test_every_character_is_of_a_word_or_not_as_the_rules_say() -> None:
    texts = [f"a{chr(point)}{chr(point)} b {chr(point)}" for point in range(0, sys.maxunicode + 1, 7)]
    whole = [" ".join(texts[start::16]) for start in range(16)]
    assert _found(WordNumbers(), whole) == [words(text, singles=True) for text in whole]


def test_numbers_words_in_the_order_they_are_met() -> None:
    numbers = WordNumbers()
    found, sizes = numbers.number(["to be or not to be", "", "a be"])
    assert (found.tolist(), sizes.tolist()) == ([0, 1, 2, 3, 0, 1, 1], [6, 0, 1])
    assert numbers.number(["not yet"])[0].tolist() == [3, 4]
    assert numbers.since(3) == ["not", "yet"]
    assert numbers.since(5) == []


def test_words_that_are_kept_as_bytes_and_as_hashes_are_told_apart() -> None:
    eight = ["aaaaaaaa", "aaaaaaab", "éééé", "éééè"]
    met = [word[:end] for word in eight for end in (-1, len(word))] + [word + tail for word in eight for tail in "ab"]
    distinct = list(dict.fromkeys(met))
    numbers = WordNumbers()
    assert _found(numbers, [" ".join(met)]) == [met]
    assert numbers.since(0) == distinct
    assert numbers.number([" ".join(distinct)])[0].tolist() == list(range(len(distinct)))


def test_grows_and_tells_words_apart_that_share_slots() -> None:
    numbers = WordNumbers()
    distinct = [f"{number:x}z" + number % 3 * "longer" for number in range(3 * word_kernel.FEWEST_SLOTS)]
    for start in range(0, len(distinct), 100):
        numbers.number([" ".join(distinct[start : start + 100])])
    assert numbers.since(0) == distinct
    assert numbers.number([" ".join(distinct)])[0].tolist() == list(range(len(distinct)))
    assert numbers.number(["q" * 100_000])[0].tolist() == [len(distinct)]


def test_finds_the_words_of_real_text(shared: Path) -> None:
    with gzip.open(shared / "ir" / "scifact" / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line, _ in zip(lines, range(1000), strict=False)]
    assert sum(map(len, texts)) > 1_000_000
    assert _found(WordNumbers(), texts) == [words(text, singles=True) for text in texts]
