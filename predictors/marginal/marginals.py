"""Log p(y | x) from p(item | x) and log p(y | x, item).

    sequence    log sum_z p(z | x) prod_t p(y_t | y_<t, x, z)
    token       sum_t log sum_z p(z | x) p(y_t | y_<t, x, z)

Lewis et al., NeurIPS 2020, section 2.1, https://arxiv.org/abs/2005.11401. All has its gradient, that of the prior too.
"""

from __future__ import annotations

from torch import Tensor

from reml.predictors.reading.places import Places


def log_shares(log_prior: Tensor, places: Places) -> Tensor:
    """Give log p(item | x) of each pair, [P], from [B, K]; 0 for an example alone."""
    if not log_prior.shape[1]:
        return log_prior.new_zeros(len(places))
    return log_prior[places.owners, places.positions].masked_fill(places.alone, 0.0)


def sequence_log_likelihood(log_shares: Tensor, likelihood: Tensor, places: Places) -> Tensor:
    """Give log p(y | x), [B]; log p(item | x) [P], log p of each target token [P, T], 0 where there is none."""
    return places.log_sums(log_shares + likelihood.sum(1))


def token_log_likelihood(log_shares: Tensor, likelihood: Tensor, places: Places, target_mask: Tensor) -> Tensor:
    """Give log p(y | x), [B], where each token has its own item; target_mask: bool [B, T]."""
    return places.log_sums(log_shares[:, None] + likelihood).masked_fill(~target_mask, 0.0).sum(1)


def expected_log_likelihood(log_shares: Tensor, likelihood: Tensor, places: Places) -> Tensor:
    """Give sum_z SG[p(z | x)] log p(y | x, z), [B]: what RetGen's generator learns by."""
    weighed = log_shares.detach().exp() * likelihood.sum(1)
    return weighed.new_zeros(places.examples).index_add(0, places.owners, weighed)
