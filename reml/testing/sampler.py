"""The contract test of a sampler."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from reml.testing.contract import Contract
from reml.training.data.samplers import Sampler


class SamplerContract(Contract, ABC):
    """What every sampler must do. Choose so many examples that two orders of an epoch are hardly ever the same.

    Set `shuffles = False` for one that keeps an order (streams).
    """

    shuffles = True

    @abstractmethod
    def make(self) -> Sampler:
        """Make the sampler, the same each time."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many examples it chooses from."""

    def test_an_epoch_is_of_its_length_and_in_range(self) -> None:
        """Positions are int64 [len(sampler)], from 0 to the number of examples."""
        sampler = self.make()
        for number in range(3):
            positions = sampler.epoch(1, number)
            assert positions.dtype == np.int64
            assert positions.shape == (len(sampler),)
            assert len(sampler) > 0
            assert (positions >= 0).all()
            assert (positions < self.count).all()

    def test_an_epoch_follows_from_seed_and_number_alone(self) -> None:
        """Training goes on in the middle of epoch 2 without those before, and in another process."""
        sampler = self.make()
        first = [sampler.epoch(1, number).tolist() for number in range(3)]
        assert self.make().epoch(1, 2).tolist() == first[2]
        assert [sampler.epoch(1, number).tolist() for number in range(3)] == first

    def test_another_epoch_and_another_seed_have_another_order(self) -> None:
        """Unless it keeps an order."""
        orders = [self.make().epoch(*which).tolist() for which in ((1, 0), (1, 1), (2, 0))]
        assert (orders[0] != orders[1]) == self.shuffles
        assert (orders[0] != orders[2]) == self.shuffles
