"""The weights of a module as one safetensors file."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import nn

from reml.contract.arguments.paths import takes_paths
from reml.files.atomic import StaleError, atomic_file, repair_of
from reml.files.integrity.checked import reading


@takes_paths
def save_weights(module: nn.Module, path: Path) -> None:
    """Write all parameters and buffers, whole or not at all; tied ones are written once."""
    with atomic_file(path) as draft:
        save_model(module, str(draft))


@takes_paths
def load_weights(module: nn.Module, path: Path) -> None:
    """Read weights into a module of the same shape; `CorruptError` or `StaleError` if they are not that."""
    try:
        load_model(module, path)
    except RuntimeError as error:
        raise StaleError(
            f"{path} holds the weights of another model: {error}. Name the model that it is of."
        ) from error
    except (SafetensorError, OSError):
        with reading(path, repair_of(path.parent)):
            raise
