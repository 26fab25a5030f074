"""A training run that retrieves while it learns: true and false pages, an encoder of words, and a reader that stays."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.retrievers import TrainableEncoder, TrainableIndexer
from reml.contract.signals import Prediction, Signal
from reml.feedback.pdist import Pdist
from reml.testing import MemoryCollection
from reml.training.data.samplers import Uniform
from reml.training.data.sets import TrainSet
from reml.training.loop.fit import Fitted, fit
from reml.training.refresh.index_versions import Rebuild
from reml.training.refresh.live_examples import LiveExamples, LiveRetrieval
from reml.training.refresh.live_index import LiveIndex
from reml.training.refresh.policies import Refresh, RefreshedIndex
from reml.training.regimes.regimes import Conditional
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.settings import Training
from tests.truths import COLOURS, Reader, WordDense

SETTINGS = Training(steps=10, batch_size=4, rate=0.03, warmup=0.0, precision="32-true", save_every=3)
THINGS = 12


class SureReader(Reader):
    """Trusts items that hold the answer; fails in its `calls`-th loss."""

    def __init__(self, calls: int = 0) -> None:
        super().__init__()
        torch.nn.init.constant_(self.trust, 3.0)
        self.calls = calls

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        self.calls -= 1
        if not self.calls:
            raise CrashError
        return super().loss(batch, signals)


class CrashError(RuntimeError):
    pass


@dataclass(frozen=True, eq=False)
class Run:
    """All that a run in `folder` needs."""

    folder: Path
    encoder: TrainableEncoder
    live: LiveIndex
    train: TrainSet
    regime: Conditional

    def fit(self, settings: Training = SETTINGS) -> Fitted:
        return fit(self.regime, self.train, dev=[], settings=settings, folder=self.folder / "run")

    @property
    def refreshed(self) -> RefreshedIndex:
        assert self.train.refreshed is not None
        return self.train.refreshed

    def metrics(self) -> list[list[str]]:
        with (self.folder / "run" / "metrics.csv").open(encoding="utf-8") as stream:
            return list(csv.reader(stream))[1:]

    def logged(self, name: str) -> dict[int, float]:
        return {int(step): float(value) for step, named, value in self.metrics() if named == name}


def collection() -> MemoryCollection:
    """Each thing has a true page and a false one; the false one begins like the questions do."""
    pages = [_pages(number) for number in range(THINGS)]
    return MemoryCollection([text for both in pages for text in both])


def examples() -> list[Example]:
    """Ask for the colours."""
    return [
        Example(f"q{number}", f"what colour has thing{number}", (Answer(COLOURS[number % 8]),))
        for number in range(THINGS)
    ]


def prepare(
    folder: Path,
    refresh: Refresh,
    *,
    reader: Reader | None = None,
    indexer: TrainableIndexer[Any] | None = None,
    reembed: int | None = None,
) -> Run:
    """Make a run; the same from the same arguments. Call it again for a run to go on."""
    items = collection()
    chosen: TrainableIndexer[Any] = indexer if indexer is not None else WordDense()
    encoder: TrainableEncoder = chosen.encoder(items, folder / "start")
    built = chosen.index_with(encoder, items, folder / "index")
    assert isinstance(built, EncodedRetriever)
    live = LiveIndex(EncodedRetriever(items, encoder, built.index))
    retrieval = LiveRetrieval(live, k=4, reembed=reembed)
    refreshed = RefreshedIndex(retrieval, refresh, Rebuild(chosen, items, folder / "start"))
    part = LiveExamples.of(examples(), retrieval)
    learner = RetrieverObjective(EncodedRetriever(items, encoder, built.index), encoder.module, Pdist(temperature=0.1))
    regime = Conditional(reader or SureReader(), learner)
    return Run(folder, encoder, live, TrainSet([part], Uniform(len(part)), refreshed), regime)


def _pages(number: int) -> tuple[str, str]:
    true, false = COLOURS[number % 8], COLOURS[(number + 3) % 8]
    return f"surely thing{number} is {true}", f"hardly thing{number} is {false}"
