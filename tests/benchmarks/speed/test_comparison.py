from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reml.benchmarks.speed.comparison import Conduct, compare, touched
from reml.benchmarks.speed.engine import load_engine
from reml.benchmarks.speed.figures import Skipped
from reml.benchmarks.speed.measuring import Asking
from reml.benchmarks.speed.workloads.workload import write_texts
from tests.benchmarks.speed.engines.contract import ROWS, workload
from tests.benchmarks.speed.workloads.test_workload import TwoBatches

NAMES = tuple(f"tests.benchmarks.speed.toy_engines.{name}" for name in ("Broken", "Dense"))


def test_engines_take_turns_and_one_that_fails_does_not_end_the_others(tmp_path: Path) -> None:
    given, said = workload(tmp_path / "workload", "snrm"), list[str]()
    engines = {name: load_engine(name) for name in (*NAMES, "impact")}
    conduct = Conduct(Asking((5,), (1,), 4, seconds=0.01), rounds=2, builds=1, patience=300, say=said.append)
    found = compare(given, engines, tmp_path / "engines", conduct)
    assert (found.model, found.rows, found.corpus) == ("snrm", ROWS, "test")
    assert [one.engine for one in found.engines] == [NAMES[1], "impact"]
    assert [one.recall("encoded", 5) for one in found.engines] == [1.0, 1.0]
    assert found.skipped == (Skipped(NAMES[0], "its process ended with status 1: OSError: the disk is full"),)
    done = [line.partition(": ")[2].rpartition(".")[2] for line in said]
    built = [f"{name} is built from vectors" for name in ("Broken", "Dense", "impact")]
    # Broken keeps its place in the turn: the second round begins with the engine behind it.
    assert done == [*built, *2 * ["Dense is searched", "impact is searched"]]
    assert not (tmp_path / "engines").exists()
    none = compare(replace(given, model="bm25"), {NAMES[1]: engines[NAMES[1]]}, tmp_path / "engines", conduct)
    assert (none.engines, none.skipped) == ((), ()), "it does not serve BM25"


def test_postings_that_queries_touch(tmp_path: Path) -> None:
    # Terms 0 and 3 stand in one item each, term 4 in one: (2 + 1) / 2.
    given = write_texts(tmp_path / "workload", "three", TwoBatches(), queries=9)
    assert touched(given) == pytest.approx({"a": 1.5})
    assert np.isfinite(list(touched(given).values())).all()
