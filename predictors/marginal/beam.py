"""Beam search over mixtures of next-token distributions.

    p(y_t | y_<t) = sum_z p(z | x) p(y_t | y_<t, x, z)        z: the members of a group

A group of all pairs of an example is RAG-token (Lewis et al. 2020, section 2.5, https://arxiv.org/abs/2005.11401), a
group of one pair is an ordinary beam search after it. At each step the continuations of a group's beginnings are
ranked; those of the first `width` that end are answers, and the `width` best that do not end go on. An answer's score
is its log likelihood, which only falls, so that a group is done, exactly, once `width` answers are above all that go
on; `width` 1 is greedy. What has `longest` tokens must end, and what has none yet may not, as in the code of the paper:
an answer that says nothing is often the likeliest of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from reml.predictors.marginal.generator import Prefixes
from reml.predictors.reading.places import Places


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """An answer: its tokens, its end left out, log p(answer), and log p(answer | pair) of each member of its group."""

    tokens: tuple[int, ...]
    log_likelihood: float
    by_member: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Beginning:
    """Tokens that go on. parent: the place, among the former beginnings, of the one that it continues."""

    group: int
    tokens: tuple[int, ...]
    score: float
    parent: int


@dataclass(frozen=True, eq=False, slots=True)
class _Live:
    """The beginnings of all groups, in order, and R rows: a beginning after each member of its group, side by side.

    shares: log p(z | x) of each row; said: log p(tokens | pair) of each row, both [R].
    """

    beginnings: Sequence[_Beginning]
    sizes: Sequence[int]
    prefixes: Prefixes
    shares: Tensor
    said: Tensor

    @property
    def widths(self) -> list[int]:
        """The rows of each beginning."""
        return [self.sizes[one.group] for one in self.beginnings]

    def scores(self) -> Tensor:
        """Give log p of each beginning with each token after it, [H, V]."""
        following = _places(self.widths, self.shares.device).log_sums(self.shares[:, None] + self.prefixes.log_next)
        return self.shares.new_tensor([one.score for one in self.beginnings])[:, None] + following

    def ended(self, end: int) -> list[tuple[float, ...]]:
        """Give log p of each beginning as a whole answer after each member of its group."""
        parts = torch.split(self.said + self.prefixes.log_next[:, end], self.widths)
        return [tuple(part.tolist()) for part in parts]

    def after(self, further: Sequence[_Beginning]) -> _Live:
        """Go on with others, each of one of these with one more token."""
        starts, device = [0, *accumulate(self.widths)], self.shares.device
        chosen = [row for one in further for row in range(starts[one.parent], starts[one.parent + 1])]
        rows = torch.tensor(chosen, device=device)
        tokens = torch.tensor([one.tokens[-1] for one in further for _ in range(self.sizes[one.group])], device=device)
        said = self.said[rows] + self.prefixes.log_next[rows, tokens]
        return _Live(further, self.sizes, self.prefixes.after(rows, tokens), self.shares[rows], said)


@torch.no_grad()
def beams(
    begun: Prefixes, sizes: Sequence[int], log_shares: Tensor, *, width: int, longest: int, end: int
) -> list[list[Hypothesis]]:
    """Give the best answers of each group, best first, at least one and at most `width`.

    begun: the empty beginnings of P pairs, those of a group side by side. sizes: pairs of each group. log_shares: log
    p(z | x) of each pair, [P].
    """
    empty = [_Beginning(group, (), 0.0, group) for group in range(len(sizes))]
    live = _Live(empty, sizes, begun, log_shares, torch.zeros_like(log_shares))
    answers: list[list[Hypothesis]] = [[] for _ in sizes]
    for length in range(longest + 1):
        scores, by_member = live.scores(), live.ended(end)
        going = scores.index_fill(1, torch.tensor([end], device=scores.device), -torch.inf)
        ends, further = scores[:, end].tolist(), []
        for group, places in _by_group(live.beginnings).items():
            best = _best(live.beginnings, places, going, width) if length < longest else []
            ranked = sorted([*(one.score for one in best), *(ends[place] for place in places)], reverse=True)
            bar = ranked[width - 1] if best and len(ranked) > width else -torch.inf
            ended = [
                Hypothesis(live.beginnings[place].tokens, ends[place], by_member[place])
                for place in places
                if length and ends[place] >= bar
            ]
            answers[group] = sorted([*answers[group], *ended], key=lambda one: -one.log_likelihood)[:width]
            least = answers[group][-1].log_likelihood if len(answers[group]) == width else -torch.inf
            further += [one for one in best if one.score > least]
        if not further:
            break
        live = live.after(further)
    return answers


def _by_group(beginnings: Sequence[_Beginning]) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for place, one in enumerate(beginnings):
        places.setdefault(one.group, []).append(place)
    return places


def _best(beginnings: Sequence[_Beginning], places: Sequence[int], going: Tensor, width: int) -> list[_Beginning]:
    """Give the `width` best continuations of a group's beginnings, best first."""
    size = going.shape[1]
    scores, found = going[places[0] : places[-1] + 1].flatten().topk(min(width, len(places) * size))
    chosen = [(places[at // size], at % size, score) for at, score in zip(found.tolist(), scores.tolist(), strict=True)]
    return [
        _Beginning(beginnings[parent].group, (*beginnings[parent].tokens, token), score, parent)
        for parent, token, score in chosen
        if score > -torch.inf
    ]


def _places(widths: Sequence[int], device: torch.device) -> Places:
    owners = torch.arange(len(widths)).repeat_interleave(torch.tensor(widths))
    positions = torch.cat([torch.arange(width) for width in widths])
    return Places(owners, positions, torch.zeros(len(owners), dtype=torch.bool), len(widths)).to(device)
