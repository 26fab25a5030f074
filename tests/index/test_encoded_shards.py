from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from reml.contract.examples import Item, Media
from reml.contract.vectors import DenseVectors, MultiVectors, Similarity, SparseVectors
from reml.files.atomic import CorruptError, LockedError, locked
from reml.files.origin import Origin
from reml.index.encoded_shards import Shards, encode_collection, read_shard, sample
from reml.testing import MemoryCollection, matrix

COLLECTION = MemoryCollection([f"text {number}" for number in range(10)])
ORIGIN = Origin.of(COLLECTION, "numbers")


class NumberEncoder:
    """The vector of an item is its row; the process dies after `survives` calls."""

    similarity: Similarity = "dot"

    def fingerprint(self) -> str:
        return "numbers"

    def __init__(self, survives: int = 100) -> None:
        self.survives = survives
        self.encoded: list[int] = []

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        raise NotImplementedError

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        if not self.survives:
            raise KeyboardInterrupt
        self.survives -= 1
        self.encoded += [item.row for item in items]
        return DenseVectors(np.array([[item.row] for item in items], dtype=np.float32))


class SparseEncoder(NumberEncoder):
    """Row i has the weight i + 0.5 in dimension i, and row 0 has none."""

    def encode_items(self, items: Sequence[Item]) -> SparseVectors:  # type: ignore[override]
        rows = np.array([item.row for item in items if item.row], dtype=np.int32)
        indptr = np.cumsum([0, *(int(item.row > 0) for item in items)], dtype=np.int64)
        return SparseVectors(indptr, rows, rows + np.float32(0.5), 10)


def values(shards: Sequence[Path]) -> list[float]:
    return [float(value) for path in shards for value in matrix(read_shard(path)[1])[:, 0]]


def test_shards_hold_every_item_in_row_order(tmp_path: Path) -> None:
    shards = encode_collection(COLLECTION, NumberEncoder(), tmp_path, origin=ORIGIN, size=4)
    assert len(shards) == 3
    assert values(shards) == list(range(10))
    assert [row for path in shards for row in read_shard(path)[0]] == list(range(10))


@pytest.mark.parametrize("survives", [0, 1, 2])
def test_a_killed_run_is_gone_on_from(survives: int, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        encode_collection(COLLECTION, NumberEncoder(survives), tmp_path, origin=ORIGIN, size=4)
    second = NumberEncoder()
    assert values(encode_collection(COLLECTION, second, tmp_path, origin=ORIGIN, size=4)) == list(range(10))
    assert second.encoded == list(range(4 * survives, 10))


def test_shards_of_another_origin_are_not_used(tmp_path: Path) -> None:
    encode_collection(COLLECTION, NumberEncoder(), tmp_path, origin=Origin.of(COLLECTION, "other"), size=2)
    encoder = NumberEncoder()
    assert values(encode_collection(COLLECTION, encoder, tmp_path, origin=ORIGIN, size=4)) == list(range(10))
    assert encoder.encoded == list(range(10))


def test_two_processes_do_not_encode_into_one_folder(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(LockedError):
        encode_collection(COLLECTION, NumberEncoder(), tmp_path, origin=ORIGIN)


def test_sparse_vectors_come_back_as_they_were(tmp_path: Path) -> None:
    shards = encode_collection(COLLECTION, SparseEncoder(), tmp_path, origin=ORIGIN, size=4)
    vectors = [read_shard(path)[1] for path in shards]
    assert all(isinstance(part, SparseVectors) for part in vectors)
    expected = np.diag(np.arange(10) + 0.5)
    expected[0, 0] = 0
    np.testing.assert_array_equal(np.concatenate([matrix(part) for part in vectors]), expected)


def test_a_sample_is_of_dense_vectors(tmp_path: Path) -> None:
    shards = encode_collection(COLLECTION, SparseEncoder(), tmp_path, origin=ORIGIN, size=4)
    with pytest.raises(ValueError, match="holds SparseVectors"):
        sample(Shards(shards), 3)


# 10 vectors in shards of 4, 4 and 2: every third is 0, 3, 6, 9.
@pytest.mark.parametrize(
    ("count", "expected"),
    [(4, [0, 3, 6, 9]), (5, [0, 2, 4, 6, 8]), (1, [0]), (10, list(range(10))), (99, list(range(10)))],
)
def test_a_sample_is_spread_evenly_over_the_shards(count: int, expected: list[int], tmp_path: Path) -> None:
    shards = encode_collection(COLLECTION, NumberEncoder(), tmp_path, origin=ORIGIN, size=4)
    assert sample(Shards(shards), count).values[:, 0].tolist() == expected


class MultiEncoder(NumberEncoder):
    """As many vectors of an item as it has letters."""

    def encode_items(self, items: Sequence[Item]) -> MultiVectors:  # type: ignore[override]
        lengths = [len(item.text) for item in items]
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
        return MultiVectors(indptr, np.arange(sum(lengths), dtype=np.float32)[:, None])


def test_several_vectors_a_row_are_kept(tmp_path: Path) -> None:
    path = encode_collection(COLLECTION, MultiEncoder(), tmp_path, origin=ORIGIN, size=3)[0]
    found, wanted = read_shard(path)[1], MultiEncoder().encode_items(next(iter(COLLECTION.batches(3))))
    assert isinstance(found, MultiVectors)
    assert found.indptr.tolist() == wanted.indptr.tolist()
    assert found.values.tolist() == wanted.values.tolist()


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


# Of 10 items in shards of 2: shards that are damaged, and whose items are encoded again.
@pytest.mark.parametrize("damaged", [[0], [4], [1, 2], [0, 3, 4], [0, 1, 2, 3, 4]])
def test_damaged_shards_are_encoded_again_and_no_others(damaged: list[int], tmp_path: Path) -> None:
    shards = encode_collection(COLLECTION, NumberEncoder(), tmp_path, origin=ORIGIN, size=2)
    for number in damaged:
        flip(shards[number], -1)
        with pytest.raises(CorruptError, match=r"is not what was written\. Run again"):
            read_shard(shards[number])
    encoder = NumberEncoder()
    again = encode_collection(COLLECTION, encoder, tmp_path, origin=ORIGIN, size=2)
    assert again == shards
    assert values(again) == list(range(10))
    assert encoder.encoded == [row for number in damaged for row in (2 * number, 2 * number + 1)]


def test_no_byte_of_a_shard_can_change_unnoticed(tmp_path: Path) -> None:
    (shard,) = encode_collection(COLLECTION, SparseEncoder(), tmp_path, origin=ORIGIN, size=10)
    whole = matrix(read_shard(shard)[1])
    for place in range(shard.stat().st_size):
        flip(shard, place)
        with suppress(CorruptError):
            np.testing.assert_array_equal(matrix(read_shard(shard)[1]), whole)
        flip(shard, place)


def test_a_shard_of_a_former_version_has_no_digest_and_is_read(tmp_path: Path) -> None:
    (shard,) = encode_collection(COLLECTION, NumberEncoder(), tmp_path, origin=ORIGIN, size=10)
    save_file(load_file(shard), shard)
    assert values([shard]) == list(range(10))
