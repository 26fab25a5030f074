"""Encoding a whole collection in bounded memory, in shards that a killed run leaves for the next one to go on from.

A shard holds a digest of its own bytes: one that is damaged is not used, and the next run encodes its items again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrievers import Encoder
from reml.contract.vectors import DenseVectors, Int64Array, MultiVectors, Representations, SparseVectors
from reml.devices.progress import tracked
from reml.files.atomic import MANIFEST, CorruptError, atomic_file, digest, locked, read_manifest, write_manifest
from reml.files.integrity.checked import reading
from reml.files.integrity.owned import Made, refuse_others
from reml.files.origin import Origin

KIND = "encoded items"
MADE = Made((MANIFEST, f"{'[0-9]' * 8}.safetensors"), KIND)
AGAIN = "Run again: its items are encoded again."
_LOG = logging.getLogger(__name__)
# Items encoded at a time: 6 MB of dense vectors of width 384, and what a kill costs at most.
SHARD = 4_096


def encode_collection(
    collection: Collection, encoder: Encoder, folder: Path, *, origin: Origin, size: int = SHARD
) -> list[Path]:
    """Encode every item into shards of `size` items in `folder`, and give them in row order.

    Shards that are there already are kept if they are of the same origin, and deleted if not; those that are damaged
    are encoded again. `LockedError` while another process encodes into the folder; `FileExistsError` if it holds other
    files.
    """
    refuse_others(folder, MADE)
    with locked(folder):
        shards = _finished(folder, origin)
        known = _mended(shards, collection, encoder, size)
        start = int(known[-1][-1]) + 1 if known else 0
        done, rest = sum(map(len, known)), collection.batches(size, start)
        parts = tracked(rest, "encode", unit="items", size=len, total=len(collection), done=done, of_parts=True)
        for number, items in enumerate(parts, start=len(shards)):
            shards.append(write_shard(folder / f"{number:08d}.safetensors", items, encoder))
    return shards


def read_shard(path: Path) -> tuple[Int64Array, Representations]:
    """Give the rows of a shard, ascending, and their vectors, of the kind that the encoder gave.

    `CorruptError` if it cannot be read.
    """
    tensors = _tensors(path)
    if "values" in tensors and "indptr" in tensors:
        return tensors["rows"], MultiVectors(tensors["indptr"], tensors["values"])
    if "values" in tensors:
        return tensors["rows"], DenseVectors(tensors["values"])
    width = int(tensors["width"][0])
    return tensors["rows"], SparseVectors(tensors["indptr"], tensors["dimensions"], tensors["weights"], width)


@dataclass(frozen=True)
class Shards:
    """The rows and vectors of shards, each read when it is its turn; may be iterated over more than once."""

    paths: Sequence[Path]

    def __iter__(self) -> Iterator[tuple[Int64Array, Representations]]:
        return map(read_shard, self.paths)


def sample(shards: Iterable[tuple[Int64Array, Representations]], count: int) -> DenseVectors:
    """Take at most `count` dense vectors, evenly spread over all shards: the same from the same. Reads them twice."""
    step = max(1, -(-sum(len(rows) for rows, _ in shards) // count))
    return DenseVectors(np.concatenate(list(_every(step, shards))))


def _tensors(path: Path) -> Mapping[str, np.ndarray]:
    content = path.read_bytes()
    with reading(path, AGAIN):
        known, now = _digests(content)
        if known not in {None, now}:
            raise CorruptError(f"{path} is not what was written. {AGAIN}")
        return load(content)


def _digests(content: bytes) -> tuple[str | None, str]:
    """Give the digest that a shard holds, if any, and that of its tensors, their names and forms as they are."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    kept = header.pop("__metadata__", {}).get("digest")
    return kept, digest(header, content[8 + size :])


def _mended(shards: Sequence[Path], collection: Collection, encoder: Encoder, size: int) -> list[Int64Array]:
    """Give the rows of shards; those that are damaged are encoded again, of the items between their neighbours."""
    every, found, end = collection.rows(), [_whole(shard) for shard in shards], 0
    made: list[Int64Array] = []
    for number, rows in enumerate(found):
        if rows is not None:
            made.append(rows)
        else:
            damaged, stop = _gap(found[number:], every, end + size)
            made.append(np.array_split(every[end:stop], damaged)[0])
            _LOG.warning("%s is damaged: its %d items are encoded again", shards[number], len(made[-1]))
            write_shard(shards[number], collection.get(made[-1]), encoder)
        end = int(np.searchsorted(every, made[-1][-1], side="right"))
    return made


def _gap(found: Sequence[Int64Array | None], every: Int64Array, end: int) -> tuple[int, int]:
    """Say how many shards, from the first, are damaged, and at which item they end. end: of the first if it is last."""
    for damaged, rows in enumerate(found):
        if rows is not None:
            return damaged, int(np.searchsorted(every, rows[0]))
    return 1, min(end, len(every))


def _whole(shard: Path) -> Int64Array | None:
    """Give the row ids of a shard, nothing if it is damaged."""
    try:
        return read_shard(shard)[0]
    except CorruptError:
        return None


def _every(step: int, shards: Iterable[tuple[Int64Array, Representations]]) -> Iterator[np.ndarray]:
    passed = 0
    for rows, vectors in shards:
        if not isinstance(vectors, DenseVectors):
            raise ValueError(f"a shard holds {type(vectors).__name__}; a sample is taken of dense vectors.")
        yield vectors.values[-passed % step :: step].copy()
        passed += len(rows)


def _finished(folder: Path, origin: Origin) -> list[Path]:
    shards = sorted(folder.glob("*.safetensors"))
    made = read_manifest(folder, KIND) if (folder / MANIFEST).is_file() else {}
    if any(made.get(name) != value for name, value in asdict(origin).items()):
        for path in shards:
            path.unlink()
        shards = []
        write_manifest(folder, KIND, asdict(origin))
    return shards


def write_shard(path: Path, items: Sequence[Item], encoder: Encoder) -> Path:
    """Write the rows of items, which are ascending, and their vectors, whole or not at all; give the path."""
    rows = np.array([item.row for item in items], dtype=np.int64)
    tensors = {"rows": rows, **_arrays(encoder.encode_items(items))}
    with atomic_file(path) as draft:
        draft.write_bytes(save(tensors, {"digest": _digests(save(tensors))[1]}))
    return path


def _arrays(vectors: Representations) -> dict[str, np.ndarray]:
    if isinstance(vectors, DenseVectors):
        return {"values": np.ascontiguousarray(vectors.values)}
    if isinstance(vectors, MultiVectors):
        return {"indptr": vectors.indptr, "values": np.ascontiguousarray(vectors.values)}
    width = np.array([vectors.width], dtype=np.int64)
    return {"indptr": vectors.indptr, "dimensions": vectors.dimensions, "weights": vectors.weights, "width": width}
