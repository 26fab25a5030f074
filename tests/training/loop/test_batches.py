from __future__ import annotations

from itertools import islice

import pytest

from reml.contract.predictors import Batch
from reml.training.data.sets import TrainSet
from reml.training.loop.batches import BatchStream, InOrder, TrainingData
from reml.training.settings import Training
from tests.training.pointing import dev_sets, retrieved


def stream(size: int = 3, count: int = 7, seed: int = 0) -> BatchStream:
    return BatchStream(TrainSet.of(retrieved(0, 8)), size, count=count, seed=seed)


def ids(batches: list[Batch]) -> list[list[str]]:
    return [[example.id for example in batch.examples] for batch in batches]


def test_full_batches_run_across_the_end_of_an_epoch() -> None:
    batches = ids(list(stream()))
    assert [len(batch) for batch in batches] == [3] * 7
    flat = [name for batch in batches for name in batch]
    for epoch in (flat[:8], flat[8:16]):
        assert sorted(epoch) == [f"thing{number}" for number in range(8)]
    assert flat[:8] != flat[8:16]


def test_a_batch_may_be_larger_than_the_set() -> None:
    (batch,) = ids(list(stream(size=20, count=1)))
    assert len(batch) == 20


def test_the_seed_decides() -> None:
    assert ids(list(stream())) == ids(list(stream()))
    assert ids(list(stream())) != ids(list(stream(seed=1)))


@pytest.mark.parametrize("step", range(7))
def test_a_state_taken_while_a_batch_is_used_resumes_with_that_batch(step: int) -> None:
    whole = ids(list(stream()))
    broken = stream()
    for _ in islice(iter(broken), step + 1):
        state = broken.state_dict()
    resumed = stream()
    resumed.load_state_dict(state)
    assert ids(list(resumed)) == whole[step:]


def test_batches_in_order_hold_everything_once() -> None:
    batches = InOrder(retrieved(0, 8), 3)
    assert len(batches) == 3
    assert ids(list(batches)) == ids(list(batches))
    assert [name for batch in ids(list(batches)) for name in batch] == [f"thing{number}" for number in range(8)]
    assert [len(batch) for batch in ids(list(batches))] == [3, 3, 2]


def test_lightning_gets_the_whole_run_in_parts_of_a_batch() -> None:
    data = TrainingData(TrainSet.of(retrieved(0, 8)), dev_sets(), Training(steps=5, batch_size=6, accumulate=3))
    batches = ids(list(data.train_dataloader()))
    assert len(data.train_dataloader()) == len(batches) == 15
    assert {len(batch) for batch in batches} == {2}
    assert [len(loader) for loader in data.val_dataloader()] == [1, 1]
