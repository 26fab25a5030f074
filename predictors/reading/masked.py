"""A masked language model: inputs with as many masks as an answer has tokens, and what it expects in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reml.contract.examples import MASK, Example
from reml.files.model_location import ModelError
from reml.predictors.reading.encoding import chunks, train_from, without_dropout
from reml.predictors.reading.pairs import Pairs, Part, window
from reml.text.models.kinds import MASKED
from reml.text.models.loading import Loaded, config_of, load
from reml.text.models.model_folder import opened
from reml.text.models.transformers_types import PreTrainedTokenizerFast
from reml.text.token_table import Ids, token_ids

# What may be new on an encoder without a head.
HEAD = r"^(cls|lm_head|mlm_head|vocab_(transform|layer_norm|projector)|head|decoder)\."


def load_masked(
    name: str, frozen_layers: int = 0, *, new_head: bool = False, trust_remote_code: bool = False
) -> Loaded:
    """Load a masked language model, without dropout; the layers of its encoder from `frozen_layers` on are trained.

    new_head: what the folder lacks of a head is made new, tied to the embeddings; its dense layer begins as the
    identity, so that a state first looks for the tokens like it. `ModelError` for a tokeniser without a mask token, and
    without `new_head` for an encoder without a head.
    """
    folder = opened(name, MASKED.wanted)
    config = config_of(folder, MASKED, trust_remote_code=trust_remote_code)
    if not new_head and not any(one.endswith(("ForMaskedLM", "ForPreTraining")) for one in config.architectures or ()):
        raise ModelError(
            f"{name!r} has no head that says words, so that it would say them at random: {MASKED.advice}, or set "
            "`new_head: true` and train it."
        )
    # For the short inputs here, a CPU's fused attention takes longer than the plain one, backward above all.
    attention = "sdpa" if torch.cuda.is_available() else "eager"
    new = HEAD if new_head else "(?!)"
    loaded = load(folder, MASKED, config, attention=attention, trust_remote_code=trust_remote_code, new=new)
    needed = {"[CLS]": loaded.fast.cls_token_id, "[SEP]": loaded.fast.sep_token_id, "mask": loaded.fast.mask_token_id}
    if missing := [token for token, number in needed.items() if number is None]:
        raise ModelError(
            f"the tokeniser of {name!r} has no {missing[0]} token: {MASKED.advice}, and the tokeniser that it was "
            "trained with."
        )
    if new_head:
        _begin_as_identity(loaded.model)
    train_from(_base(loaded.model), frozen_layers)
    without_dropout(loaded.model)
    return loaded


def _base(model: nn.Module) -> Any:
    return model.base_model


def _begin_as_identity(model: nn.Module) -> None:
    inside = set(_base(model).modules())
    for module in model.modules():
        if isinstance(module, nn.Linear) and module not in inside and module.in_features == module.out_features:
            nn.init.eye_(module.weight)
            nn.init.zeros_(module.bias)


@dataclass(frozen=True, eq=False, slots=True)
class Cloze:
    """An input as tokens, before and after its masks, and the tokens of the right answer, if it is known."""

    head: Sequence[int]
    tail: Sequence[int]
    answer: Sequence[int] = ()

    def tokens(self, masks: int, mask: int, limit: int) -> Ids:
        """Give the input with so many masks, cut to `limit` tokens around them."""
        ids = np.array([*self.head, *[mask] * masks, *self.tail], dtype=np.int64)
        return window(ids, np.array([mask], dtype=np.int64), limit)


def cloze(tokeniser: PreTrainedTokenizerFast, example: Example, answer: str = "") -> Cloze:
    """Take an input apart at its `[MASK]`, its end if it has none; `ValueError` for one that has several.

    A tokeniser that has spaces in its tokens gives the answer those that it has behind a space.
    """
    head, _, tail = example.input.partition(MASK)
    if MASK in tail:
        raise ValueError(f"example {example.id!r} has several {MASK}: mask one span in each input.")
    spaced = not head or head[-1:].isspace() or MASK not in example.input
    ids = token_ids(tokeniser, [head.rstrip() if spaced else head, tail, f" {answer}" if spaced else answer])
    return Cloze(*ids)


def at_masks(
    model: nn.Module, tokeniser: PreTrainedTokenizerFast, inputs: Pairs, width: int, said: Tensor | None = None
) -> Tensor:
    """Give log p of every token at the masks of each input's question, float32 [P, width, V]; zeros past the last mask.

    said: tokens [P, width], of which alone it is given, [P, width]. The head is asked of the masks alone: most of its
    work would go into the tokens that are there.
    """
    masks = (inputs.ids == tokeniser.mask_token_id) & (inputs.parts == Part.QUESTION)
    held = torch.arange(width, device=masks.device) < masks.sum(1, keepdim=True)
    found, order = [], []
    for chunk, given in chunks(tokeniser, inputs):
        logs = _logits_at(model, masks[chunk, : given["input_ids"].shape[1]], given).log_softmax(1)
        if said is not None:
            logs = logs.gather(1, said[chunk][held[chunk]][:, None])[:, 0]
        laid = logs.new_zeros((len(chunk), width, *logs.shape[1:]))
        found.append(laid.index_put(torch.where(held[chunk]), logs))
        order.append(chunk)
    return torch.cat(found)[torch.argsort(torch.cat(order))]


def _logits_at(model: nn.Module, places: Tensor, given: dict[str, Tensor]) -> Tensor:
    """Give the logits at M places, bool [P, L], [M, V]: what stands on the encoder is given their states alone."""

    def pick(_: nn.Module, __: object, output: Any) -> None:
        output.last_hidden_state = output.last_hidden_state[places][None]

    handle = _base(model).register_forward_hook(pick)
    try:
        logits: Tensor = model(**given).logits[0]
    finally:
        handle.remove()
    return logits.float()
