"""Who writes: any language model that goes on from a text, or a causal model here whose tokens can be learnt from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from reml.contract.access import Continuing, Written
from reml.predictors.agents.transcript import Segment
from reml.text.language_model import load_language_model, padded
from reml.text.models.transformers_types import Cache, PreTrainedModel
from reml.text.token_table import token_ids

Spoken = tuple[Written, Segment]


class Policy(Protocol):
    """Goes on from transcripts."""

    def given(self, text: str) -> Segment:
        """Make a segment of what others wrote."""

    def go_on(self, transcripts: Sequence[Sequence[Segment]], stops: Sequence[str], max_tokens: int) -> list[Spoken]:
        """Give what comes next in each transcript, in order, read and as a segment of its own."""


class AnyPolicy:
    """Any `Continuing` as a policy: it is given texts, and nothing is learnt."""

    def __init__(self, model: Continuing) -> None:
        self.model = model

    def given(self, text: str) -> Segment:
        """Make a segment of what others wrote."""
        return Segment(text)

    def go_on(self, transcripts: Sequence[Sequence[Segment]], stops: Sequence[str], max_tokens: int) -> list[Spoken]:
        """Ask it once for all; `ValueError` for one that does not write one text for each prompt."""
        prompts = ["".join(segment.text for segment in transcript) for transcript in transcripts]
        said = self.model.go_on(prompts, stops, max_tokens=max_tokens)
        if len(said) != len(prompts):
            raise ValueError(
                f"{type(self.model).__name__} wrote {len(said)} texts for {len(prompts)} prompts: one for each is due."
            )
        return [(written, Segment(written.text + written.stop, own=True)) for written in said]


class LocalPolicy(nn.Module):
    """A causal language model whose likelihood of what it wrote can be learnt from, token for token as it was drawn.

    Each segment is tokenised alone, and own ones are kept as the tokens that were drawn, so that what is learnt from is
    what was read. model: a hub id, a folder or `package:NAME/PATH`. temperature: what logits are divided by where
    tokens are drawn (`drawing`) and learnt from; else the likeliest token is taken.
    """

    def __init__(self, model: str, temperature: float = 1.0) -> None:
        super().__init__()
        loaded = load_language_model(model, trust_remote_code=False)
        self.model: PreTrainedModel = loaded.model
        self.tokeniser, self.limit, self.temperature = loaded.fast, loaded.limit, temperature
        self._draws = False
        ends = self.model.generation_config.eos_token_id if self.model.generation_config is not None else None
        self._ends = {*(ends if isinstance(ends, list) else [ends]), self.tokeniser.eos_token_id} - {None}

    def given(self, text: str) -> Segment:
        """Make a segment of what others wrote."""
        return Segment(text, ids=tuple(token_ids(self.tokeniser, [text])[0]))

    @contextlib.contextmanager
    def drawing(self) -> Iterator[None]:
        """Draw tokens, from torch's random state, and drop nothing out: the policy that writes is the one that learns.

        What is learnt from has to be scored in here too.
        """
        mode = self.model.training
        nn.Module.eval(self.model)
        self._draws = True
        try:
            yield
        finally:
            self._draws = False
            nn.Module.train(self.model, mode)

    @torch.no_grad()
    def go_on(self, transcripts: Sequence[Sequence[Segment]], stops: Sequence[str], max_tokens: int) -> list[Spoken]:
        """Go on token by token; a last token that reaches past a stop is kept whole, what is read ends at the stop."""
        rows = [[token for segment in transcript for token in segment.ids] for transcript in transcripts]
        ids, mask = self._padded(rows, "left")
        said: list[list[int]] = [[] for _ in rows]
        going, cache = list(range(len(rows))), None
        for _ in range(max_tokens):
            logits, cache = self._next(ids, mask, cache)
            ids = self._chosen(logits)[:, None]
            mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
            for place in going:
                said[place].append(int(ids[place, 0]))
            going = [place for place in going if not self._ended(said[place], stops)]
            if not going:
                break
        return [self._spoken(len(row), tokens, stops) for row, tokens in zip(rows, said, strict=True)]

    def log_likelihoods(self, passes: Sequence[Sequence[Segment]]) -> tuple[Tensor, Tensor]:
        """Give log p of each token but the first of P texts, with gradient, and where they are own: both [P, L - 1].

        0 at padding. Tokens that others wrote are no part of any loss: their own mask is false.
        """
        ids, mask = self._padded([[token for part in one for token in part.ids] for one in passes], "right")
        marks = [torch.tensor([part.own for part in one for _ in part.ids]) for one in passes]
        own = pad_sequence(marks, batch_first=True).to(ids.device)
        logits = self.model(input_ids=ids, attention_mask=mask).logits[:, :-1].float() / self.temperature
        said = -functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")  # [P, L - 1]
        return said.masked_fill(mask[:, 1:] == 0, 0.0), own[:, 1:]

    def _next(self, ids: Tensor, mask: Tensor, cache: Cache | None) -> tuple[Tensor, Cache]:
        """Give the logits of the next token, [B, V], and the cache of all so far."""
        places = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        read = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=places,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return read.logits[:, -1].float(), read.past_key_values

    def _chosen(self, logits: Tensor) -> Tensor:
        if not self._draws:
            return logits.argmax(dim=1)
        return torch.multinomial(torch.softmax(logits / self.temperature, dim=1), 1).squeeze(1)

    def _padded(self, rows: Sequence[Sequence[int]], side: str) -> tuple[Tensor, Tensor]:
        return padded(rows, self.tokeniser.pad_token_id, self.model.device, side)

    def _ended(self, tokens: Sequence[int], stops: Sequence[str]) -> bool:
        text = self._text(tokens)
        return tokens[-1] in self._ends or any(stop in text for stop in stops)

    def _spoken(self, read: int, tokens: Sequence[int], stops: Sequence[str]) -> Spoken:
        text = self._text(tokens)
        first = min((stop for stop in stops if stop in text), key=text.index, default="")
        until = text.partition(first)[0] if first else text
        whole = bool(first) or tokens[-1] in self._ends
        return Written(until, first, whole, read, len(tokens)), Segment(text, own=True, ids=tuple(tokens))

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self.tokeniser.decode(list(tokens), skip_special_tokens=True))
