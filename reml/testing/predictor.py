"""The contract test of a predictor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reml.access.responses import empty, gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Responses
from reml.contract.signals import Signal
from reml.testing.memory_collection import TEXTS, MemoryCollection


class PredictorContract(ABC):
    """What every predictor must do."""

    @abstractmethod
    def make(self) -> Predictor:
        """Make a small predictor."""

    def test_is_a_module(self) -> None:
        """A predictor is an `nn.Module`, so that it is trained, moved and saved like any other."""
        assert isinstance(self.make(), nn.Module)

    def test_loss_is_one_for_each_example(self, tmp_path: Path) -> None:
        """The loss is finite, [B], and has a gradient."""
        predictor, examples, responses = self._asked(tmp_path)
        loss = predictor.loss(Batch.of(examples, responses)).loss
        assert loss.shape == (len(examples),)
        assert torch.isfinite(loss).all()
        loss.sum().backward()  # type: ignore[no-untyped-call]
        assert isinstance(predictor, nn.Module)
        gradients = [value.grad for value in predictor.parameters() if value.grad is not None]
        assert all(torch.isfinite(gradient).all() for gradient in gradients), "padding must not reach a gradient"

    def test_answers_every_example(self, tmp_path: Path) -> None:
        """One answer for each, whose provenance is among the items it was given."""
        predictor, examples, responses = self._asked(tmp_path)
        answers = predictor.generate(Batch.of(examples, responses))
        assert len(answers) == len(examples)
        for answer, items in zip(answers, responses.items, strict=True):
            assert {place.wikipedia_id for place in answer.provenance} <= {item.page_id for item in items}

    def test_works_without_items(self, tmp_path: Path) -> None:
        """K = 0: the closed book."""
        predictor, examples, _ = self._asked(tmp_path)
        assert len(predictor.generate(Batch.of(examples, empty(len(examples))))) == len(examples)
        assert torch.isfinite(predictor.loss(Batch.of(examples, empty(len(examples)))).loss).all()

    def test_gives_the_signals_it_names(self, tmp_path: Path) -> None:
        """Likelihoods are [B, K], at most 0 and -inf at padding; a signal it does not name is refused."""
        predictor, examples, responses = self._asked(tmp_path)
        if Signal.ITEM_LIKELIHOOD in predictor.signals:
            found = predictor.loss(Batch.of(examples, responses), Signal.ITEM_LIKELIHOOD).said.item_log_likelihood
            assert found is not None
            assert found.shape == responses.rows.shape
            assert torch.isneginf(found[~responses.mask]).all()
            assert torch.isfinite(found[responses.mask]).all()
        for signal in Signal:
            if signal not in predictor.signals:
                with pytest.raises(ValueError, match=r"\w"):
                    predictor.loss(Batch.of(examples, responses), signal)

    def _asked(self, folder: Path) -> tuple[Predictor, list[Example], Responses]:
        torch.manual_seed(0)
        collection, predictor = MemoryCollection(TEXTS), self.make()
        predictor.prepare({"memory": collection}, folder / "prepared")
        examples = [
            Example("1", "What do penguins breed on?", (Answer("ice"),)),
            Example("2", "What is exported from the harbour?", (Answer("Copper and zinc"), Answer("copper"))),
        ]
        rows = np.array([[4, 0, 1], [3, 2, -1]], dtype=np.int64)
        scores = np.array([[3, 2, 1], [2, 1, -np.inf]], dtype=np.float32)
        return predictor, examples, gather(collection, Hits(rows, scores))
