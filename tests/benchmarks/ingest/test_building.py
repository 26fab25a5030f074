from __future__ import annotations

from pathlib import Path

import pytest

from reml.benchmarks.ingest.building import measure_build
from reml.benchmarks.ingest.source import SyntheticSource
from reml.collection.disk import DiskCollection
from reml.collection.passages import split_page
from reml.collection.sources.kilt_pages import JsonlPages


def test_a_build_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REML_HOME", "put back after the test")
    source = tmp_path / "source" / "pages.jsonl"
    source.parent.mkdir()
    size = SyntheticSource(50).write(source)
    passages = sum(len(split_page(page)) for page in JsonlPages(source).pages())
    built = measure_build(source, tmp_path / "made", home=tmp_path / "home", segment_rows=passages // 3)
    assert (built.pages, built.passages, built.source) == (50, passages, size)
    assert built.segments >= 3
    assert built.disk > sum(
        len(item.text) for batch in DiskCollection(tmp_path / "made").batches(100) for item in batch
    )
    assert built.cost.wall > 0 < built.cost.cpu
    assert built.cost.peak >= built.cost.base > 0
