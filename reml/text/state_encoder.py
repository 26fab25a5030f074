"""Texts as the states of a language model: a query at its last token, an item at every token that another follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from reml.contract.examples import Item, Media, texts_of
from reml.contract.vectors import DenseVectors, MultiVectors, Similarity
from reml.devices.evaluating import evaluating
from reml.devices.progress import tracked
from reml.files.atomic import digest
from reml.text.language_model import LanguageModel
from reml.text.models.token_limit import allowed
from reml.text.token_table import token_ids

TOKENS = 512


@final
class StateEncoder:
    """A `TrainableEncoder` over a language model, which may be lent by a predictor: its states are compared by l2.

    passage: an item as the model reads it, holds `{text}` and may hold `{title}`. tokens: of an item, from its start,
    and of a query, up to its end, 512 unless given, or what the model takes. batch_size: texts read at once.
    """

    def __init__(
        self, model: LanguageModel, *, passage: str = "{text}", tokens: int | None = None, batch_size: int = 8
    ) -> None:
        tokens = allowed(tokens, TOKENS, model.limit, model=model.name, setting="tokens")
        if "{text}" not in passage or tokens < 2 or batch_size < 1:
            raise ValueError(
                f"passage is {passage!r}, tokens {tokens} and batch_size {batch_size}: a passage holds {{text}}, of at "
                "least 2 tokens, and at least 1 is read at once."
            )
        self.model, self.passage, self.tokens, self.batch_size = model, passage, tokens, batch_size

    @property
    def module(self) -> LanguageModel:
        """What is trained and saved: the language model."""
        return self.model

    @property
    def similarity(self) -> Similarity:
        """The negative squared distance."""
        return "l2"

    def fingerprint(self) -> str:
        """Digest the model and how items are written."""
        return digest(self.model.fingerprint(), self.passage, self.tokens)

    def item_tokens(self, items: Sequence[Item]) -> list[list[int]]:
        """Give the token ids of items as the model reads them."""
        written = [self.passage.format(text=item.text, title=item.title) for item in items]
        return [row[: self.tokens] for row in token_ids(self.model.tokeniser, written)]

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        """Give the state at the last token of each text, without gradient."""
        with evaluating(self.model):
            return DenseVectors(self.query_vectors(contents).float().cpu().numpy())

    def encode_items(self, items: Sequence[Item]) -> MultiVectors:
        """Give the states at all tokens of each item but the last, in order, without gradient; maybe none."""
        with evaluating(self.model):
            states = [part.float().cpu().numpy() for part in self._before(items)]
        indptr = np.cumsum([0, *map(len, states)], dtype=np.int64)
        return MultiVectors(indptr, np.concatenate([np.empty((0, self.model.width), np.float32), *states]))

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient, [B, D]; `ValueError` for a text without tokens."""
        rows = [row[-self.tokens :] for row in token_ids(self.model.tokeniser, texts_of(contents, self))]
        if not all(rows):
            raise ValueError("a text has no token, so that nothing is known of what comes next. Leave it out.")
        last = [states[-1] for states in self._states(rows)]
        return torch.stack(last) if last else torch.empty((0, self.model.width), device=self.model.device)

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, [N, L, D], zeros being padding."""
        states = list(self._before(items))
        return pad_sequence(states, batch_first=True) if states else torch.empty((0, 0, self.model.width))

    def _before(self, items: Sequence[Item]) -> Iterator[Tensor]:
        return (states[:-1] for states in self._states(self.item_tokens(items)))

    def _states(self, rows: Sequence[Sequence[int]]) -> Iterator[Tensor]:
        """Give the states of all tokens of each row, [L, D], a few rows read at a time."""
        parts = [rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size)]
        for part in tracked(parts, "read", unit="texts", size=len):
            # A row without tokens is read as one of padding: its states are cut off.
            ids, mask = self.model.padded([row or [0] for row in part])
            states = self.model(ids, mask).states  # [B, L, D]
            yield from (states[place, : len(row)] for place, row in enumerate(part))
