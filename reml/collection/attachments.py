"""Media and named fields of items as Arrow columns, there only in segments of which an item has some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

import pyarrow as pa

from reml.collection.passages import Passage
from reml.contract.examples import Media

_MEDIA = pa.list_(
    pa.struct([("kind", pa.string()), ("path", pa.string()), ("start", pa.float64()), ("stop", pa.float64())])
)
COLUMNS = {"media": _MEDIA, "fields": pa.map_(pa.string(), pa.string())}


def attached(passages: Sequence[Passage]) -> dict[str, pa.Array]:
    """Give the columns of what the passages have, none for what none of them has."""
    columns = {}
    if any(passage.media for passage in passages):
        columns["media"] = pa.array([[_written(medium) for medium in passage.media] for passage in passages], _MEDIA)
    if any(passage.fields for passage in passages):
        fields = [sorted(passage.fields.items()) for passage in passages]
        columns["fields"] = pa.array(fields, COLUMNS["fields"])
    return columns


def media_of(batch: pa.RecordBatch) -> Iterator[tuple[Media, ...]]:
    """Give the media of each row."""
    if "media" not in batch.schema.names:
        return repeat((), batch.num_rows)
    return (tuple(Media(**medium) for medium in media or ()) for media in batch.column("media").to_pylist())


def fields_of(batch: pa.RecordBatch) -> Iterator[dict[str, str]]:
    """Give the named fields of each row."""
    if "fields" not in batch.schema.names:
        return repeat({}, batch.num_rows)
    return (dict(fields or ()) for fields in batch.column("fields").to_pylist())


def _written(medium: Media) -> dict[str, str | float | None]:
    return {"kind": medium.kind, "path": medium.path, "start": medium.start, "stop": medium.stop}
