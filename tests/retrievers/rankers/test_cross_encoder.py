from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from reml.contract.retrieved import Queries
from reml.contract.retrievers import Scorer
from reml.files.atomic import CorruptError
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.testing import MemoryCollection, ScorerContract
from tests.damage import flip
from tests.small_cross_encoder import LIMIT, write_cross_encoder

TEXTS = ["the capital of chad", "a river", "france " * 60, "what is the city of the country"]
ITEMS = MemoryCollection(TEXTS, ["chad", "", "", "question"])
QUERIES = Queries.of(["what is the capital", "river"])
POSITIONS = np.array([[0, 3, -1], [2, 1, 0]])


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_cross_encoder(tmp_path_factory.mktemp("cross") / "model")


def scorer(folder: str, **changes: int) -> CrossEncoder:
    return CrossEncoder(folder, precision="float32", **changes)  # type: ignore[arg-type]


def test_scores_are_those_of_each_pair_alone_by_the_model_itself(folder: str) -> None:
    """Batches are padded and reordered, and a text that is too long is cut at the model's limit."""
    scores = scorer(folder, batch_size=2).score(QUERIES, ITEMS.get(ITEMS.rows()), POSITIONS)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokeniser = AutoTokenizer.from_pretrained(folder)
    for query, places in enumerate(POSITIONS):
        for column, place in enumerate(places):
            if place < 0:
                assert scores[query, column] == -torch.inf
                continue
            item = ITEMS.get(np.array([place]))[0]
            pair = (QUERIES.texts[query], f"{item.title} {item.text}")
            inputs = tokeniser(*pair, truncation=True, max_length=LIMIT, return_tensors="pt")
            with torch.no_grad():
                assert scores[query, column].item() == pytest.approx(model(**inputs).logits.item(), abs=1e-5)


def test_scores_have_a_gradient_and_no_scores_none(folder: str) -> None:
    model = scorer(folder)
    scores = model.score(QUERIES, ITEMS.get(ITEMS.rows()), POSITIONS)
    scores[torch.from_numpy(POSITIONS >= 0)].sum().backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in model.module.parameters())
    assert model.score(QUERIES, [], np.full((2, 3), -1)).tolist() == [[-torch.inf] * 3] * 2
    assert model.score(Queries.of([]), [], np.empty((0, 3), np.int64)).shape == (0, 3)


def test_of_two_logits_the_score_is_the_difference(tmp_path: Path) -> None:
    model = scorer(write_cross_encoder(tmp_path / "two", labels=2))
    before = model.score(QUERIES, ITEMS.get(ITEMS.rows()), POSITIONS).detach()
    with torch.no_grad():
        model.module.classifier.bias += torch.tensor([1.0, 4.0])  # type: ignore[union-attr, operator]
    after = model.score(QUERIES, ITEMS.get(ITEMS.rows()), POSITIONS).detach()
    there = torch.from_numpy(POSITIONS >= 0)
    torch.testing.assert_close(after[there], before[there] + 3.0)


def test_a_model_without_a_classifier_gets_one_and_comes_back(tmp_path: Path) -> None:
    torch.manual_seed(1)
    plain = write_cross_encoder(tmp_path / "plain", labels=None)
    with pytest.raises(ValueError, match=r"has no classifier, so that it would rank at random.*new_classifier: true"):
        _ = scorer(plain).module
    model = scorer(plain, new_classifier=True)
    scores = model.score(QUERIES, ITEMS.get(ITEMS.rows()), POSITIONS)
    model.save(tmp_path / "saved")
    again = scorer(str(tmp_path / "saved"))
    torch.testing.assert_close(again.score(QUERIES, ITEMS.get(ITEMS.rows()), POSITIONS), scores)
    assert again.fingerprint() == model.fingerprint()
    flip(tmp_path / "saved" / "model.safetensors", -2)
    with pytest.raises(CorruptError, match=r"model\.safetensors is not what was written"):
        _ = scorer(str(tmp_path / "saved")).module


def test_the_fingerprint_is_of_weights_and_of_what_is_read(folder: str) -> None:
    model = scorer(folder)
    before = model.fingerprint()
    assert scorer(folder, batch_size=7).fingerprint() == before
    assert scorer(folder, max_tokens=16).fingerprint() != before
    with torch.no_grad():
        next(model.module.parameters()).add_(1)
    assert model.fingerprint() != before


def test_what_is_no_model_of_relevance_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="tells 3 classes apart: name a model of relevance"):
        _ = scorer(write_cross_encoder(tmp_path / "three", labels=3)).module
    with pytest.raises(FileNotFoundError, match="give a hub id, a folder of a transformers model"):
        _ = scorer(str(tmp_path / "nothing")).module
    with pytest.raises(FileNotFoundError, match="needs the Python package no_such_package"):
        _ = CrossEncoder("package:no_such_package/model").module
    with pytest.raises(ValueError, match="batch_size 1 or more, not 512 and 0"):
        CrossEncoder("model", batch_size=0)
    with pytest.raises(ValueError, match=r"CrossEncoder\.precision is 'half', but must be one of 'auto'"):
        CrossEncoder("model", precision="half")  # type: ignore[arg-type]


class TestCrossEncoder(ScorerContract):
    @pytest.fixture(autouse=True)
    def _written(self, folder: str) -> None:
        self.folder = folder

    def make(self) -> Scorer:
        return scorer(self.folder)
