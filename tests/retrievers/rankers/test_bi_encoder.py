"""A bi-encoder as a ranker of what another search found, in Python and from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from reml.access.presenting.scoring import scored
from reml.cli.loading import load
from reml.contract.examples import Answer, Example
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Scorer
from reml.experiment.runner import Runner
from reml.files.records import read_examples, write_examples
from reml.retrievers.encoders.dense_encoder import DenseEncoder, Encoding
from reml.retrievers.rankers.bi_encoder import BiEncoder
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.rankers.kept import ItemVectors
from reml.testing import TEXTS, MemoryCollection, ScorerContract
from tests.small_cross_encoder import write_cross_encoder
from tests.small_experiment import write_experiment

FULL = Encoding(precision="float32", max_tokens=32)


@pytest.fixture(scope="module")
def small_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_cross_encoder(tmp_path_factory.mktemp("bert"), labels=None)


class TestBiEncoder(ScorerContract):
    @pytest.fixture(autouse=True)
    def _folder(self, small_bert: str) -> None:
        self.folder = small_bert

    def make(self) -> Scorer:
        return BiEncoder(self.folder, encoding=FULL)


def test_scores_are_products_of_the_vectors(small_bert: str) -> None:
    items, encoder = MemoryCollection(TEXTS).get(np.arange(5)), DenseEncoder.load(small_bert, FULL)
    scores = BiEncoder(small_bert, encoding=FULL).score(Queries.of(TEXTS[:2]), items, np.array([[0, 4], [2, -1]]))
    whole = encoder.encode_queries(TEXTS[:2]).values @ encoder.encode_items(items).values.T
    torch.testing.assert_close(scores.detach(), torch.tensor([[whole[0, 0], whole[0, 4]], [whole[1, 2], -np.inf]]))


@pytest.mark.parametrize(("form", "near"), [("float16", 1e-3), ("int8", 0.02)])
def test_kept_vectors_give_about_the_same_scores(
    small_bert: str, tmp_path: Path, form: Literal["float16", "int8"], near: float
) -> None:
    collection, asked = MemoryCollection(TEXTS), Queries.of(TEXTS[::-1] * 100)  # more than are compared at a time
    items, positions = collection.get(np.arange(5)), np.tile(np.array([4, -1, 0, 2]), (500, 1))
    positions[::7] = -1
    live, kept = BiEncoder(small_bert, encoding=FULL), BiEncoder(small_bert, encoding=FULL, kept=form)
    kept.keep(MemoryCollection(TEXTS[:4]), tmp_path)
    wanted = scored(live, asked, items, positions)
    torch.testing.assert_close(scored(kept, asked, items, positions), wanted, rtol=0.0, atol=near)
    (folder,) = tmp_path.iterdir()
    assert len(ItemVectors(folder)) == 4
    scores = kept.score(asked, items, positions)
    assert scores.requires_grad
    torch.testing.assert_close(scores.detach(), wanted)


def reranked(folder: Path, scorer: dict[str, Any]) -> Runner:
    """Run BM25 and the same with a ranker behind it, both giving one of the four that the search finds."""
    questions = ["cotton potatoes sugar copper", "copper cigars rice cotton", "rice sugar potatoes cigars"]
    bm25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
    rerank = {"class_path": "reml.access.presenting.Rerank", "init_args": {"scorer": scorer}}
    config = write_experiment(
        folder,
        access={"bm25": bm25, "reranked": {**bm25, "processors": [rerank]}},
        predictor={"class_path": "reml.predictors.first_title.FirstTitle"},
        train_on=None,
        reading={"k": 1, "depth": 4, "words": 40},
    )
    made = (Example(f"q{number}", text, (Answer("Chad"),)) for number, text in enumerate(questions))
    write_examples(made, folder / "dev.jsonl")
    return load("run", ["--config", str(config), "--home", str(folder / "home")])[0]


def test_a_cross_encoder_named_in_yaml_ranks_to_the_depth_of_the_search(tmp_path: Path) -> None:
    model = write_cross_encoder(tmp_path / "model", seed=3)
    runner = reranked(
        tmp_path, {"class_path": "reml.retrievers.rankers.cross_encoder.CrossEncoder", "init_args": {"model": model}}
    )
    check(runner, CrossEncoder(model))


def test_so_does_a_bi_encoder(tmp_path: Path, small_bert: str) -> None:
    named = {
        "class_path": "reml.retrievers.rankers.bi_encoder.BiEncoder",
        "init_args": {"model": small_bert, "encoding": {"max_tokens": 32}},
    }
    check(reranked(tmp_path, named), BiEncoder(small_bert, encoding=Encoding(max_tokens=32)))


def check(runner: Runner, scorer: Scorer) -> None:
    """The same items as the search's, in the scorer's order; the one that is read is not always the search's first."""
    found, ranked = (runner.hits(name, "places", "dev") for name in ("bm25", "reranked"))
    collection, examples = runner.collection("places"), runner.examples("places", "dev")
    items = collection.get(collection.rows())
    scores = scorer.score(Queries.of([one.input for one in examples]), items, np.asarray(found.rows)).detach().cpu()
    for before, after, score in zip(np.asarray(found.rows), np.asarray(ranked.rows), scores, strict=True):
        order = score.argsort(descending=True, stable=True).numpy()
        assert after.tolist() == before[order].tolist()
    assert (found.rows[:, 0] != ranked.rows[:, 0]).any(), "the ranker changes nothing"
    first = [answer.output[0].text for answer in read(runner, "reranked")]
    assert first == [items[int(row)].title for row in ranked.rows[:, 0]]


def read(runner: Runner, access: str) -> list[Any]:
    return list(read_examples(runner.predictions(access, "places")))
