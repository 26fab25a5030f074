"""The quick way from lines to judgements gives what the careful way gives, mistakes included."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.examples import Json
from reml.evaluation.judgement_lines import gold_of, guess_of
from reml.evaluation.judgements import Gold, Guess
from reml.files.typed_json import plain_json

texts = st.text(alphabet="aB 1\u00e9\ud800\u200b", max_size=3)
odd: st.SearchStrategy[Json] = st.sampled_from([None, True, 3, 10**30, 1.0, [], {}])
strings = st.one_of(texts, texts, texts, odd)


def objects(**fields: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Objects of which any field may be missing."""
    return st.one_of(st.fixed_dictionaries({}, optional=fields), st.fixed_dictionaries(fields), odd)


places = objects(wikipedia_id=strings, title=strings, text=strings, start_character=st.integers())
outputs = objects(answer=strings, provenance=st.one_of(st.lists(places, max_size=3), odd))
records = objects(id=strings, input=strings, output=st.one_of(st.lists(outputs, max_size=3), odd), meta=odd)


def result(read: Callable[[], Gold | Guess]) -> Gold | Guess | tuple[str, str]:
    try:
        return read()
    except (ValueError, RecursionError) as error:
        return type(error).__name__, str(error)


@given(records)
def test_a_line_gives_what_its_record_gives(record: Json) -> None:
    line = json.dumps(record)
    assert result(lambda: gold_of(line)) == result(lambda: Gold.parse(record))
    assert result(lambda: guess_of(line)) == result(lambda: Guess.parse(record))


@pytest.mark.parametrize(
    "value",
    [
        b'"\\ud83d\\ude00"',
        b'"\\ud800"',
        b'"\xc3\xa9"',
        b'"\x01"',
        b'"a", "text": "b"',
        b'"cut',
        b"NaN",
        b"1e999",
        b"[" * 100_000,
        b'"a"} ',
    ],
)
@pytest.mark.parametrize("field", [b"wikipedia_id", b"title", b"text", b"section"])
def test_odd_characters_are_read_or_refused_by_the_quick_way_as_by_the_careful_one(field: bytes, value: bytes) -> None:
    place = b'{"wikipedia_id": "1", "' + field + b'": ' + value + b"}"
    line = (b'{"id": "x", "input": "q", "output": [{"answer": "a", "provenance": [' + place + b"]}]}").decode()
    assert result(lambda: gold_of(line)) == result(lambda: Gold.parse(plain_json(line)))
    assert result(lambda: guess_of(line)) == result(lambda: Guess.parse(plain_json(line)))
