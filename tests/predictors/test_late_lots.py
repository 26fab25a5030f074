"""Pairs are read in lots of like lengths: what is read beside a pair makes no difference to what it gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reml.contract.examples import Item
from reml.predictors.late.late_network import NEVER, LateNetwork, Worded
from reml.predictors.late.sheets import LOTS, Read, Sheet, sheet
from reml.text.frozen_states import States

WIDTH, WORDS = 8, 50
NOTHING = Read(0, 0.0, None, 0, States(np.zeros(0, np.int64), np.zeros((0, WIDTH), np.float16)))
TEMPLATES = Worded(torch.randn(4, WIDTH, generator=torch.Generator().manual_seed(6)), torch.tensor([0, 1, 2, 3]))


def states(count: int, seed: int) -> States:
    random = np.random.default_rng(seed)
    return States(random.integers(0, WORDS, count), random.normal(size=(count + 2, WIDTH)).astype(np.float16))


def read_of(lengths: list[list[int]]) -> list[list[Read]]:
    return [
        [Read(place, 0.5 * place, Item(place), 1, states(count, place)) for place, count in enumerate(of_one)]
        for of_one in lengths
    ]


def laid(read: list[list[Read]]) -> Sheet:
    asked = [states(4 + owner, 100 + owner) for owner in range(len(read))]
    return sheet(["a?"] * len(read), asked, read, np.zeros(WORDS, dtype=np.bool_), torch.device("cpu"))


def network() -> LateNetwork:
    torch.manual_seed(5)
    made = LateNetwork(WIDTH, 6, 4).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


@pytest.mark.parametrize("lengths", [[[7, 2], [1, 9], [30], [4, 4, 4, 4]], [[3]], [[0]], [[5, 1], [0]]])
def test_a_pair_gives_the_same_whatever_is_read_beside_it(lengths: list[list[int]]) -> None:
    read, made = read_of(lengths), network()
    together = made(laid(read), TEMPLATES)
    assert together.starts.shape == laid(read).mask.shape
    pairs = [(owner, one) for owner, of_one in enumerate(read) for one in of_one]
    for pair, (owner, one) in enumerate(pairs):
        alone = made(laid([[one] if other == owner else [NOTHING] for other in range(len(read))]), TEMPLATES)
        torch.testing.assert_close(together.item[pair], alone.item[owner])
        torch.testing.assert_close(together.templates[pair], alone.templates[owner])
        length = max(1, len(one.states.ids))
        for of_all, of_one in ((together.starts, alone.starts), (together.ends, alone.ends)):
            torch.testing.assert_close(of_all[pair, :length], of_one[owner, :length])
            assert of_all[pair, length:].eq(NEVER).all()


def test_lots_hold_each_pair_once_and_less_padding() -> None:
    whole = laid(read_of([[7, 2, 40, 1], [1, 9, 35, 3], [30, 30]]))
    lots = list(whole.lots())
    assert len(lots) == LOTS
    assert sorted(row for rows, _ in lots for row in rows.tolist()) == list(range(10))
    assert sum(lot.mask.numel() for _, lot in lots) < whole.mask.numel() / 2
    for rows, lot in lots:
        assert lot.mask.sum(1).tolist() == whole.mask[rows].sum(1).tolist()
        assert list(lot.items) == [whole.items[row] for row in rows.tolist()]
