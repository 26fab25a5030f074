"""How sure an answer has to be, chosen on examples of which both answers are known, for a budget of asks."""

from __future__ import annotations

import numpy as np

from reml.contract.vectors import Float64Array


def choose_threshold(confidence: Float64Array, closed: Float64Array, opened: Float64Array, *, asks: float) -> float:
    """Give the threshold with the best mean score over N examples, asking for at most a share `asks` of them.

    confidence: of the answers without retrieval; closed, opened: scores of the answers without and with it, all [N].
    Asked for is what is below the threshold. Of equal scores the one with fewest asks counts. `ValueError` for what is
    no number for each of at least one example, and where more examples than may be asked for have no answer at all.
    """
    if not confidence.shape == closed.shape == opened.shape == (len(confidence),) or not len(confidence):
        raise ValueError(
            f"confidence {confidence.shape}, closed {closed.shape} and opened {opened.shape} must all be [N], N > 0."
        )
    if not 0 <= asks <= 1:
        raise ValueError(f"asks is a share of the examples, 0 to 1, not {asks}.")
    if np.isnan(confidence).any() or not np.isfinite(opened - closed).all():
        raise ValueError("scores must be finite, and confidence numbers: look for nan in them.")
    values = np.unique(confidence)
    candidates = np.append(values[np.isfinite(values)], np.nextafter(values[-1], np.inf))
    order = np.argsort(confidence, kind="stable")
    counts = np.searchsorted(confidence[order], candidates)  # asked for below each candidate, ascending
    gains = np.append(0.0, np.cumsum((opened - closed)[order]))[counts]
    allowed = counts / len(confidence) <= asks  # 0.29 * 100 is below 29
    if not allowed.any():
        raise ValueError(
            f"{counts[0]} of {len(confidence)} examples have no answer without retrieval, more than a share of {asks}: "
            "raise asks."
        )
    return float(candidates[int(np.argmax(gains[allowed]))])
