"""A batch as it is read: states of items beside those of their questions, padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from reml.access.querying.query_generators import MENTION
from reml.contract.examples import Item
from reml.contract.vectors import Int64Array
from reml.text.frozen_states import States

MATCHES, FORMS = 4, 5
# Pairs are read in so many lots of like lengths, as half of what is read would be padding otherwise.
LOTS = 4
# The last tokens of a question, which say what is asked of what the others name.
END = 6


@dataclass(frozen=True, eq=False, slots=True)
class Sheet:
    """P pairs of a question and an item, of B questions.

    question: float16 [B, M, D], asked: bool [B, M], its tokens. form: [B, FORMS], what kind of input it is part of.
    states: float16 [P, L, D], mask: bool [P, L]. same: [P, L], 1 where the token stands in the question too. matches:
    [P, MATCHES], how much of the question stands in the item. found: by how many standard deviations of its list an
    item's retrieval score is above the mean, [P]. owners: of which question each pair is, int64 [P]; positions: the
    place of the item in its list. items: those of the pairs, None for a question without any, whose only pair has no
    token. titles: the number of tokens of each title; ids: the tokens of title and text of each.
    """

    question: Tensor
    asked: Tensor
    form: Tensor
    states: Tensor
    mask: Tensor
    same: Tensor
    matches: Tensor
    found: Tensor
    owners: Tensor
    positions: Tensor
    items: Sequence[Item | None]
    titles: Sequence[int]
    ids: Sequence[Int64Array]

    def lots(self) -> Iterator[tuple[Tensor, Sheet]]:
        """Give the pairs by length: rows of this sheet, and a sheet of them alone that is as long as the longest."""
        for rows in self.mask.sum(1).argsort(stable=True).tensor_split(min(LOTS, len(self.mask))):
            chosen, longest = rows.tolist(), max(1, int(self.mask[rows[-1]].sum()))
            lot = replace(
                self,
                states=self.states[rows, :longest],
                mask=self.mask[rows, :longest],
                same=self.same[rows, :longest],
                matches=self.matches[rows],
                found=self.found[rows],
                owners=self.owners[rows],
                positions=self.positions[rows],
                items=[self.items[row] for row in chosen],
                titles=[self.titles[row] for row in chosen],
                ids=[self.ids[row] for row in chosen],
            )
            yield rows, lot

    def by_position(self, k: int, values: Tensor, fill: float) -> Tensor:
        """Spread what was found for the pairs, [P], over [B, k]; `fill` where there is no item."""
        real = torch.tensor([item is not None for item in self.items], device=values.device)
        laid = values.new_full((len(self.question), k), fill)
        return laid.index_put((self.owners[real], self.positions[real]), values[real])


@dataclass(frozen=True, eq=False, slots=True)
class Read:
    """An item that is read: its place in the list, and the number of tokens of its title among its states'.

    found: how well it was found, in standard deviations.
    """

    position: int
    found: float
    item: Item | None
    title: int
    states: States


def form(text: str) -> list[float]:
    """Tell an input's form, in which tasks differ: turns, a marked mention, a title with a relation, question or claim.

    One reader of several tasks is told by it how to answer: by a sentence, a title, a span, a label.
    """
    ends = text.rstrip()
    told = ("\n" in ends, MENTION.search(text), "[SEP]" in text, ends.endswith("?"), ends.endswith((".", "!")))
    return [float(bool(one)) for one in told]


def sheet(
    inputs: Sequence[str],
    questions: Sequence[States],
    read: Sequence[Sequence[Read]],
    digits: npt.NDArray[np.bool_],
    device: torch.device,
) -> Sheet:
    """Lay out what each question reads, at least one thing each. digits: which tokens are of numbers, [V]."""
    pairs = [(owner, one) for owner, given in enumerate(read) for one in given]
    ids = [one.states.ids for _, one in pairs]
    same = [np.isin(tokens, questions[owner].ids) for tokens, (owner, _) in zip(ids, pairs, strict=True)]
    return Sheet(
        question=_padded([one.values for one in questions]).to(device),
        form=torch.tensor([form(text) for text in inputs], device=device),
        asked=_mask([len(one.ids) for one in questions]).to(device),
        states=_padded([one.states.values for _, one in pairs]).to(device),
        mask=_mask([len(tokens) for tokens in ids]).to(device),
        same=_padded(same).float().to(device),
        matches=torch.tensor([_matches(questions[owner].ids, one.states.ids, digits) for owner, one in pairs]).to(
            device
        ),
        found=torch.tensor([one.found for _, one in pairs], device=device),
        owners=torch.tensor([owner for owner, _ in pairs], device=device),
        positions=torch.tensor([one.position for _, one in pairs], device=device),
        items=[one.item for _, one in pairs],
        titles=[one.title for _, one in pairs],
        ids=ids,
    )


def standardised(scores: Tensor, mask: Tensor) -> Tensor:
    """Give retrieval scores [B, K] as standard deviations above their list's mean; 0 where all are alike, or masked.

    What retrievers call a score differs in scale; how much better an item was found than the others of its list does
    not.
    """
    scores = scores.detach().float().masked_fill(~mask, 0.0)
    count = mask.sum(1, keepdim=True).clamp_min(1)
    away = (scores - scores.sum(1, keepdim=True) / count).masked_fill(~mask, 0.0)
    deviation = (away.square().sum(1, keepdim=True) / count).sqrt()
    return torch.where(deviation > 1e-6, away / deviation.clamp_min(1e-6), 0.0)


def _matches(question: Int64Array, item: Int64Array, digits: npt.NDArray[np.bool_]) -> tuple[float, ...]:
    """Give shares of the question that stand in the item: of its tokens, its end's, its numbers', its token pairs."""
    there, numbers = np.isin(question, item), digits[question]
    bigrams = set(pairwise(item.tolist()))
    asked = [pair in bigrams for pair in pairwise(question.tolist())]
    found = (there, there[-END:], there[numbers], np.array(asked))
    return tuple(float(one.mean()) if len(one) else -1.0 for one in found)


def _padded(rows: Sequence[npt.NDArray[Any]]) -> Tensor:
    """Pad at the end, to at least one token, as no network takes a length of 0."""
    tensors = [torch.from_numpy(np.array(row)) for row in rows]
    padded = pad_sequence(tensors, batch_first=True)
    return padded if padded.shape[1] else padded.new_zeros((len(rows), 1, *padded.shape[2:]))


def _mask(lengths: Sequence[int]) -> Tensor:
    return torch.arange(max(1, *lengths)) < torch.tensor(lengths)[:, None]
