from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reml.access.presenting import Rerank
from reml.access.presenting.scoring import scored
from reml.contract.retrieved import Queries
from reml.contract.retrievers import KeepingScorer, Scorer
from reml.contract.vectors import Float32Array
from reml.feedback.contrastive import Contrastive
from reml.retrievers.rankers.kept import Form, ItemVectors
from reml.retrievers.rankers.late_interaction import LateInteraction, TokenReading
from reml.retrievers.rankers.late_interaction import ranker as ranker_file
from reml.testing import TEXTS, MemoryCollection, ScorerContract
from tests.retrievers.rankers.late_interaction.small import PAPER, PLAIN
from tests.retrievers.rankers.learning import found, from_yaml, learn
from tests.retrievers.rankers.test_bi_encoder import reranked

COLLECTION = MemoryCollection([*TEXTS, "", "river, river"], [""] * 7)
ITEMS = COLLECTION.get(COLLECTION.rows())
QUERIES = Queries.of(["what is the capital", "river"])
POSITIONS = np.array([[0, 6, -1, 5], [4, 2, 1, 0]])


class TestLateInteraction(ScorerContract):
    @pytest.fixture(autouse=True)
    def _written(self, small_bert: str) -> None:
        self.folder = small_bert

    def make(self) -> Scorer:
        return LateInteraction(self.folder, reading=PAPER)


def brute_force(asked: Float32Array, shown: Float32Array) -> float:
    """The equation, token by token."""
    return sum(max((float(np.dot(one, other)) for other in shown), default=0.0) for one in asked)


