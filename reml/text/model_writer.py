"""A causal language model that writes what a prompt asks for: summaries, translations, texts that stand alone.

It goes on from texts up to a stop, as agents ask it, and says how likely texts are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.contract.access import Written
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Seed, Weight
from reml.contract.arguments.several import several
from reml.devices.device import default_device
from reml.devices.progress import tracked
from reml.files.model_location import ModelError
from reml.text.language_model import load_language_model, padded
from reml.text.models.loading import Loaded
from reml.text.writing.asked import check_stops, cut_at_stop, most_tokens, pairs, to_blank_line, warn_of_cut
from reml.text.writing.drawn_tokens import DrawnTokens
from reml.text.writing.stopping import Stops, text_after

_Rows = Sequence[list[int]]


@final
@checked()
@dataclass(frozen=True, eq=False)
class ModelWriter:
    """A `Writer`, `Continuing` and `Likelihoods`: a prompt always gets the same text, whatever else is asked.

    It is loaded when it is first needed, on the GPU if there is one. model: a hub id, a folder or `package:NAME/PATH`
    of a causal model of transformers; a GGUF file is converted once into the cache. max_tokens: of a text; one that
    does not end within them is cut, with a warning. chat: put a prompt as what a user says, where the tokeniser knows
    how its model was taught to answer; else the model goes on from it, to a blank line. trust_remote_code: whether code
    in the model's folder is run. batch_size changes speed, and texts only where two tokens are all but equally likely.
    temperature: 0 takes the likeliest token after each other; above it tokens are drawn, by the seed and the prompt.
    """

    model: str
    _: KW_ONLY
    max_tokens: Count = 128
    chat: bool = True
    trust_remote_code: bool = False
    batch_size: Count = 8
    temperature: Weight = 0.0
    seed: Seed = 0

    def write(self, prompts: Sequence[str]) -> list[str]:
        """Give one text for each prompt, in order; `ValueError` for a prompt that does not fit before its text."""
        rows = [self._tokens(prompt, self._framed(prompt), self.max_tokens) for prompt in several(prompts, "prompts")]
        written = self._written(rows, (), self.max_tokens)
        warn_of_cut(self.model, written, self.max_tokens)
        return [one.text.strip() if self._chats else to_blank_line(one.text) for one in written]

    def go_on(
        self, prompts: Sequence[str], stops: Sequence[str] = (), *, max_tokens: int | None = None
    ) -> list[Written]:
        """Give what comes after each prompt as it is, no chat about it, up to a stop; see `Continuing`.

        Of several stops the one that is complete first counts. `ValueError` for a prompt that does not fit.
        """
        stops, most = check_stops(stops), most_tokens(max_tokens, self.max_tokens)
        return self._written([self._tokens(one, None, most) for one in several(prompts, "prompts")], stops, most)

    @torch.no_grad()
    def log_likelihoods(self, prompts: Sequence[str], texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Give log p of each token of each text after its prompt, natural.

        Both are tokenised as one; a token that spans the border is the text's. `ValueError` for what does not fit, and
        for a text that begins with the first token of all, before which there is none.
        """
        split = [self._split(prompt, text) for prompt, text in pairs(prompts, texts)]
        found: list[tuple[float, ...]] = [()] * len(split)
        parts = self._parts([ids if count else [] for ids, count in split])
        for part in tracked(parts, "score", unit="texts", size=len):
            for place, scores in zip(part, self._scores([split[place] for place in part]), strict=True):
                found[place] = scores
        return found

    @torch.no_grad()
    def _written(self, rows: _Rows, stops: Sequence[str], most: int) -> list[Written]:
        written: list[Written] = [Written("")] * len(rows)
        for part in tracked(self._parts(rows), "write", unit="texts", size=len):
            for place, one in zip(part, self._batch([rows[place] for place in part], stops, most), strict=True):
                written[place] = one
        return written

    def _parts(self, rows: _Rows) -> list[list[int]]:
        """Give batches of places, those of like length together; an empty row is in none."""
        order = sorted((place for place, row in enumerate(rows) if row), key=lambda place: -len(rows[place]))
        return [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]

    def _batch(self, rows: _Rows, stops: Sequence[str], most: int) -> list[Written]:
        model: Any = self._loaded.model
        ids, mask = self._left_padded(rows)
        ended = Stops(stops, ids.shape[1], len(rows), self._decode)
        said = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=most,
            do_sample=False,
            pad_token_id=self._pad,
            logits_processor=[DrawnTokens(rows, self.temperature, self.seed)] if self.temperature else [],
            stopping_criteria=[ended] if stops else [],
        )[:, ids.shape[1] :].tolist()
        ends = set(_several(model.generation_config.eos_token_id))
        return [_one(*row, ends, stops, self._decode) for row in zip(rows, said, ended.ended, strict=True)]

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self._loaded.fast.decode(list(ids), skip_special_tokens=True))

    def _left_padded(self, rows: _Rows) -> tuple[Tensor, Tensor]:
        return padded(rows, self._pad, self._loaded.model.device, "left")

    @property
    def _pad(self) -> int:
        return int(self._loaded.fast.pad_token_id or 0)  # masked, so that any token does

    def _scores(self, split: Sequence[tuple[list[int], int]]) -> list[tuple[float, ...]]:
        """Score the last tokens of each row; so many are the text's."""
        ids, mask = self._left_padded([row for row, _ in split])
        most = max(count for _, count in split)
        places = (mask.cumsum(1) - 1).clamp(min=0)
        model: Any = self._loaded.model
        logits = model(input_ids=ids, attention_mask=mask, position_ids=places, logits_to_keep=most + 1).logits
        scores = functional.log_softmax(logits[:, -most - 1 : -1].float(), dim=2)
        said = scores.gather(2, ids[:, ids.shape[1] - most :, None]).squeeze(2).tolist()  # [B, most]
        return [tuple(row[most - count :]) for row, (_, count) in zip(said, split, strict=True)]

    def _split(self, prompt: str, text: str) -> tuple[list[int], int]:
        """Tokenise a prompt with its text; say how many of the last tokens are the text's."""
        read = self._loaded.fast(prompt + text, return_offsets_mapping=True, verbose=False)
        ids: list[int] = read["input_ids"]
        count = sum(end > len(prompt) for _, end in read["offset_mapping"])
        if len(ids) > self._loaded.limit:
            raise ValueError(
                f"a prompt with its text has {len(ids)} tokens, and {self.model!r} reads {self._loaded.limit}: "
                f"{prompt[:80]!r}. Give shorter ones, or name a model that reads more."
            )
        if count and count == len(ids):
            raise ValueError(f"nothing stands before the text {text[:80]!r}: give a prompt for it to come after.")
        return ids, count

    def _framed(self, prompt: str) -> str | None:
        """Put a prompt as what a user says; nothing where the model does not chat."""
        if not self._chats:
            return None
        said = [{"role": "user", "content": prompt}]
        return str(self._loaded.fast.apply_chat_template(said, tokenize=False, add_generation_prompt=True))

    def _tokens(self, prompt: str, framed: str | None, most: int) -> list[int]:
        tokeniser, room = self._loaded.fast, self._loaded.limit - most
        if framed is None:
            ids: list[int] = tokeniser(prompt, verbose=False)["input_ids"]
        else:
            ids = tokeniser(framed, add_special_tokens=False, verbose=False)["input_ids"]
        if not 0 < len(ids) <= room:
            raise ValueError(
                f"a prompt has {len(ids)} tokens, and {self.model!r} reads 1 to {room} before {most} of its "
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


def _one(
    prompt: list[int],
    said: list[int],
    stopped: int,
    ends: set[int],
    stops: Sequence[str],
    decode: Callable[[Sequence[int]], str],
) -> Written:
    """Give what was written of the tokens of a row: behind its end there is padding."""
    ended = next((place + 1 for place, token in enumerate(said) if token in ends), 0)
    count = min([end for end in (stopped, ended) if end], default=len(said))
    text, stop = cut_at_stop(text_after(prompt, said[: count - (ended == count)], decode), stops)
    return Written(text, stop, bool(stop) or ended == count, len(prompt), count)
