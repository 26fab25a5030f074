"""Inputs that hold a question and one retrieved item, each encoded on its own, as Fusion-in-Decoder does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from reml.contract.examples import Item
from reml.contract.retrieved import Responses
from reml.contract.vectors import Int64Array
from reml.predictors.reading.places import Places
from reml.text.token_table import Ids, ItemTokens


class Part(IntEnum):
    """What a token of an input belongs to."""

    FRAME = 0
    QUESTION = 1
    INDEX = 2
    TITLE = 3
    TEXT = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """Token ids around the parts: `before` question `title` title `text` text `end`. A lone question has no middle."""

    before: tuple[int, ...]
    title: tuple[int, ...]
    text: tuple[int, ...]
    end: tuple[int, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """P inputs of L tokens, padded at the end; input p is about position `positions[p]` of example `owners[p]`.

    ids and parts (`Part`): int64 [P, L]; mask: bool [P, L]. An example with no item has one input, its question alone,
    at position 0, where `alone` [P] is true.
    """

    ids: Tensor
    parts: Tensor
    mask: Tensor
    owners: Tensor
    positions: Tensor
    alone: Tensor
    examples: int

    def __len__(self) -> int:
        return len(self.ids)

    def gather(self, states: Tensor) -> Tensor:
        """Lay what belongs to the inputs [P, L, ...] side by side for each example, zeros where there is no input."""
        width = int(self.positions.max()) + 1
        laid = states.new_zeros((self.examples, width, *states.shape[1:]))
        laid = laid.index_put((self.owners, self.positions), states)
        return laid.flatten(1, 2)  # [B, K, L, ...] -> [B, K*L, ...]

    def by_position(self, k: int, values: Tensor, fill: float) -> Tensor:
        """Spread what was found for the inputs [P, ...] over [B, k, ...]; `fill` where there is no item."""
        return self.places.by_position(k, values, fill)

    @property
    def places(self) -> Places:
        """Whose each input is."""
        return Places(self.owners, self.positions, self.alone, self.examples)

    def first(self, tokens: int | None) -> Pairs:
        """Keep the first tokens of each input, all if none is said."""
        ids, parts, mask = self.ids[:, :tokens], self.parts[:, :tokens], self.mask[:, :tokens]
        return replace(self, ids=ids, parts=parts, mask=mask)

    def to(self, device: torch.device) -> Pairs:
        """Move to a device."""
        ids, parts, mask = self.ids.to(device), self.parts.to(device), self.mask.to(device)
        owners, positions, alone = self.owners.to(device), self.positions.to(device), self.alone.to(device)
        return Pairs(ids, parts, mask, owners, positions, alone, self.examples)


def readable(responses: Responses) -> list[dict[int, Item]]:
    """Give, for each example, the items that are not masked, by their position."""
    mask = responses.mask.tolist()
    return [
        {place: item for place, item in enumerate(items) if mask[owner][place]}
        for owner, items in enumerate(responses.items)
    ]


def pairs(
    questions: Sequence[Ids],
    items: Sequence[Mapping[int, ItemTokens]],
    frame: Frame,
    *,
    limit: int,
    pad: int,
    indexes: Sequence[Ids] = (),
) -> Pairs:
    """Make one input of at most `limit` tokens for each question and item; the text of the item is what gets cut.

    indexes: what is said of each place after the question, if anything is.
    """
    places = Places.of(items)
    keys = zip(places.owners.tolist(), places.positions.tolist(), strict=True)
    inputs = [
        _input(questions[owner], items[owner].get(place), frame, limit=limit, index=indexes[place] if indexes else ())
        for owner, place in keys
    ]
    length = max(len(ids) for ids, _ in inputs)
    lengths = torch.tensor([len(ids) for ids, _ in inputs])
    return Pairs(
        ids=_padded([ids for ids, _ in inputs], length, pad),
        parts=_padded([parts for _, parts in inputs], length, Part.FRAME),
        mask=torch.arange(length) < lengths[:, None],
        owners=places.owners,
        positions=places.positions,
        alone=places.alone,
        examples=len(questions),
    )


def window(question: Ids, marker: Ids, limit: int) -> Ids:
    """Cut a long question to `limit` tokens: around the first `marker` if it has one, else its end.

    What is asked stands around the marked mention of entity linking, and in the last turn of a dialogue.
    """
    if len(question) <= limit:
        return question
    found = occurrences(marker, question)
    first = int(found[0]) - limit // 2 if len(found) else len(question)
    first = max(0, min(first, len(question) - limit))
    return question[first : first + limit]


def occurrences(pattern: Ids, tokens: Ids) -> Int64Array:
    """Give the places where `pattern` stands in `tokens`, ascending; none for an empty pattern."""
    width = len(pattern)
    if width == 0 or width > len(tokens):
        return np.zeros(0, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(tokens, width)
    return np.flatnonzero((windows == pattern).all(axis=1)).astype(np.int64)


def _input(
    question: Ids, item: ItemTokens | None, frame: Frame, *, limit: int, index: Ids | tuple[int, ...]
) -> tuple[Int64Array, Int64Array]:
    stretches: list[tuple[Sequence[int] | Ids, Part]] = [(frame.before, Part.FRAME), (question, Part.QUESTION)]
    if item is not None:
        fixed = len(frame.before) + len(question) + len(index) + len(frame.title) + len(frame.text) + len(frame.end)
        title = item.title[: max(0, limit - fixed)]
        text = item.text[: max(0, limit - fixed - len(title))]
        stretches += [(index, Part.INDEX), (frame.title, Part.FRAME), (title, Part.TITLE)]
        stretches += [(frame.text, Part.FRAME), (text, Part.TEXT)]
    stretches.append((frame.end, Part.FRAME))
    ids = np.concatenate([np.asarray(tokens, dtype=np.int64) for tokens, _ in stretches])
    parts = np.repeat([part for _, part in stretches], [len(tokens) for tokens, _ in stretches])
    return ids, parts.astype(np.int64)


def _padded(rows: Sequence[Int64Array], length: int, fill: int) -> Tensor:
    padded = np.full((len(rows), length), fill, dtype=np.int64)
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    return torch.from_numpy(padded)
