"""The contract tests of an objective, of a judge, and of what takes feedback."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import torch

from reml.access.responses import gather
from reml.contract.access import FeedbackHandler
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Feedback, Judge
from reml.contract.retrieved import Hits, Responses
from reml.contract.signals import Credit, FeedbackRecord, InBatch
from reml.contract.vectors import Int64Array
from reml.testing.contract import Contract
from reml.testing.memory_collection import TEXTS, MemoryCollection


class FeedbackContract(Contract, ABC):
    """What every feedback objective must do."""

    @abstractmethod
    def make(self) -> Feedback:
        """Make the objective."""

    def credit(self) -> Credit:
        """Make what is said of 2 examples with 3 items, the last of the second one padding."""
        likelihood = torch.tensor([[-1.0, -2.0, -3.0], [-2.0, -0.5, -torch.inf]])
        tokens = torch.stack([likelihood.masked_fill(likelihood.isinf(), 0) / 2] * 2, dim=-1)  # [B, K] -> [B, K, T]
        return Credit(
            item_log_likelihood=likelihood,
            token_log_likelihood=tokens,
            target_mask=torch.ones(2, 2, dtype=torch.bool),
            attention=torch.tensor([[0.5, 0.3, 0.2], [0.6, 0.4, 0.0]]),
            leave_one_out=torch.tensor([[-3.0, -2.0, -1.0], [-0.5, -2.0, -torch.inf]]),
            samples=((Answer("a"), Answer("b")), (Answer("a"), Answer("c"))),
            sample_log_likelihood=torch.stack([likelihood, 2 * likelihood], dim=1),
            utilities=torch.tensor([[1.0, 0.2], [1.0, 0.0]]),
            item_utility=torch.tensor([[1.0, 0.0, 0.2], [0.0, 1.0, 0.0]]),
            null_log_likelihood=torch.tensor([[-4.0], [-3.0]]),
        )

    def others(self) -> InBatch:
        """Make two items of other examples."""
        return InBatch(torch.zeros(2, 2), torch.ones(2, 2, dtype=torch.bool), torch.zeros(2, 2))

    def test_teaches_the_scores_and_only_those_of_items(self) -> None:
        """The loss is [B] and finite; padding gets no gradient, items do."""
        torch.manual_seed(0)
        scores = torch.tensor([[0.3, 0.2, 0.1], [0.0, 0.4, -torch.inf]], requires_grad=True)
        mask = torch.tensor([[True, True, True], [True, True, False]])
        loss = self.make()(Responses.of_scores(scores, mask), self.credit(), self.others())
        assert loss.shape == (2,)
        assert torch.isfinite(loss).all()
        (gradient,) = torch.autograd.grad(loss.sum(), scores)
        assert torch.isfinite(gradient).all()
        assert gradient[1, 2] == 0
        assert (gradient[mask] != 0).any()

    def test_an_example_without_items_teaches_nothing(self) -> None:
        """Where all items are masked, the loss is finite and the scores get no gradient."""
        scores = torch.full((2, 3), -torch.inf, requires_grad=True)
        loss = self.make()(
            Responses.of_scores(scores, torch.zeros(2, 3, dtype=torch.bool)), self.credit(), self.others()
        )
        assert torch.isfinite(loss).all()
        if loss.requires_grad:
            assert torch.autograd.grad(loss.sum(), scores)[0].tolist() == [[0.0] * 3] * 2


class JudgeContract(Contract, ABC):
    """What every judge must do, over two questions about `TEXTS`."""

    @abstractmethod
    def make(self) -> Judge:
        """Make the judge."""

    def examples(self) -> list[Example]:
        """Give the questions, with their answers and the pages that these come from."""
        return [
            Example("1", "What do penguins breed on?", (Answer("ice", (Provenance("4"),)),)),
            Example("2", "What is exported from the harbour?", (Answer("copper", (Provenance("3"),)),)),
        ]

    def responses(self, rows: Int64Array) -> Responses:
        """Give the items of rows [B, K]."""
        return gather(MemoryCollection(TEXTS), Hits(rows, np.where(rows >= 0, 1.0, -np.inf).astype(np.float32)))

    def test_says_a_number_of_each_item(self) -> None:
        """[B, K], finite, 0 where masked, without gradient; not the same of all."""
        responses = self.responses(np.array([[4, 0, 1], [3, 2, -1]]))
        said = self.make()(self.examples(), responses)
        assert said.shape == responses.mask.shape
        assert torch.isfinite(said).all()
        assert said[1, 2] == 0
        assert not said.requires_grad
        assert len(set(said[responses.mask].tolist())) > 1, "it tells no items apart"

    def test_says_the_same_wherever_an_item_stands(self) -> None:
        """The order of the items changes only the order of what is said."""
        judge, rows = self.make(), np.array([[4, 0, 1], [3, 2, -1]])
        order = np.array([[2, 0, 1], [1, 0, 2]])
        turned = judge(self.examples(), self.responses(np.take_along_axis(rows, order, axis=1)))
        said = judge(self.examples(), self.responses(rows)).gather(1, torch.from_numpy(order))
        torch.testing.assert_close(turned, said, rtol=1e-4, atol=1e-4)

    def test_says_nothing_of_no_items(self) -> None:
        """K = 0."""
        assert self.make()(self.examples(), self.responses(np.empty((2, 0), np.int64))).shape == (2, 0)


class FeedbackHandlerContract(Contract, ABC):
    """What every taker of feedback must do."""

    @abstractmethod
    def make(self, folder: Path) -> FeedbackHandler:
        """Make the handler; `folder` is an empty folder of its own."""

    @abstractmethod
    def state(self, handler: FeedbackHandler) -> object:
        """Give what changes when it learns: weights, or the records that it keeps. Is compared by `==`."""

    def test_each_record_changes_something(self, tmp_path: Path) -> None:
        """It learns or keeps; the record itself stays as it is."""
        handler = self.make(tmp_path)
        states = [copy.deepcopy(self.state(handler))]
        for utility in (1.0, 0.25):
            utilities = np.array([[utility, 0.0], [0.5, 0.0]], dtype=np.float32)
            record = FeedbackRecord(("penguins", "copper"), np.array([[4, 0], [3, -1]]), utilities, "a judge")
            handler.receive(record)
            assert record.rows.tolist() == [[4, 0], [3, -1]]
            assert record.utilities.tolist() == [[utility, 0.0], [0.5, 0.0]]
            states.append(copy.deepcopy(self.state(handler)))
        assert states[0] != states[1]
        assert states[1] != states[2]
