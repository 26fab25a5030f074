"""From responses to predictions in KILT's form: an answer and the pages it may come from, best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from reml.contract.collections import Collection
from reml.contract.examples import Answer, Provenance
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.devices.device import default_device
from reml.devices.precision import autocast

NO_ANSWER = "[no answer]"  # KILT's programs refuse a prediction without text


def predict(predictor: Predictor, batch: Batch) -> list[Answer]:
    """Predict one answer for each example, in order; one without text becomes `NO_ANSWER`."""
    with torch.inference_mode(), autocast(default_device()):
        answers = predictor.generate(batch)
    return [answer if (answer.text or "").strip() else replace(answer, text=NO_ANSWER) for answer in answers]


def complete(answers: Sequence[Answer], hits: Hits, collection: Collection, pages: int) -> list[Answer]:
    """Let each answer's provenance go on, after what the predictor gave, with the pages of the hits, best first.

    No page stands twice and at most `pages` are kept.
    """
    found = [[Provenance.of(item) for item in collection.get(rows[rows >= 0])] for rows in hits.rows]
    return [
        replace(answer, provenance=distinct_pages([*answer.provenance, *rest])[:pages])
        for answer, rest in zip(answers, found, strict=True)
    ]


def distinct_pages(provenance: Sequence[Provenance]) -> tuple[Provenance, ...]:
    """Keep the first place of each page, in order."""
    first: dict[str, Provenance] = {}
    for place in provenance:
        first.setdefault(place.wikipedia_id, place)
    return tuple(first.values())
