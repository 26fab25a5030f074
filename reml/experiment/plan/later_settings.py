"""Settings that came after experiments had been run: where they change nothing, they leave no trace.

What stages are named for is made of the settings as they were written. A new setting with a default would be a part of
it, and everybody's indexes and models would be made again. So a setting that is added to a class of an experiment is
named here with the value that leaves all as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reml.contract.examples import Json

# By the setting they are part of.
LATER: Mapping[str, Mapping[str, Json]] = {
    "training": {"chunk": None, "devices": 1, "sharded": False},
    "train": {"denoise": None, "rounds": None, "temperature": None},
    "feedback": {"refresh": None, "reembed": None},
}


def without_unset(written: Json, name: str = "") -> Json:
    """Leave the later settings out of `written`, the value of the setting `name`, where they change nothing."""
    if isinstance(written, Mapping):
        unset = LATER.get(name, {})
        kept = {key: value for key, value in written.items() if key not in unset or value != unset[key]}
        return {key: without_unset(value, key) for key, value in kept.items()}
    if isinstance(written, Sequence) and not isinstance(written, str):
        return [without_unset(value) for value in written]
    return written
