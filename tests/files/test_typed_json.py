from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.examples import Json
from reml.files.typed_json import MisfitError, NotJsonError, check_json, convert_json, decode_json, plain_json


class Inner(msgspec.Struct):
    count: int
    name: str | None = None


class Outer(msgspec.Struct):
    inners: list[Inner]
    share: int | float | None = None
    kind: str | int = ""


DECODER = msgspec.json.Decoder(Outer)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1]", "the thing must be an object, not [1]."),
        ("{}", "the thing has no 'inners'; its keys are []."),
        ('{"inners": null, "kind": "a"}', "the thing has no 'inners'; its keys are ['kind']."),
        ('{"inners": 3}', "inners must be a list, not 3."),
        ('{"inners": [{"count": 1}, "x"]}', 'inners[1] must be an object, not "x".'),
        ('{"inners": [{"count": 1.5}]}', "'count' of inners[0] must be an integer, not 1.5."),
        ('{"inners": [{"name": "a"}]}', "inners[0] has no 'count'; its keys are ['name']."),
        ('{"inners": [], "share": "much"}', "'share' of the thing must be a number, not \"much\"."),
        ('{"inners": [], "kind": true}', "'kind' of the thing must be a string or an integer, not true."),
    ],
)
def test_what_does_not_fit_is_named_with_its_place_and_value(text: str, told: str) -> None:
    with pytest.raises(MisfitError) as raised:
        decode_json(text, DECODER, "the thing")
    assert str(raised.value) == told


def test_a_long_value_is_cut() -> None:
    with pytest.raises(MisfitError, match=r"must be a list, not \"x{59}\.\.\.\.$"):
        convert_json({"inners": "x" * 1000}, Outer, "the thing")


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"inners": [}', "\x01"])
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises(NotJsonError, match="not JSON"):
        decode_json(text, DECODER, "the thing")


def test_what_fits_is_decoded() -> None:
    assert decode_json('{"inners": [{"count": 1}], "more": 2}', DECODER, "it") == Outer([Inner(1)])


TEXTS = st.text(alphabet='a":,{} \\\té<\u2028', max_size=4)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
SPACES = st.sampled_from([(", ", ": "), (",", ":"), (" ,\t", "\t :  "), (", ", " : ")])


@given(VALUES, SPACES, st.booleans())
def test_json_is_not_refused_however_it_is_written(value: Json, spaces: tuple[str, str], ascii_only: bool) -> None:
    text = json.dumps(value, separators=spaces, ensure_ascii=ascii_only).replace("<", "\\u003c")
    check_json(text)
    assert plain_json(text) == value


@given(VALUES, VALUES, VALUES, TEXTS, SPACES, SPACES, st.booleans())
def test_a_key_given_twice_is_refused_however_it_is_written(
    first: Json, between: Json, last: Json, key: str, spaces: tuple[str, str], others: tuple[str, str], escaped: bool
) -> None:
    name = json.dumps(key)
    again = '"' + "".join(f"\\u{ord(letter):04x}" for letter in key) + '"' if escaped else name
    one, two, three = (json.dumps(value, separators=spaces) for value in (first, between, last))
    text = f'{{"x": [{{{name}{spaces[1]}{one}{others[0]}"y": {two}, {again}{others[1]}{three}}}]}}'
    with pytest.raises(NotJsonError, match="is given twice in one object"):
        check_json(text)


@pytest.mark.parametrize(("text", "why"), [("1" * 5000, "more than 4,300 digits"), ("[" * 90_000, "nested too deeply")])
def test_what_is_too_large_to_be_read_is_said_in_words(text: str, why: str) -> None:
    with pytest.raises(NotJsonError, match=why):
        plain_json(text)
