"""The rows of a datastore: token positions of the items of another collection, with numbers beside them.

A folder holds raw little-endian arrays, mapped into memory: `keys.f32` [N, D], the states; `target.i64` [N], the tokens
that came next; `passage.i64` [N], the rows of the items that they stand in. No object is made of a row until one is
looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.vectors import DenseVectors, Float32Array, Int64Array, MultiVectors, Representations
from reml.files.atomic import digest, read_manifest, write_manifest
from reml.files.integrity.sealed import FILES, Verify, check_sealed, sealed
from reml.index.encoded_shards import read_shard
from reml.retrievers.mapped_table import mapped, rows_there
from reml.text.state_encoder import StateEncoder
from reml.text.token_table import tokeniser_fingerprint

KIND = "token positions"
KEYS, COLUMNS = "keys.f32", ("target", "passage")
# Rows that an index is given at a time.
RUN = 16_384


@final
class Positions:
    """A `Collection` of token positions: the item of a row is the page and place of the passage it stands in, no text.

    `target` is the token that came next and `passage` the row of the passage in `source`; `words` is 0, as no text is
    shown. keys: the states, float32 [N, D]. verify: which bytes are looked at, as `REML_VERIFY` says unless given.
    `CorruptError` if a file is not what was written.
    """

    def __init__(self, source: Collection, folder: Path, *, verify: Verify | None = None) -> None:
        manifest = read_manifest(folder, KIND)
        check_sealed(folder, manifest, again=f"Delete {folder.parent} to have it built again.", verify=verify)
        count, width = int(str(manifest["count"])), int(str(manifest["width"]))
        self.source = source
        self.keys: Float32Array = mapped(folder / KEYS, "<f4", (count, width))
        self._columns: dict[str, Int64Array] = {name: mapped(folder / _file(name), "<i8", (count,)) for name in COLUMNS}
        self._model, self._tokeniser = (str(manifest.get(name, "")) for name in ("model", "tokeniser"))
        self._fingerprint = digest("positions", source.fingerprint, str(manifest["encoder"]))

    @property
    def fingerprint(self) -> str:
        """A digest of the passages and of what read them."""
        return self._fingerprint

    @property
    def model(self) -> str:
        """The fingerprint of the language model, empty in what a former version wrote."""
        return self._model

    @property
    def tokeniser(self) -> str:
        """That of its tokeniser."""
        return self._tokeniser

    @property
    def version(self) -> int:
        """The version of the passages."""
        return self.source.version

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self) -> Int64Array:
        """Give all rows."""
        return np.arange(len(self), dtype=np.int64)

    def get(self, rows: Int64Array) -> list[Item]:
        """Give the page and place of the passages of these rows, in this order; `KeyError` for one not there."""
        rows = np.asarray(rows, dtype=np.int64)
        passages, places = np.unique(self.values("passage", self._there(rows)), return_inverse=True)
        known = self.source.get(passages)
        return [
            replace(known[place], row=row, text="", media=(), fields={})
            for row, place in zip(rows.tolist(), places.ravel().tolist(), strict=True)
        ]

    def batches(self, size: int, start: int = 0) -> Iterator[list[Item]]:
        """Yield all items from a row on, at most `size` at a time."""
        for low in range(start, len(self), size):
            yield self.get(np.arange(low, min(low + size, len(self)), dtype=np.int64))

    def values(self, column: str, rows: Int64Array) -> NDArray[Any]:
        """Give numbers of these rows, 0 for row -1; `KeyError` names the columns there are."""
        rows = np.asarray(rows, dtype=np.int64)
        places = self._there(rows[rows != -1])
        found = np.zeros(rows.shape, dtype=np.int64)
        if column == "page":
            found[rows != -1] = self.source.values("page", self._columns["passage"][places])
        elif column in self._columns:
            found[rows != -1] = self._columns[column][places]
        elif column != "words":
            raise KeyError(
                f"token positions have no column {column!r}; they have page, words, {', '.join(COLUMNS)}: the token "
                "that came next is `target`."
            )
        return found

    def _there(self, rows: Int64Array) -> Int64Array:
        return rows_there(rows, len(self), "datastore of %s token positions")


@dataclass(frozen=True)
class Keys:
    """The rows and states of a datastore, a run at a time, for an index; may be iterated over more than once."""

    positions: Positions

    def __iter__(self) -> Iterator[tuple[Int64Array, Representations]]:
        for start in range(0, len(self.positions), RUN):
            states = np.array(self.positions.keys[start : start + RUN])
            yield np.arange(start, start + len(states), dtype=np.int64), DenseVectors(states)


def write_positions(folder: Path, collection: Collection, encoder: StateEncoder, shards: Sequence[Path]) -> None:
    """Write the states in shards, and what came next, shard by shard; `ValueError` if no item has two tokens."""
    folder.mkdir()
    count = 0
    with (folder / KEYS).open("wb") as keys:
        for path in shards:
            rows, states = read_shard(path)
            assert isinstance(states, MultiVectors), path  # noqa: S101 - the encoder gives these
            following = [tokens[1:] for tokens in encoder.item_tokens(collection.get(rows))]
            passages = np.repeat(rows, np.diff(states.indptr))
            keys.write(states.values.astype("<f4").tobytes())
            _append(folder / _file("target"), np.array([token for part in following for token in part], dtype="<i8"))
            _append(folder / _file("passage"), passages.astype("<i8"))
            count += len(passages)
    if not count:
        raise ValueError("no passage has two tokens, so that none comes next: give texts that say something.")
    of = {"encoder": encoder.fingerprint(), "model": encoder.model.fingerprint()}
    of["tokeniser"] = tokeniser_fingerprint(encoder.model.tokeniser)
    write_manifest(folder, KIND, {"count": count, "width": encoder.model.width, **of, FILES: sealed(folder)})


def _append(path: Path, values: NDArray[Any]) -> None:
    with path.open("ab") as stream:
        stream.write(values.tobytes())


def _file(column: str) -> str:
    return f"{column}.i64"
