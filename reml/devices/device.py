"""On which device models compute where nothing else is said."""

from __future__ import annotations

import torch


def default_device() -> torch.device:
    """Give the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
