from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from reml.benchmarks.speed.workloads.vectors import SNRM, SyntheticVectors
from reml.benchmarks.speed.workloads.words import words
from reml.benchmarks.speed.workloads.workload import write_texts, write_vectors
from reml.contract.vectors import Int32Array, Int64Array


class TwoBatches:
    """Three texts of 4, 0 and 2 tokens, in two batches."""

    width = 5

    def token_batches(self) -> Iterator[tuple[Int32Array, Int64Array]]:
        yield np.array([3, 1, 3, 0], dtype=np.int32), np.array([4, 0])
        yield np.array([4, 4], dtype=np.int32), np.array([2])

    def queries(self, count: int) -> Mapping[str, list[Int32Array]]:
        return {"a": [np.array([0, 3], dtype=np.int32), np.array([4], dtype=np.int32)][:count]}


def test_texts_are_kept_as_counts_and_as_words(tmp_path: Path) -> None:
    workload = write_texts(tmp_path / "workload", "three", TwoBatches(), queries=9)
    assert (workload.rows, workload.width, workload.nonzeros, workload.query_sets) == (3, 5, 4, ("a",))
    ((rows, vectors),) = workload.batches()
    assert rows.tolist() == [0, 1, 2]
    assert vectors.indptr.tolist() == [0, 3, 3, 4]
    assert vectors.dimensions.tolist() == [0, 1, 3, 4]
    assert vectors.weights.tolist() == [1, 1, 2, 2]
    w = words(5)
    assert list(workload.texts()) == [f"{w[3]} {w[1]} {w[3]} {w[0]}", "", f"{w[4]} {w[4]}"]
    asked = workload.queries("a")
    assert (asked.indptr.tolist(), asked.dimensions.tolist(), asked.weights.tolist()) == ([0, 2, 3], [0, 3, 4], [1] * 3)


def test_vectors_come_back_in_batches_as_they_were(tmp_path: Path) -> None:
    source = SyntheticVectors(20_500, SNRM)  # more than a batch
    workload = write_vectors(tmp_path / "workload", "synthetic", source, model="snrm", queries=3)
    (whole,) = source.batches()
    parts = list(workload.batches())
    assert [len(rows) for rows, _ in parts] == [20_000, 500]
    assert parts[1][0].tolist() == list(range(20_000, 20_500))
    np.testing.assert_array_equal(np.concatenate([part.dimensions for _, part in parts]), whole.dimensions)
    np.testing.assert_array_equal(np.concatenate([part.weights for _, part in parts]), whole.weights)
    np.testing.assert_array_equal(np.diff(parts[1][1].indptr), np.diff(whole.indptr)[20_000:])
    assert Counter(workload.query_sets) == {"encoded": 1}
    assert len(workload.queries("encoded")) == 3
