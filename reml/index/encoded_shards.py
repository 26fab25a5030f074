"""Encoding a whole collection in bounded memory, in shards that a killed run leaves for the next one to go on from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrievers import Encoder
from reml.contract.vectors import DenseVectors, Int64Array, MultiVectors, Representations, SparseVectors
from reml.devices.progress import tracked
from reml.files.atomic import MANIFEST, atomic_file, locked, read_manifest, write_manifest
from reml.files.integrity.checked import reading
from reml.files.integrity.owned import Made, refuse_others
from reml.files.origin import Origin

KIND = "encoded items"
MADE = Made((MANIFEST, f"{'[0-9]' * 8}.safetensors"), KIND)
AGAIN = "Delete its folder to have all of it encoded again."
# Items encoded at a time: 6 MB of dense vectors of width 384, and what a kill costs at most.
SHARD = 4_096


def encode_collection(
    collection: Collection, encoder: Encoder, folder: Path, *, origin: Origin, size: int = SHARD
) -> list[Path]:
    """Encode every item into shards of `size` items in `folder`, and give them in row order.

    Shards that are there already are kept if they are of the same origin, and deleted if not. `LockedError` while
    another process encodes into the folder; `FileExistsError` if it holds other files.
    """
    refuse_others(folder, MADE)
    with locked(folder):
        shards = _finished(folder, origin)
        start = int(_rows(shards[-1])[-1]) + 1 if shards else 0
        done, rest = sum(map(_size, shards)), collection.batches(size, start)
        parts = tracked(rest, "encode", unit="items", size=len, total=len(collection), done=done, of_parts=True)
        for number, items in enumerate(parts, start=len(shards)):
            shards.append(write_shard(folder / f"{number:08d}.safetensors", items, encoder))
    return shards


def read_shard(path: Path) -> tuple[Int64Array, Representations]:
    """Give the rows of a shard, ascending, and their vectors, of the kind that the encoder gave.

    `CorruptError` if it cannot be read.
    """
    with reading(path, AGAIN):
        tensors = load_file(path)
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


def _rows(shard: Path) -> Int64Array:
    """Read the row ids alone."""
    with reading(shard, AGAIN), safe_open(shard, "numpy") as file:
        rows: Int64Array = file.get_tensor("rows")
    return rows


def _size(shard: Path) -> int:
    return len(_rows(shard))


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
    with atomic_file(path) as draft:
        save_file({"rows": rows, **_arrays(encoder.encode_items(items))}, draft)
    return path


def _arrays(vectors: Representations) -> dict[str, np.ndarray]:
    if isinstance(vectors, DenseVectors):
        return {"values": np.ascontiguousarray(vectors.values)}
    if isinstance(vectors, MultiVectors):
        return {"indptr": vectors.indptr, "values": np.ascontiguousarray(vectors.values)}
    width = np.array([vectors.width], dtype=np.int64)
    return {"indptr": vectors.indptr, "dimensions": vectors.dimensions, "weights": vectors.weights, "width": width}
