"""A toy that only training can solve: a query's one word is none of those of the item that answers it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jsonargparse import ArgumentParser

from reml.access.presenting import Rerank
from reml.contract.examples import Example
from reml.contract.predictors import Feedback
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Scorer
from reml.testing import MemoryCollection
from reml.training.data.ranked_examples import FromLabels, RankedExamples
from reml.training.data.sets import TrainSet
from reml.training.loop.fit import fit
from reml.training.regimes.ranking import Ranking, RankingObjective
from reml.training.settings import Training

ASKED = ("capital", "city", "river", "question")
COLLECTION = MemoryCollection(["the chad of", "the france of", "the country of", "the supports of"], [""] * 4)


def found(scorer: Scorer) -> list[int]:
    """The row that stands first for each query; row n answers query n."""
    items = COLLECTION.get(COLLECTION.rows())
    with torch.no_grad():
        scores = scorer.score(Queries.of(ASKED), items, np.tile(np.arange(4), (4, 1)))
    assert scores.std() > 0
    return scores.argmax(dim=1).tolist()


def learn(scorer: Scorer, objective: Feedback, folder: Path, *, steps: int, rate: float = 0.01) -> None:
    """Train on the four queries, each with its item and two others."""
    right = [np.array([row], dtype=np.int64) for row in range(4)]
    sampler = FromLabels(right, [np.empty(0, dtype=np.int64)] * 4, COLLECTION.rows())
    part = RankedExamples.of(COLLECTION, [Example(word, word) for word in ASKED], sampler, 3)
    settings = Training(steps=steps, batch_size=4, rate=rate, weight_decay=0.0, precision="32-true", warmup=0.0)
    regime = Ranking(scorer, RankingObjective(objective), len(COLLECTION))
    fit(regime, TrainSet.of(part), dev=[], settings=settings, folder=folder)
    regime.eval()


def from_yaml(class_path: str, settings: dict[str, object]) -> Scorer:
    """The scorer of a `Rerank` that a configuration names."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Rerank, "rerank")
    scorer = {"class_path": class_path, "init_args": settings}
    written = {"class_path": "reml.access.presenting.Rerank", "init_args": {"scorer": scorer}}
    made = parser.instantiate(parser.parse_object({"rerank": written})).rerank
    assert isinstance(made, Rerank)
    assert isinstance(made.scorer, Scorer)
    return made.scorer
