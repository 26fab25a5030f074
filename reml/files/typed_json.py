"""JSON decoded straight into typed structs of msgspec, whose complaints become sentences that show the value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar, cast

import msgspec

from reml.contract.examples import Json

Value = TypeVar("Value")

_COMPLAINT: Final = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
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


class NotJsonError(ValueError):
    """A text is no JSON; the message says where it goes wrong."""


class MisfitError(ValueError):
    """A JSON value is not of the type that is asked for; the message says where, what is allowed and what was given."""


def decode_json(text: str, decoder: msgspec.json.Decoder[Value], whole: str) -> Value:
    """Decode JSON into what a decoder makes; `whole` names all of it in messages, such as "the record".

    All that Python's `json` reads is read, as it reads it. Raises `MisfitError` for a value of another type,
    `NotJsonError` where there is no JSON.
    """
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return convert_json(_plainly(text), decoder.type, whole)


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


def _plainly(text: str) -> Json:
    try:
        return cast(Json, json.loads(text))
    except json.JSONDecodeError as error:
        raise NotJsonError(f"not JSON ({error.msg} at character {error.pos + 1}): {text[:60]!r}.") from error
    except RecursionError as error:
        raise NotJsonError(f"not JSON ({error}): {text[:60]!r}.") from error


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
    return f"{_named(steps, allowed[1], whole)} must be {_KINDS[allowed[1]]}, not {shown_json(given)}."


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
