"""How many of the best items an engine has found, by exact scores of its own variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reml.benchmarks.speed.scoring import Float64Array, Scoring, exact_scores
from reml.benchmarks.speed.workloads.workload import Workload
from reml.contract.vectors import Int64Array

# What float32 can add up to differently; items within it are equally good.
TOLERANCE = 1e-5


def mean_recalls(
    workload: Workload, scoring: Scoring, name: str, found: Mapping[int, Sequence[Int64Array]]
) -> dict[int, float]:
    """Give the mean recall at each k of `found`: the rows found for the first queries of a set, best first."""
    count = len(next(iter(found.values())))
    queries = workload.queries(name).slice(0, count)
    recalls: dict[int, list[float]] = {k: [] for k in found}
    for number, scores in enumerate(exact_scores(workload, scoring, queries)):
        best = np.sort(np.partition(scores, -max(found))[-max(found) :] if max(found) < len(scores) else scores)[::-1]
        for k, rows in found.items():
            recalls[k].append(recall(scores, best, rows[number], k))
    return {k: float(np.mean(values)) for k, values in recalls.items()}


def recall(scores: Float64Array, best: Float64Array, rows: Int64Array, k: int) -> float:
    """Give the share of the k best items that is among the first k `rows`; 1 where no item scores above 0.

    `best` holds the largest of `scores`, descending, k of them at least where there are so many. An item is among the k
    best if no k items are better by more than the tolerance, so that ties do not count against an engine.
    """
    wanted = int((best[:k] > 0).sum())
    if wanted == 0:
        return 1.0
    bound = best[wanted - 1] * (1 - TOLERANCE)
    right = int((scores[np.unique(rows[:k])] >= bound).sum())
    return min(right, wanted) / wanted
