"""JSON decoded straight into typed structs of msgspec, whose complaints become sentences that show the value.

All JSON that users give is read here. What programs read in different ways is refused: a key that comes twice in one
object (the last or the first counts), NaN and Infinity, and numbers that are too large to be one.
"""

from __future__ import annotations

import difflib
import functools
import json
import logging
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn, TypeVar, cast

import msgspec

from reml.contract.examples import Json

Value = TypeVar("Value")

_LOG = logging.getLogger(__name__)
# The keys that are read of an object, each with those of the objects in it, `None` where any may be.
Keys = Mapping[str, "Keys | None"]

_COMPLAINT: Final = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_ESCAPED_COLON: Final = rb"\u003"  # or a few characters like it
_KINDS: Final = {
    "str": "a string",
    "int | float": "a number",
    "int | str": "a string or an integer",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
# How lists of these keys are written, in pages and records.
_LISTS: Final[Mapping[str | int, str]] = {
    "text": '["Title", "Paragraph."]',
    "output": '[{"answer": "..."}]',
    "provenance": '[{"wikipedia_id": "..."}]',
}


class NotJsonError(ValueError):
    """A text is no JSON that all programs read alike; the message says where it goes wrong."""


class MisfitError(ValueError):
    """A JSON value is not of the type that is asked for; the message says where, what is allowed and what was given."""


def decode_json(text: str, decoder: msgspec.json.Decoder[Value], whole: str) -> Value:
    """Decode JSON into what a decoder makes; `whole` names all of it in messages, such as "the record".

    Raises `MisfitError` for a value of another type, `NotJsonError` as `plain_json`.
    """
    try:
        value = decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return convert_json(plain_json(text), decoder.type, whole)
    check_json(text)
    return value


def plain_json(text: str) -> Json:
    """Decode JSON; `NotJsonError` says where there is none, or names a key given twice or a number that is none."""
    try:
        return cast(Json, _CAREFULLY.decode(text))
    except json.JSONDecodeError as error:
        raise NotJsonError(f"not JSON ({error.msg} at character {error.pos + 1}): {text[:60]!r}.") from error
    except NotJsonError:
        raise
    except RecursionError as error:
        raise NotJsonError(f"not JSON that can be read (nested too deeply): {text[:60]!r}.") from error
    except ValueError as error:
        most = f"a whole number of more than {sys.get_int_max_str_digits():,} digits"
        raise NotJsonError(f"not JSON that can be read ({most}): {text[:60]!r}.") from error


def check_json(text: str) -> None:
    """Refuse what `plain_json` refuses of JSON that a decoder of msgspec has read, in about two thirds of its time.

    Of keys that come twice only the last is decoded: written again, the JSON has fewer colons.
    """
    data = text.encode()
    try:
        again = msgspec.json.encode(_anything(text))
    except (msgspec.DecodeError, RecursionError):
        again = b""
    if again.count(b":") != data.count(b":") or not again or _ESCAPED_COLON in data:
        plain_json(text)


class Spelling:
    """Warns, once a file and key, of keys which nothing reads that are nearly one that is read and is not there.

    Other keys may be: records of KILT's have more than is read.
    """

    def __init__(self, path: Path, known: Keys) -> None:
        self._path, self._known = path, known
        self._seen: list[tuple[str, str]] = []
        self._said: set[str] = set()

    def watching(self, decode: Callable[[str], Value]) -> Callable[[str], Value]:
        """Give the same decoder of lines, which has keys looked at."""

        def decoded(text: str) -> Value:
            value = careful(text)
            self._seen = _misspelt(text, self._known)
            return value

        careful = hinted(decode, self._known)
        return decoded

    def say(self, number: int) -> None:
        """Warn of what was seen in the line that was decoded last, whose number this is."""
        for key, near in self._seen:
            if key not in self._said:
                _LOG.warning(
                    "%s, line %d: the key %r is passed over; did you mean %r? Rename it if so.",
                    *(self._path, number, key, near),
                )
            self._said.add(key)


def hinted(decode: Callable[[str], Value], known: Keys) -> Callable[[str], Value]:
    """Give the same decoder of lines; where it refuses one, its `ValueError` says which key may be misspelt."""

    def decoded(text: str) -> Value:
        try:
            return decode(text)
        except ValueError as error:
            for key, near in _misspelt(text, known):
                raise ValueError(f"{str(error).removesuffix('.')}; is {key!r} meant to be {near!r}?") from error
            raise

    return decoded


@functools.lru_cache(maxsize=1)  # a line is looked at twice: for keys that come twice, and for misspelt ones
def _anything(text: str) -> Json:
    """Decode JSON, for looking at; `msgspec.DecodeError` or `RecursionError` where that is impossible."""
    return cast(Json, msgspec.json.decode(text))


def _misspelt(text: str, known: Keys) -> list[tuple[str, str]]:
    try:
        return [*_nearly(_anything(text), known)]
    except (msgspec.DecodeError, RecursionError):
        return []


def _nearly(value: Json, known: Keys) -> Iterator[tuple[str, str]]:
    """Give each key that is nearly a known one, with that."""
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict):
            continue
        for key in () if one.keys() <= known.keys() else one.keys() - known.keys():
            lacking = {name.casefold(): name for name in known if name not in one}
            for near in difflib.get_close_matches(key.casefold(), lacking, n=1, cutoff=0.75):
                yield key, lacking[near]
        for key, inner in known.items():
            if inner is not None and key in one:
                yield from _nearly(one[key], inner)


