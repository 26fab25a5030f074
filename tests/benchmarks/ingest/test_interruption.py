from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from reml.benchmarks.ingest.building import Built, measure_build
from reml.benchmarks.ingest.interruption import Moment, digests, interrupt, kill_some, random_moment
from reml.benchmarks.ingest.source import SyntheticSource
from reml.benchmarks.speed.isolation import FailedError
from reml.files.atomic import MANIFEST, write_text
from tests.benchmarks.ingest.small_result import built


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REML_HOME", str(tmp_path / "home"))
    path = tmp_path / "source" / "pages.jsonl"
    path.parent.mkdir()
    SyntheticSource(200).write(path)
    return path


def test_a_killed_build_is_gone_on_with_and_compared(source: Path, tmp_path: Path) -> None:
    build = partial(measure_build, source, home=tmp_path / "home", segment_rows=100)
    whole = build(tmp_path / "whole")
    assert whole.segments > 5
    found = interrupt(build, tmp_path / "killed", whole=tmp_path / "whole", built=whole, seed=3, patience=300)
    assert found.moment.segments >= 1
    assert 0 < found.pages <= 200, "some pages were on record when it was killed, before its version was committed"
    assert found.resumed.passages == whole.passages
    assert found.files == len(digests(tmp_path / "whole")) > 3 * whole.segments
    assert found.differing == ()


def test_files_that_differ_are_named(source: Path, tmp_path: Path) -> None:
    build = partial(measure_build, source, home=tmp_path / "home", segment_rows=100)
    whole = build(tmp_path / "whole")
    titles = next((tmp_path / "whole").rglob("titles.u64"))
    titles.write_bytes(titles.read_bytes()[::-1])
    (tmp_path / "whole" / "more").touch()
    found = interrupt(build, tmp_path / "killed", whole=tmp_path / "whole", built=whole, seed=3, patience=300)
    assert found.differing == tuple(sorted(["more", str(titles.relative_to(tmp_path / "whole"))]))


def test_the_moment_is_before_the_end_and_another_for_another_seed() -> None:
    moments = [random_moment(built(100_000), seed) for seed in range(200)]
    assert moments == [random_moment(built(100_000), seed) for seed in range(200)]
    assert {moment.segments for moment in moments} == set(range(20))
    # 100 s for 20 segments, 5 s each, of which at most 4 are waited.
    assert all(0 <= moment.seconds <= 4 for moment in moments)
    assert len({moment.seconds for moment in moments}) == 200


def ends_at_once(folder: Path) -> Built:
    write_text(folder / MANIFEST, "a version")
    return built(1)


def fails(folder: Path) -> Built:
    os._exit(9)


def test_a_build_that_is_too_short_is_told(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="3 times before it was killed"):
        kill_some(ends_at_once, tmp_path / "made", moment=Moment(1, 0.0))


def test_a_build_that_fails_by_itself_is_told(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="status 9"):
        kill_some(fails, tmp_path / "made", moment=Moment(1, 0.0))
