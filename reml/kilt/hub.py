"""KILT's datasets from the Hugging Face hub, written as the files that KILT itself has: nothing else needs to know.

https://huggingface.co/datasets/facebook/kilt_tasks keeps them as tables. What a record of KILT leaves out stands there
as "", -1 or an empty list, a missing BLEU as 0, TriviaQA without its questions, and BLEU has the precision of float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from reml.contract.examples import Example, Json
from reml.files.fetching.downloads import DownloadError
from reml.files.records import RecordError, parse_record, write_examples
from reml.kilt.catalogue import Dataset

HUB = "facebook/kilt_tasks"
_SPLITS = {"train": "train", "dev": "validation", "test": "test"}
_BLANK: tuple[Json, ...] = (None, "", -1, [], {})
_BLANK_OF_KEY = (("bleu_score", 0.0), ("score", 0), ("annotation_id", "-1"))


def fetch_from_hub(dataset: Dataset, split: str, target: Path, *, repository: str = HUB) -> Path:
    """Write a split of a hub dataset to `target`, whole or not at all, in KILT's records; give `target`.

    repository: its name on the hub, or a folder laid out as it is there. What the hub sends is cached by the library
    `datasets`, where a stopped download goes on. `DownloadError` if it cannot be had, `RecordError` if a row is none of
    KILT's.
    """
    without_input = dataset.name == "triviaqa"
    rows = _rows(repository, "triviaqa_support_only" if without_input else dataset.name, _SPLITS[split])
    common: dict[str, Json] = {"input": ""} if without_input else {}
    write_examples(_examples(rows, common, f"{repository}, {dataset.name} {split}"), target)
    return target


def _rows(repository: str, configuration: str, split: str) -> Iterable[Mapping[str, Json]]:
    from datasets import load_dataset

    try:
        return cast(Iterable[Mapping[str, Json]], load_dataset(repository, configuration, split=split))
    except (OSError, ValueError) as error:  # offline, no such dataset, no such configuration or split
        raise DownloadError(
            f"the hub dataset {repository!r} ({configuration}, {split}) cannot be had ({error}). Is this machine "
            "offline? Without a hub, KILT's own servers have the same files."
        ) from error


def _examples(rows: Iterable[Mapping[str, Json]], common: Mapping[str, Json], place: str) -> Iterator[Example]:
    for number, row in enumerate(rows, start=1):
        try:
            yield parse_record({**common, **_without_blanks(row)})
        except RecordError as error:
            raise RecordError(f"{place}, row {number}: {error}") from error


def _without_blanks(row: Mapping[str, Json]) -> dict[str, Json]:
    """Leave out what the record of KILT left out."""
    kept = {key: _bare(value) for key, value in row.items()}
    return {key: value for key, value in kept.items() if value not in _BLANK and (key, value) not in _BLANK_OF_KEY}


def _bare(value: Json) -> Json:
    if isinstance(value, Mapping):
        return _without_blanks(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [bare for bare in map(_bare, value) if bare != {}]
    return value
