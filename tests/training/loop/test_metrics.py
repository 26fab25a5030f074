from __future__ import annotations

from pathlib import Path

from reml.training.loop.metrics import MetricsCsv, read_metrics


def test_numbers_come_back_exactly_and_at_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    log = MetricsCsv(path)
    log.log_metrics({"train/loss": 0.1 + 0.2, "dev/score": 1.0}, 1)
    assert read_metrics(path) == [(1, "train/loss", 0.1 + 0.2), (1, "dev/score", 1.0)]
    log.save()
    log.finalize("success")
    assert path.read_text(encoding="utf-8").splitlines()[0] == "step,name,value"


def test_what_came_after_the_resumed_step_is_dropped_and_a_torn_line_too(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    log = MetricsCsv(path)
    for step in range(1, 6):
        log.log_metrics({"train/loss": float(step)}, step)
    log.finalize("failed")
    with path.open("a", encoding="utf-8") as stream:
        stream.write("6,train/lo")
    resumed = MetricsCsv(path, after=3)
    resumed.log_metrics({"train/loss": 40.0}, 4)
    resumed.finalize("success")
    assert [(step, value) for step, _, value in read_metrics(path)] == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 40.0)]


def test_a_new_run_starts_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    first = MetricsCsv(path)
    first.log_metrics({"train/loss": 1.0}, 1)
    first.finalize("failed")
    MetricsCsv(path).finalize("success")
    assert read_metrics(path) == []


def test_no_file_has_no_metrics(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "none.csv") == []
