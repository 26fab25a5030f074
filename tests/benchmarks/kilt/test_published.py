from __future__ import annotations

from pathlib import Path

import pytest
from jsonargparse import ArgumentError

from reml.benchmarks.kilt.published import differences, read_published
from reml.cli.loading import load
from reml.kilt.catalogue import DATASETS
from tests.small_experiment import write_experiment


def test_what_is_shipped_is_whole_and_names_its_sources() -> None:
    found = read_published()
    stochastic = next(one for one in found if one.system.startswith("Stochastic RAG") and one.system.endswith("XL"))
    assert stochastic.values["nq"] == 53.0
    assert (stochastic.split, stochastic.kilt, stochastic.figure) == ("test", True, "KILT score")
    assert all(one.source and one.split for one in found)
    assert {one.data == "KILT" for one in found if one.kilt} == {True}
    assert len({(one.system, one.source, one.figure) for one in found}) == len(found)


def entry(**changes: str) -> str:
    given = {"system": "S", "source": "P", "split": "test", "data": "KILT", "kilt": "true", "figure": "downstream"}
    lines = {**given, "values": "{nq: 50.0}", **changes}
    return "- " + "\n  ".join(f"{name}: {value}" for name, value in lines.items() if value)


@pytest.mark.parametrize(
    "changes",
    [{"values": "{squad: 50.0}"}, {"values": "{nq: 530}"}, {"values": "{}"}, {"figure": "F"}, {"source": ""}],
)
def test_an_entry_that_is_not_whole_is_refused(changes: dict[str, str]) -> None:
    assert len(read_published(entry())) == 1
    with pytest.raises((ValueError, ArgumentError)):
        read_published(entry(**changes))


def test_ours_differ_unless_they_are_kilt_s_own(tmp_path: Path) -> None:
    runner, _ = load("run", ["--config", str(write_experiment(tmp_path)), "--home", str(tmp_path / "home")])
    assert differences(runner, runner.experiment.tasks[0]) == ["dev split", "not KILT's own examples"]


def test_a_part_of_kilt_differs_in_number_and_pages(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    name = DATASETS["nq"].file("dev").name
    (tmp_path / name).write_bytes((tmp_path / "dev.jsonl").read_bytes())
    settings = {"dataset": "nq", "folder": str(tmp_path), "knowledge_source": str(tmp_path / "pages.jsonl")}
    task = {"class_path": "reml.tasks.kilt.Kilt", "init_args": settings}
    config = write_experiment(tmp_path / "kilt", tasks=[task], train_on=None)
    runner, _ = load("run", ["--config", str(config), "--home", str(tmp_path / "home")])
    found = differences(runner, runner.experiment.tasks[0])
    assert found == ["dev split", "3 of 2,837 examples", "not KILT's own file of pages"]
