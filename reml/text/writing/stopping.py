"""How a local model ends a text at a stop, wherever the borders of tokens fall, and what text its tokens are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

import torch
from torch import Tensor

# Tokens before a text that are decoded with it: what a token is as text may hang on those before it.
_BEFORE = 8


@final
class Stops:
    """A stopping criterion of transformers' `generate`: each row ends where the text it wrote holds a stop.

    start: tokens of the prompts, padding with them. decode: ids to a text. ended: of each row the tokens it had written
    when it was ended so, 0 of one that was not.
    """

    def __init__(self, stops: Sequence[str], start: int, rows: int, decode: Callable[[Sequence[int]], str]) -> None:
        self._stops, self._start, self._decode = stops, start, decode
        self.ended = [0] * rows

    def __call__(self, input_ids: Tensor, scores: object) -> Tensor:  # noqa: ARG002
        """Tell which rows have ended, bool [B]."""
        wrote = input_ids.shape[1] - self._start
        for row, ids in enumerate(input_ids.tolist()):
            if not self.ended[row]:
                text = text_after(ids[: self._start], ids[self._start :], self._decode)
                self.ended[row] = wrote if any(stop in text for stop in self._stops) else 0
        return torch.tensor([end > 0 for end in self.ended], device=input_ids.device)


def text_after(prompt: Sequence[int], said: Sequence[int], decode: Callable[[Sequence[int]], str]) -> str:
    """Decode what was said after a prompt: a tokeniser that drops a blank before the first word drops none here."""
    before = list(prompt[-_BEFORE:])
    start, whole = decode(before), decode([*before, *said])
    return whole.removeprefix(start) if whole.startswith(start) else decode(said)
