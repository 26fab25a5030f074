"""Texts as dense vectors by any transformers encoder, for searching and for training.

A text's vector is pooled from its tokens' last hidden states, projected where the model has projections, normalised or
not. Padding is no part of it. Batches are made of texts of like length and put back in order. What the folder of a
model says of its vectors (`reml.text.models.declared`) holds unless a setting says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Self, final

import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Item, Json, Media, texts_of
from reml.contract.vectors import DenseVectors, Similarity
from reml.devices.device import default_device
from reml.devices.evaluating import evaluating
from reml.devices.precision import Precision, autocast
from reml.devices.progress import tracked
from reml.files.atomic import atomic_folder
from reml.files.model_location import ModelError
from reml.files.weight_digest import UNRELATED, digest_with_weights
from reml.retrievers.encoders.pooling import check_pooling, pooled
from reml.retrievers.encoders.projection import Projection, steps_of, write_steps
from reml.retrievers.encoders.token_batches import TokenBatch, longest_first, token_batches
from reml.text.models.declared import Declared
from reml.text.models.encoders import load_encoder
from reml.text.models.record import read_record, write_record
from reml.text.models.token_limit import allowed, token_limit
from reml.text.models.transformers_types import PreTrainedModel, PreTrainedTokenizerBase

KIND = "dense encoder"
# Tokens of a text where neither a setting nor the model's folder says, and what no folder means as a limit.
TOKENS, ENDLESS = 256, 10**6


@checked()
@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How a text becomes a vector. What is not set is as the model's folder says, and else as in brackets.

    pooling: of the tokens' states, `mean`, `cls`, `max`, `mean_sqrt_len`, `weightedmean`, `lasttoken`, or several
    joined by + (mean). normalise: to length 1 (yes). similarity: `dot`, `cosine`, or `l2` for squared distances (dot).
    max_tokens: what is longer is cut (256, or what the model takes). query_prefix, item_prefix: put before each text
    (none). lower_case: the texts first (no). pool_prefix: whether the tokens of a prefix are pooled (yes). title:
    whether an item's title stands before its text (yes). batch_size and precision change speed, and the vectors only in
    the last digits; `auto` is bfloat16 where the machine computes in it faster.
    """

    pooling: str | None = None
    normalise: bool | None = None
    similarity: Literal["dot", "cosine", "l2"] | None = None
    max_tokens: int | None = None
    query_prefix: str | None = None
    item_prefix: str | None = None
    lower_case: bool | None = None
    pool_prefix: bool | None = None
    title: bool | None = None
    batch_size: int = 64
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        if self.pooling is not None:
            check_pooling(self.pooling)
        if (self.max_tokens is not None and self.max_tokens < 1) or self.batch_size < 1:
            raise ValueError(f"max_tokens and batch_size are 1 or more, not {self.max_tokens} and {self.batch_size}.")

    def over(self, other: Encoding) -> Encoding:
        """Set what is not set here as it is there."""
        return replace(self, **{name: value for name, value in asdict(other).items() if getattr(self, name) is None})


