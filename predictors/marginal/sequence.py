"""Decoding by the marginal of whole answers, which no single beam search finds: RAG-sequence.

Lewis et al. 2020, section 2.5, https://arxiv.org/abs/2005.11401. Each item has a beam search of its own; Y is the union
of their answers, and the best has the greatest sum over items of p(z | x) p(y | x, z). Thorough decoding computes
p(y | x, z) of an answer that the beam of z did not find; fast decoding takes it for 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from reml.predictors.marginal.beam import Hypothesis

# (places of pairs [N], tokens of N answers without their ends) -> log p of each answer after its pair, [N]
Rescoring = Callable[[list[int], list[tuple[int, ...]]], list[float]]


def union(
    found: Sequence[Sequence[Hypothesis]], sizes: Sequence[int], log_shares: Tensor, rescored: Rescoring | None = None
) -> list[list[Hypothesis]]:
    """Give the answers of each group by their marginal, best first.

    found: of P pairs, those of a group side by side. sizes: pairs of each group. log_shares: log p(z | x) of each pair,
    [P]. rescored: computes what no beam found (thorough); without it that is -inf (fast).
    """
    known = {(pair, one.tokens): one.log_likelihood for pair, given in enumerate(found) for one in given}
    groups = [
        range(last - size, last) for size, last in zip(sizes, torch.tensor(sizes).cumsum(0).tolist(), strict=True)
    ]
    answers = [list(dict.fromkeys(one.tokens for pair in group for one in found[pair])) for group in groups]
    if rescored is not None:
        asked = [(pair, said) for group, given in zip(groups, answers, strict=True) for said in given for pair in group]
        known |= _rescored([key for key in asked if key not in known], rescored)
    shares = log_shares.tolist()
    return [
        sorted((_marginal(said, group, known, shares) for said in given), key=lambda one: -one.log_likelihood)
        for group, given in zip(groups, answers, strict=True)
    ]


def _rescored(keys: list[tuple[int, tuple[int, ...]]], rescored: Rescoring) -> dict[tuple[int, tuple[int, ...]], float]:
    if not keys:
        return {}
    return dict(zip(keys, rescored([pair for pair, _ in keys], [said for _, said in keys]), strict=True))


def _marginal(
    said: tuple[int, ...], group: range, known: dict[tuple[int, tuple[int, ...]], float], shares: list[float]
) -> Hypothesis:
    by_member = tuple(known.get((pair, said), -torch.inf) for pair in group)
    joint = torch.tensor([shares[pair] + one for pair, one in zip(group, by_member, strict=True)], dtype=torch.float64)
    return Hypothesis(said, float(joint.logsumexp(0)), by_member)
