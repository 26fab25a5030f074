"""What IDCM learns beside the transformer: which windows are read, and what their scores count.

Windows are chosen by CK, an efficient Conv-KNRM, of query tokens i and the tokens j of a window:

    x = normalised ReLU(Conv1d of 3 tokens (frozen word embeddings))        c_ij = x_i . x_j
    K_k(i) = sum over j of exp(-(c_ij - mu_k)^2 / (2 sigma^2))              s = w . sum over i of log(a_k K_k(i)) + b

with 11 kernels, mu = 1, 0.9, 0.7, ..., -0.9, sigma = 0.1, and a_k K_k(i) at least 1e-4.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.devices.precision import autocast
from reml.retrievers.rankers.idcm.windows import Form
from reml.retrievers.rankers.kernel_pooling import kernels

MEANS = (1.0, *(0.9 - 0.2 * step for step in range(10)))
FLOOR = 1e-4
SPAN = 3  # tokens that the convolution sees: one, and the two after it


@final
class Selector(nn.Module):
    """The efficient student model (ESM): scores windows from word embeddings alone. taught: whether it was trained."""

    means: Tensor
    taught: Tensor

    def __init__(self, width: int, form: Form) -> None:
        super().__init__()
        self._form = form
        self.context = nn.Conv1d(width, width, SPAN)
        self.scales = nn.Parameter(torch.ones(len(MEANS)))
        self.combine = nn.Linear(len(MEANS), 1)
        nn.init.uniform_(self.combine.weight, -0.01, 0.01)
        self.register_buffer("means", torch.tensor(MEANS))
        self.register_buffer("taught", torch.zeros(()))

    def forward(self, queries: Tensor, asked: Tensor, items: Tensor, there: Tensor) -> Tensor:
        """Score the windows of items, [B, windows of L], from embeddings [B, Q, D] and [B, L, D] and their masks.

        What the masks hide changes no score. Windows that an item does not have get scores that mean nothing. In
        float32 whatever the precision: cosines in bfloat16 have too few digits for kernels as narrow as these.
        """
        with autocast(queries.device, "float32"):
            return self._scored(queries, asked, items, there)

    def _scored(self, queries: Tensor, asked: Tensor, items: Tensor, there: Tensor) -> Tensor:
        if self.training and torch.is_grad_enabled():
            self.taught.fill_(1)
        cosines = self._states(queries, asked) @ self._states(items, there).mT  # [B, Q, L]
        matches = self._windows(kernels(cosines, self.means, there)) * self.scales  # [B, Q, windows, kernels]
        logs = matches.clamp(min=FLOOR).log() * asked[:, :, None, None]
        scores: Tensor = self.combine(logs.sum(dim=1))[..., 0]
        return scores

    def _states(self, embeddings: Tensor, mask: Tensor) -> Tensor:
        """Give unit vectors of tokens in their context, [B, L, D]."""
        ahead = functional.pad((embeddings * mask[..., None]).mT, (0, SPAN - 1))  # [B, D, L + 2]
        return functional.normalize(torch.relu(self.context(ahead)).mT, dim=-1)

    def _windows(self, near: Tensor) -> Tensor:
        """Add up over the tokens of each window, [B, Q, L, kernels] -> [B, Q, windows, kernels]."""
        window, overlap = self._form.window, self._form.overlap
        missing = self._form.windows(near.shape[2]) * window - near.shape[2]
        padded = functional.pad(near, (0, 0, overlap, overlap + missing))
        return padded.unfold(2, window + 2 * overlap, window).sum(dim=-1)


@final
class Cascade(nn.Module):
    """The selector, and the weights of an item's best windows."""

    def __init__(self, width: int, form: Form) -> None:
        super().__init__()
        self.selector = Selector(width, form)
        self.weights = nn.Parameter(torch.ones(form.top))

    def combined(self, scores: Tensor) -> Tensor:
        """Give the scores of items [P] from those of their windows [P, W], -inf where there is none.

        The best windows count, each by its rank's weight; one that is missing counts 0.
        """
        best = scores.sort(dim=1, descending=True).values[:, : len(self.weights)]
        found = best.masked_fill(best == -torch.inf, 0.0)
        return (found * self.weights[: found.shape[1]]).sum(dim=1)
