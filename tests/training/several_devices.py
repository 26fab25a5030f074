"""A command that trains every regime: `python -m tests.training.several_devices FOLDER DEVICES RUN...`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from torch import Tensor, nn

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.similarity import EncoderScorer
from reml.contract.examples import Answer, Provenance
from reml.contract.predictors import Batch
from reml.experiment.plan.store import Stages
from reml.feedback.contrastive import Contrastive
from reml.feedback.judges.gold_evidence import GoldEvidence
from reml.feedback.judges.judges import Judges
from reml.feedback.pdist import Pdist
from reml.index.faiss import FaissIndex
from reml.training.data.sets import DevSet, RetrievedExamples, TrainSet
from reml.training.loop.fit import fit
from reml.training.regimes.ranking import Ranking, RankingObjective
from reml.training.regimes.regimes import Conditional, Independent, Joint, Regime
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.regimes.sparsity import Flops
from reml.training.scale.gradient_cache import GradientCached
from reml.training.scale.shared_items import SharedItems
from reml.training.settings import Training
from tests.training.pointing import WordRetriever, collection, exact, predictor, retrieved
from tests.training.word_encoder import WordEncoder

ITEMS = collection()
SETTINGS = Training(
    steps=4, batch_size=4, rate=0.05, check_every=2, save_every=3, warmup=0.0, clip=0.5, precision="32-true"
)
LABELS = Judges(items=GoldEvidence())


class AllRegimes(Regime):
    """Every regime, and every way to in-batch negatives, each with models of its own.

    drawn: the dropout; without it, the numbers do not depend on which device computes what.
    """

    def __init__(self, drawn: float) -> None:
        super().__init__()
        torch.manual_seed(0)
        searchers, encoders = [WordRetriever(ITEMS) for _ in range(3)], [WordEncoder(seed) for seed in range(2)]
        shared = EncodedRetriever(ITEMS, SharedItems(GradientCached(encoders[0], 2)), FaissIndex(8, "Flat"))
        regimes: dict[str, Regime] = {
            "independent": Independent(predictor(1)),
            "conditional": Conditional(predictor(2), RetrieverObjective(searchers[0], searchers[0], Pdist())),
            "joint": Joint(predictor(3), RetrieverObjective(searchers[1], searchers[1], Pdist())),
            "contrastive": Conditional(
                predictor(4), RetrieverObjective(searchers[2], searchers[2], Contrastive(), judges=LABELS)
            ),
            "shared": Conditional(
                predictor(5), RetrieverObjective(shared, encoders[0].module, Contrastive(), judges=LABELS)
            ),
            "ranking": Ranking(
                EncoderScorer(encoders[1]), RankingObjective(Contrastive(), [Flops(0.1, 0.1)]), len(ITEMS)
            ),
        }
        self.regimes = nn.ModuleDict(regimes)
        self.predictor = regimes["independent"].predictor
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = drawn

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        return {name: torch.stack(list(regime(batch).values())).sum(0) for name, regime in self.regimes.items()}


def located(start: int, stop: int) -> RetrievedExamples:
    """Give examples whose answers say which page they come from."""
    found = retrieved(start, stop, ITEMS)
    examples = [
        replace(example, output=(Answer(example.answers[0], (Provenance(str(2 * number)),)),))
        for number, example in enumerate(found.examples, start=start)
    ]
    return replace(found, examples=examples)


class BreakError(RuntimeError):
    pass


class Breaking(AllRegimes):
    """Fails in the last step."""

    def __init__(self, drawn: float) -> None:
        super().__init__(drawn)
        self.calls = 0

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        self.calls += 1
        if self.calls == SETTINGS.steps:
            raise BreakError
        return super().forward(batch)


RUNS = {"plain": SETTINGS, "parts": replace(SETTINGS, seed=1, accumulate=2), "drawn": SETTINGS}


def train(run: str, devices: int, folder: Path) -> None:
    """Do a run: `plain`; in `parts`; `drawn`, with dropout; `drawn-killed`, the same up to a crash."""
    name, _, killed = run.partition("-")
    regime = (Breaking if killed else AllRegimes)(0.2 if name == "drawn" else 0.0)
    dev = [DevSet("first", located(8, 11), exact), DevSet("second", located(10, 12), exact)]
    settings = replace(RUNS[name], devices=devices)
    fit(regime, TrainSet.of(located(0, 8)), dev=dev, settings=settings, folder=folder)


def main(home: Path, devices: int, *runs: str) -> None:
    """Make a stage of each run, one after the other."""
    stages = Stages(home, Console(quiet=True))
    for run in runs:
        name = run.partition("-")[0]
        with contextlib.suppress(BreakError):
            stages.make("models", name, name, partial(train, run, devices))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
