"""A cross-encoder over items that are longer than it reads: cuts are said, windows are read, and bad scores named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Scorer
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.rankers.windows import Windows
from reml.testing import MemoryCollection, ScorerContract
from tests.small_cross_encoder import LIMIT, write_cross_encoder

LONG = "the river of france is chad . " * 3 + "what is the capital of the city . " * 3
ITEMS = MemoryCollection(["a river", LONG, ""], ["", "chad", ""])
QUERIES = Queries.of(["what is the capital"])
POSITIONS = np.array([[1, 0, -1, 2]])
SMALL = Windows(words=8, stride=4)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_cross_encoder(tmp_path_factory.mktemp("long") / "model", seed=2)


def items() -> list[Item]:
    return ITEMS.get(np.arange(3))


def read(folder: str, windows: Windows | None = None) -> list[float]:
    """Give the scores at each position."""
    model = CrossEncoder(folder, windows=windows, precision="float32")
    return model.score(QUERIES, items(), POSITIONS)[0].tolist()


def alone(folder: str, texts: list[str]) -> list[float]:
    """Give the score of each text as an item of its own."""
    made = [Item(row, text) for row, text in enumerate(texts)]
    model = CrossEncoder(folder, precision="float32")
    return model.score(QUERIES, made, np.arange(len(made))[None])[0].tolist()


def test_windows_score_as_items_of_their_own_and_are_combined(folder: str) -> None:
    windows = alone(folder, [f"chad {text}" for text in SMALL.cut(LONG)])
    assert len(windows) > 5
    rest = alone(folder, ["a river", ""])
    for changes, expected in (
        ({}, max(windows)),
        ({"combine": "first"}, windows[0]),
        ({"combine": "sum"}, sum(windows)),
        ({"combine": "sum", "top": 2}, sum(sorted(windows)[-2:])),
        ({"most": 3}, max(windows[:3])),
    ):
        found = read(folder, Windows(words=8, stride=4, **changes))
        assert found == pytest.approx([expected, rest[0], -np.inf, rest[1]], abs=1e-5)
    assert len({round(one, 3) for one in windows}) > 3


def test_a_cut_is_said_once_with_what_is_not_read(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    model = CrossEncoder(folder)
    for _ in range(2):
        model.score(QUERIES, items(), POSITIONS)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(f"{folder!r} reads {LIMIT} tokens of a query and an item together. Of the query 'what is")
    assert "which have 5" in said
    assert "the end is not read. Set `windows`" in said


def test_a_window_that_is_cut_is_said_to_be_too_long(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    read(folder, Windows(words=LIMIT, stride=LIMIT))
    assert "Choose fewer `words` of a window to have all read" in caplog.records[0].getMessage()


def test_a_query_that_fills_the_limit_is_said_to_be_cut(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    CrossEncoder(folder).score(Queries.of(["river " * LIMIT]), items(), POSITIONS)
    assert "the ends of query and item are not read" in caplog.records[0].getMessage()


def test_nothing_is_said_of_what_is_read_whole(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    """A pair that has just as many tokens as the model takes is whole."""
    just = "river " * (LIMIT - len(QUERIES.texts[0].split()))
    whole = CrossEncoder(folder).score(QUERIES, [Item(0, just.strip())], np.array([[0]]))
    assert whole.isfinite().all()
    read(folder, SMALL)
    assert not caplog.records
    CrossEncoder(folder).score(QUERIES, [Item(0, f"{just}river")], np.array([[0]]))
    assert caplog.records


def test_a_score_that_is_no_number_is_refused_with_its_item(folder: str) -> None:
    model = CrossEncoder(folder)
    with torch.no_grad():
        next(model.module.parameters()).fill_(torch.nan)
    with pytest.raises(ValueError, match=r"scores the item 1 \('chad'\), at position \[0, 0\], with nan for the query"):
        model.score(QUERIES, items(), POSITIONS)


def test_windows_are_part_of_the_fingerprint(folder: str) -> None:
    every = [None, SMALL, Windows(words=8, stride=8), Windows(words=8, stride=4, combine="first")]
    assert len({CrossEncoder(folder, windows=one).fingerprint() for one in every}) == 4


class TestWindowed(ScorerContract):
    @pytest.fixture(autouse=True)
    def _written(self, folder: str, tmp_path: Path) -> None:
        self.folder = folder

    def make(self) -> Scorer:
        return CrossEncoder(self.folder, windows=Windows(words=3, stride=2), precision="float32")
