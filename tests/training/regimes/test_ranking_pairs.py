"""Ranking over a scorer that makes no vectors: a cross-encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.access.querying.query_generators import InputQuery
from reml.access.responses import gather
from reml.access.similarity import EncoderScorer, at
from reml.contract.examples import Example, Item
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.signals import Credit, InBatch, Signal
from reml.contract.vectors import Int64Array
from reml.feedback.contrastive import Contrastive
from reml.feedback.weak_supervision import Rank
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.testing import MemoryCollection
from reml.training.data.ranked_examples import FromLabels, RankedExamples
from reml.training.data.sets import TrainSet
from reml.training.loop.fit import fit
from reml.training.loop.metrics import read_metrics
from reml.training.regimes.ranking import Ranking, RankingObjective, Reranker
from reml.training.regimes.sparsity import L1
from reml.training.settings import Training
from tests.small_cross_encoder import write_cross_encoder
from tests.training.word_encoder import WordEncoder

WORDS = ("chad", "france", "river", "city")
TEXTS = [text.format(word) for word in WORDS for text in ("the {}", "{} is", "what {} of")]
COLLECTION = MemoryCollection(TEXTS, [""] * len(TEXTS))
EXAMPLES = [Example(word, word) for word in WORDS]


def labelled() -> RankedExamples:
    """Three items hold the word of each query; all others are wrong."""
    right = [np.arange(3 * number, 3 * number + 3) for number in range(len(WORDS))]
    sampler = FromLabels(right, [np.empty(0, dtype=np.int64)] * len(WORDS), COLLECTION.rows())
    return RankedExamples.of(COLLECTION, EXAMPLES, sampler, 4)


def first_right(scorer: CrossEncoder) -> float:
    """Give the share of queries whose best item of all is right."""
    queries, everything = Queries.of(WORDS), np.tile(COLLECTION.rows(), (len(WORDS), 1))
    with torch.no_grad():
        best = scorer.score(queries, COLLECTION.get(COLLECTION.rows()), everything).argmax(dim=1)
    return float((best // 3 == torch.arange(len(WORDS))).float().mean())


def test_a_cross_encoder_learns_from_labels(tmp_path: Path) -> None:
    torch.manual_seed(0)
    scorer = CrossEncoder(write_cross_encoder(tmp_path / "model"), precision="float32")
    regime = Ranking(scorer, RankingObjective(Contrastive(in_batch=False)), len(COLLECTION))
    settings = Training(steps=120, batch_size=4, rate=3e-3, weight_decay=0.0, precision="32-true", save_every=1000)
    before = first_right(scorer)
    fit(regime, TrainSet.of(labelled()), dev=[], settings=settings, folder=tmp_path / "fit")
    losses = [value for _, name, value in read_metrics(tmp_path / "fit" / "metrics.csv") if name == "train/loss"]
    scorer.module.eval()
    assert before < 0.6
    assert first_right(scorer) == 1.0
    assert np.mean(losses[-20:]) < 0.6 * np.mean(losses[:20])


class Letters:
    """Scores by how often the item has the letter that is asked for, times a weight; keeps what it was asked."""

    def __init__(self) -> None:
        self.module = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.module.weight, 2.0)
        self.asked: list[list[int]] = []

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        self.asked = positions.tolist()
        counts = torch.tensor([[float(item.text.count(text)) for item in items] for text in queries.texts])
        return at(self.module(counts[..., None])[..., 0], positions)


class Recording:
    """Keeps what it is given."""

    def __init__(self, needs: Signal) -> None:
        self.needs = needs

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:
        self.scores, self.credit, self.others = responses.scores, credit, others
        return responses.scores.masked_fill(~responses.mask, 0.0).sum(dim=1)


def batch() -> Batch:
    """Query a has the items b and aa; query b has bbb and padding."""
    hits = Hits(np.array([[2, 0], [1, -1]]), np.array([[0.0, 1.0], [1.0, -np.inf]], dtype=np.float32))
    return Batch.of((Example("1", "a"), Example("2", "b")), gather(MemoryCollection(["aa", "bbb", "b"]), hits))


def test_a_scorer_without_vectors_is_asked_for_the_items_of_each_query_alone() -> None:
    scorer, recording = Letters(), Recording(Signal.ITEM_UTILITY)
    losses = Ranking(scorer, RankingObjective(recording), 3)(batch())
    assert scorer.asked == [[2, 0], [1, -1]]
    assert recording.scores.tolist() == [[0, 4], [6, -torch.inf]]
    assert recording.credit.item_utility is not None
    assert recording.credit.item_utility.tolist() == [[0, 1], [1, 0]]
    assert losses["ranking"].tolist() == [4, 6]
    losses["ranking"].sum().backward()
    assert scorer.module.weight.grad is not None
    assert scorer.module.weight.grad.item() == 2 + 3


def test_for_in_batch_negatives_it_is_asked_for_all() -> None:
    scorer, recording = Letters(), Recording(Contrastive(in_batch=True).needs)
    Ranking(scorer, RankingObjective(recording), 3)(batch())
    assert scorer.asked == [[0, 1, 2], [0, 1, 2]]
    assert recording.scores.tolist() == [[0, 4], [6, -torch.inf]]
    others = recording.others
    assert others is not None
    assert others.scores.tolist() == [[4, 0, 0], [0, 6, 2]]
    assert others.mask.tolist() == [[False, True, False], [True, False, True]]


def test_training_is_judged_by_the_order_of_the_scorer() -> None:
    answers = Reranker(Letters(), InputQuery()).generate(batch())
    assert [[place.wikipedia_id for place in answer.provenance] for answer in answers] == [["0", "2"], ["1"]]


def test_what_cannot_be_trained_or_kept_sparse_is_refused() -> None:
    with pytest.raises(ValueError, match="Letters makes no vectors for l1 to keep sparse: leave it out"):
        Ranking(Letters(), RankingObjective(Rank(), [L1(0.1)]), 3)
    fixed = EncoderScorer(WordEncoder(), gradient=False)
    with pytest.raises(ValueError, match="EncoderScorer has no parameters to train"):
        Ranking(fixed, RankingObjective(Rank()), 3)