@final
class DenseEncoder:
    """A `TrainableEncoder` over a transformers model, on whatever device and in whatever mode its module is.

    encoding: what it leaves unset is as of a folder that says nothing. steps: what stands between pooling and vector.
    model: its name in messages. `ValueError` if more tokens are asked for than the model takes.
    """

    def __init__(
        self,
        module: PreTrainedModel,
        tokeniser: PreTrainedTokenizerBase,
        encoding: Encoding,
        steps: nn.Sequential | None = None,
        *,
        model: str | None = None,
    ) -> None:
        name = model or type(module).__name__
        if tokeniser.pad_token_id is None:
            raise ModelError(f"the tokeniser of {name!r} has no padding token: name the model of an encoder.")
        self.model = module
        self.tokeniser = tokeniser
        self._steps = steps
        self._whole = module if steps is None else nn.ModuleDict({"transformer": module, "steps": steps})
        self._encoding = _filled(encoding, token_limit(module, tokeniser), name)

    @classmethod
    def load(cls, model: str, encoding: Encoding | None = None, *, trust_remote_code: bool = False) -> Self:
        """Load a hub id, a folder or `package:NAME/PATH`, on the GPU if there is one, ready to encode.

        What `encoding` leaves unset is as the folder says: one written by `save`, or one of sentence-transformers.
        trust_remote_code: whether code in the folder is run. `ModelError`, a `FileNotFoundError` and a `ValueError`,
        names what is missing, does not fit or is not known here.
        """
        read = load_encoder(model, trust_remote_code=trust_remote_code)
        loaded, said = read.loaded, read.declared
        wanted = (encoding or Encoding()).over(_saved(loaded.folder.root))
        wanted = wanted.over(_of_folder(said, loaded.limit))
        width = int(loaded.model.config.hidden_size) * len(str(wanted.pooling or "mean").split("+"))
        steps = steps_of(loaded.folder, said, width)
        if read.projection is not None and steps is None:
            steps = nn.Sequential(Projection(read.projection, nn.Identity()))
        for part in (loaded.model, *([steps] if steps is not None else [])):
            nn.Module.to(part, default_device())
            part.eval()
        return cls(loaded.model, loaded.tokeniser, wanted, steps, model=model)

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a transformers folder that `load` (or transformers itself) reads."""
        with atomic_folder(folder) as draft:
            self.model.save_pretrained(draft)
            self.tokeniser.save_pretrained(draft)
            if self._steps is not None:
                pooling, normalise = str(self.encoding.pooling), bool(self.encoding.normalise)
                hidden = int(self.model.config.hidden_size)
                write_steps(draft, self._steps, pooling=pooling, width=hidden, normalise=normalise)
            write_record(draft, KIND, asdict(self.encoding))

    @property
    def encoding(self) -> Encoding:
        """How a text becomes a vector, all of it set."""
        return self._encoding

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self._whole

    @property
    def width(self) -> int:
        """The number of dimensions D."""
        with torch.no_grad():
            ways = str(self.encoding.pooling).count("+") + 1
            nothing = torch.zeros(0, ways * int(self.model.config.hidden_size), device=self.model.device)
            return int(self._projected(nothing).shape[1])

    @property
    def similarity(self) -> Similarity:
        """How a query's vector and an item's are compared."""
        return self.encoding.similarity or "dot"

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the tokeniser and the encoding; reads all weights."""
        settings = asdict(replace(self.encoding, batch_size=1, precision="auto"))
        del settings["similarity"]  # no vector depends on it
        for name, usual in (("lower_case", False), ("pool_prefix", True)):
            if settings[name] is usual:
                del settings[name]  # as in digests made before there was this setting
        vocabulary = sorted(self.tokeniser.get_vocab().items())
        config = {name: value for name, value in self.model.config.to_dict().items() if name not in UNRELATED}
        steps: list[Json] = [repr(self._steps)] if self._steps is not None else []
        return digest_with_weights(self.module, config, settings, vocabulary, *steps)

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        """Give one vector for each text, in order, without gradient or dropout."""
        with evaluating(self.module):
            return DenseVectors(self.query_vectors(contents).cpu().numpy())

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        """Give one vector for each item, in order, without gradient or dropout."""
        with evaluating(self.module):
            return DenseVectors(self.item_vectors(items).cpu().numpy())

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient, float32 [B, D]."""
        return self._vectors(self.query_ids(contents), str(self.encoding.query_prefix))

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, float32 [N, D]."""
        return self._vectors(self.item_ids(items), str(self.encoding.item_prefix))

    def query_ids(self, contents: Sequence[str | Media]) -> list[list[int]]:
        """Give the token ids that are read of queries, special ones with them."""
        texts = texts_of(contents, self)
        return self._tokenised([f"{self.encoding.query_prefix}{text}" for text in texts]) if texts else []

    def item_ids(self, items: Sequence[Item]) -> list[list[int]]:
        """Give the token ids that are read of items, special ones with them."""
        texts = (item.full_text(title=bool(self.encoding.title)) for item in items)
        return self._tokenised([f"{self.encoding.item_prefix}{text}" for text in texts]) if items else []

    def vectors_of(self, states: Tensor, mask: Tensor) -> Tensor:
        """Make vectors [B, D] of the states [B, L, H] of tokens, pooled where the mask [B, L] is true."""
        vectors = self._projected(pooled(states, mask, str(self.encoding.pooling)))
        return nn.functional.normalize(vectors, dim=-1) if self.encoding.normalise else vectors

    def _vectors(self, ids: Sequence[Sequence[int]], prefix: str) -> Tensor:
        if not ids:
            return torch.zeros(0, self.width, device=self.model.device)
        skipped = 0 if self.encoding.pool_prefix or not prefix else self._tokens_of_prefix(prefix)
        order = longest_first(ids)
        size, padding = self.encoding.batch_size, int(self.tokeniser.pad_token_id)
        batches = token_batches([ids[place] for place in order], size, padding=padding, device=self.model.device)
        read = tracked(batches, "encode", unit="texts", size=len)
        vectors = torch.cat([self._pooled(batch, skipped) for batch in read])  # [N, D], longest first
        return vectors[torch.tensor(order).argsort().to(vectors.device)]

    def _tokenised(self, texts: Sequence[str]) -> list[list[int]]:
        texts = [text.lower() for text in texts] if self.encoding.lower_case else list(texts)
        ids: list[list[int]] = self.tokeniser(texts, truncation=True, max_length=self.encoding.max_tokens)["input_ids"]
        return ids

    def _tokens_of_prefix(self, prefix: str) -> int:
        """Count the tokens that a prefix begins a text with, special ones with them, but that which ends a text."""
        (ids,) = self._tokenised([prefix])
        ends = {self.tokeniser.eos_token_id, self.tokeniser.sep_token_id}
        return len(ids) - (1 if ids and ids[-1] in ends else 0)

    def _pooled(self, batch: TokenBatch, skipped: int) -> Tensor:
        with autocast(self.model.device, self.encoding.precision):
            output = self.model(input_ids=batch.ids, attention_mask=batch.mask.long())
        mask = batch.mask.clone()
        mask[:, :skipped] = False
        return self.vectors_of(output.last_hidden_state.float(), mask)

    def _projected(self, vectors: Tensor) -> Tensor:
        if self._steps is None:
            return vectors
        projected: Tensor = self._steps(vectors)
        return projected


