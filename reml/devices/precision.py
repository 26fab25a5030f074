"""Whether this machine computes in bfloat16 faster than in float32, asked of the machine and never measured."""

from __future__ import annotations

import functools
from typing import Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


@functools.cache
def fast_bfloat16(device_type: str) -> bool:
    """Tell whether `cpu` (AMX or AVX-512 BF16) or `cuda` (native support) has instructions for bfloat16."""
    if device_type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return device_type == "cpu" and bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def autocast(device: torch.device, precision: Precision = "auto") -> torch.autocast:
    """Compute matrix products in bfloat16 if asked, or if it is left to the machine and it is fast there."""
    wanted = precision == "bfloat16" or (precision == "auto" and fast_bfloat16(device.type))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted)
