"""RETRO: a language model that reads, after each chunk of a text, neighbours of that chunk out of other documents.

Borgeaud et al., "Improving language models by retrieving from trillions of tokens", ICML 2022,
https://arxiv.org/abs/2112.04426.

Implemented: chunks of 64 tokens and their neighbours with continuations (`reml.retrievers.chunks.Chunks`); those of the
example's own document are never found; a bidirectional encoder of neighbours that attends to the states of their chunk;
chunked cross-attention with the causal shift, every third layer from the sixth; RETROfitting (the language model is
frozen, what is put in is trained and begins as the identity) and training of all from new weights; decoding that asks
anew for each chunk that ends.

Deviations: cross-attention comes after a layer as a whole, not between its attention and its feed-forward block, so
that any causal model serves; a learned logit for each distance in the place of Transformer-XL's relative positions, and
RMSNorm before each block; neighbours' tokens are embedded as the language model's, projected; texts are decoded one by
one, as their chunks end at different steps; a text's last chunk that is not whole is never asked for; neighbours of
training texts are asked for at each step (`Dense(keep_states=True)` keeps what that encodes), not all before it.

Numbers: benchmarks/configs/retro.yaml; not run on the data of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Size
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Json
from reml.contract.predictors import Batch
from reml.contract.refusal import refuse
from reml.contract.signals import Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.predictors.one_access import session_of
from reml.predictors.retro.asking import Asking, Documents, documents_of, page_of
from reml.predictors.retro.reader import CrossAttention, Reader
from reml.text.language_model import SMOLLM2, first_token, load_language_model, new_language_model
from reml.text.models.token_limit import allowed
from reml.text.token_table import token_ids

TOKENS = 2048


@checked("Retro")
class Retro(nn.Module):
    """Reads texts chunk by chunk with the neighbours of each chunk, and says how likely they are or goes on.

    What it predicts of an example is its right answer after its input; where there is none, or where it is the input,
    all of the input but its first token. Answers say it of the input: `meta` has its `log_likelihood` and `tokens`. An
    example whose `meta` names its `own_page` does not find chunks of that page. Of an input that is longer than
    `tokens` the start is predicted, and what stands behind it comes after its end.

    model: a hub id, a folder or `package:NAME/PATH`. access: the access model that is asked, the only one it is given
    if left out. k: neighbours of a chunk. cross: what is put into the model. fresh: settings of its configuration that
    make another model of its family, of random weights (`hidden_size: 128`). frozen: whether only what is put in is
    trained. tokens: of a text, 2048 unless given, or what the model takes. answer_tokens: written after an input.
    """

    signals = Signal.NONE  # what it is told of a chunk is read by all that come after

    def __init__(
        self,
        model: str = SMOLLM2,
        access: str | None = None,
        *,
        k: Count = 2,
        cross: CrossAttention | None = None,
        fresh: Mapping[str, Json] | None = None,
        frozen: bool = True,
        tokens: Count | None = None,
        answer_tokens: Size = 0,
    ) -> None:
        super().__init__()
        if fresh is not None and frozen:
            raise ValueError(
                "a model of random weights (`fresh`) that is frozen learns nothing: set `frozen` to false."
            )
        loaded = (
            load_language_model(model, trust_remote_code=None) if fresh is None else new_language_model(model, fresh)
        )
        self.tokeniser = loaded.fast
        loaded.model.requires_grad_(not frozen)
        self.reader = Reader(loaded.model, cross or CrossAttention())
        self.tokens = allowed(tokens, TOKENS, loaded.limit, model=model, setting="tokens")
        allowed(answer_tokens, answer_tokens, self.tokens - 1, model=model, setting="answer_tokens")
        self.access, self.k, self.answer_tokens = access, k, answer_tokens
        self._collections: dict[str, Collection] = {}
        self._documents: dict[str, Documents | None] = {}

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:  # noqa: ARG002
        """Take note of the collections, so that the chunks of a document are known."""
        self._collections.update(collections)
        for name in collections:
            self._documents.pop(name, None)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p of what is predicted, [B], summed over its tokens; all chunks are asked for at once."""
        refuse(signals, self.signals, "Retro")
        texts = [self._text(example) for example in batch.examples]
        # Of a batch without neighbours a frozen model's loss has no gradient: it has one of zeros.
        nothing = 0.0 * sum(one.sum() for one in self.reader.encoder.end.parameters())
        return Prediction(nothing - self._likelihood(batch, texts).sum(1))

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Say how likely the inputs are, and go on after them with the likeliest token at each step; no provenance."""
        whole = [self._input(example) for example in batch.examples]
        inputs = [ids[: self.tokens] for ids in whole]
        said = self._likelihood(batch, [(ids, 1) for ids in inputs]).double().sum(1).tolist()
        texts = self._written(batch, whole) if self.answer_tokens else [""] * len(inputs)
        return [
            Answer(text, meta={"log_likelihood": likelihood, "tokens": len(ids) - 1})
            for text, likelihood, ids in zip(texts, said, inputs, strict=True)
        ]

    def _likelihood(self, batch: Batch, texts: Sequence[tuple[list[int], int]]) -> Tensor:
        """Give log p of the tokens of texts, [B, L - 1], 0 at padding and of those that are not predicted."""
        device = self._device
        ids = pad_sequence([torch.tensor(row) for row, _ in texts], batch_first=True).to(device)
        if ids.shape[1] < 2:
            return torch.zeros((len(ids), 0), device=device)
        asking = self._asking(batch)
        neighbours = asking.neighbours({place: row[:-1] for place, (row, _) in enumerate(texts)})
        logits, _ = self.reader(ids[:, :-1], neighbours.to(device), self.reader.begin(len(ids), asking.places))
        said = torch.log_softmax(logits.float(), dim=2).gather(2, ids[:, 1:, None]).squeeze(2)
        places = torch.arange(1, ids.shape[1], device=device)
        first, end = (torch.tensor(one, device=device)[:, None] for one in _bounds(texts))
        return said.masked_fill((places < first) | (places >= end), 0.0)

    def _written(self, batch: Batch, inputs: Sequence[list[int]]) -> list[str]:
        asking, room = self._asking(batch), self.tokens - self.answer_tokens
        written = [self._go_on(asking, place, ids[-room:]) for place, ids in enumerate(inputs)]
        return [str(self.tokeniser.decode(ids, skip_special_tokens=True)) for ids in written]

    def _go_on(self, asking: Asking, place: int, ids: list[int]) -> list[int]:
        """Write after a text, asking for each chunk once it is whole."""
        progress, read, said = self.reader.begin(1, asking.places), 0, list[int]()
        while len(said) < self.answer_tokens:
            text = [*ids, *said]
            neighbours = asking.neighbours({place: text}, read // self.reader.chunk).to(self._device)
            piece = torch.tensor([text[read:]], device=self._device)
            logits, progress = self.reader(piece, neighbours, progress, go_on=True)
            read = len(text)
            token = int(logits[0, -1].argmax())
            if token == self.tokeniser.eos_token_id:
                break
            said.append(token)
        return said

    def _asking(self, batch: Batch) -> Asking:
        name, session = session_of(batch, self.access, "Retro")
        own = None if session is None else self._own(name, [page_of(example) for example in batch.examples])
        vocabulary = int(self.reader.model.config.vocab_size)
        return Asking(session, self.tokeniser, own, self.k, self.reader.chunk, vocabulary)

    def _own(self, name: str, pages: Sequence[str | None]) -> list[Int64Array] | None:
        """Give the rows of these pages, none of what is no page; nothing where none is or no chunks are there."""
        if all(page is None for page in pages) or (documents := self._documents_of(name)) is None:
            return None
        return [np.empty(0, np.int64) if page is None else documents.rows_of(page) for page in pages]

    def _documents_of(self, name: str) -> Documents | None:
        if name not in self._documents:
            if name not in self._collections:
                raise ValueError(
                    f"examples name the page that they stand in, and the chunks of {name!r} are not known, so that "
                    "they cannot be excluded: call `prepare` with its collection first."
                )
            self._documents[name] = documents_of(self._collections[name])
        return self._documents[name]

    def _input(self, example: Example) -> list[int]:
        """Give the tokens of an input, all of them; a blank one is the token that begins texts."""
        return token_ids(self.tokeniser, [example.input])[0] or [first_token(self.tokeniser)]

    def _text(self, example: Example) -> tuple[list[int], int]:
        """Give the tokens of a text, and which is the first that is predicted."""
        ids, answers = self._input(example), example.answers
        if not answers or answers[0] == example.input:
            return ids[: self.tokens], 1
        said = token_ids(self.tokeniser, [f" {answers[0]}"])[0][: self.tokens - 1]
        before = ids[-(self.tokens - len(said)) :]
        return before + said, len(before)

    @property
    def _device(self) -> torch.device:
        return self.reader.model.device


def _bounds(texts: Sequence[tuple[list[int], int]]) -> tuple[list[int], list[int]]:
    """Give the first token that is predicted of each text, and its end."""
    return [first for _, first in texts], [len(ids) for ids, _ in texts]
