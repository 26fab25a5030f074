from __future__ import annotations

import copy
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from reml.contract.collections import Collection
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits, Queries
from reml.contract.signals import Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.training.loop.refresh_callback import overlap
from reml.training.refresh.index_versions import IndexVersions
from reml.training.refresh.most_retrieved import MostRetrieved
from reml.training.refresh.policies import Every, Never, Run
from reml.training.settings import Training
from tests.training.live import SETTINGS, SureReader, collection, prepare
from tests.truths import WordDense, WordEncoder


def hits(*rows: list[int]) -> Hits:
    return Hits(np.array(rows), np.where(np.array(rows) < 0, -np.inf, 1.0).astype(np.float32))


def test_overlap_is_the_share_that_stays() -> None:
    assert overlap(hits([1, 2, 3], [4, -1, -1]), hits([3, 2, 9], [5, 4, -1])) == 3 / 4
    assert overlap(hits([-1, -1]), hits([7, 8])) == 1.0


def test_the_index_is_refreshed_when_it_is_due_and_the_log_says_how_old_it_was(tmp_path: Path) -> None:
    run = prepare(tmp_path, Every(4))
    run.fit()
    assert run.logged("index/age") == {step: float((step - 1) % 4) for step in range(1, 11)}
    assert run.logged("index/age_retrieved") == run.logged("index/age")
    moved = run.logged("index/overlap")
    assert list(moved) == [4, 8]
    assert min(moved.values()) < 1, "new vectors bring other items"
    assert not (tmp_path / "run" / "indexes").exists()


def test_without_a_refresh_vectors_grow_old(tmp_path: Path) -> None:
    run = prepare(tmp_path, Never())
    run.fit()
    assert list(run.logged("index/age").values()) == [float(step) for step in range(10)]
    assert not run.logged("index/overlap")


def test_what_is_retrieved_most_is_younger_than_the_rest(tmp_path: Path) -> None:
    run = prepare(tmp_path, MostRetrieved(items=8, steps=2))
    run.fit()
    ages, retrieved = run.logged("index/age"), run.logged("index/age_retrieved")
    assert ages[2] == 1.0
    assert ages[3] == pytest.approx((16 * 2 + 8 * 0) / 24)
    assert sum(retrieved.values()) < sum(ages.values())
    assert list(run.logged("index/overlap")) == [2, 4, 6, 8]


def test_an_index_with_as_many_replaced_vectors_as_items_is_made_as_a_whole(tmp_path: Path) -> None:
    """Of 24 items 12 are replaced at steps 1 and 2, so that at step 3 all are."""
    run = prepare(tmp_path, MostRetrieved(items=12, steps=1))
    run.fit(replace(SETTINGS, batch_size=12))
    whole = [step for step, age in run.logged("index/age").items() if age == 0.0]
    assert whole[0] == 1
    assert len(whole) > 1
    assert whole[1] >= 4


class RecordingReader(SureReader):
    """Notes the items of each step, and the encoder as it is then."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder: WordEncoder | None = None
        self.steps: list[tuple[Queries, Int64Array, WordEncoder]] = []

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        queries = Queries.of([example.input for example in batch.examples])
        self.steps.append((queries, batch.read.rows, copy.deepcopy(self.encoder)))  # type: ignore[arg-type]
        return super().loss(batch, signals)


def test_what_is_learnt_on_is_what_the_index_and_the_encoder_give_at_that_step(tmp_path: Path) -> None:
    """Queries are those of the step, items those of the last even one."""
    reader = RecordingReader()
    run = prepare(tmp_path, Every(2), reader=reader)
    assert isinstance(run.encoder, WordEncoder)
    reader.encoder = run.encoder
    run.fit(replace(SETTINGS, rate=0.3, steps=6))
    encoders = [encoder for _, _, encoder in reader.steps]
    stale = 0
    for step, (queries, rows, asking) in enumerate(reader.steps):
        assert rows.tolist() == best(queries, asking, encoders[step // 2 * 2]).tolist()
        stale += rows.tolist() != best(queries, asking, asking).tolist()
    assert stale


def best(queries: Queries, asking: WordEncoder, holding: WordEncoder) -> Int64Array:
    items = holding.encode_items(collection().get(collection().rows())).values
    products = asking.encode_queries(queries.texts).values @ items.T
    rows: Int64Array = np.argsort(-products, axis=1, kind="stable")[:, :4]
    return rows


def test_a_refresh_by_the_epoch_is_due_when_one_is_through(tmp_path: Path) -> None:
    """An epoch of 10 examples in batches of 4 ends in steps 3, 5, 8, 10."""
    refreshed = prepare(tmp_path, Never()).refreshed
    run = Run(refreshed.retrieval.live, IndexVersions(tmp_path, refreshed.rebuild), Fraction(10, 4))
    assert [step for step in range(1, 12) if run.due(step, None)] == [3, 5, 8, 10]
    assert [step for step in range(1, 12) if run.due(step, 4)] == [4, 8]


class DrawingDense(WordDense):
    """Draws numbers whenever an encoder is made, as networks do that draw their first weights."""

    def encoder(self, collection: Collection, folder: Path) -> WordEncoder:
        torch.rand(3)
        return super().encoder(collection, folder)


def test_a_refresh_leaves_random_numbers_alone(tmp_path: Path) -> None:
    drawn = []
    for name, indexer in (("drawing", DrawingDense()), ("plain", WordDense())):
        run = prepare(tmp_path / name, Every(2), indexer=indexer)
        run.fit(Training(steps=5, batch_size=4, precision="32-true"))
        drawn.append(torch.rand(1).item())
    assert drawn[0] == drawn[1]


def test_an_index_of_another_encoder_is_refused(tmp_path: Path) -> None:
    run = prepare(tmp_path, Never())
    train = replace(run.train, refreshed=prepare(tmp_path / "other", Never()).refreshed)
    with pytest.raises(ValueError, match="another encoder than the one being trained"):
        replace(run, train=train).fit()
