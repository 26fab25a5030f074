from __future__ import annotations

from pathlib import Path

import pytest

from reml.access.composed_access import NoAccess
from reml.access.information_access import InformationAccess
from reml.contract.examples import Example
from reml.experiment.plan import hits
from reml.experiment.plan.collections import examples
from reml.experiment.plan.hits import Model
from reml.experiment.plan.node import Node
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection

COLLECTION = MemoryCollection(["Beyoncé is a singer.", "C is older than R."])
ASKED = (Example("found", "Beyonce\u0301"), Example("letter", "C"), Example("unknown", "zebra"))


def made(asked: Model, of: tuple[Example, ...], folder: Path, depth: int) -> None:
    node = hits.hits("retrieve", Node(kind="access", name="a", open=lambda: asked), examples("dev", of), depth)
    assert node.make is not None
    folder.mkdir()
    node.make(folder, asked, of, **node.given)


def test_questions_that_find_nothing_are_counted_and_explained(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    access = InformationAccess(BM25(title=False).index(COLLECTION, tmp_path / "index"), name="bm25")
    made(access, ASKED, tmp_path / "three", 2)
    assert [record.getMessage() for record in caplog.records] == [
        "bm25 finds nothing for 2 of 3 questions; for the first of them, 'letter': the query holds only single letters "
        "or digits ('c'), which are not searched for."
    ]
    caplog.clear()
    made(access, ASKED[:1], tmp_path / "one", 2)
    made(NoAccess(COLLECTION), ASKED, tmp_path / "none", 2)
    assert not caplog.records
