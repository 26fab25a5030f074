"""A generator with what was retrieved: what RAG and its like share, from priors to credit and answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from reml.contract.examples import Answer, Provenance
from reml.contract.predictors import Batch
from reml.contract.refusal import refuse
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal
from reml.predictors.marginal.beam import Hypothesis, beams
from reml.predictors.marginal.generator import Generator, ReadPairs
from reml.predictors.marginal.marginals import log_shares
from reml.predictors.marginal.sequence import union
from reml.predictors.reading.encoder_decoders import IGNORED, padded_targets
from reml.predictors.reading.likelihood import with_likelihood
from reml.predictors.reading.pairs import readable
from reml.predictors.reading.places import Places

SIGNALS = Signal.ITEM_LIKELIHOOD | Signal.TOKEN_LIKELIHOOD
Decoding = Literal["token", "thorough", "fast"]


@dataclass(frozen=True, eq=False, slots=True)
class Said:
    """What is said of B right answers: shares, log p(item | x) of pairs; likelihood, log p of target tokens [P, T]."""

    places: Places
    shares: Tensor
    likelihood: Tensor
    target_mask: Tensor


def said_of(generator: Generator, batch: Batch) -> Said:
    """Read the pairs of a batch, and score the right answers after each."""
    pairs = generator.read(batch.examples, batch.read)
    places = pairs.places
    targets = padded_targets(generator.targets(batch.examples)).to(places.owners.device)
    likelihood = pairs.log_likelihood(torch.arange(len(places), device=targets.device), targets[places.owners])
    shares = log_shares(batch.read.log_prior.to(targets.device), places)
    return Said(places, shares, likelihood, targets != IGNORED)


def credited(said: Said, responses: Responses, signals: Signal, predictor: str) -> Credit:
    """Give what `signals` asks of the items; `ValueError` for what is not given."""
    refuse(signals, SIGNALS, predictor)
    spread = partial(said.places.by_position, responses.k)
    return with_likelihood(Credit(), said.likelihood, target_mask=said.target_mask, spread=spread, signals=signals)


@torch.no_grad()
def answered(generator: Generator, batch: Batch, *, decoding: Decoding, width: int) -> list[Answer]:
    """Decode the best answer of each example.

    Its provenance are the items by p(item | x, y), which is proportional to p(item | x) p(y | x, item), best first.
    """
    pairs = generator.read(batch.examples, batch.read)
    shares = log_shares(batch.read.log_prior.to(pairs.places.owners.device), pairs.places)
    sizes = pairs.places.owners.bincount(minlength=len(batch.examples)).tolist()
    found = _decoded(generator, pairs, sizes, shares, decoding=decoding, width=width)
    parts = torch.split(shares.cpu(), sizes)
    return [
        Answer(generator.text(given[0].tokens), _provenance(batch.read, number, given[0], part))
        for number, (given, part) in enumerate(zip(found, parts, strict=True))
    ]


def _decoded(
    generator: Generator, pairs: ReadPairs, sizes: list[int], shares: Tensor, *, decoding: Decoding, width: int
) -> list[list[Hypothesis]]:
    search = partial(beams, pairs.begin(), width=width, longest=generator.answer_tokens, end=generator.end)
    if decoding == "token":
        return search(sizes, shares)
    alone = search([1] * sum(sizes), torch.zeros_like(shares))
    return union(alone, sizes, shares, partial(_rescored, pairs, generator.end) if decoding == "thorough" else None)


def _rescored(pairs: ReadPairs, end: int, rows: list[int], answers: list[tuple[int, ...]]) -> list[float]:
    """Give log p of each answer and its end after its pair; as many at once as there are pairs, as in training."""
    device, size = pairs.places.owners.device, len(pairs.places)
    said: list[float] = []
    for start in range(0, len(rows), size):
        targets = padded_targets([[*tokens, end] for tokens in answers[start : start + size]]).to(device)
        chosen = torch.tensor(rows[start : start + size], device=device)
        said += pairs.log_likelihood(chosen, targets).sum(1).tolist()
    return said


def _provenance(responses: Responses, number: int, best: Hypothesis, shares: Tensor) -> tuple[Provenance, ...]:
    items = list(readable(responses)[number].values())
    joint = (shares.double() + torch.tensor(best.by_member, dtype=torch.float64)).tolist()
    order = sorted(range(len(items)), key=lambda place: -joint[place])
    return tuple(Provenance.of(items[place]) for place in order)
