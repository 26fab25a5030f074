from __future__ import annotations

import os
import socket

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from reml.training.regimes.sparsity import L1, MEMORY, SILENCE, Flops, SparsityWatch, flops, gini
from tests.dying import SERVER

QUERIES = torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 0.5]])
ITEMS = torch.tensor([[3.0, 0.0, 0.0], [0.0, 4.0, 0.0], [1.0, 0.0, 1.0]])
OWN = torch.tensor([[True, True, False], [False, True, True]])


def compare_devices(rank: int, port: int) -> None:
    """Be one of two devices that compute a loss and its gradients together; compare them with those of one."""
    distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    torch.manual_seed(0)
    inputs, layer = torch.rand(6, 4), torch.nn.Linear(4, 5)
    mine = inputs[:2] if rank == 0 else inputs[2:]
    regulariser, shared_layer = Flops(query_weight=0.0, item_weight=2.0), DistributedDataParallel(layer)
    loss = regulariser.loss(torch.zeros(3, 5), torch.relu(shared_layer(mine)), torch.ones(3, len(mine)).bool()).mean()
    torch.autograd.backward(loss)
    assert layer.weight.grad is not None
    shared = [loss.item(), *layer.weight.grad.flatten().tolist()]
    distributed.destroy_process_group()
    loss = 2 * flops(torch.relu(layer(inputs)))
    (gradient,) = torch.autograd.grad(loss, layer.weight)
    alone = [loss.item(), *gradient.flatten().tolist()]
    assert max(abs(one - other) for one, other in zip(shared, alone, strict=True)) < 1e-6, (shared, alone)
    os._exit(0)  # taking DDP down may wait for ever: it holds Python's lock and joins a thread of gloo that wants it


def test_l1_is_of_a_query_and_its_own_items() -> None:
    """3 + (3 + 4), and 0.5 + (4 + 2)."""
    assert L1(0.1).loss(QUERIES, ITEMS, OWN).tolist() == pytest.approx([1.0, 0.65])


def test_flops_by_hand() -> None:
    """Means of dimensions: (1/2, 0, 5/4) of queries and (4/3, 4/3, 1/3) of items."""
    assert flops(QUERIES).item() == pytest.approx(0.25 + 1.5625)
    assert flops(ITEMS).item() == pytest.approx(33 / 9)
    loss = Flops(query_weight=2.0, item_weight=0.5).loss(QUERIES, ITEMS, OWN)
    assert loss.tolist() == pytest.approx([2 * 1.8125 + 0.5 * 33 / 9] * 2)


def test_flops_does_not_change_with_the_size_of_a_batch() -> None:
    assert flops(ITEMS.repeat(5, 1)).item() == pytest.approx(flops(ITEMS).item())


def test_flops_prefers_weights_that_are_spread_and_l1_does_not() -> None:
    gathered, spread = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert flops(gathered) == 2 * flops(spread)
    assert (L1(1).loss(gathered, ITEMS, OWN) == L1(1).loss(spread, ITEMS, OWN)).all()


def test_flops_is_the_same_on_two_devices_as_on_one(unused_port: int) -> None:
    """Values and gradients of DDP with 2 and 4 items on its devices, against all 6 on one."""
    ranks = [SERVER.Process(target=compare_devices, args=(rank, unused_port)) for rank in range(2)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(120)
        process.kill()
    assert [process.exitcode for process in ranks] == [0, 0]


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def test_the_watch_counts_by_hand() -> None:
    """Of 3 dimensions, queries have 2 and 1, items 1, 1 and 2; 600 items in all.

    Shares are (1/2, 0, 1) of queries and (2/3, 1/3, 1/3) of items: 600 x (1/3 + 1/3) postings are touched.
    """
    seen = SparsityWatch(width=3, size=600)(QUERIES, ITEMS)
    assert {name: round(float(value), 6) for name, value in seen.items()} == {
        "query_nonzeros": 1.5,
        "item_nonzeros": round(4 / 3, 6),
        "dead_dimensions": 0.0,
        "posting_skew": round(1 / 6, 6),
        "expected_postings": 400.0,
    }


def test_a_dimension_is_dead_once_no_item_of_late_had_it() -> None:
    watch = SparsityWatch(width=3, size=10)
    for _ in range(5):
        watch(QUERIES, ITEMS)
    for batch in range(MEMORY):
        dead = float(watch(QUERIES, ITEMS[:1])["dead_dimensions"])
        assert dead == (pytest.approx(2 / 3) if batch == MEMORY - 1 else 0.0)
    assert float(watch(QUERIES, ITEMS)["dead_dimensions"]) == 0.0


def test_running_shares_follow_what_is_learnt() -> None:
    watch = SparsityWatch(width=3, size=10)
    for _ in range(3 * MEMORY):
        watch(QUERIES, ITEMS)
    for _ in range(5 * MEMORY):
        watch(QUERIES, ITEMS[:1])
    assert watch.item_share.tolist() == pytest.approx([1, 0, 0], abs=0.01)


@pytest.mark.parametrize(("what", "queries", "items"), [("query", 0.0, 1.0), ("item", 1.0, 0.0)])
def test_all_zeros_are_reported_and_a_single_batch_of_them_is_not(what: str, queries: float, items: float) -> None:
    watch = SparsityWatch(width=3, size=10)
    for _ in range(3):
        for _ in range(SILENCE - 1):
            watch(queries * QUERIES, items * ITEMS)
        watch(QUERIES, ITEMS)
    for _ in range(SILENCE - 1):
        watch(queries * QUERIES, items * ITEMS)
    with pytest.raises(ValueError, match=rf"every {what} vector of the last 20 batches is zero.*Lower the weight"):
        watch(queries * QUERIES, items * ITEMS)


def test_what_the_watch_knows_is_saved() -> None:
    watch, other = SparsityWatch(3, 10), SparsityWatch(3, 10)
    for _ in range(SILENCE - 1):
        watch(QUERIES, 0 * ITEMS)
    other.load_state_dict(watch.state_dict())
    with pytest.raises(ValueError, match="every item"):
        other(QUERIES, 0 * ITEMS)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=12))
def test_gini_is_the_mean_difference_over_twice_the_mean(values: list[int]) -> None:
    array = np.array(values, dtype=np.float64)
    differences = np.abs(array[:, None] - array[None, :]).mean()
    expected = differences / (2 * array.mean()) if array.any() else 0.0
    assert gini(torch.from_numpy(array)).item() == pytest.approx(expected, abs=1e-9)


def test_weights_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match=r"weight is the weight of a regulariser, 0 or more, not -1"):
        L1(-1)
    with pytest.raises(ValueError, match="item_weight is the weight"):
        Flops(1, -0.5)
