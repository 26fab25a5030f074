"""A causal language model that writes what a prompt asks for: summaries, translations, texts that stand alone."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import final

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.arguments.several import several
from reml.devices.device import default_device
from reml.devices.progress import tracked
from reml.files.model_location import ModelError
from reml.text.language_model import load_language_model
from reml.text.models.loading import Loaded

_LOG = logging.getLogger(__name__)


@final
@checked()
@dataclass(frozen=True, eq=False)
class ModelWriter:
    """A `Writer`: the likeliest token after each other, so that a prompt always gets the same text.

    It is loaded when it is first needed, on the GPU if there is one. model: a hub id, a folder or `package:NAME/PATH`
    of a causal model of transformers; a GGUF file is converted once into the cache. max_tokens: of a text; one that
    does not end within them is cut, with a warning. chat: put a prompt as what a user says, where the tokeniser knows
    how its model was taught to answer; else the model goes on from it, to a blank line. trust_remote_code: whether code
    in the model's folder is run. batch_size changes speed, and texts only where two tokens are all but equally likely.
    """

    model: str
    _: KW_ONLY
    max_tokens: Count = 128
    chat: bool = True
    trust_remote_code: bool = False
    batch_size: Count = 8

    @torch.no_grad()
    def write(self, prompts: Sequence[str]) -> list[str]:
        """Give one text for each prompt, in order; `ValueError` for a prompt that does not fit before its text."""
        tokens = [self._tokens(prompt) for prompt in several(prompts, "prompts")]
        order = sorted(range(len(tokens)), key=lambda place: len(tokens[place]), reverse=True)
        parts = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        texts, cut = [""] * len(tokens), 0
        for part in tracked(parts, "write", unit="texts", size=len):
            written, unended = self._batch([tokens[place] for place in part])
            cut += unended
            for place, text in zip(part, written, strict=True):
                texts[place] = text
        if cut:
            _LOG.warning(
                "%d of %d texts of %s did not end within max_tokens (%d) and are cut: raise it.",
                cut,
                len(texts),
                self.model,
                self.max_tokens,
            )
        return texts

    def _batch(self, tokens: Sequence[list[int]]) -> tuple[list[str], int]:
        """Write one text for each prompt; say how many did not end."""
        model, tokeniser = self._loaded.model, self._loaded.fast
        pad = int(tokeniser.pad_token_id or 0)  # masked, so that any token does
        rows = [torch.tensor(ids) for ids in tokens]
        ids = pad_sequence(rows, batch_first=True, padding_value=pad, padding_side="left")
        mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True, padding_side="left")
        said = model.generate(  # type: ignore[operator]
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=self.max_tokens,
            do_sample=False,
            pad_token_id=pad,
        )[:, ids.shape[1] :]
        ends = [pad, *_several(model.generation_config.eos_token_id)]
        unended = [row.numel() == self.max_tokens and int(row[-1]) not in ends for row in said]
        texts = tokeniser.batch_decode(said, skip_special_tokens=True)
        if not self._chats:
            texts = [text.strip().partition("\n\n")[0] for text in texts]
        return [text.strip() for text in texts], sum(unended)

    def _tokens(self, prompt: str) -> list[int]:
        tokeniser, room = self._loaded.fast, self._loaded.limit - self.max_tokens
        if self._chats:
            said = [{"role": "user", "content": prompt}]
            framed = tokeniser.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
            ids: list[int] = tokeniser(framed, add_special_tokens=False, verbose=False)["input_ids"]
        else:
            ids = tokeniser(prompt, verbose=False)["input_ids"]
        if not 0 < len(ids) <= room:
            raise ValueError(
                f"a prompt has {len(ids)} tokens, and {self.model!r} reads 1 to {room} before {self.max_tokens} of its "
                f"own: {prompt[:80]!r}. Cut items before (Snippet), or name a model that reads more."
            )
        return ids

    @property
    def _chats(self) -> bool:
        return self.chat and self._loaded.fast.chat_template is not None

    @functools.cached_property
    def _loaded(self) -> Loaded:
        loaded = load_language_model(self.model, trust_remote_code=self.trust_remote_code)
        if loaded.limit <= self.max_tokens:
            raise ModelError(
                f"max_tokens is {self.max_tokens}, but {self.model!r} takes {loaded.limit} in all: lower it."
            )
        nn.Module.to(loaded.model, default_device())
        nn.Module.eval(loaded.model)
        return loaded


def _several(ids: int | list[int] | None) -> list[int]:
    return ids if isinstance(ids, list) else [] if ids is None else [ids]
