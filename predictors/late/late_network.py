"""From frozen states of a question and an item to logits of spans, of the item and of templates.

Nothing of it grows with the encoder: a projection, a convolution over neighbours, and what question and item have in
common, token by token (late interaction, Khattab and Zaharia, SIGIR 2020, https://arxiv.org/abs/2004.12832) and pooled
(phrase retrieval, Seo et al., ACL 2019, https://arxiv.org/abs/1906.05807). Which template says an answer is told by
what its words mean as well, so that a sentence which is rare in training is found by its likeness.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.predictors.late.sheets import FORMS, MATCHES, Sheet
from reml.predictors.late.templates import KINDS

NEVER = -1e9
# How much the cosine of question and item counts before any training.
SCALE = 15.0
# And that of a template's words and what is read.
ALIKE = 10.0
# Which kind of template suits a question, whatever the items, is learnt at so many times the rate of the rest.
GAIN = 10.0
NEAR = 5


@dataclass(frozen=True, eq=False, slots=True)
class Logits:
    """Of start and end of a span, [P, L], `NEVER` past the item; of the item, [P]; of templates, [P, capacity]."""

    starts: Tensor
    ends: Tensor
    item: Tensor
    templates: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Worded:
    """The mean state of each template's words, [capacity, D], zeros where there are none, and its kind, [capacity]."""

    meant: Tensor
    kinds: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class _Asked:
    """Of each question: its tokens' directions, [B, M, D], their weights, [B, M]; means, plain and weighted, [B, D].

    units: of the weighted one, [B, size]. suited: kinds of template, [B, KINDS].
    """

    tokens: Tensor
    weights: Tensor
    mean: Tensor
    attended: Tensor
    units: Tensor
    suited: Tensor


