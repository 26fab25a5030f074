"""Encoding inputs with a pretrained bidirectional encoder, and which of its layers are trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, PreTrainedModel, PreTrainedTokenizerFast

from reml.files.model_location import located
from reml.predictors.reading.pairs import Frame, Pairs, Part
from reml.text.tokenisers import load_tokeniser

# Inputs of one pass through the encoder on a CPU: enough to keep it busy, few enough to be of like length.
CPU_CHUNK = 4


def load_encoder(name: str, frozen_layers: int) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load an encoder and its tokeniser; only its layers from `frozen_layers` on are trained.

    `ValueError` if the tokeniser has no tokens for the start and the end of an input, or there are fewer layers.
    """
    folder = located(name)
    # For the short inputs here, a CPU's fused attention takes longer than the plain one, backward above all.
    attention = "sdpa" if torch.cuda.is_available() else "eager"
    encoder: PreTrainedModel = AutoModel.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, attn_implementation=attention
    )
    tokeniser = load_tokeniser(folder)
    if tokeniser.cls_token_id is None or tokeniser.sep_token_id is None:
        raise ValueError(f"{name} has no [CLS] and [SEP] tokens: it is not an encoder. Name one such as a BERT.")
    train_from(encoder, frozen_layers)
    # Short trainings gain nothing from dropout here, and without it attention takes a path twice as fast on a CPU.
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return encoder, tokeniser


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
    """Encode each input on its own, [P, L, D]; title and text are the second segment where the model knows segments.

    On a CPU inputs of like length are encoded together, so that little of the work goes into padding.
    """
    order = torch.argsort(inputs.mask.sum(1), stable=True)
    size = CPU_CHUNK if inputs.ids.device.type == "cpu" else len(order)
    knows_segments = "token_type_ids" in tokeniser.model_input_names
    encoded = []
    for chunk in torch.split(order, size):
        length = int(inputs.mask[chunk].sum(1).max())
        ids, mask, parts = (part[chunk, :length] for part in (inputs.ids, inputs.mask, inputs.parts))
        second = ((parts >= Part.TITLE).cumsum(1) > 0) & mask
        segments = {"token_type_ids": second.long()} if knows_segments else {}
        states = encoder(input_ids=ids, attention_mask=mask.long(), **segments).last_hidden_state
        encoded.append(functional.pad(states, (0, 0, 0, inputs.ids.shape[1] - length)))
    return torch.cat(encoded)[torch.argsort(order)]
