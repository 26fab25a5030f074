from __future__ import annotations

from pathlib import Path

from reml.benchmarks.speed.workloads.text_collection import TextCollection
from tests.benchmarks.speed.engines.contract import ROWS, workload


def test_gives_the_lines_as_items_in_order(tmp_path: Path) -> None:
    given = workload(tmp_path / "workload", "bm25")
    collection = TextCollection.of(given)
    lines = given.text_file.read_text().splitlines()
    assert [[item.row for item in batch] for batch in collection.batches(200)] == [
        list(range(200)),
        list(range(200, ROWS)),
    ]
    assert [item.text for batch in collection.batches(64, 100) for item in batch] == lines[100:]
    assert [item.text for item in collection.get(collection.rows()[[7, 3, 7]])] == [lines[7], lines[3], lines[7]]
    assert len(collection) == ROWS
