"""Texts as dense vectors by any transformers encoder, for searching and for training.

A text's vector is the mean of its tokens' last hidden states, or the first one's ([CLS]), normalised or not. Padding is
no part of it. Batches are made of texts of like length and put back in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Self, final, get_args

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Item, Media, texts_of
from reml.contract.vectors import DenseVectors, Similarity
from reml.devices.device import default_device
from reml.devices.evaluating import evaluating
from reml.devices.precision import Precision, autocast
from reml.files.atomic import MANIFEST, atomic_folder, read_manifest, write_manifest
from reml.files.model_location import located
from reml.files.weight_digest import UNRELATED, digest_with_weights
from reml.retrievers.encoders.token_batches import TokenBatch, longest_first, token_batches

KIND = "dense encoder"
Pooling = Literal["mean", "cls"]


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How a text becomes a vector.

    similarity: `dot`, or `l2` for squared distances. max_tokens: what is longer is cut. query_prefix, item_prefix: put
    before each text, where the model was trained so. title: whether an item's title stands before its text. batch_size
    and precision change speed, and the vectors only in the last digits; `auto` is bfloat16 where the machine computes
    in it faster.
    """

    pooling: Pooling = "mean"
    normalise: bool = True
    similarity: Literal["dot", "l2"] = "dot"
    max_tokens: int = 256
    query_prefix: str = ""
    item_prefix: str = ""
    title: bool = True
    batch_size: int = 64
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        choices = (("pooling", self.pooling, Pooling), ("precision", self.precision, Precision))
        for name, value, allowed in (*choices, ("similarity", self.similarity, Literal["dot", "l2"])):
            if value not in get_args(allowed):
                raise ValueError(f"there is no {name} {value!r}: choose one of {', '.join(get_args(allowed))}.")
        if self.max_tokens < 1 or self.batch_size < 1:
            raise ValueError(f"max_tokens and batch_size are 1 or more, not {self.max_tokens} and {self.batch_size}.")


@final
class DenseEncoder:
    """A `TrainableEncoder` over a transformers model, on whatever device and in whatever mode its module is."""

    def __init__(self, module: PreTrainedModel, tokeniser: PreTrainedTokenizerBase, encoding: Encoding) -> None:
        if tokeniser.pad_token_id is None:
            raise ValueError(f"{type(tokeniser).__name__} has no padding token: name the model of an encoder.")
        if encoding.max_tokens > tokeniser.model_max_length:
            raise ValueError(f"max_tokens is {encoding.max_tokens}, but the model takes {tokeniser.model_max_length}.")
        self._module = module
        self._tokeniser = tokeniser
        self.encoding = encoding

    @classmethod
    def load(cls, model: str, encoding: Encoding | None = None) -> Self:
        """Load a hub id, a folder or `package:NAME/PATH`, on the GPU if there is one, ready to encode.

        Without `encoding`, a folder written by `save` keeps its own. `FileNotFoundError` if there is no such model or
        it has no safetensors; `ValueError` if it is not an encoder alone.
        """
        folder = located(model)
        try:
            if AutoConfig.from_pretrained(folder).is_encoder_decoder:
                raise ValueError(f"{model!r} has a decoder: name the model of an encoder, such as a BERT.")
            module = AutoModel.from_pretrained(folder, dtype=torch.float32, use_safetensors=True)
            tokeniser = AutoTokenizer.from_pretrained(folder)
        except OSError as error:
            raise FileNotFoundError(
                f"{model!r} cannot be loaded: give a hub id, a folder of a transformers model with safetensors, or "
                f"package:NAME/PATH. transformers says: {error}"
            ) from error
        device = default_device()
        return cls(module.to(device).eval(), tokeniser, encoding or _saved(Path(folder)) or Encoding())

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a transformers folder that `load` (or transformers itself) reads."""
        with atomic_folder(folder) as draft:
            self._module.save_pretrained(draft)
            self._tokeniser.save_pretrained(draft)
            write_manifest(draft, KIND, asdict(self.encoding))

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self._module

    @property
    def width(self) -> int:
        """The number of dimensions D."""
        return int(self._module.config.hidden_size)

    @property
    def similarity(self) -> Similarity:
        """How a query's vector and an item's are compared."""
        return self.encoding.similarity

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the tokeniser and the encoding; reads all weights."""
        settings = asdict(replace(self.encoding, batch_size=1, precision="auto"))
        del settings["similarity"]  # no vector depends on it
        vocabulary = sorted(self._tokeniser.get_vocab().items())
        config = {name: value for name, value in self._module.config.to_dict().items() if name not in UNRELATED}
        return digest_with_weights(self._module, config, settings, vocabulary)

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        """Give one vector for each text, in order, without gradient or dropout."""
        with evaluating(self._module):
            return DenseVectors(self.query_vectors(contents).cpu().numpy())

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        """Give one vector for each item, in order, without gradient or dropout."""
        with evaluating(self._module):
            return DenseVectors(self.item_vectors(items).cpu().numpy())

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient, float32 [B, D]."""
        return self._vectors([self.encoding.query_prefix + text for text in texts_of(contents, self)])

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, float32 [N, D]."""
        texts = (item.full_text(title=self.encoding.title) for item in items)
        return self._vectors([self.encoding.item_prefix + text for text in texts])

    def _vectors(self, texts: Sequence[str]) -> Tensor:
        if not texts:
            return torch.zeros(0, self.width, device=self._module.device)
        ids = self._tokenised(texts)
        order = longest_first(ids)
        size, padding = self.encoding.batch_size, int(self._tokeniser.pad_token_id)
        batches = token_batches([ids[place] for place in order], size, padding=padding, device=self._module.device)
        vectors = torch.cat([self._pooled(batch) for batch in batches])  # [N, D], longest first
        return vectors[torch.tensor(order).argsort().to(vectors.device)]

    def _tokenised(self, texts: Sequence[str]) -> list[list[int]]:
        ids: list[list[int]] = self._tokeniser(list(texts), truncation=True, max_length=self.encoding.max_tokens)[
            "input_ids"
        ]
        return ids

    def _pooled(self, batch: TokenBatch) -> Tensor:
        with autocast(self._module.device, self.encoding.precision):
            output = self._module(input_ids=batch.ids, attention_mask=batch.mask.long())
        states = output.last_hidden_state.float()
        vectors = mean_of_tokens(states, batch.mask) if self.encoding.pooling == "mean" else states[:, 0]
        return nn.functional.normalize(vectors, dim=-1) if self.encoding.normalise else vectors


def mean_of_tokens(states: Tensor, mask: Tensor) -> Tensor:
    """Average the states [B, L, D] where the mask [B, L] is true, [B, D]."""
    weights = mask.unsqueeze(-1).to(states.dtype)  # [B, L] -> [B, L, 1]
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def _saved(folder: Path) -> Encoding | None:
    if not (folder / MANIFEST).is_file():
        return None
    manifest = read_manifest(folder, KIND)
    return Encoding(**{name: manifest[name] for name in asdict(Encoding()) if name in manifest})  # type: ignore[arg-type]
