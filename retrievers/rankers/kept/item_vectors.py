"""The vectors of the items of a collection on disk, mapped into memory: items are scored without an encoder.

An item has any number of them: one, one for each token, or pairs of a dimension and its weight.

    rows.npy      row ids, int64 [N], ascending
    texts.npy     a digest of what was read of each item, uint64 [N]: an item that is shown otherwise is not found
    ends.npy      where the vectors of each item end, int64 [N + 1]
    codes.bin     the vectors, `size` bytes each
    book.safetensors  what the codes stand for

A folder is whole or not there: a killed build leaves nothing, and the next begins anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, Self, final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.vectors import Int64Array, MultiVectors
from reml.devices.progress import tracked
from reml.files.atomic import MANIFEST, StaleError, atomic_folder, digest, read_manifest, write_manifest
from reml.files.integrity.checked import reading
from reml.files.integrity.owned import Made
from reml.files.integrity.sealed import FILES, check_sealed, sealed
from reml.files.origin import Origin
from reml.retrievers.rankers.kept.compression import FORMS, AnyForm, Compression

KIND = "vectors of items"
AGAIN = "Delete that folder to have its items encoded again."
ARRAYS, CODES, BOOK = ("rows", "texts", "ends"), "codes.bin", "book.safetensors"
MADE = Made((MANIFEST, CODES, BOOK, *(f"{name}.npy" for name in ARRAYS)), KIND)
# Items encoded at a time, and those that codes are learnt from.
TOGETHER, SAMPLE = 512, 2_048


class ItemEncoder(Protocol):
    """What is asked of an encoder: `TokenEncoder` is one."""

    def fingerprint(self) -> str:
        """Digest everything that the vectors depend on."""

    def text_of(self, item: Item) -> str:
        """Give what is read of an item."""

    def encode_items(self, items: Sequence[Item]) -> MultiVectors:
        """Give the vectors of each item, in order."""


@final
class ItemVectors:
    """Vectors of the items of a collection; `build` makes them. `CorruptError` if the folder is not whole."""

    @takes_paths
    def __init__(self, folder: Path) -> None:
        made = read_manifest(folder, KIND, AGAIN)
        check_sealed(folder, made, again=AGAIN)
        with reading(folder, AGAIN):
            self._rows, self._texts, self._ends = (np.load(folder / f"{name}.npy") for name in ARRAYS)
            kind = FORMS[made["form"]]  # type: ignore[index]
            self._compression: Compression = kind(**load_file(folder / BOOK))
            count, size = int(self._ends[-1]), self._compression.size
            there = np.memmap(folder / CODES, np.uint8, "r") if count else np.empty(0, np.uint8)
            self._codes = there.reshape(count, size)

    @classmethod
    @takes_paths
    def build(cls, folder: Path, collection: Collection, encoder: ItemEncoder, form: AnyForm = "int8") -> Self:
        """Encode every item into `folder`, in bounded memory, or open what is there.

        `StaleError` if that was built of another collection, encoder or form.
        """
        origin = asdict(_origin(collection, encoder, form))
        if not (folder / MANIFEST).is_file():
            with atomic_folder(folder, MADE) as draft:
                _write(draft, collection, encoder, _learnt(collection, encoder, form))
                write_manifest(draft, KIND, {**origin, "form": form, FILES: sealed(draft)})
        made = read_manifest(folder, KIND, AGAIN)
        if any(made.get(name) != value for name, value in origin.items()):
            raise StaleError(f"{folder} has the vectors of another collection or encoder, or in another form. {AGAIN}")
        return cls(folder)

    @classmethod
    def build_in(cls, folder: Path, collection: Collection, encoder: ItemEncoder, form: AnyForm) -> Self:
        """Build in a folder of its own among others in `folder`, or open that."""
        return cls.build(folder / digest(asdict(_origin(collection, encoder, form))), collection, encoder, form)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def bytes_an_item(self) -> float:
        """The bytes that the vectors of an item take, in the mean."""
        return self._codes.size / max(1, len(self))

    def places(self, items: Sequence[Item], encoder: ItemEncoder) -> Int64Array:
        """Say where items stand, [n]; -1 for one that is not there, or whose text is another by now."""
        if not len(self):
            return np.full(len(items), -1, dtype=np.int64)
        rows = np.array([item.row for item in items], dtype=np.int64)
        found = np.minimum(np.searchsorted(self._rows, rows), len(self) - 1).astype(np.int64)
        same = (self._rows[found] == rows) & (self._texts[found] == _digests(items, encoder))
        return np.where(same, found, -1)

    def get(self, places: Int64Array) -> MultiVectors:
        """Read the vectors of the items at these places, in this order."""
        bounds = [(int(self._ends[place]), int(self._ends[place + 1])) for place in places]
        codes = np.concatenate([self._codes[:0], *(self._codes[start:stop] for start, stop in bounds)])
        ends = np.cumsum([0, *(stop - start for start, stop in bounds)], dtype=np.int64)
        return MultiVectors(ends, self._compression.decode(codes))

    def of(self, items: Sequence[Item], encoder: ItemEncoder) -> MultiVectors:
        """Read the vectors of items, in order, and make those that are not there."""
        places = self.places(items, encoder)
        missing = np.flatnonzero(places < 0)
        read = self.get(places[places >= 0])
        if not len(missing):
            return read
        made = encoder.encode_items([items[place] for place in missing.tolist()])
        both = MultiVectors(
            np.concatenate([read.indptr, read.indptr[-1] + made.indptr[1:]]),
            np.concatenate([read.values, made.values]),
        )
        return both.take(np.argsort(np.concatenate([np.flatnonzero(places >= 0), missing])))


def _origin(collection: Collection, encoder: ItemEncoder, form: AnyForm) -> Origin:
    return Origin.of(collection, digest(encoder.fingerprint(), form))


def _learnt(collection: Collection, encoder: ItemEncoder, form: AnyForm) -> Compression:
    """Learn the codes from items that are evenly spread."""
    rows = collection.rows()
    rows = rows[:: max(1, -(-len(rows) // SAMPLE))] if form == "residual" else rows[:1]
    parts = [collection.get(rows[start : start + TOGETHER]) for start in range(0, len(rows), TOGETHER)]
    sample = [_finite(encoder, items) for items in tracked(parts, "learn codes", unit="items", size=len)]
    sample = sample or [encoder.encode_items([])]
    vectors = np.concatenate([part.values for part in sample])
    return FORMS[form].learnt(vectors, len(vectors) * len(collection) // max(1, len(rows)))


def _write(draft: Path, collection: Collection, encoder: ItemEncoder, compression: Compression) -> None:
    rows, texts, sizes = [np.empty(0, np.int64)], [np.empty(0, np.uint64)], [np.zeros(1, np.int64)]
    with (draft / CODES).open("wb") as stream:
        for items in _batches(collection):
            vectors = _finite(encoder, items)
            stream.write(compression.encode(vectors.values).tobytes())
            rows.append(np.array([item.row for item in items], dtype=np.int64))
            texts.append(_digests(items, encoder))
            sizes.append(np.diff(vectors.indptr))
    arrays = np.concatenate(rows), np.concatenate(texts), np.cumsum(np.concatenate(sizes))
    for name, array in zip(ARRAYS, arrays, strict=True):
        np.save(draft / f"{name}.npy", array)
    save_file(dict(compression.tensors), draft / BOOK)


def _batches(collection: Collection) -> Iterator[list[Item]]:
    batches = collection.batches(TOGETHER)
    yield from tracked(batches, "encode items", unit="items", size=len, total=len(collection))


def _finite(encoder: ItemEncoder, items: Sequence[Item]) -> MultiVectors:
    """Encode items; `ValueError` names the first whose vectors are no numbers."""
    vectors = encoder.encode_items(items)
    wrong = np.flatnonzero(~np.isfinite(vectors.values).all(axis=1))
    if len(wrong):
        item = items[int(np.searchsorted(vectors.indptr, wrong[0], side="right")) - 1]
        raise ValueError(
            f"the vectors of the item {item.row} ({item.title[:60]!r}) are not finite: the encoder's weights are "
            "damaged, have diverged, or need `precision: float32`."
        )
    return vectors


def _digests(items: Sequence[Item], encoder: ItemEncoder) -> NDArray[np.uint64]:
    texts = (encoder.text_of(item).encode(errors="surrogatepass") for item in items)
    return np.frombuffer(b"".join(blake2b(text, digest_size=8).digest() for text in texts), dtype="<u8")
