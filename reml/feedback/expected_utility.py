"""`expected_utility`: the utility to expect of the answer, over lists of items drawn without replacement.

    L = -sum over outputs y' of U(y, y') p(y' | x, d)            d ~ p(d | x) = prod_i p_{d_i} / (1 - sum_{j<i} p_{d_j})

    p_k = softmax_k(s_k / temperature)            p(y' | x, d) = 1/n sum over z in d of p(y' | x, z)

Zamani and Bendersky, "Stochastic RAG: End-to-End Retrieval-Augmented Generation through Expected Utility Maximization",
SIGIR 2024, https://arxiv.org/abs/2405.02816. A list is drawn by Gumbel-top-n (Kool, van Hoof and Welling, "Stochastic
Beams and Where to Find Them", ICML 2019, https://arxiv.org/abs/1903.06059): add Gumbel noise to log p, keep the n
largest. The drawing has no gradient, so that of a softmax stands in for it (straight through). U is any measure up to
the KILT score (`AnswerUtility`); the outputs are the predictor's samples, the right answer always among them.

Deviations:
- FiD-Light reads the drawn list at once, and the gradient comes back through its decoder. Here the predictor tells the
  likelihood of an output given each item, and a list's is their mean, so that any predictor will do. What reads lists
  at once learns as in the paper by `reml.predictors.stochastic_rag`, which draws by these settings.
- The softmax that stands in for the i-th drawing is over the item drawn and those never drawn: what could be exchanged
  for it. Over 6 random problems of 5 items, at lists of 1, 2, 3 and 4 and a relaxation of 0.5, the mean over noise then
  points where the exact gradient does with a cosine of 0.998, 0.998, 0.994 and 0.993; over all items at once it is
  0.998, 0.909, 0.726 and 0.599. With a list of all items there is no choice, and no gradient.
- Samples are drawn anew at each step, where the paper keeps 100 from a beam for 10,000 steps and takes 10 of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, InBatch, Signal
from reml.feedback.distributions import (
    check_finite,
    check_temperature,
    masked_log_softmax,
    missing,
    retrieval_scores,
    where_any_item,
)


def gumbel_noise(like: Tensor) -> Tensor:
    """Draw standard Gumbel noise of a tensor's shape, from PyTorch's generator."""
    uniform = torch.rand_like(like).clamp(min=torch.finfo(like.dtype).tiny, max=1 - torch.finfo(like.dtype).eps)
    return -torch.log(-torch.log(uniform))


def drawn_list(log_probability: Tensor, noise: Tensor, *, mask: Tensor, size: int, relaxation: float = 1.0) -> Tensor:
    """Draw a list of at most `size` items without replacement: 1 for each item in it, else 0, [B, K].

    log_probability, Gumbel noise, mask: [B, K]. The gradient is that of the softmaxes that stand in for the drawings;
    the smaller `relaxation`, the closer are they to the drawings and the larger is their variance.
    """
    return drawn_items(log_probability, noise, mask=mask, size=size, relaxation=relaxation).sum(dim=1)


def drawn_items(log_probability: Tensor, noise: Tensor, *, mask: Tensor, size: int, relaxation: float = 1.0) -> Tensor:
    """Draw a list as `drawn_list` does: for each of its places, in the order of drawing, 1 at its item, [B, n, K]."""
    perturbed = (log_probability + noise).masked_fill(~mask, -torch.inf)
    order = perturbed.detach().topk(min(size, mask.shape[1]), dim=-1).indices
    chosen = torch.zeros_like(mask).scatter(1, order, value=True) & mask
    drawn = [torch.zeros_like(log_probability)[:, None][:, :0]]
    for place in order.unbind(dim=-1):
        one = torch.zeros_like(mask).scatter(1, place[:, None], value=True)
        soft = masked_log_softmax(log_probability + noise, mask & (one | ~chosen), relaxation).exp()
        drawn.append(((one & mask).to(soft.dtype) + (soft - soft.detach()))[:, None])
    return torch.cat(drawn, dim=1)


def expected_utility_loss(chosen: Tensor, log_likelihood: Tensor, utilities: Tensor) -> Tensor:
    """Compute -sum_s U_s mean over the list of p(y_s | x, z), [B].

    chosen: as `drawn_list` gives it, [B, K]. log_likelihood: of S outputs, [B, S, K], -inf where masked. utilities:
    [B, S]. The gradient goes to the retriever through `chosen`, and to the predictor.
    """
    weights = chosen / chosen.detach().sum(dim=-1, keepdim=True).clamp(min=1)
    of_list = (log_likelihood.to(weights.dtype).exp() * weights[:, None]).sum(dim=-1)  # [B, S, K] -> [B, S]
    return -(utilities.detach().to(weights.dtype) * of_list).sum(dim=-1)


@checked()
@dataclass(frozen=True)
class ExpectedUtility:
    """Train retriever and predictor on the utility to expect of sampled outputs over sampled lists of items.

    items: of a list. lists: drawn for each example at each step. relaxation: see `drawn_list`.
    """

    version: ClassVar[int] = 2  # sums of draws are rounded otherwise since

    items: int = 1
    lists: int = 8
    temperature: float = 1.0
    relaxation: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_temperature(self.relaxation, "relaxation")
        if self.items < 1 or self.lists < 1:
            raise ValueError(f"items and lists must be 1 or more, not {self.items} and {self.lists}.")

    @property
    def needs(self) -> Signal:
        """Sampled outputs, their likelihood given each item, and their utilities."""
        return Signal.SAMPLES

    def draw(self, responses: Responses) -> Tensor:
        """Draw a list of each example, as `drawn_items` gives it, [B, n, K]."""
        scores, mask = retrieval_scores(responses), responses.mask
        log_probability = masked_log_softmax(scores, mask, self.temperature)
        noise = gumbel_noise(log_probability)
        return drawn_items(log_probability, noise, mask=mask, size=self.items, relaxation=self.relaxation)

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:  # noqa: ARG002
        """Give the loss of each example, [B], mean over lists; `ValueError` for inputs that are not finite."""
        likelihood, utilities = credit.sample_log_likelihood, credit.utilities
        if likelihood is None or utilities is None:
            raise missing(Signal.SAMPLES)
        scores, mask = retrieval_scores(responses), responses.mask
        check_finite(likelihood.sum(dim=1), mask, "log-likelihoods of samples")
        check_finite(utilities, torch.ones_like(utilities, dtype=torch.bool), "utilities of samples")
        log_probability = masked_log_softmax(scores, mask, self.temperature)
        shown = likelihood.masked_fill(~mask[:, None], -torch.inf)
        losses = [self._loss(log_probability, mask, shown, utilities) for _ in range(self.lists)]
        return where_any_item(torch.stack(losses).mean(dim=0), mask)

    def _loss(self, log_probability: Tensor, mask: Tensor, likelihood: Tensor, utilities: Tensor) -> Tensor:
        noise = gumbel_noise(log_probability)
        chosen = drawn_list(log_probability, noise, mask=mask, size=self.items, relaxation=self.relaxation)
        return expected_utility_loss(chosen, likelihood, utilities)
