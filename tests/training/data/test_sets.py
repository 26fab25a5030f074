from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits
from reml.testing import MemoryCollection
from reml.training.data.ranked_examples import FromLabels, RankedExamples
from reml.training.data.sets import DevSet, RetrievedExamples, TrainSet
from reml.training.loop.batches import BatchStream
from tests.training.pointing import exact, retrieved


def part(texts: list[str], rows: list[list[int]], *, prefix: str) -> RetrievedExamples:
    array = np.array(rows, dtype=np.int64)
    examples = [Example(f"{prefix}{number}", "input", (Answer("yes"),)) for number in range(len(rows))]
    scores = np.where(array >= 0, 1.0, -np.inf).astype(np.float32)
    return RetrievedExamples.of(MemoryCollection(texts), examples, Hits(array, scores))


def test_examples_come_with_their_items_in_the_order_asked_for() -> None:
    batch = retrieved(0, 4).take(np.array([2, 0]))
    assert [example.id for example in batch.examples] == ["thing2", "thing0"]
    assert [[item.row for item in items] for items in batch.read.items] == [[5, 4], [1, 0]]
    assert batch.read.rows.tolist() == [[5, 4, -1], [1, 0, -1]]


def test_parts_of_different_depth_and_collection_share_a_batch() -> None:
    train = TrainSet.of(
        part(["a", "b"], [[1], [0]], prefix="x"), part(["c", "d", "e"], [[2, 0, 1], [1, -1, -1]], prefix="y")
    )
    batch = train.take(np.array([3, 0, 2]))
    assert [example.id for example in batch.examples] == ["x0", "y1", "y0"]
    assert [[item.text for item in items] for items in batch.read.items] == [["b"], ["d"], ["e", "c", "d"]]
    assert batch.read.rows.tolist() == [[1, -1, -1], [1, -1, -1], [2, 0, 1]]
    assert batch.read.mask.tolist() == [[True, False, False], [True, False, False], [True, True, True]]
    assert batch.read.scores[0].tolist() == [1.0, -np.inf, -np.inf]


def test_every_position_of_a_set_of_parts_is_one_example() -> None:
    train = TrainSet.of(retrieved(0, 3), retrieved(3, 4), retrieved(4, 8))
    ids = [train.take(np.array([position])).examples[0].id for position in range(8)]
    assert ids == [f"thing{number}" for number in range(8)]


def test_a_balanced_set_takes_as_many_from_a_small_task_as_from_a_large_one() -> None:
    train = TrainSet.balanced([retrieved(0, 7), retrieved(7, 8)], from_each=2)
    ids = [example.id for example in train.take(train.order.epoch(0, 0)).examples]
    assert len(ids) == 4
    assert ids.count("thing7") == 2


def test_a_tempered_set_takes_less_of_a_large_task_and_goes_on_from_any_step() -> None:
    train = TrainSet.tempered([retrieved(0, 7), retrieved(7, 8)], temperature=2.0)
    ids = [example.id for example in train.take(train.order.epoch(0, 0)).examples]
    assert len(ids) == 8
    assert ids.count("thing7") == 2, "1 of sqrt(7) + 1, of 8"
    whole = [batch.examples for batch in BatchStream(train, 3, count=6, seed=1)]
    rest = BatchStream(train, 3, count=6, seed=1)
    rest.load_state_dict({"consumed": 4})
    assert [batch.examples for batch in rest] == whole[4:]


def test_a_batch_moves_with_its_tensors() -> None:
    batch = retrieved(0, 2).take(np.array([0]))
    moved: Batch = batch.to(torch.device("meta"))
    assert moved.read.scores.device.type == moved.read.mask.device.type == "meta"
    assert moved.examples == batch.examples


def test_the_fingerprint_changes_with_examples_and_hits() -> None:
    whole = retrieved(0, 4)
    assert whole.fingerprint == retrieved(0, 4).fingerprint
    assert whole.fingerprint != retrieved(0, 3).fingerprint
    assert whole.fingerprint != replace(whole, ahead={"": whole.hits.first(2)}).fingerprint


def test_examples_and_hits_must_fit() -> None:
    whole = retrieved(0, 4)
    with pytest.raises(ValueError, match="3 examples but hits of 4"):
        RetrievedExamples(whole.examples[:3], whole.ahead, whole.access)


def test_an_example_without_an_answer_cannot_be_learnt() -> None:
    whole = retrieved(0, 2)
    silent = replace(whole, examples=[whole.examples[0], Example("mute", "input", (Answer(None),))])
    with pytest.raises(ValueError, match="example 'mute' has no right answer"):
        TrainSet.of(silent)


def test_empty_sets_are_refused() -> None:
    nothing = replace(retrieved(0, 1), examples=[], ahead={"": Hits.empty(0, 1)})
    with pytest.raises(ValueError, match="training set is empty"):
        TrainSet.of(nothing)
    with pytest.raises(ValueError, match="dev set 'none' is empty"):
        DevSet("none", nothing, exact)


def test_batches_that_come_with_what_is_read_keep_it_and_its_utilities() -> None:
    """As those that a retriever learns from do: each of two tasks brings its own lists."""
    labels = [FromLabels([np.array([row])], [np.empty(0, dtype=np.int64)], np.arange(4)) for row in (1, 2)]
    collection = MemoryCollection(["a", "b", "c", "d"])
    parts = [
        RankedExamples.of(collection, [Example(name, name)], sampler, 3)
        for name, sampler in zip("xy", labels, strict=True)
    ]
    read = TrainSet.of(*parts).take(np.array([0, 1])).read
    assert read.rows[:, 0].tolist() == [1, 2]
    assert [items[0].text for items in read.items] == ["b", "c"]
    assert read.scores.tolist() == [[1.0, 0.0, 0.0]] * 2


def test_batches_that_ask_and_batches_that_bring_what_is_read_do_not_mix() -> None:
    asking = retrieved(0, 1)
    bringing = RankedExamples.of(
        MemoryCollection(["a", "b"]),
        [Example("x", "x")],
        FromLabels([np.array([1])], [np.empty(0, dtype=np.int64)], np.arange(2)),
    )
    with pytest.raises(ValueError, match="learn from them one by one"):
        TrainSet.of(asking, bringing).take(np.array([0, 1]))
