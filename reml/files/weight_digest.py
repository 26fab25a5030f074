"""A digest of a model: what it computes, and every byte of its weights."""

from __future__ import annotations

import torch
from torch import nn

from reml.contract.examples import Json
from reml.files.atomic import digest

# What a transformers configuration says beside what the model computes.
UNRELATED = ("_name_or_path", "architectures", "dtype", "transformers_version")


def weight_changes(module: nn.Module) -> int:
    """Count how often weights of a module were written, so that what was made of them can be known for stale."""
    return sum(weights._version for weights in module.parameters())


def digest_with_weights(module: nn.Module, *parts: Json) -> str:
    """Digest these parts and all parameters and buffers of a module as they are now; reads all of them."""
    weights = module.state_dict()
    tensors = (weights[name].detach().cpu().reshape(-1).view(torch.uint8).numpy() for name in sorted(weights))
    return digest(*parts, sorted(weights), *(tensor.tobytes() for tensor in tensors))
