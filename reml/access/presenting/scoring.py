"""Scores of what is shown: by a scorer, or of sentences by the words that they share with the query.

The latter is BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009,
https://doi.org/10.1561/1500000019) of k1 0.9 and b 0.4 in Lucene's variant, of which the sentences of a query's list
are the whole collection: a word that all of them have tells none from another. A sentence counts with its page's title,
for "It has a lake." says of what only there.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reml.contract.examples import Item, canonical, texts_of
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Scorer
from reml.text.analysis import Analyser

if TYPE_CHECKING:
    from torch import Tensor

    from reml.contract.vectors import Int64Array

K1, B = 0.9, 0.4
LONGEST = 80  # characters of a text that an error shows


def own_scorer(scorer: Scorer | str) -> Scorer:
    """Give a scorer back; `ValueError` for a ranker that is but named."""
    if isinstance(scorer, str):
        raise ValueError(
            f"{scorer!r} names a ranker, which an experiment has under `rankers`: run it as one, or give the scorer."
        )
    return scorer


def scores_of(scorer: Scorer | str, queries: Queries, responses: Responses) -> Tensor:
    """Score the items of each query as they are shown, [Q, K], -inf where there is none; without gradient or dropout.

    `ValueError` names the scorer and the item of a score that is not a number, and a ranker that is but named.
    """
    asked = own_scorer(scorer)
    distinct = {(item.row, item.text): item for items in responses.items for item in items}
    keys = {key: number for number, key in enumerate(sorted(distinct))}
    positions: Int64Array = np.full(responses.rows.shape, -1, dtype=np.int64)
    for query, items in enumerate(responses.items):
        positions[query, : len(items)] = [keys[item.row, item.text] for item in items]
    return scored(asked, queries, [distinct[key] for key in keys], positions)


def scored(scorer: Scorer, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
    """Score queries at positions [Q, K] among items, without gradient or dropout; `ValueError` as of `scores_of`."""
    import torch

    from reml.devices.evaluating import evaluating

    module = scorer.module
    with torch.no_grad(), evaluating(module) if module is not None else contextlib.nullcontext():
        scores = scorer.score(queries, items, positions).float()
    wrong = scores.isnan().nonzero().tolist()
    if wrong:
        query, place = wrong[0]
        item = items[int(positions[query, place])]
        raise ValueError(
            f"{type(scorer).__name__} gives no number (NaN) as the score of the item {item.row} ({item.title!r}: "
            f"{item.text[:LONGEST]!r}) for the query {queries.texts[query][:LONGEST]!r}: its weights may hold NaN, or "
            "its precision be too low."
        )
    return scores


def sentence_scores(
    queries: Queries, lists: Sequence[Sequence[Item]], scorer: Scorer | str | None, analyser: Analyser
) -> list[list[float]]:
    """Score the sentences of each query's list, given as items, larger is better; by their words without a scorer."""
    if scorer is None:
        asked = texts_of(queries.said, analyser)
        return [by_words(query, sentences, analyser) for query, sentences in zip(asked, lists, strict=True)]
    judge = own_scorer(scorer)
    flat = [sentence for sentences in lists for sentence in sentences]
    if not flat:
        return [[] for _ in lists]
    ends = np.cumsum([len(sentences) for sentences in lists], dtype=np.int64)
    width = max(map(len, lists), default=0)
    positions: Int64Array = np.full((len(lists), width), -1, dtype=np.int64)
    for row, sentences, end in zip(positions, lists, ends.tolist(), strict=True):
        row[: len(sentences)] = np.arange(end - len(sentences), end)
    scores = scored(judge, queries, flat, positions).tolist()
    return [row[: len(sentences)] for row, sentences in zip(scores, lists, strict=True)]


def by_words(query: str, sentences: Sequence[Item], analyser: Analyser) -> list[float]:
    """Score the sentences of a list by BM25; 0 for one that shares no word with the query."""
    asked = Counter(analyser(query))
    titles = {title: analyser(title, singles=True) for title in dict.fromkeys(one.title for one in sentences)}
    found = [[*titles[one.title], *analyser(canonical(one.text), singles=True)] for one in sentences]
    counts = [Counter(term for term in terms if term in asked) for terms in found]
    having = Counter(term for count in counts for term in count)
    idf = {term: math.log(1 + (len(found) - n + 0.5) / (n + 0.5)) * asked[term] for term, n in having.items()}
    average = sum(map(len, found)) / max(1, len(found))
    norms = [K1 * (1 - B + B * len(terms) / max(average, 1.0)) for terms in found]
    return [
        sum(idf[term] * n / (n + norm) for term, n in count.items()) for count, norm in zip(counts, norms, strict=True)
    ]
