from __future__ import annotations

import msgspec
import pytest

from reml.files.typed_json import MisfitError, NotJsonError, convert_json, decode_json


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
