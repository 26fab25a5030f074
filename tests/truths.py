"""A small world for feedback: of each thing there is a true page and a false one, and the retriever takes either.

The parts are the smallest that learn: an encoder of hashed words, and a reader that learns how far to trust an item
that holds the answer. Before it is trained it trusts all alike.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor, nn
from torch.nn import functional

from reml.access.encoded_retriever import EncodedRetriever
from reml.collection.sources.kilt_pages import write_pages
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Item, Media, Page, Provenance, texts_of
from reml.contract.predictors import Batch
from reml.contract.retrievers import Retriever
from reml.contract.signals import Credit, Prediction, Signal
from reml.contract.vectors import DenseVectors, Similarity
from reml.files.atomic import digest
from reml.files.origin import Origin, build_once
from reml.files.records import write_examples
from reml.index.faiss import FaissIndex

BUCKETS, WIDTH = 4096, 64
COLOURS = ("red", "green", "blue", "black", "white", "pink", "grey", "gold")


class WordEncoder:
    """Sums of word vectors."""

    def __init__(self) -> None:
        self.module = nn.Embedding(BUCKETS, WIDTH)

    similarity: Similarity = "dot"

    def fingerprint(self) -> str:
        return digest(self.module.weight.detach().numpy().tobytes())

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        texts = texts_of(contents, self)
        return DenseVectors(self.query_vectors(texts).detach().numpy())

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        return DenseVectors(self.item_vectors(items).detach().numpy())

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        texts = texts_of(contents, self)
        if not texts:
            return torch.zeros(0, WIDTH)
        return torch.stack([self._vector(text) for text in texts])

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        return self.query_vectors([item.text for item in items])

    def _vector(self, text: str) -> Tensor:
        words = torch.tensor([zlib.crc32(word.encode()) % BUCKETS for word in text.split()])
        return functional.normalize(self.module(words).sum(dim=0), dim=0)


class WordDense:
    """Dense retrieval with a `WordEncoder`."""

    def index(self, collection: Collection, folder: Path) -> Retriever:
        return self.index_with(self.encoder(collection, folder), collection, folder)

    def encoder(self, collection: Collection, folder: Path) -> WordEncoder:
        with torch.random.fork_rng():
            torch.manual_seed(5)
            return WordEncoder()

    def index_with(self, encoder: WordEncoder, collection: Collection, folder: Path) -> EncodedRetriever[WordEncoder]:
        def build(draft: Path) -> None:
            index = FaissIndex(WIDTH, "Flat")
            index.add(collection.rows(), encoder.encode_items(collection.get(collection.rows())))
            index.save(draft / "vectors")

        build_once(folder, Origin.of(collection, encoder.fingerprint()), build)
        return EncodedRetriever(collection, encoder, FaissIndex.open(folder / "vectors"))


class Reader(nn.Module):
    """Says p(y | x, item) = sigmoid(trust) if the item holds the answer, else sigmoid(-trust); reads the first item."""

    def __init__(self) -> None:
        super().__init__()
        self.trust = nn.Parameter(torch.tensor(0.0))

    @property
    def signals(self) -> Signal:
        return Signal.ITEM_LIKELIHOOD

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        holds = torch.full(batch.read.mask.shape, -1.0)
        for number, (example, items) in enumerate(zip(batch.examples, batch.read.items, strict=True)):
            for place, item in enumerate(items):
                holds[number, place] = 1.0 if example.answers[0] in item.text.split() else -1.0
        likelihood = functional.logsigmoid(self.trust * holds)
        said = likelihood.masked_fill(~batch.read.mask, -torch.inf) if signals else None
        return Prediction((-likelihood * (holds > 0)).sum(dim=1), (Credit(item_log_likelihood=said),))

    def generate(self, batch: Batch) -> list[Answer]:
        return [
            Answer(items[0].text.split()[-1], tuple(map(Provenance.of, items))) if items else Answer("")
            for items in batch.read.items
        ]


DENSE = {"retriever": {"class_path": "tests.truths.WordDense"}}
TRAINING = {"steps": 40, "batch_size": 8, "rate": 0.03, "precision": "32-true", "warmup": 0.0, "save_every": 15}
PDIST = {"class_path": "reml.feedback.pdist.Pdist", "init_args": {"temperature": 0.1}}


def feedback(**changes: Any) -> dict[str, Any]:
    """Write an access model that learns; `changes` replace its settings."""
    return {"feedback": {"learner": "dense", "objective": PDIST, "items": 4, "training": TRAINING, **changes}}


def write_truths(folder: Path, access: dict[str, Any], **changes: object) -> Path:
    """Write pages, examples and the experiment's YAML with access models beside `dense`. Give the YAML's path."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = [page for number in range(24) for page in _pages(number)]
    write_pages(pages, folder / "pages.jsonl")
    examples = [_example(number) for number in range(24)]
    write_examples(examples[:12], folder / "train.jsonl")
    write_examples(examples[12:], folder / "dev.jsonl")
    task = {
        "name": "things",
        "examples": {"train": str(folder / "train.jsonl"), "dev": str(folder / "dev.jsonl")},
        "knowledge_source": str(folder / "pages.jsonl"),
        "measure": "em",
    }
    experiment: dict[str, object] = {
        "name": "truths",
        "tasks": [{"class_path": "reml.tasks.jsonl.Jsonl", "init_args": task}],
        "access": {"dense": DENSE, **access},
        "predictor": {"class_path": "tests.truths.Reader"},
        "train_on": {"access": "dense", "k": 4},
        "training": {"steps": 30, "batch_size": 4, "rate": 0.3, "precision": "32-true", "check_every": 30},
        "reading": {"k": 1, "depth": 4, "words": 40},
    }
    if changes.get("train_on", ...) is None:
        del experiment["training"]
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump({**experiment, **changes}, sort_keys=False), encoding="utf-8")
    return path


def truths_first(rows: np.ndarray) -> float:
    """Give the share of dev questions whose first item is true: pages come in pairs, the true one first."""
    return float(np.mean(rows[:, 0] == 2 * np.arange(12, 24)))


def _pages(number: int) -> list[Page]:
    true, false = COLOURS[number % 8], COLOURS[(number + 3) % 8]
    return [
        Page(f"true{number}", f"True {number}", (f"True {number}", f"surely thing{number} is {true}")),
        Page(f"false{number}", f"False {number}", (f"False {number}", f"hardly thing{number} is {false}")),
    ]


def _example(number: int) -> Example:
    answer = Answer(COLOURS[number % 8], (Provenance(f"true{number}", f"True {number}"),))
    return Example(f"q{number}", f"what colour has thing{number}", (answer,))
