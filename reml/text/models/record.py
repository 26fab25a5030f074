"""The record of a model that was saved here: its kind, its settings, and its files as they were written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reml.contract.examples import Json
from reml.files.atomic import MANIFEST, atomic_folder, read_manifest, write_manifest
from reml.files.integrity.sealed import FILES, check_sealed, sealed
from reml.text.models.transformers_types import PreTrainedModel, PreTrainedTokenizerBase

AGAIN = (
    f"Take it again from where it came; if you changed it yourself, take `files` and `signature` out of the {MANIFEST} "
    "beside it."
)


def write_record(draft: Path, kind: str, settings: Mapping[str, Json] | None = None) -> None:
    """Put the files of a folder that is being written, and the settings, on record."""
    write_manifest(draft, kind, {**(settings or {}), FILES: sealed(draft)})


def save_model(folder: Path, kind: str, model: PreTrainedModel, tokeniser: PreTrainedTokenizerBase) -> None:
    """Write a transformers folder, on record."""
    with atomic_folder(folder) as draft:
        model.save_pretrained(draft)
        tokeniser.save_pretrained(draft)
        write_record(draft, kind)


def read_record(folder: Path, kind: str) -> dict[str, Json]:
    """Give the record of a model's folder, nothing of one that another program wrote.

    `CorruptError` if it is of another kind, or a file is not as it was written.
    """
    if not (folder / MANIFEST).is_file():
        return {}
    record = read_manifest(folder, kind)
    check_sealed(folder, record, again=AGAIN)
    return record
