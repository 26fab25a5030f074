"""The smallest predictor that learns to read: it points to the item that answers, by words it has learnt to weigh."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Item, Provenance
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.signals import Credit, Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.testing import MemoryCollection
from reml.training.data.sets import DevSet, RetrievedExamples, TrainSet
from reml.training.settings import Training

BUCKETS = 64
SETTINGS = Training(
    steps=30, batch_size=4, accumulate=2, rate=0.05, check_every=7, save_every=3, seed=3, weight_decay=0.1
)
COLOURS = ("red", "green", "blue", "black", "white", "pink", "grey", "gold")


class PointingPredictor(nn.Module):
    """Answers with the last word of an item; log p(y | x, item) is 0 or a floor, mixed by the item's weight."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.embedding = nn.Embedding(BUCKETS, width)
        self.dropout = nn.Dropout(0.2)
        self.output = nn.Linear(width, 1, bias=False)

    @property
    def signals(self) -> Signal:
        return Signal.ITEM_LIKELIHOOD

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        examples, responses = batch.examples, batch.read
        right = torch.tensor(
            [
                [items[k].text.split()[-1] in example.answers if k < len(items) else False for k in range(responses.k)]
                for example, items in zip(examples, responses.items, strict=True)
            ]
        )
        likelihood = torch.where(right, 0.0, -5.0)
        weights = torch.log_softmax(self.weights(examples, responses), dim=-1)
        loss = -torch.logsumexp(weights + likelihood, dim=-1)
        shown = Signal.ITEM_LIKELIHOOD in signals
        said = likelihood.masked_fill(~responses.mask, -torch.inf) if shown else None
        return Prediction(loss, (Credit(item_log_likelihood=said),))

    def generate(self, batch: Batch) -> list[Answer]:
        best = self.weights(batch.examples, batch.read).argmax(dim=-1).tolist()
        return [
            Answer(items[place].text.split()[-1], (Provenance.of(items[place]),))
            for items, place in zip(batch.read.items, best, strict=True)
        ]

    def weights(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        rows = [
            [self.weight(f"{example.input} {item.text}") for item in items]
            for example, items in zip(examples, responses.items, strict=True)
        ]
        padded = torch.stack([torch.stack([*row, *[row[0]] * (responses.k - len(row))]) for row in rows])
        return padded.masked_fill(~responses.mask, -1e4)

    def weight(self, text: str) -> Tensor:
        words = torch.tensor([bucket(word) for word in text.split()])
        weight: Tensor = self.output(torch.tanh(self.dropout(self.embedding(words).mean(dim=0))))
        return weight[0]


class WordRetriever(nn.Module):
    """Scores rows by a dot product of learnt word vectors; only `score` is used in training."""

    def __init__(self, collection: Collection) -> None:
        super().__init__()
        self.collection = collection
        self.embedding = nn.Embedding(BUCKETS, 8)

    def search(self, queries: Queries, k: int) -> Hits:
        rows = np.tile(self.collection.rows(), (len(queries), 1))
        scores = self.score(queries, rows).detach().numpy().astype(np.float32)
        return Hits.ranked(rows, scores, k)

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        shown = torch.from_numpy(rows >= 0)
        items = self.collection.get(np.maximum(rows, 0).ravel())
        vectors = torch.stack([self.vector(item.text) for item in items]).view(*rows.shape, -1)
        asked = torch.stack([self.vector(text) for text in queries.texts])
        return torch.einsum("bd,bkd->bk", asked, vectors).masked_fill(~shown, -torch.inf)

    def vector(self, text: str) -> Tensor:
        words: Tensor = self.embedding(torch.tensor([bucket(word) for word in text.split()]))
        return words.mean(dim=0)


def bucket(word: str) -> int:
    """Hash a word, the same in every process."""
    return zlib.crc32(word.encode()) % BUCKETS


def predictor(seed: int = 0) -> PointingPredictor:
    """Make a predictor whose weights follow from the seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return PointingPredictor()


def collection(count: int = 24) -> MemoryCollection:
    """Things and their colours: even ones are true, odd ones are lies."""
    return MemoryCollection(
        [
            f"{'surely' if number % 2 == 0 else 'hardly'} thing{number // 2} is {COLOURS[number % 8]}"
            for number in range(count)
        ]
    )


def retrieved(start: int = 0, stop: int = 8, items: MemoryCollection | None = None) -> RetrievedExamples:
    """Ask for the colours of things [start, stop); the lie is retrieved first, the truth second, then padding."""
    items = collection() if items is None else items
    examples = [
        Example(f"thing{number}", f"what is thing{number}", (Answer(answer_of(items, number)),))
        for number in range(start, stop)
    ]
    rows = np.array([[2 * number + 1, 2 * number, -1] for number in range(start, stop)], dtype=np.int64)
    scores = np.tile(np.array([2.0, 1.0, -np.inf], dtype=np.float32), (stop - start, 1))
    return RetrievedExamples.of(items, examples, Hits(rows, scores))


def answer_of(items: MemoryCollection, number: int) -> str:
    """Give the last word of the true item."""
    item: Item = items.get(np.array([2 * number]))[0]
    return item.text.split()[-1]


def exact(examples: Sequence[Example], answers: Sequence[Answer]) -> float:
    """Give the share of right answers."""
    pairs = list(zip(examples, answers, strict=True))
    return sum(answer.text in example.answers for example, answer in pairs) / len(pairs)


def train_set() -> TrainSet:
    """Eight things."""
    return TrainSet.of(retrieved(0, 8))


def dev_sets() -> list[DevSet]:
    """Two tasks of two things each."""
    return [DevSet("first", retrieved(8, 10), exact), DevSet("second", retrieved(10, 12), exact)]
