"""From responses to predictions in KILT's form: an answer and the pages it may come from, best first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from reml.collection.ranked_pages import batches_of_examples, first_of_pages, items_of_examples
from reml.contract.asking import answers_of
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Item, Provenance
from reml.contract.predictors import Batch, Corrected, Predictor
from reml.contract.retrieved import Hits
from reml.devices.device import default_device
from reml.devices.precision import autocast

NO_ANSWER = "[no answer]"  # KILT's programs refuse a prediction without text


def predict(predictor: Predictor, batch: Batch) -> list[Answer]:
    """Predict one answer for each example, in order; one without text becomes `NO_ANSWER`.

    A predictor that asks for it (`Corrected`) is then told what is right. `ValueError` names a predictor that gives
    anything else.
    """
    with torch.inference_mode(), autocast(default_device()):
        answers = answers_of(predictor, batch)
        if isinstance(predictor, Corrected):
            predictor.see_right_answers(batch)
    return [answer if (answer.text or "").strip() else replace(answer, text=NO_ANSWER) for answer in answers]


def complete(
    answers: Sequence[Answer], hits: Hits, collection: Collection, pages: int, *, ranked: bool = False
) -> Iterator[Answer]:
    """Let each answer's provenance go on, after what the predictor gave, with the pages of the hits, best first.

    No page stands twice and at most `pages` are kept. Pages are told apart by number; texts are read of those alone
    that may be kept, a batch of examples at a time. ranked: put those of the predictor's pages that are hits in the
    order of the hits, where it did not read them best first, which its provenance follows.
    """
    found = itertools.chain.from_iterable(
        _first_places(hits.take(batch), collection, pages) for batch in batches_of_examples(hits.rows)
    )
    for answer, items in zip(answers, found, strict=True):
        own = _by_rank(answer.provenance, items) if ranked else answer.provenance
        yield replace(answer, provenance=distinct_pages([*own, *map(Provenance.of, items)])[:pages])


def _by_rank(provenance: Sequence[Provenance], items: Sequence[Item]) -> list[Provenance]:
    """Put the places of pages that are among the items in their order; others stay where they are."""
    ranks = {item.page_id: rank for rank, item in reversed(list(enumerate(items)))}
    known = [place for place in provenance if place.wikipedia_id in ranks]
    ordered = iter(sorted(known, key=lambda place: ranks[place.wikipedia_id]))
    return [next(ordered) if place.wikipedia_id in ranks else place for place in provenance]


def _first_places(hits: Hits, collection: Collection, pages: int) -> Iterator[list[Item]]:
    """Give the best item of each of the first `pages` pages of each example of a batch: no others can be kept."""
    first = first_of_pages(collection, hits.rows)
    return items_of_examples(collection, np.where(first & (first.cumsum(axis=1) <= pages), hits.rows, -1), hits.shown)


def distinct_pages(provenance: Sequence[Provenance]) -> tuple[Provenance, ...]:
    """Keep the first place of each page, in order; what is of no page is no provenance."""
    first: dict[str, Provenance] = {}
    for place in provenance:
        if place.wikipedia_id:
            first.setdefault(place.wikipedia_id, place)
    return tuple(first.values())