def convert_json(value: Json, kind: type[Value], whole: str) -> Value:
    """Do as `decode_json` of a value that is decoded already."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise MisfitError(_sentence(str(error), value, whole)) from error


def shown_json(value: Json) -> str:
    """Show what was given, however long it is."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def each_once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Make an object of its pairs, for decoders; `NotJsonError` names a key given twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotJsonError(f"the key {twice!r} is given twice in one object: leave out one of the two.")
    return found


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        _refuse_constant(number)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise NotJsonError(f"not JSON ({name} is no number of it): write a finite number or null.")


_CAREFULLY: Final = json.JSONDecoder(object_pairs_hook=each_once, parse_float=_finite, parse_constant=_refuse_constant)


def _sentence(complaint: str, value: Json, whole: str) -> str:
    found = cast(re.Match[str], _COMPLAINT.fullmatch(complaint))
    steps = [key or int(number) for key, number in _STEP.findall(found["path"] or "")]
    missing = re.search(r"missing required field `(.*)`", found["what"])
    if missing is not None:
        return _lacks(missing[1], _at(value, steps), _place(steps, whole))
    given, allowed = _at(value, steps), re.search(r"Expected `(.*?)(?: \| null)?`", found["what"])
    if allowed is None or allowed[1] not in _KINDS:
        return f"{_place(steps, whole)}: {found['what']}; it is {shown_json(given)}."
    if given is None and steps and isinstance(steps[-1], str):
        return _lacks(steps[-1], _at(value, steps[:-1]), _place(steps[:-1], whole))
    form = _form(steps, allowed[1], given)
    return f"{_named(steps, allowed[1], whole)} must be {_KINDS[allowed[1]]}, not {shown_json(given)}{form}."


def _form(steps: Sequence[str | int], allowed: str, given: Json) -> str:
    """Say how a value is written that was written otherwise, where that is known."""
    if allowed == "array" and steps and steps[-1] in _LISTS:
        return f": write {_LISTS[steps[-1]]}"
    if allowed == "str" and isinstance(given, int | float) and not isinstance(given, bool):
        return f": write {json.dumps(str(given))}"
    return ""


def _lacks(key: str, holder: Json, place: str) -> str:
    keys = sorted(key for key, value in holder.items() if value is not None) if isinstance(holder, Mapping) else []
    return f"{place} has no {key!r}; its keys are {keys}."


def _named(steps: Sequence[str | int], allowed: str, whole: str) -> str:
    if not steps or isinstance(steps[-1], int) or allowed == "array":
        return _place(steps, whole)
    return f"{steps[-1]!r} of {_place(steps[:-1], whole)}"


def _place(steps: Sequence[str | int], whole: str) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return path.removeprefix(".") or whole


def _at(value: Json, steps: Sequence[str | int]) -> Json:
    for step in steps:
        value = cast(Json, value[step])  # type: ignore[index]  # msgspec went this way
    return value
