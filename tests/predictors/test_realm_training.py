"""REALM's pre-training as a whole: spans of pages, live retrieval outside the own page, the marginal, a fresh index."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.querying import OutsideOwnPage
from reml.collection.disk import build_collection
from reml.contract.examples import OWN_PAGE, Page
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.predictors.realm import Realm
from reml.tasks.salient_spans import SalientSpans
from reml.training.data.samplers import Uniform
from reml.training.data.sets import TrainSet
from reml.training.loop.fit import fit
from reml.training.refresh.index_versions import Rebuild
from reml.training.refresh.live_examples import LiveExamples, LiveRetrieval
from reml.training.refresh.live_index import LiveIndex
from reml.training.refresh.policies import Every, RefreshedIndex
from reml.training.regimes.regimes import Joint
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.settings import Training
from tests.memory_pages import MemoryPages
from tests.truths import WordDense

SETTINGS = Training(steps=6, batch_size=4, rate=0.01, warmup=0.0, precision="32-true", save_every=2)
CITIES = ("Paris", "Lima", "Oslo", "Rome")
PAGES = [
    Page(f"{side}{number}", "Chad", ("Chad", f"the {side} of country {number} {number} is {city}."))
    for number, city in enumerate(CITIES * 3)
    for side in ("river", "capital")
]


class CrashError(RuntimeError):
    pass


class Watched(Realm):
    """Notes what it reads; fails in its `calls`-th loss."""

    calls = 0

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        for example, items in zip(batch.examples, batch.read.items, strict=True):
            assert len(items) == 3
            assert example.meta[OWN_PAGE] not in {item.page_id for item in items}
        self.calls -= 1
        if not self.calls:
            raise CrashError
        return super().loss(batch, signals)


def train(folder: Path, model: str, calls: int = 0) -> tuple[dict[str, torch.Tensor], bytes]:
    """Train, or go on; give all weights and the losses."""
    torch.manual_seed(0)
    source, dense = MemoryPages(PAGES), WordDense()
    collection = build_collection(source, folder / "pages") if not (folder / "pages").exists() else None
    items = collection if collection is not None else build_collection(source, folder / f"pages{calls}")
    encoder = dense.encoder(items, folder / "start")
    built = dense.index_with(encoder, items, folder / "index")
    retrieval = LiveRetrieval(LiveIndex(EncodedRetriever(items, encoder, built.index)), 3, OutsideOwnPage())
    part = LiveExamples.of(SalientSpans(source, spans=["names"]).examples("train"), retrieval)
    realm = Watched(model, input_tokens=64)
    realm.calls = calls
    learner = RetrieverObjective(built, encoder.module, None, queries=OutsideOwnPage(), temperature=0.1)
    refreshed = RefreshedIndex(retrieval, Every(3), Rebuild(dense, items, folder / "start"))
    regime = Joint(realm, learner)
    fit(regime, TrainSet([part], Uniform(len(part)), refreshed), dev=[], settings=SETTINGS, folder=folder / "run")
    weights = {name: value.clone() for name, value in regime.state_dict().items()}
    return weights, (folder / "run" / "metrics.csv").read_bytes()


def test_a_crashed_pre_training_goes_on_to_the_last_digit(tmp_path: Path, tiny_masked: str) -> None:
    whole, losses = train(tmp_path / "whole", tiny_masked)
    with pytest.raises(CrashError):
        train(tmp_path / "broken", tiny_masked, calls=4)
    again, repeated = train(tmp_path / "broken", tiny_masked)
    assert repeated == losses
    assert all(torch.equal(again[name], value) for name, value in whole.items())


def test_the_marginal_alone_teaches_both(tmp_path: Path, tiny_masked: str) -> None:
    weights, _ = train(tmp_path, tiny_masked)
    torch.manual_seed(0)
    before = Realm(tiny_masked, input_tokens=64).state_dict()
    moved = {name for name, value in before.items() if not torch.equal(weights[f"predictor.{name}"], value)}
    assert "null_score" in moved
    assert any("layer.1" in name for name in moved)
    start = WordDense().encoder(build_collection(MemoryPages(PAGES), tmp_path / "again"), tmp_path).module.weight
    (retriever,) = (value for name, value in weights.items() if name.startswith("retriever."))
    assert not torch.equal(retriever, start.detach())
    assert torch.isfinite(retriever).all()
