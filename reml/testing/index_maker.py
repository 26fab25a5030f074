"""The contract test of what a configuration names as an index."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import pytest

from reml.contract.retrievers import IndexMaker
from reml.contract.vectors import Int64Array, Representations, Similarity
from reml.testing.contract import Contract


class IndexMakerContract(Contract, ABC):
    """What every index maker must do."""

    similarity: Similarity = "dot"

    @abstractmethod
    def make(self) -> IndexMaker:
        """Make the settings."""

    @abstractmethod
    def vectors(self, count: int, seed: int) -> Representations:
        """Make random representations of the kind it takes; an item is the first hit of itself."""

    @abstractmethod
    def others(self) -> Representations:
        """Make representations of a kind it does not take."""

    def test_opens_what_it_made_of_a_stream(self, tmp_path: Path) -> None:
        """Items are found that came in several shards, and none that did not."""
        first, second = self.vectors(40, seed=1), self.vectors(20, seed=2)
        shards: list[tuple[Int64Array, Representations]] = [(np.arange(40) * 2, first), (80 + np.arange(20), second)]
        self.make().make(tmp_path / "index", first.width, shards)
        index = self.make().open(tmp_path / "index")
        assert len(index) == 60
        assert index.search(second, 1).rows[:, 0].tolist() == list(range(80, 100))
        assert (index.search(first, 61).rows[:, 60:] == -1).all()

    def test_makes_an_index_of_nothing(self, tmp_path: Path) -> None:
        """An empty collection has no hits."""
        asked = self.vectors(2, seed=1)
        self.make().make(tmp_path / "index", asked.width, [])
        assert (self.make().open(tmp_path / "index").search(asked, 3).rows == -1).all()

    def test_says_what_it_takes(self) -> None:
        """Vectors of its kind pass, others are refused, and so is another similarity."""
        self.make().check(self.vectors(0, seed=1), self.similarity)
        with pytest.raises(ValueError, match="takes"):
            self.make().check(self.others(), self.similarity)
        with pytest.raises(ValueError, match="compares by 'maxsim'"):
            self.make().check(self.vectors(0, seed=1), "maxsim")

    def test_the_same_settings_have_the_same_fingerprint(self) -> None:
        """What was made is opened by the same settings in any process."""
        assert self.make().fingerprint() == self.make().fingerprint()
