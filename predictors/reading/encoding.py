"""Encoding inputs with a pretrained bidirectional encoder, and which of its layers are trained."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.files.model_location import ModelError
from reml.predictors.reading.pairs import Frame, Pairs, Part
from reml.text.frozen_states import FrozenStates
from reml.text.models.encoders import load_encoder
from reml.text.models.loading import Loaded
from reml.text.models.token_limit import allowed
from reml.text.models.transformers_types import PreTrainedModel, PreTrainedTokenizerFast

# Inputs of one pass through the encoder on a CPU: enough to keep it busy, few enough to be of like length.
CPU_CHUNK = 4
INPUT_TOKENS = 256


def load_reader(name: str, frozen_layers: int, *, trust_remote_code: bool = False) -> Loaded:
    """Load an encoder and its tokeniser; only its layers from `frozen_layers` on are trained.

    `ValueError` if the tokeniser has no tokens for the start and the end of an input, or there are fewer layers.
    """
    # For the short inputs here, a CPU's fused attention takes longer than the plain one, backward above all.
    attention = "sdpa" if torch.cuda.is_available() else "eager"
    loaded = load_encoder(name, attention=attention, trust_remote_code=trust_remote_code).loaded
    if loaded.fast.cls_token_id is None or loaded.fast.sep_token_id is None:
        raise ModelError(f"{name!r} has no [CLS] and [SEP] tokens: it is not an encoder. Name one such as a BERT.")
    train_from(loaded.model, frozen_layers)
    without_dropout(loaded.model)
    return loaded


def without_dropout(model: nn.Module) -> None:
    """Take dropout out: short trainings gain nothing from it, and without it attention is twice as fast on a CPU."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


@functools.lru_cache(maxsize=1)
def frozen_reader(name: str, trust_remote_code: bool) -> tuple[Loaded, FrozenStates]:
    """Load an encoder that stays as it is; all of a process that name it share it, and what it made of texts."""
    loaded = load_reader(name, 0, trust_remote_code=trust_remote_code)
    return loaded, FrozenStates(loaded.model.requires_grad_(False).train(False), loaded.fast)


def input_limit(asked: int | None, loaded: Loaded) -> int:
    """Give how many tokens of a question with an item are read: what is asked for, else 256 or what the model takes."""
    return allowed(asked, INPUT_TOKENS, loaded.limit, model=loaded.folder.name, setting="input_tokens")


def train_from(encoder: PreTrainedModel, frozen_layers: int) -> None:
    """Freeze an encoder but for its layers from `frozen_layers` on."""
    stacks = [module for module in encoder.modules() if isinstance(module, nn.ModuleList)]
    layers = max(stacks, key=len)
    if not 0 <= frozen_layers <= len(layers):
        raise ValueError(f"frozen_layers must be from 0 to {len(layers)}, the encoder's layers, not {frozen_layers}.")
    encoder.requires_grad_(False)
    for layer in layers[frozen_layers:]:
        layer.requires_grad_(True)


def frame_of(tokeniser: PreTrainedTokenizerFast) -> Frame:
    """Frame an input as `[CLS] question [SEP] title [SEP] text [SEP]`."""
    end = (int(tokeniser.sep_token_id),)
    return Frame((int(tokeniser.cls_token_id),), end, end, end)


def encode(encoder: PreTrainedModel, tokeniser: PreTrainedTokenizerFast, inputs: Pairs) -> Tensor:
    """Encode each input on its own, [P, L, D]."""
    encoded, order = [], []
    for chunk, given in chunks(tokeniser, inputs):
        states = encoder(**given).last_hidden_state
        encoded.append(functional.pad(states, (0, 0, 0, inputs.ids.shape[1] - states.shape[1])))
        order.append(chunk)
    return torch.cat(encoded)[torch.argsort(torch.cat(order))]


def chunks(tokeniser: PreTrainedTokenizerFast, inputs: Pairs) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Yield what a model is given for some inputs, and which ones; all once.

    Title and text are the second segment where the model knows segments. On a CPU inputs of like length are encoded
    together, so that little of the work goes into padding.
    """
    order = torch.argsort(inputs.mask.sum(1), stable=True)
    size = CPU_CHUNK if inputs.ids.device.type == "cpu" else len(order)
    knows_segments = "token_type_ids" in tokeniser.model_input_names
    for chunk in torch.split(order, size):
        length = int(inputs.mask[chunk].sum(1).max())
        ids, mask, parts = (part[chunk, :length] for part in (inputs.ids, inputs.mask, inputs.parts))
        second = ((parts >= Part.TITLE).cumsum(1) > 0) & mask
        segments = {"token_type_ids": second.long()} if knows_segments else {}
        yield chunk, {"input_ids": ids, "attention_mask": mask.long(), **segments}
