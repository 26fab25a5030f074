"""A causal language model that reads one item before each question; a prompt is read once, whatever is said after it.

Any token that holds a line break ends an answer, and so does the token that ends texts: that it ends is one event,
whose probability is the sum of theirs, and stands at one of them (`end`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.collections import Collection
from reml.contract.examples import Example
from reml.contract.retrieved import Responses
from reml.predictors.marginal.cached import CachedPrefixes, selected
from reml.predictors.marginal.generator import Generator
from reml.predictors.reading.encoder_decoders import IGNORED
from reml.predictors.reading.pairs import readable
from reml.predictors.reading.places import Places
from reml.predictors.reading.prompts import INPUT_TOKENS, PASSAGE, PROMPT, Prompts
from reml.predictors.reading.right_answers import right_answers
from reml.text.language_model import SMOLLM2, load_language_model, padded
from reml.text.models.token_limit import allowed
from reml.text.models.transformers_types import Cache, PreTrainedModel
from reml.text.token_table import token_ids


@final
@checked()
class Causal(Generator):
    """Puts one item before a question and lets a language model go on to the end of the line.

    model: a hub id, a folder, or `package:NAME/PATH`; a GGUF file is converted once into the cache. prompt: holds
    `{passages}` and `{question}`. passage: the item, holds `{text}` and may hold `{title}`. input_tokens: of a prompt,
    1536 unless given, or what the model takes before an answer; an item that does not fit is left
    out.
    answer_tokens: of the longest answer, its end not counted. trust_remote_code: whether code in the model's folder is
    run.
    """

    def __init__(
        self,
        model: str = SMOLLM2,
        *,
        prompt: str = PROMPT,
        passage: str = PASSAGE,
        input_tokens: Count | None = None,
        answer_tokens: Count = 32,
        trust_remote_code: bool = False,
    ) -> None:
        super().__init__()
        loaded = load_language_model(model, trust_remote_code=trust_remote_code)
        self.model: PreTrainedModel = loaded.model
        self.tokeniser, self.answer_tokens = loaded.fast, answer_tokens
        room = loaded.limit - answer_tokens - 1  # the answer's end is a token too
        limit = allowed(input_tokens, INPUT_TOKENS, room, model=model, setting="input_tokens")
        self._prompts = Prompts(self.tokeniser, prompt, passage, limit)
        self.end = token_ids(self.tokeniser, ["\n"])[0][-1]
        texts = self.tokeniser.batch_decode([[token] for token in range(len(self.tokeniser))])
        ends = {self.end, self.tokeniser.eos_token_id, *(place for place, text in enumerate(texts) if "\n" in text)}
        self._ends = sorted(ends - {None})

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Do nothing: the items stand in prompts as text."""

    def read(self, examples: Sequence[Example], responses: Responses) -> CausalPairs:
        """Write a prompt for each pair; it is read when something is asked of it."""
        items = readable(responses)
        asked = [example for example, given in zip(examples, items, strict=True) for _ in given or (None,)]
        lone = [[item] for given in items for item in given.values() or (None,)]
        prompts = self._prompts(asked, [[item for item in given if item is not None] for given in lone])
        ids, mask = padded(prompts, self.tokeniser.pad_token_id, self.model.device, "left")
        ends = torch.tensor(self._ends, device=ids.device)
        return CausalPairs(self.model, ids, mask, Places.of(items).to(ids.device), ends, self.end)

    def targets(self, examples: Sequence[Example]) -> list[list[int]]:
        """Give the tokens of the first right answer up to the end of its line."""
        said = token_ids(self.tokeniser, [f" {right_answers(example)[0]}" for example in examples])
        return [[*self._line(tokens)[: self.answer_tokens], self.end] for tokens in said]

    def text(self, tokens: Sequence[int]) -> str:
        """Give the text of an answer."""
        return str(self.tokeniser.decode(list(tokens), skip_special_tokens=True)).strip()

    def _line(self, tokens: Sequence[int]) -> list[int]:
        first = next((place for place, token in enumerate(tokens) if token in self._ends), len(tokens))
        return list(tokens[:first])


@final
@dataclass(frozen=True, eq=False)
class CausalPairs:
    """P prompts, ids and mask int64 [P, L], padded on the left. ends: the tokens that end an answer, as `end` does."""

    model: PreTrainedModel
    ids: Tensor
    mask: Tensor
    places: Places
    ends: Tensor
    end: int

    def begin(self) -> CachedPrefixes:
        """Give the empty answers after all prompts."""
        log_next, cache = self._prompts_read
        return CachedPrefixes(log_next, torch.arange(len(self.ids), device=self.ids.device), cache, self._step)

    def log_likelihood(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Give log p of each target token, [R, T]."""
        log_next, cache = self._prompts_read
        there, tokens = targets != IGNORED, targets.clamp(min=0)
        said = [log_next[rows].gather(1, tokens[:, :1])]
        if targets.shape[1] > 1:
            after, _ = self._go_on(rows, tokens[:, :-1], selected(cache, rows), there[:, :-1].long())
            said.append(after.gather(2, tokens[:, 1:, None]).squeeze(2))
        return torch.cat(said, dim=1).masked_fill(~there, 0.0)

    @cached_property
    def _prompts_read(self) -> tuple[Tensor, Cache]:
        places = (self.mask.cumsum(1) - 1).clamp(min=0)
        output = self.model(
            input_ids=self.ids, attention_mask=self.mask, position_ids=places, use_cache=True, logits_to_keep=1
        )
        return self._log_probabilities(output.logits[:, -1]), output.past_key_values

    def _step(self, rows: Tensor, tokens: Tensor, cache: Cache, length: int) -> tuple[Tensor, Cache]:
        log_next, cache = self._go_on(rows, tokens[:, None], cache, tokens.new_ones((len(rows), length)))
        return log_next[:, -1], cache

    def _go_on(self, rows: Tensor, tokens: Tensor, cache: Cache, said: Tensor) -> tuple[Tensor, Cache]:
        """Read tokens [R, n], the last of what was said; its mask [R, T]. Give log p of what comes next, [R, n, V]."""
        mask = torch.cat([self.mask[rows], said], dim=1)
        places = (mask.cumsum(1) - 1)[:, -tokens.shape[1] :]
        output = self.model(
            input_ids=tokens, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
        )
        return self._log_probabilities(output.logits), output.past_key_values

    def _log_probabilities(self, logits: Tensor) -> Tensor:
        said = torch.log_softmax(logits.float(), dim=-1)
        if len(self.ends) == 1:
            return said
        ended = said.index_select(-1, self.ends).logsumexp(dim=-1, keepdim=True)
        one = self.ends.new_tensor([self.end])
        return said.index_fill(-1, self.ends, -torch.inf).index_copy(-1, one, ended)
