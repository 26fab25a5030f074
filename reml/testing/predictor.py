"""The contract test of a predictor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.responses import empty, gather
from reml.contract.access import Access
from reml.contract.asking import answers_of, prediction_of
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Item
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Responses
from reml.contract.signals import Prediction, Signal
from reml.testing.contract import Contract
from reml.testing.memory_collection import TEXTS, MemoryCollection
from reml.testing.word_retriever import WordRetriever


class PredictorContract(Contract, ABC):
    """What every predictor must do. Set `reads = False` for one that reads no items at all: a closed book.

    It is given lists ahead (`Batch.of`), and sessions of what `access` makes.
    """

    reads = True

    @abstractmethod
    def make(self) -> Predictor:
        """Make a small predictor."""

    def access(self, collection: Collection, folder: Path, asks: int | None) -> Mapping[str, Access]:  # noqa: ARG002
        """Make the access models that it may ask, by name, each so often: one that finds by shared words, `memory`.

        Override it for a predictor that asks access models by their names, by states, or writes. `folder` is its own.
        """
        limits = Limits(depth=4, k=2, asks=asks)
        return {"memory": InformationAccess(WordRetriever(collection), limits=limits, name="memory")}

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
        """One answer for each, with a text, whose provenance is among the items it was given."""
        predictor, examples, responses = self._asked(tmp_path)
        answers = _answers(predictor, Batch.of(examples, responses))
        for answer, items in zip(answers, responses.items, strict=True):
            assert {place.wikipedia_id for place in answer.provenance} <= {item.page_id for item in items}

    def test_works_without_items(self, tmp_path: Path) -> None:
        """K = 0: the closed book."""
        predictor, examples, _ = self._asked(tmp_path)
        assert len(_answers(predictor, Batch.of(examples, empty(len(examples))))) == len(examples)
        assert torch.isfinite(predictor.loss(Batch.of(examples, empty(len(examples)))).loss).all()

    def test_gives_the_signals_it_names(self, tmp_path: Path) -> None:
        """Likelihoods are [B, K], at most 0 and -inf at padding; a signal it does not name is refused."""
        predictor, examples, responses = self._asked(tmp_path)
        if Signal.ITEM_LIKELIHOOD in predictor.signals:
            found = predictor.loss(
                Batch.of(examples, responses), Signal.ITEM_LIKELIHOOD
            ).read_credit.item_log_likelihood
            assert found is not None
            assert found.shape == responses.rows.shape
            assert torch.isneginf(found[~responses.mask]).all()
            assert torch.isfinite(found[responses.mask]).all()
        for signal in Signal:
            if signal not in predictor.signals:
                with pytest.raises(ValueError, match=r"\w"):
                    predictor.loss(Batch.of(examples, responses), signal)

    def test_masked_items_have_no_influence(self, tmp_path: Path) -> None:
        """What is masked may be anything, to the loss, to all that is said of items and to the answers."""
        predictor, examples, responses = self._masked(tmp_path)
        changed = replace(responses, items=tuple((items[0], *map(_other, items[1:])) for items in responses.items))
        before, after = Batch.of(examples, responses), Batch.of(examples, changed)
        for signals in (Signal.NONE, predictor.signals):
            assert _numbers(predictor.loss(before, signals)) == _numbers(predictor.loss(after, signals))
        assert _said(_answers(predictor, before)) == _said(_answers(predictor, after))

    def test_items_that_are_not_masked_are_read(self, tmp_path: Path) -> None:
        """Other items give another loss or other answers; to a closed book they give the same."""
        predictor, examples, responses = self._masked(tmp_path)
        shown = replace(responses, mask=torch.ones_like(responses.mask))
        changed = replace(shown, items=tuple(tuple(map(_other, items)) for items in shown.items))
        before, after = Batch.of(examples, shown), Batch.of(examples, changed)
        same_loss = torch.equal(predictor.loss(before).loss, predictor.loss(after).loss)
        same_texts = _texts(_answers(predictor, before)) == _texts(_answers(predictor, after))
        assert (same_loss and same_texts) != self.reads, "say `reads = False` of a predictor that reads no items"

    @pytest.mark.parametrize("asks", [None, 1])
    def test_works_over_sessions(self, asks: int | None, tmp_path: Path) -> None:
        """It asks by itself, answers when its budget is spent, and from lists ahead the same if it asks no others."""
        predictor, examples, _ = self._asked(tmp_path)
        assert isinstance(predictor, nn.Module)
        predictor.eval()
        models = self.access(MemoryCollection(TEXTS), tmp_path / "access", asks)
        predictor.prepare({name: model.collection for name, model in models.items()}, tmp_path / "of_access")
        live, read, learnt = (
            Batch(tuple(examples), {name: model.open(examples) for name, model in models.items()}) for _ in range(3)
        )
        answers, ahead = _answers(predictor, live), Batch.of(examples, read.read)
        asked = [rows for rows in _rows(live) if rows]
        assert asked or not self.reads, "it read nothing: take `batch.read`, or ask the sessions"
        loss = prediction_of(predictor, learnt).loss
        if _rows(live) == _rows(read):
            assert _said(answers) == _said(_answers(predictor, ahead))
        if _rows(learnt) == _rows(read):
            torch.testing.assert_close(loss, predictor.loss(ahead).loss)

    def _masked(self, folder: Path) -> tuple[Predictor, list[Example], Responses]:
        """Give two items of each example, the second one masked, and a predictor without dropout."""
        predictor, examples, _ = self._asked(folder)
        assert isinstance(predictor, nn.Module)
        predictor.eval()
        scores = np.array([[2, 1], [2, 1]], dtype=np.float32)
        found = gather(MemoryCollection(TEXTS), Hits(np.array([[4, 0], [3, 2]]), scores))
        return predictor, examples, replace(found, mask=torch.tensor([[True, False]] * 2))

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


def _other(item: Item) -> Item:
    """Give another item in its place, which holds the answers; no row says whose tokens it has."""
    return replace(item, row=-5, text="Penguins breed on ice; copper and zinc are exported.", title="Harbour")


def _numbers(prediction: Prediction) -> list[list[float]]:
    said = prediction.read_credit
    parts = (prediction.loss, said.item_log_likelihood, said.token_log_likelihood, said.attention, said.leave_one_out)
    return [part.detach().flatten().tolist() for part in parts if part is not None]


def _answers(predictor: Predictor, batch: Batch) -> list[Answer]:
    answers = answers_of(predictor, batch)
    untold = [example.id for example, answer in zip(batch.examples, answers, strict=True) if answer.text is None]
    assert not untold, f'the answers to {untold} have no text (None): give `Answer("")` where there is nothing to say'
    return answers


def _rows(batch: Batch) -> list[list[list[list[int]]]]:
    """Give the rows of all lists on record, of each session in order."""
    return [[found.rows.tolist() for _, found in session.asked] for session in batch.sessions.values()]


def _texts(answers: list[Answer]) -> list[str | None]:
    return [answer.text for answer in answers]


def _said(answers: list[Answer]) -> list[tuple[str | None, list[str]]]:
    return [(answer.text, [place.wikipedia_id for place in answer.provenance]) for answer in answers]
