"""The smallest predictor an experiment can train: it answers with the first words of the first item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from reml.contract.collections import Collection
from reml.contract.examples import Answer, Item, Provenance
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal


class FirstWords(nn.Module):
    """Learns, in its one parameter, how many words of the first item an answer has."""

    def __init__(self, words: float = 1.0) -> None:
        super().__init__()
        self.words = nn.Parameter(torch.tensor(words))

    @property
    def signals(self) -> Signal:
        return Signal.NONE

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        if signals:
            raise ValueError(f"FirstWords gives no {signals}.")
        wanted: Tensor = torch.tensor([float(len(example.answers[0].split())) for example in batch.examples])
        return Prediction((self.words - wanted) ** 2)

    def generate(self, batch: Batch) -> list[Answer]:
        return [self._answer(items) for items in batch.read.items]

    def _answer(self, items: Sequence[Item]) -> Answer:
        if not items:
            return Answer("")
        words = items[0].text.split()[: max(1, round(self.words.item()))]
        return Answer(" ".join(words), (Provenance.of(items[0]),))


class Echo(nn.Module):
    """Answers with the input as it sees it; learns nothing of use."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))

    @property
    def signals(self) -> Signal:
        return Signal.NONE

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        return Prediction((self.weight**2).expand(len(batch.examples)))

    def generate(self, batch: Batch) -> list[Answer]:
        return [Answer(example.input) for example in batch.examples]


class OneAnswer(Echo):
    """Gives one answer, whatever is asked."""

    def generate(self, batch: Batch) -> list[Answer]:
        return [Answer("ice")]


class NoPredictor(nn.Module):
    """A module that lacks what a predictor has."""
