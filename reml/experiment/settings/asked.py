"""What a stage was made from, as its manifest says it: told when it is made, and compared when it is found again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from reml.contract.examples import Json
from reml.files.atomic import CorruptError, digest
from reml.files.environment import shown, without_value, without_values


def made_from(folder: Path, name: str, depends: Json) -> dict[str, Json]:
    """Give what the manifest of a stage says of what it is made from; no value of an environment variable."""
    key = digest(folder.parent.name, depends)
    return {"name": without_value(name), "key": key, "depends": without_values(depends)}


def check_asked(folder: Path, key: str, manifest: Mapping[str, Json]) -> None:
    """Raise `CorruptError` for a stage that was made from something else than what has this key, as one renamed."""
    depends = manifest.get("depends")
    hidden = shown("").removesuffix("}") in json.dumps(depends)  # what was hidden has another digest
    told = manifest.get("key", key)
    if told != key or not (hidden or digest(folder.parent.name, depends) == key):
        raise CorruptError(
            f"{folder} was made from other settings than those that its name stands for, so it is not used. Its "
            "manifest.json says from which, under `depends`. Move the folder elsewhere, and it is made anew; or name "
            "another home, by --home or REML_HOME."
        )
