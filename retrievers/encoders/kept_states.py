"""Vectors of items pooled from token states that are kept, so that a reader over the same model makes none again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor

from reml.contract.examples import Item, Media
from reml.contract.vectors import DenseVectors, Int64Array, Similarity
from reml.devices.evaluating import evaluating
from reml.devices.progress import working
from reml.devices.work import Work
from reml.retrievers.encoders.dense_encoder import DenseEncoder
from reml.text.frozen_states import FrozenStates, States
from reml.text.models.transformers_types import PreTrainedTokenizerFast

# Texts whose states are in memory at a time.
TEXTS = 1024


@final
class KeptStates:
    """An `Encoder` that is `encoder` as it is now, and keeps the states of texts in the home that `folder` lies in.

    They are kept in float16, from which the vectors are pooled: these differ from the encoder's own in the last digits.
    `ValueError` for an encoder whose texts a reader would read otherwise. states: `save` writes the last of them.
    """

    def __init__(self, encoder: DenseEncoder, folder: Path) -> None:
        self.encoder = encoder
        self.states = FrozenStates(encoder.model, _framing(encoder))
        self.states.keep_in(folder)

    @property
    def similarity(self) -> Similarity:
        """How a query's vector and an item's are compared."""
        return self.encoder.similarity

    def fingerprint(self) -> str:
        """Digest the encoder."""
        return self.encoder.fingerprint()

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        """Give one vector for each text, in order."""
        return self._encoded(self.encoder.query_ids(contents))

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        """Give one vector for each item, in order."""
        return self._encoded(self.encoder.item_ids(items))

    def _encoded(self, framed: Sequence[Sequence[int]]) -> DenseVectors:
        ids = [np.array(one[1:-1], dtype=np.int64) for one in framed]
        with evaluating(self.encoder.module), torch.no_grad(), working("encode", len(ids), "texts") as work:
            parts = [self._pooled(ids[start : start + TEXTS], work) for start in range(0, len(ids), TEXTS)]
        return DenseVectors(torch.cat(parts).cpu().numpy()) if parts else self.encoder.encode_queries([])

    def _pooled(self, ids: Sequence[Int64Array], work: Work) -> Tensor:
        before = work.done
        found = self.states.of(ids, self.encoder.model.device, work)
        work.advance(before + len(ids) - work.done)  # those that were known
        by_length = sorted(range(len(found)), key=lambda place: len(found[place].ids))
        groups = [list(group) for _, group in groupby(by_length, key=lambda place: len(found[place].ids))]
        vectors = torch.cat([self._vectors([found[place] for place in group]) for group in groups])
        return vectors[torch.tensor(by_length).argsort().to(vectors.device)]

    def _vectors(self, states: Sequence[States]) -> Tensor:
        """Pool texts of one length, so that no text's vector depends on its company."""
        framed = torch.from_numpy(np.stack([one.framed for one in states])).to(self.encoder.model.device).float()
        return self.encoder.vectors_of(framed, torch.ones(framed.shape[:2], dtype=torch.bool, device=framed.device))


def _framing(encoder: DenseEncoder) -> PreTrainedTokenizerFast:
    """Give the tokeniser of an encoder that reads texts between two special tokens, and no prefix."""
    from transformers import PreTrainedTokenizerFast

    tokeniser, encoding = encoder.tokeniser, encoder.encoding
    prefixes = [prefix for prefix in (encoding.query_prefix, encoding.item_prefix) if prefix]
    if isinstance(tokeniser, PreTrainedTokenizerFast) and not prefixes:
        frame = [tokeniser.cls_token_id, tokeniser.sep_token_id]
        if None not in frame and tokeniser("")["input_ids"] == frame:
            return tokeniser
    raise ValueError(
        "keep_states is for a model that reads texts without a prefix, between [CLS] and [SEP]; "
        f"{type(encoder.model).__name__} has the prefixes {prefixes}. Leave out keep_states."
    )
