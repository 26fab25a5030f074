"""What predictors and judges say of items, and what is kept of it on disk."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from reml.contract.examples import Answer
from reml.contract.vectors import Float32Array, Int64Array

if TYPE_CHECKING:
    from torch import Tensor


class Signal(enum.Flag):
    """What an objective may ask for, beside the predictor's loss.

    ITEM_UTILITY is said by a `Judge`, and IN_BATCH by the training regime, from the items of the other examples; all
    else is the predictor's to give. NULL_LIKELIHOOD can be asked of any predictor that gives LEAVE_ONE_OUT.
    """

    NONE = 0
    ITEM_LIKELIHOOD = enum.auto()
    TOKEN_LIKELIHOOD = enum.auto()
    ATTENTION = enum.auto()
    SAMPLES = enum.auto()
    LEAVE_ONE_OUT = enum.auto()
    ITEM_UTILITY = enum.auto()
    IN_BATCH = enum.auto()
    NULL_LIKELIHOOD = enum.auto()


@dataclass(frozen=True, eq=False, slots=True)
class InBatch:
    """What the other examples of a batch retrieved, M items for each example, its own items masked.

    scores: [B, M], with gradient. mask: bool [B, M]. utility: [B, M], 0 where masked, as `Prediction.item_utility`.
    """

    scores: Tensor
    mask: Tensor
    utility: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """What a predictor's loss gives. Only `loss` is always there; the rest where `Signal` asks for it.

    loss: [B]. item_log_likelihood: log p(y | x, item), [B, K], -inf where masked. token_log_likelihood: the same for
    each target token, [B, K, T], 0 past the end. target_mask: [B, T], true on target tokens. attention: mass for each
    item, [B, K]. leave_one_out: log p(y | x, all items but this one), [B, K], -inf where masked.
    samples: outputs, S for each example, the right answer first and the others drawn from the predictor.
    sample_log_likelihood: log p(sample | x, item), [B, S, K], -inf where masked. utilities: of the samples, [B, S].
    item_utility: how useful each item is, larger is better, [B, K], 0 where masked. in_batch: items of other examples.
    null_log_likelihood: log p(y | x) without any item, [B, 1], -inf for an example that has none.
    """

    loss: Tensor
    item_log_likelihood: Tensor | None = None
    token_log_likelihood: Tensor | None = None
    target_mask: Tensor | None = None
    attention: Tensor | None = None
    leave_one_out: Tensor | None = None
    samples: tuple[tuple[Answer, ...], ...] | None = None
    sample_log_likelihood: Tensor | None = None
    utilities: Tensor | None = None
    item_utility: Tensor | None = None
    in_batch: InBatch | None = None
    null_log_likelihood: Tensor | None = None


@dataclass(frozen=True, eq=False, slots=True)
class FeedbackRecord:
    """How useful items were to a predictor: kept on disk, any objective can learn from it later.

    queries: B texts. rows: int64 [B, K], -1 pads. utilities: float32 [B, K], larger is better, 0 at padding. judge: who
    judged. versions: of the models that retrieved and judged, by name.
    """

    queries: tuple[str, ...]
    rows: Int64Array
    utilities: Float32Array
    judge: str
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rows.shape != self.utilities.shape or len(self.queries) != len(self.rows):
            raise ValueError(
                f"{len(self.queries)} queries, rows {self.rows.shape} and utilities {self.utilities.shape} do not fit: "
                "rows and utilities are [B, K] for B queries."
            )
        if not np.isfinite(self.utilities).all():
            raise ValueError("utilities must be finite; give 0 where an item could not be judged.")
