"""What predictors and judges say of items, and what is kept of it on disk."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from reml.contract.arguments.several import hold_mappings, hold_several
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
    """What the other queries of a batch retrieved, M items for each query, its own items masked.

    scores: [Q, M], with gradient. mask: bool [Q, M]. utility: [Q, M], 0 where masked, as `Credit.item_utility`.
    """

    scores: Tensor
    mask: Tensor
    utility: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Credit:
    """What is said of the items of one list, by a predictor, a judge, a teacher or a record; what `Signal` asks for.

    item_log_likelihood: log p(y | x, item), [Q, K], -inf where masked or not read. token_log_likelihood: the same for
    each target token, [Q, K, T], 0 past the end. target_mask: [Q, T], true on target tokens. attention: mass for each
    item, [Q, K].
    leave_one_out: log p(y | x, all items but this one), [Q, K], -inf where masked.
    samples: outputs, S for each example, the right answer first and the others drawn from the predictor.
    sample_log_likelihood: log p(sample | x, item), [Q, S, K], -inf where masked. utilities: of the samples, [Q, S].
    item_utility: how useful each item is, larger is better, [Q, K], 0 where masked.
    null_log_likelihood: log p(y | x) without any item, [Q, 1], -inf for an example that has none.
    """

    item_log_likelihood: Tensor | None = None
    token_log_likelihood: Tensor | None = None
    target_mask: Tensor | None = None
    attention: Tensor | None = None
    leave_one_out: Tensor | None = None
    samples: tuple[tuple[Answer, ...], ...] | None = None
    sample_log_likelihood: Tensor | None = None
    utilities: Tensor | None = None
    item_utility: Tensor | None = None
    null_log_likelihood: Tensor | None = None

    def __post_init__(self) -> None:
        if self.samples is not None:
            hold_several(self, "samples")

    def take(self, positions: Tensor) -> Credit:
        """Give what is said of the items at positions [Q, k] of the list, -1 where there is none."""
        there, index = positions >= 0, positions.clamp_min(0)

        def taken(values: Tensor | None, fill: float) -> Tensor | None:
            return None if values is None else values.gather(1, index).masked_fill(~there, fill)

        tokens, samples = self.token_log_likelihood, self.sample_log_likelihood
        if tokens is not None:
            tokens = tokens.gather(1, index[:, :, None].expand(-1, -1, tokens.shape[2]))
            tokens = tokens.masked_fill(~there[:, :, None], 0.0)
        if samples is not None:
            samples = samples.gather(2, index[:, None].expand(-1, samples.shape[1], -1))
            samples = samples.masked_fill(~there[:, None], -math.inf)
        return replace(
            self,
            item_log_likelihood=taken(self.item_log_likelihood, -math.inf),
            token_log_likelihood=tokens,
            attention=taken(self.attention, 0.0),
            leave_one_out=taken(self.leave_one_out, -math.inf),
            sample_log_likelihood=samples,
            item_utility=taken(self.item_utility, 0.0),
        )


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """What a predictor's loss gives: the loss [B], and what it says of the items where `Signal` asks for it.

    credit: one for each list, of `batch.read` alone or in the order of the sessions' `asked`.
    """

    loss: Tensor
    credit: tuple[Credit, ...] = ()

    def __post_init__(self) -> None:
        hold_several(self, "credit")

    @property
    def read_credit(self) -> Credit:
        """What is said of the one list that was read (`Batch.read`); nothing if nothing was asked."""
        if len(self.credit) > 1:
            raise ValueError(f"the predictor spoke of {len(self.credit)} lists, not of one: take them one by one.")
        return self.credit[0] if self.credit else Credit()


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
        hold_several(self, "queries")
        hold_mappings(self, "versions")
        if self.rows.shape != self.utilities.shape or len(self.queries) != len(self.rows):
            raise ValueError(
                f"{len(self.queries)} queries, rows {self.rows.shape} and utilities {self.utilities.shape} do not fit: "
                "rows and utilities are [B, K] for B queries."
            )
        if not np.isfinite(self.utilities).all():
            raise ValueError("utilities must be finite; give 0 where an item could not be judged.")
