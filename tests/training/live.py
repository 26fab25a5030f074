"""A training run that retrieves while it learns: true and false pages, an encoder of words, and a reader that stays."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from reml.feedback.pdist import Pdist
from reml.protocols import TrainableEncoder, TrainableIndexer
from reml.retrieval import EncodedRetriever
from reml.testing import MemoryCollection
from reml.training.data import TrainSet
from reml.training.fit import Fitted, fit
from reml.training.index_versions import Rebuild
from reml.training.live_examples import LiveExamples, LiveRetrieval
from reml.training.live_index import LiveIndex
from reml.training.order import Shuffled
from reml.training.refresh import Refresh, Upkeep
from reml.training.regimes import Conditional, Learner
from reml.training.settings import Training
from reml.types import Answer, Example, Prediction, Responses, Signal
from tests.truths import COLOURS, Reader, WordDense

SETTINGS = Training(steps=10, batch_size=4, rate=0.03, warmup=0.0, precision="32-true", save_every=3)
THINGS = 12


class SureReader(Reader):
    """Trusts items that hold the answer; fails in its `calls`-th loss."""

    def __init__(self, calls: int = 0) -> None:
        super().__init__()
        torch.nn.init.constant_(self.trust, 3.0)
        self.calls = calls

    def loss(self, examples: Sequence[Example], responses: Responses, signals: Signal = Signal.NONE) -> Prediction:
        self.calls -= 1
        if not self.calls:
            raise CrashError
        return super().loss(examples, responses, signals)


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
    def upkeep(self) -> Upkeep:
        assert self.train.upkeep is not None
        return self.train.upkeep

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
    upkeep = Upkeep(retrieval, refresh, Rebuild(chosen, items, folder / "start"))
    part = LiveExamples.of(examples(), retrieval)
    learner = Learner(EncodedRetriever(items, encoder, built.index), encoder.module, Pdist(temperature=0.1))
    regime = Conditional(reader or SureReader(), learner)
    return Run(folder, encoder, live, TrainSet([part], Shuffled(len(part)), upkeep), regime)


def _pages(number: int) -> tuple[str, str]:
    true, false = COLOURS[number % 8], COLOURS[(number + 3) % 8]
    return f"surely thing{number} is {true}", f"hardly thing{number} is {false}"
