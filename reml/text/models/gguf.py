"""A language model from a GGUF file, converted once to safetensors in the cache."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch

from reml.files.atomic import CorruptError, atomic_folder, file_digest, home, read_manifest, write_manifest
from reml.text.models.without_bars import without_bars

KIND = "converted model"


def converted(path: Path) -> Path:
    """Give the folder of safetensors made from a GGUF file; it is made, whole or not at all, if it is not there yet.

    `ModuleNotFoundError` with the command to run if what reads GGUF is not installed.
    """
    folder = home() / "converted" / re.sub(r"\W+", "-", f"{path.stem}-{file_digest(path)}")
    try:
        read_manifest(folder, KIND)
    except CorruptError:
        _convert(path, folder)
    return folder


@without_bars()
def _convert(path: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        loader: Any = AutoModelForCausalLM
        quantised, report = loader.from_pretrained(
            path.parent, gguf_file=path.name, dtype=torch.float32, output_loading_info=True
        )
    except ImportError as error:
        message = f"reading {path.name} needs the packages gguf and accelerate: run `pip install gguf accelerate`."
        raise ModuleNotFoundError(message) from error
    if missing := sorted(report["missing_keys"]):
        raise ValueError(f"{path.name} lacks {', '.join(missing[:3])}, which would be left to chance. Get it anew.")
    config = quantised.config.to_dict()
    # What remains are plain weights: a model that still called itself quantised would be asked for a quantiser.
    config.pop("quantization_config", None)
    plain = type(quantised)(type(quantised.config).from_dict(config))
    plain.load_state_dict(quantised.state_dict())
    with atomic_folder(folder) as draft:
        plain.save_pretrained(draft)
        AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name).save_pretrained(draft)
        write_manifest(draft, KIND, {"source": path.name, "digest": file_digest(path)})
