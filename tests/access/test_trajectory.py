"""What a prediction asked, seen by example: made of the sessions, written and read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.trajectory import trajectories
from reml.contract.access import Trajectory
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries
from reml.files.atomic import CorruptError
from reml.files.trajectories import TrajectoryFile, read_trajectories, rewarded
from reml.retrievers.bm25 import BM25
from reml.testing import TEXTS, MemoryCollection

EXAMPLES = (Example("1", "copper"), Example("2", "penguins river"))
ANSWERS = [Answer("zinc", (Provenance("3"),)), Answer("ice")]


class Several:
    """Asks for each word of the input."""

    def __call__(self, examples: Sequence[Example]) -> Queries:
        words = [(number, word) for number, example in enumerate(examples) for word in example.input.split()]
        return Queries(np.array([number for number, _ in words]), tuple(word for _, word in words))


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """Two access models, of which the second may be asked once."""
    retriever = BM25().index(MemoryCollection(TEXTS), tmp_path / "bm25")
    wiki = InformationAccess(retriever, Several(), limits=Limits(depth=3, k=2))
    notes = InformationAccess(retriever, limits=Limits(depth=3, k=1, asks=1))
    return Batch(EXAMPLES, {"wiki": wiki.open(EXAMPLES), "notes": notes.open(EXAMPLES)})


def asked(made: Trajectory) -> list[tuple[object, ...]]:
    return [(one.access, one.queries, one.shown.tolist(), one.used.tolist(), one.note) for one in made.asks]


def test_all_asks_of_an_example_are_in_order_with_what_was_used(batch: Batch) -> None:
    batch.sessions["wiki"].ask()
    batch.sessions["notes"].ask()
    batch.sessions["wiki"].ask(Queries(np.array([0, 0, 1]), ("fox", "harbour", "no such word")), k=1)
    batch.sessions["notes"].ask(Queries(np.array([0]), ("fox",)))
    first, second = trajectories(batch, ANSWERS, [1.0, None])
    assert asked(first) == [
        ("wiki", ("copper",), [3], [3], ""),
        ("notes", ("copper",), [3], [3], ""),
        ("wiki", ("fox",), [0], [], ""),
        ("wiki", ("harbour",), [3], [3], ""),
        ("notes", ("fox",), [], [], "nothing found, and no ask left"),
    ]
    assert asked(second) == [
        ("wiki", ("penguins", "river"), [0, 4], [], ""),
        ("notes", ("penguins river",), [4], [], ""),
        ("wiki", ("no such word",), [], [], "nothing found"),
    ]
    assert [(one.example, one.answer, one.reward) for one in (first, second)] == [
        ("1", ANSWERS[0], 1.0),
        ("2", ANSWERS[1], None),
    ]


def test_an_item_is_used_where_its_very_place_is_named(batch: Batch) -> None:
    found = batch.sessions["wiki"].ask()
    whole = [Answer("a", tuple(Provenance.of(item) for item in items[:1])) for items in found.items]
    elsewhere = [Answer("a", (Provenance("3", None, 1, 0, 1, 5),)), Answer("b")]
    assert [one.asks[0].used.tolist() for one in trajectories(batch, whole)] == [[3], [0]]
    assert [one.asks[0].used.tolist() for one in trajectories(batch, elsewhere)] == [[], []]


def test_what_does_not_fit_is_refused(batch: Batch) -> None:
    with pytest.raises(ValueError, match="2 examples, 1 answers and 1 rewards"):
        trajectories(batch, ANSWERS[:1])


def test_what_was_not_asked_has_no_asks(batch: Batch) -> None:
    assert [one.asks for one in trajectories(batch, ANSWERS)] == [(), ()]


def same(one: Trajectory, other: Trajectory) -> bool:
    heads = [(made.example, made.answer, made.reward, asked(made)) for made in (one, other)]
    return heads[0] == heads[1]


def test_they_come_back_as_they_were_written(batch: Batch, tmp_path: Path) -> None:
    batch.sessions["wiki"].ask()
    batch.sessions["notes"].ask()
    batch.sessions["notes"].ask()
    answers = [Answer("zinc", (Provenance("3", "Page", 1, 0, 1, 5, meta={"a": [1]}),), {"b": "ü"}), Answer()]
    made = trajectories(batch, answers, [0.5, None])
    path = tmp_path / "trajectories.arrow"
    file = TrajectoryFile(path)
    file.add(made[:1])
    file.add(made[1:])
    file.close()
    read = list(read_trajectories(path))
    assert all(map(same, made, read))
    assert read[0].asks[0].shown.dtype == np.int64
    rewarded(path, tmp_path / "rewarded.arrow", {"2": 0.25})
    assert [one.reward for one in read_trajectories(tmp_path / "rewarded.arrow")] == [0.5, 0.25]


def test_a_file_that_is_not_there_or_cut_short_is_named(batch: Batch, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file"):
        next(read_trajectories(tmp_path / "none.arrow"))
    file = TrajectoryFile(tmp_path / "cut.arrow")
    file.add(trajectories(batch, ANSWERS))
    file.close()
    whole = (tmp_path / "cut.arrow").read_bytes()
    (tmp_path / "cut.arrow").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptError, match="readable trajectories"):
        list(read_trajectories(tmp_path / "cut.arrow"))