class LateNetwork(nn.Module):
    """Reads P pairs of states of `width` dimensions with `size` units."""

    def __init__(self, width: int, size: int, templates: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(SCALE))
        self.attend = nn.Linear(width, 1)
        self.asked, self.item_of, self.token = (nn.Linear(width, size) for _ in range(3))
        self.matched = nn.Linear(3, size)
        self.near = nn.Conv1d(size, size, NEAR, padding=NEAR // 2)
        self.mix, self.ends = nn.Linear(3 * size, size), nn.Linear(size, 2)
        self.pair = nn.Linear(4 * size + MATCHES + FORMS + 2, size)
        self.item, self.templates, self.worded = nn.Linear(size, 1), nn.Linear(size, templates), nn.Linear(width, size)
        self.alike, self.kinds = nn.Parameter(torch.tensor(ALIKE)), nn.Linear(FORMS + width, KINDS)
        self.dropout, self.found = nn.Dropout(dropout), nn.Parameter(torch.ones(()))
        nn.init.zeros_(self.attend.weight)
        nn.init.zeros_(self.kinds.weight)
        nn.init.zeros_(self.kinds.bias)
        nn.init.zeros_(self.item.weight)
        nn.init.zeros_(self.item.bias)

    def forward(self, sheet: Sheet, templates: Worded) -> Logits:
        """Read all pairs, those of like lengths together."""
        asked = self._questions(sheet)
        lots = [(rows, self._lot(lot, asked, templates)) for rows, lot in sheet.lots()]
        places = torch.cat([rows for rows, _ in lots]).argsort()
        longest = sheet.mask.shape[1]
        starts, ends = (
            torch.cat([functional.pad(one, (0, longest - one.shape[1]), value=NEVER) for one in values])[places]
            for values in ([lot.starts for _, lot in lots], [lot.ends for _, lot in lots])
        )
        item, said = (torch.cat([getattr(lot, name) for _, lot in lots])[places] for name in ("item", "templates"))
        return Logits(starts, ends, item, said)

    def _questions(self, sheet: Sheet) -> _Asked:
        states = sheet.question.float()
        weights = self.attend(states).squeeze(2).masked_fill(~sheet.asked, NEVER).softmax(1)
        attended = (states * weights[..., None]).sum(1)
        return _Asked(
            tokens=functional.normalize(states, dim=2),
            weights=weights,
            mean=_mean(states, sheet.asked),
            attended=attended,
            units=self.asked(self.dropout(attended)),
            suited=self.kinds(torch.cat([sheet.form, functional.normalize(attended, dim=1)], 1)),
        )

    def _lot(self, sheet: Sheet, question: _Asked, templates: Worded) -> Logits:
        states, mask, owners = sheet.states.float(), sheet.mask[..., None], sheet.owners
        asked, weights = question.units[owners], question.weights[owners]
        mean = _mean(states, sheet.mask)
        token, best = self._tokens(sheet, question.tokens[owners], states)
        token = functional.gelu(self.mix(torch.cat([token, token * asked[:, None], (token - asked[:, None]).abs()], 2)))
        ends = self.ends(self._dropped(token)).float().masked_fill(~mask, NEVER)
        item = self.item_of(mean)
        most = token.masked_fill(~mask, -1.0).amax(1)
        found = [(best * weights).sum(1), _least(best, sheet.asked[owners])]
        plain = torch.cat([torch.stack(found, 1), sheet.matches, sheet.form[owners]], 1)
        pair = torch.cat([asked, item, asked * item, most, plain], 1)
        pair = self.dropout(functional.gelu(self.pair(pair)))
        cosine = functional.cosine_similarity(question.mean[owners], mean, dim=1)
        odds = self.item(pair).squeeze(1).float() + self.scale * cosine.float() + self.found * sheet.found
        said = pair @ self.worded(templates.meant).T / pair.shape[1] ** 0.5
        said = said + self.alike * _cosines(question.attended[owners] + mean, templates.meant)
        said = said + GAIN * question.suited[owners][:, templates.kinds]
        return Logits(ends[..., 0], ends[..., 1], odds, self.templates(pair) + said)

    def _tokens(self, sheet: Sheet, question: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        """Give what is known of the items' tokens, [P, L, size], and how well the questions' are found, [P, M]."""
        alike = functional.normalize(states, dim=2) @ question.transpose(1, 2)
        asked = sheet.asked[sheet.owners][:, None]
        match = alike.masked_fill(~asked, -1.0).amax(2)  # [P, L]
        best = alike.masked_fill(~sheet.mask[..., None], -1.0).amax(1)  # [P, M]
        known = torch.stack([match, sheet.same, match * sheet.same], 2)
        token = self.token(self._dropped(states)) + self.matched(known)
        near = self._nearby(token * sheet.mask[..., None])
        return functional.gelu(token + near), best

    def _dropped(self, tokens: Tensor) -> Tensor:
        """Leave out the same dimensions of all tokens of a pair, [P, L, D] (Gal and Ghahramani, NIPS 2016)."""
        rate, learning = self.dropout.p, self.training
        return functional.dropout1d(tokens.transpose(1, 2), rate, learning).transpose(1, 2)

    def _nearby(self, tokens: Tensor) -> Tensor:
        """Apply the convolution as one product, for which CPUs have the faster kernel, [P, L, size]."""
        padded = functional.pad(tokens, (0, 0, NEAR // 2, NEAR // 2))
        windows = torch.cat([padded[:, start : start + tokens.shape[1]] for start in range(NEAR)], 2)
        return functional.linear(windows, self.near.weight.transpose(1, 2).flatten(1), self.near.bias)


def log_sums(values: Tensor, owners: Tensor, count: int) -> Tensor:
    """Sum in log space the values of each of `count` owners, [N] -> [count]; `NEVER` of one that has none."""
    places = torch.arange(len(values), device=values.device)
    laid = values.new_full((count, max(1, len(values))), NEVER)
    return torch.logsumexp(laid.index_put((owners, places), values), 1)


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp_min(1)


def _cosines(vectors: Tensor, others: Tensor) -> Tensor:
    """Compare each of [P, D] with each of [N, D], [P, N]."""
    return functional.normalize(vectors, dim=1) @ functional.normalize(others, dim=1).T


def _least(best: Tensor, asked: Tensor) -> Tensor:
    """Give how well the token that is found worst is found, [P]."""
    return best.masked_fill(~asked, 1.0).amin(1)
