"""Queries that are states from the start, as an index takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reml.contract.vectors import DenseVectors, MultiVectors, Representations, SparseVectors

if TYPE_CHECKING:
    from torch import Tensor


def representations(states: Tensor | Representations) -> Representations:
    """Give states [Q, D] as representations, without gradient: the search has none, scores computed anew may."""
    if isinstance(states, SparseVectors | DenseVectors | MultiVectors):
        return states
    return DenseVectors(states.detach().float().cpu().numpy())
