"""Whether a loss reaches what is to learn by it: what no gradient goes to would stay as it is, and nobody be told."""

from __future__ import annotations

from torch import Tensor
from torch.autograd.graph import Node


def reaches(loss: Tensor, values: Tensor) -> bool:
    """Tell whether a loss depends on values, by the graph that gradients take; nothing is computed."""
    if loss is values:
        return True
    ahead, seen = [loss.grad_fn], set[Node]()
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        if node is values.grad_fn or getattr(node, "variable", None) is values:  # a leaf has no function of its own
            return True
        seen.add(node)
        ahead += [before for before, _ in node.next_functions]
    return False
