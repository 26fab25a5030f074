"""The word pieces of a transformers model and their embeddings: what rankers trained from scratch begin with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self, final

import torch
from tokenizers import Tokenizer
from torch import Tensor

from reml.files.atomic import CorruptError, atomic_file, digest
from reml.files.model_location import ModelError
from reml.text.models.kinds import ENCODER
from reml.text.models.loading import config_of, load
from reml.text.models.model_folder import opened


@final
class WordPieces:
    """Numbers the word pieces of texts, without special tokens; what is unknown is one piece, as the model has it."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())  # our own, as these two lines change it
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @classmethod
    def of_model(cls, model: str) -> tuple[Self, Tensor]:
        """Take those of a hub id, a folder or `package:NAME/PATH`, and the input embedding of each, [V, D].

        `ModelError` if the model cannot be loaded, or has no fast tokeniser.
        """
        folder = opened(model)
        loaded = load(folder, ENCODER, config_of(folder, ENCODER, trust_remote_code=False))
        weight = loaded.model.get_input_embeddings().weight
        if not isinstance(weight, Tensor):
            raise ModelError(f"{model!r} has no embeddings of word pieces: name the model of an encoder.")
        return cls(loaded.fast.backend_tokenizer), weight.detach().clone()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote; `CorruptError` if it is not that."""
        try:
            return cls(Tokenizer.from_file(str(path)))
        except Exception as error:  # tokenizers raises no narrower one
            raise CorruptError(f"{path} is no tokeniser: {error}. Take the folder again from where it came.") from error

    def write(self, path: Path) -> None:
        """Write them as tokenizers does, whole or not at all."""
        with atomic_file(path) as draft:
            draft.write_text(self._tokenizer.to_str(), encoding="utf-8")

    def __len__(self) -> int:
        return self._tokenizer.get_vocab_size()

    @property
    def fingerprint(self) -> str:
        """A digest of the pieces and of how texts are cut into them."""
        return digest("word pieces", self._tokenizer.to_str())

    def number(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """Give the first `limit` pieces of each text by their numbers."""
        return [one.ids[:limit] for one in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def centred(embeddings: Tensor) -> Tensor:
    """Take the mean away from embeddings [V, D], and give them a deviation of 1.

    The pieces of a model share a long mean, by which any two of them are alike; kernels would see little else.
    """
    apart = embeddings - embeddings.mean(dim=0)
    return apart / apart.std().clamp(min=torch.finfo(apart.dtype).tiny)
