"""Learning later from what was judged once: a judge's utilities as feedback records, and a judge that reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from reml.access.querying.query_generators import InputQuery, one_query_each
from reml.contract.access import QueryGenerator
from reml.contract.arguments.checked import checked
from reml.contract.examples import Example
from reml.contract.retrieved import Queries, Responses
from reml.contract.signals import FeedbackRecord


def record_of(
    queries: Queries, responses: Responses, utility: Tensor, *, judge: str, versions: Mapping[str, str]
) -> FeedbackRecord:
    """Make a record of the utilities [B, K] that a judge said, or a predictor's log-likelihoods; padding gets 0."""
    mask = responses.mask.cpu()
    values = utility.detach().float().cpu().masked_fill(~mask, 0.0)
    rows = np.where(mask.numpy(), responses.rows, -1)
    return FeedbackRecord(queries.texts, rows, values.numpy(), judge, dict(versions))


@checked()
@dataclass(frozen=True, eq=False)
class RecordedUtility:
    """Says of an item what records say; a later record of the same query and item counts.

    queries: makes the queries that the records were made for, one for each example. unjudged: the utility of an item
    that no record judges; without it such an item is an error.
    """

    records: Iterable[FeedbackRecord]
    queries: QueryGenerator = field(default_factory=InputQuery)
    unjudged: float | None = None
    _known: dict[str, dict[int, float]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for record in self.records:
            for query, rows, utilities in zip(record.queries, record.rows, record.utilities, strict=True):
                pairs = zip(rows.tolist(), utilities.tolist(), strict=True)
                self._known.setdefault(query, {}).update({row: utility for row, utility in pairs if row >= 0})

    def __call__(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Give the utilities on record, float32 [B, K]; `KeyError` for an item that was never judged."""
        utility = torch.zeros(responses.mask.shape)
        queries = one_query_each(self.queries, examples).texts
        for owner, place in responses.mask.nonzero().tolist():
            utility[owner, place] = self._said(queries[owner], int(responses.rows[owner, place]))
        return utility.to(responses.mask.device)

    def _said(self, query: str, row: int) -> float:
        said = self._known.get(query, {}).get(row, self.unjudged)
        if said is None:
            raise KeyError(
                f"no record judges item {row} for the query {query!r}: keep records of the items that are learnt from, "
                "or say what an item is worth that nobody judged (`unjudged`)."
            )
        return said
