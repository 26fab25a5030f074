"""The contract test of an objective."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch

from reml.contract.examples import Answer
from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, InBatch


class FeedbackContract(ABC):
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
