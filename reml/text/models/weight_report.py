"""What loading left to chance, or left out, in one sentence: transformers goes on and prints a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reml.files.model_location import ModelError
from reml.text.models.kinds import Kind, matches
from reml.text.models.model_folder import WEIGHTS, ModelFolder

SHOWN = 3


def refuse_unfit(folder: ModelFolder, kind: Kind, report: Mapping[str, Any], new: str = "(?!)") -> None:
    """Raise `ModelError` naming the weights that are missing, left over or of another shape.

    report: what transformers calls loading info. new: a pattern of weights that are to be made new.
    """
    missing = [key for key in report["missing_keys"] if not matches(f"{kind.absent}|{new}", key)]
    if missing:
        raise _refusal(folder, kind, "lacks", missing, "which would be left to chance")
    shapes = {key: (list(there), list(wanted)) for key, there, wanted in report["mismatched_keys"]}
    if wrong := [key for key in shapes if not matches(new, key)]:
        there, wanted = shapes[wrong[0]]
        reason = f"{wrong[0]} is {there} there and {wanted} by config.json"
        raise _refusal(folder, kind, "does not fit config.json in", wrong, reason)
    if left := [key for key in report["unexpected_keys"] if not matches(kind.unused, key)]:
        raise _refusal(folder, kind, "holds", left, "for which the model of its config.json has no place")


def _refusal(folder: ModelFolder, kind: Kind, verb: str, keys: Collection[str], reason: str) -> ModelError:
    return ModelError(
        f"{folder.name!r}: {WEIGHTS} {verb} {_named(keys)}, {reason}. Get the whole model anew, or {kind.advice}."
    )


def _named(keys: Collection[str]) -> str:
    first = ", ".join(sorted(keys)[:SHOWN])
    return first if len(keys) <= SHOWN else f"{first} and {len(keys) - SHOWN} more weights"