@pytest.mark.parametrize("together", [2, 256])
def test_scores_are_sums_of_the_largest_products(
    small_bert: str, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(ranker_file, "ITEMS", together)
    scorer = LateInteraction(small_bert, reading=PLAIN)
    scores = scorer.score(QUERIES, ITEMS, POSITIONS).detach()
    for query, places in enumerate(POSITIONS):
        asked = scorer.encoder.encode_queries(QUERIES.texts[query : query + 1]).values
        for column, place in enumerate(places):
            if place < 0:
                assert scores[query, column] == -torch.inf
                continue
            shown = scorer.encoder.encode_items([ITEMS[place]]).values  # alone: without padding
            assert scores[query, column].item() == pytest.approx(brute_force(asked, shown), abs=1e-4)


def test_a_query_matches_itself_in_each_token(small_bert: str) -> None:
    scorer = LateInteraction(small_bert, reading=PLAIN)
    alike = MemoryCollection(["what is the river"], [""]).get(np.array([0]))
    assert scorer.score(Queries.of(["what is the river"]), alike, np.array([[0]])).item() == pytest.approx(4.0)


def test_states_are_token_vectors_of_a_query(small_bert: str) -> None:
    scorer = LateInteraction(small_bert, reading=PLAIN)
    states = scorer.encoder.encode_queries(QUERIES.texts)
    given = Queries(QUERIES.owners, states=states)
    torch.testing.assert_close(scorer.score(given, ITEMS, POSITIONS), scorer.score(QUERIES, ITEMS, POSITIONS))
    with pytest.raises(ValueError, match=r"are token vectors \[Q, L, 32\].*not \[2, 32\]: ask with texts"):
        scorer.score(Queries(QUERIES.owners, states=torch.zeros(2, 32)), ITEMS, POSITIONS)


def test_it_learns_from_the_items_of_a_batch_and_comes_back(small_bert: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    scorer = LateInteraction(small_bert, reading=PAPER, new_projection=16)
    before = scorer.fingerprint()
    learn(scorer, Contrastive(), tmp_path / "run", steps=30, rate=3e-3)
    assert found(scorer) == [0, 1, 2, 3]
    assert scorer.fingerprint() != before
    scorer.save(tmp_path / "saved")
    again = LateInteraction(str(tmp_path / "saved"))
    assert again.fingerprint() == scorer.fingerprint()
    torch.testing.assert_close(again.score(QUERIES, ITEMS, POSITIONS), scorer.score(QUERIES, ITEMS, POSITIONS))


def test_it_learns_from_a_querys_own_items(small_bert: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    scorer = LateInteraction(small_bert, reading=PAPER, new_projection=16)
    learn(scorer, Contrastive(in_batch=False), tmp_path / "run", steps=80, rate=3e-3)
    assert found(scorer) == [0, 1, 2, 3]


@pytest.mark.parametrize(("form", "near"), [("float16", 0.01), ("int8", 0.1)])
def test_kept_vectors_give_about_the_same_scores_without_the_encoder(
    small_bert: str, tmp_path: Path, form: Form, near: float
) -> None:
    live, scorer = LateInteraction(small_bert, reading=PLAIN), LateInteraction(small_bert, reading=PLAIN, kept=form)
    assert isinstance(scorer, KeepingScorer)
    scorer.keep(COLLECTION, tmp_path)
    wanted = scored(live, QUERIES, ITEMS, POSITIONS)
    torch.testing.assert_close(scored(scorer, QUERIES, ITEMS, POSITIONS), wanted, rtol=0.0, atol=near)
    (folder,) = tmp_path.iterdir()
    with torch.no_grad():
        for weights in scorer.encoder.module.parameters():
            weights.data = torch.full_like(weights, torch.nan)  # unseen by the count of changes: nothing is encoded
    states = Queries(QUERIES.owners, states=live.encoder.encode_queries(QUERIES.texts))
    torch.testing.assert_close(scored(scorer, states, ITEMS, POSITIONS), wanted, rtol=0.0, atol=near)
    assert len(ItemVectors(folder)) == 7


def test_items_that_are_not_kept_are_encoded(small_bert: str, tmp_path: Path) -> None:
    live, scorer = LateInteraction(small_bert, reading=PLAIN), LateInteraction(small_bert, reading=PLAIN, kept="int8")
    scorer.keep(MemoryCollection(TEXTS[:3], [""] * 3), tmp_path)
    wanted = scored(live, QUERIES, ITEMS, POSITIONS)
    torch.testing.assert_close(scored(scorer, QUERIES, ITEMS, POSITIONS), wanted, rtol=0.0, atol=0.1)


def test_kept_vectors_do_not_serve_where_a_gradient_or_other_weights_are_wanted(
    small_bert: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    live, scorer = LateInteraction(small_bert, reading=PLAIN), LateInteraction(small_bert, reading=PLAIN, kept="int8")
    scorer.keep(COLLECTION, tmp_path / "kept")
    scores = scorer.score(QUERIES, ITEMS, POSITIONS)
    assert scores.requires_grad
    assert not (tmp_path / "kept").exists()
    torch.testing.assert_close(scores, live.score(QUERIES, ITEMS, POSITIONS))
    kept = scored(scorer, QUERIES, ITEMS, POSITIONS)
    assert not torch.equal(kept, scores)
    with torch.no_grad():
        for one, other in zip(scorer.module.parameters(), live.module.parameters(), strict=True):
            one.mul_(0.5)
            other.mul_(0.5)
    with caplog.at_level(logging.WARNING):
        again = scored(scorer, QUERIES, ITEMS, POSITIONS)
    assert "weights changed since vectors of items were kept" in caplog.text
    torch.testing.assert_close(again, scored(live, QUERIES, ITEMS, POSITIONS))


def test_an_experiment_keeps_the_vectors_in_its_home(small_bert: str, tmp_path: Path) -> None:
    reading: dict[str, Any] = {"query_marker": "", "item_marker": "", "augment": False, "item_tokens": 32}
    settings = {"model": small_bert, "reading": reading}
    named = "reml.retrievers.rankers.late_interaction.LateInteraction"
    scorer = LateInteraction(small_bert, reading=TokenReading(**reading))
    for form in (None, "float16"):
        runner = reranked(
            tmp_path / f"{form}", {"class_path": named, "init_args": settings | ({"kept": form} if form else {})}
        )
        found, ranked = (runner.hits(name, "places", "dev").rows for name in ("bm25", "reranked"))
        collection, examples = runner.collection("places"), runner.examples("places", "dev")
        items, asked = collection.get(collection.rows()), Queries.of([one.input for one in examples])
        scores = scored(scorer, asked, items, np.asarray(found)).cpu().numpy()
        order = np.argsort(-scores, axis=1, kind="stable")
        np.testing.assert_array_equal(ranked, np.take_along_axis(np.asarray(found), order, 1))
        assert (found != ranked).any(), "the ranker changes nothing"
        kept = tmp_path / f"{form}" / "home" / "kept"
        assert kept.exists() == (form is not None)
    (folder,) = kept.iterdir()
    assert len(ItemVectors(folder)) == len(runner.collection("places"))


def test_without_a_form_nothing_is_kept(small_bert: str, tmp_path: Path) -> None:
    scorer = LateInteraction(small_bert, reading=PLAIN)
    scorer.keep(COLLECTION, tmp_path / "kept")
    scored(scorer, QUERIES, ITEMS, POSITIONS)
    assert not (tmp_path / "kept").exists()


def test_a_configuration_names_it(small_bert: str) -> None:
    reading: dict[str, Any] = {"query_marker": "", "item_marker": "", "augment": False, "item_tokens": 32}
    settings: dict[str, object] = {"model": small_bert, "reading": reading, "kept": "int8"}
    scorer = from_yaml("reml.retrievers.rankers.late_interaction.LateInteraction", settings)
    assert isinstance(scorer, LateInteraction)
    assert scorer.reading is not None
    assert (scorer.kept, scorer.reading.augment) == ("int8", False)
    assert isinstance(Rerank(scorer), Rerank)
    with pytest.raises(ValueError, match=r"LateInteraction\.kept is 'int4', but must be"):
        LateInteraction(small_bert, kept="int4")  # type: ignore[arg-type]
