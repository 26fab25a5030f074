"""What settings take from environment variables: it is used, and what is written names the variable in its place.

`${oc.env:KILT_DATA}` in a configuration may stand for a path of this machine, or for a secret. Keys and digests are of
the value; folders' names, manifests, copies of settings and reports show `${oc.env:KILT_DATA}`, which can be run again
where the variable is set, and is the same setting on another machine. Numbers are written as they are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from reml.contract.examples import Json

# Shorter values are a part of other words: they are replaced only where they are all of a text.
SHORTEST = 4

_taken: Final[dict[str, str]] = {}


def take(name: str) -> str | None:
    """Give the value of a variable, which `without_values` replaces from now on; nothing if it is not set."""
    value = os.environ.get(name)
    if value:
        _taken[value] = name
    return value


def without_values(value: Json) -> Json:
    """Give JSON, or a text, with the names of variables in place of the values that settings took from them."""
    if isinstance(value, str):
        return without_value(value)
    if isinstance(value, Mapping):
        return {name: without_values(part) for name, part in value.items()}
    return [without_values(part) for part in value] if isinstance(value, list | tuple) else value


def without_value(text: str) -> str:
    """Give a text so; a value within it counts where no letter or digit goes on beside it."""
    if text in _taken:
        return shown(_taken[text])
    for value in sorted(_taken, key=len, reverse=True):
        if len(value) >= SHORTEST and value in text:
            text = shown(_taken[value]).join(re.split(rf"(?<!\w){re.escape(value)}(?!\w)", text))
    return text


def shown(name: str) -> str:
    """Write a variable as a configuration refers to it."""
    return f"${{oc.env:{name}}}"