def _filled(encoding: Encoding, limit: int, model: str) -> Encoding:
    """Set what neither a setting nor a folder says."""
    tokens = allowed(encoding.max_tokens, TOKENS, limit, model=model, setting="max_tokens")
    usual = Encoding(
        pooling="mean",
        normalise=True,
        similarity="dot",
        query_prefix="",
        item_prefix="",
        lower_case=False,
        pool_prefix=True,
        title=True,
    )
    made = replace(encoding, max_tokens=tokens).over(usual)
    # Of vectors of length 1 the cosine is the product.
    return replace(made, similarity="dot") if made.normalise and made.similarity == "cosine" else made


def _of_folder(said: Declared, limit: int) -> Encoding:
    """Give what a folder says of its vectors; its length is cut to what the model takes, as its maker's is."""
    whole = limit if said.whole_length and limit < ENDLESS else None
    tokens = whole if said.max_tokens is None else min(said.max_tokens, limit)
    return Encoding(
        pooling=said.pooling,
        normalise=said.normalise,
        similarity=said.similarity,
        max_tokens=tokens,
        query_prefix=said.query_prefix,
        item_prefix=said.item_prefix,
        lower_case=said.lower_case,
        pool_prefix=said.pool_prefix,
    )


def _saved(folder: Path) -> Encoding:
    record = read_record(folder, KIND)
    return Encoding(**{name: record[name] for name in asdict(Encoding()) if name in record})  # type: ignore[arg-type]
