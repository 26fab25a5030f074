"""The outputs that an n-gram may switch on, by its middle word: all others are not computed when texts are encoded."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from reml.retrievers.snrm.ngrams import Outputs

# Outputs that are kept of a word, and words and outputs of n-grams that are looked at together.
KEPT, WORDS, PAIRS = 32, 4_096, 65_536
# Random n-grams on which is measured what is missed, and the share of their weight that may be.
CHECKED, MISSED = 1_024, 1e-5


class Scoring(Protocol):
    """What is asked of a network."""

    @property
    def words(self) -> int:
        """How many words there are, padding among them."""

    @property
    def window(self) -> int:
        """Words of an n-gram."""

    @property
    def hidden(self) -> int:
        """How many hidden layers there are."""

    @property
    def width(self) -> int:
        """How many outputs there are."""

    @property
    def last(self) -> Tensor:
        """The weights of the output layer, [V, H]."""

    def seen(self, words: Tensor, *, others: bool) -> Tensor:
        """Give what the first ReLU sees of the middle words of n-grams, or of the others, [U, H]."""

    def further(self, seen: Tensor) -> Tensor:
        """Give what the output layer sees of that, [U, H]."""

    def outputs(self, words: Tensor) -> Tensor:
        """Give all outputs of n-grams, [U, V]."""


class Candidates:
    """For each word, the outputs that are highest when it stands alone: of an n-gram around it no others are computed.

    A network whose neighbours count little misses next to nothing so, and most of the work falls away. That is measured
    for the weights as they are, on random n-grams: where more than 1e-5 of the weight is missed, candidates are not
    `enough`, and all outputs are to be computed. made_of: tells the state of the weights.

    With one hidden layer, candidates that the other words cannot lift above 0 are left out too: what these add to the
    hidden layer moves an output by at most its length times that of the output's weights.
    """

    def __init__(self, network: Scoring, made_of: object) -> None:
        self.made_of = made_of
        self._network = network
        self._kept = min(KEPT, network.width)
        device = network.last.device
        shape = (network.words, self._kept)
        self._outputs = torch.zeros(shape, dtype=torch.int32, device=device)
        self._alone = torch.zeros(shape, device=device)  # before the last ReLU
        self._lengths = network.last.norm(dim=1)
        self._known = torch.zeros(network.words, dtype=torch.bool, device=device)
        self.missed = self._measured()

    @property
    def enough(self) -> bool:
        """Whether they hold all but 1e-5 of the weight."""
        return self.missed <= MISSED

    def outputs(self, words: Tensor) -> Outputs:
        """Give the outputs of n-grams [U, window] that are above 0 among the candidates of their middle words."""
        middle = words[:, (words.shape[1] - 1) // 2]
        self._learn(middle)
        dimensions, alone = self._outputs[middle].long(), self._alone[middle]
        others = self._network.seen(words, others=True)
        moved = others.norm(dim=1, keepdim=True)
        most = moved if self._network.hidden == 1 else torch.where(moved > 0, torch.inf, moved)
        ngrams, places = (alone + self._lengths[dimensions] * most > 0).nonzero(as_tuple=True)
        values, dimensions = alone[ngrams, places], dimensions[ngrams, places]
        changed = (moved[ngrams, 0] > 0).nonzero()[:, 0]
        if len(changed):
            states = self._network.further(self._network.seen(words, others=False) + others)
            for pairs in changed.split(PAIRS):
                values[pairs] = (states[ngrams[pairs]] * self._network.last[dimensions[pairs]]).sum(dim=1)
        there = values > 0
        return Outputs.of(ngrams[there], dimensions[there], values[there], (len(words), self._network.width))

    def _learn(self, words: Tensor) -> None:
        """Find the candidates of words that were not met yet."""
        new = torch.unique(words)
        new = new[~self._known[new]]
        for start in range(0, len(new), WORDS):
            part = new[start : start + WORDS]
            alone = torch.zeros(len(part), self._network.window, dtype=torch.long, device=part.device)
            alone[:, (alone.shape[1] - 1) // 2] = part
            states = self._network.further(self._network.seen(alone, others=False))
            highest = (states @ self._network.last.T).topk(self._kept, dim=1)
            self._outputs[part], self._alone[part] = highest.indices.int(), highest.values
        self._known[new] = True

    def _measured(self) -> float:
        """Measure which share of the weight of random n-grams the candidates miss."""
        shape = (CHECKED, self._network.window)
        drawn = torch.randint(1, self._network.words, shape, generator=torch.Generator().manual_seed(0))
        words = drawn.to(self._outputs.device)
        whole = float(self._network.outputs(words).sum(dtype=torch.float64))
        return 1.0 - float(self.outputs(words).values.sum(dtype=torch.float64)) / whole if whole else 0.0
