from __future__ import annotations

import logging
from pathlib import Path

import pytest

from reml.contract.examples import Answer, Example, Provenance
from reml.contract.tasks import Task
from reml.tasks.ir_datasets import IrDatasets
from reml.testing import TaskContract
from tests.ir_datasets_sets import registered

pytest.importorskip("ir_datasets")

FIRST = Example("q1", "capital of Chad", (Answer("d1", (Provenance("d1", meta={"relevance": 2}),)),))
SECOND = Example("q2", "where is it cold", tuple(Answer(name, (Provenance(name),)) for name in ("d2", "d1")))


class TestIrDatasets(TaskContract):
    splits = ("dev",)

    @pytest.fixture(autouse=True)
    def _registered(self, tmp_path: Path) -> None:
        self.id = registered(tmp_path)

    def make(self) -> Task:
        return IrDatasets("small", {"dev": self.id})


def test_judgements_are_provenance_and_queries_without_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task = IrDatasets("small", {"dev": registered(tmp_path)})
    with caplog.at_level(logging.WARNING):
        assert list(task.examples("dev")) == [FIRST, SECOND]
    assert "small dev: 1 queries have no relevant document" in caplog.text


def test_what_is_relevant_and_how_many_are_read_can_be_set(tmp_path: Path) -> None:
    made = registered(tmp_path)
    assert list(IrDatasets("small", {"dev": made}, relevant_from=2).examples("dev")) == [FIRST]
    assert list(IrDatasets("small", {"dev": made}, limit=1).examples("dev")) == [FIRST]


def test_without_judgements_it_is_a_blind_test_over_the_documents_of_another(tmp_path: Path) -> None:
    judged, blind = registered(tmp_path), registered(tmp_path, judged=False)
    task = IrDatasets("small", {"test": blind}, documents=judged)
    assert [example.output for example in task.examples("test")] == [(), (), ()]
    assert task.source().fingerprint == IrDatasets("other", {"dev": judged}).source().fingerprint


def test_settings_that_are_not_allowed_are_errors_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no splits"):
        IrDatasets("small", {})
    with pytest.raises(ValueError, match="no dataset 'absent'"):
        IrDatasets("small", {"dev": "absent"})
    with pytest.raises(ValueError, match="limit is 0"):
        IrDatasets("small", {"dev": registered(tmp_path)}, limit=0)
