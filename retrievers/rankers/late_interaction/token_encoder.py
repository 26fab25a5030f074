"""A vector for each token of a query or an item, by any transformers encoder.

Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT",
SIGIR 2020, section 3.2, https://arxiv.org/abs/2004.12832:

    query  [CLS] [Q] q_1 ... q_n [SEP] [MASK] ... [MASK]    to `query_tokens`; each [MASK] has a vector too
    item   [CLS] [D] d_1 ... d_m [SEP]                      the vectors of punctuation are left out

Each last hidden state is projected by a linear map without a bias and divided by its length. As in the authors'
program, no token attends to [MASK]; [MASK] attends to the query. What that program wrote is read: its projection is
`linear.weight` among the weights, and how texts are read stands in artifact.metadata. Deviation: an encoder without a
projection is used as it is, unless a new one is asked for.
"""

from __future__ import annotations

import functools
import logging
import re
import string
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Self, final

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Item, Json, Media, texts_of
from reml.contract.vectors import MultiVectors, Similarity
from reml.devices.device import default_device
from reml.devices.evaluating import evaluating
from reml.devices.precision import Precision, autocast
from reml.devices.progress import tracked
from reml.files.atomic import atomic_folder
from reml.files.integrity.checked import reading as reading_of
from reml.files.model_location import ModelError
from reml.files.weight_digest import UNRELATED, digest_with_weights
from reml.retrievers.encoders.token_batches import longest_first, token_batches
from reml.text.models.encoders import load_encoder
from reml.text.models.loading import Loaded
from reml.text.models.model_folder import WEIGHTS, ModelFolder
from reml.text.models.record import AGAIN, read_record, write_record
from reml.text.models.token_limit import allowed
from reml.text.models.transformers_types import PreTrainedModel, PreTrainedTokenizerBase

KIND, PROJECTION = "token encoder", "projection.safetensors"
# What the authors' program writes: its projection among the weights, and beside them how texts are read, by our names.
LINEAR, METADATA = "linear.weight", "artifact.metadata"
PUBLISHED = {
    "query_tokens": "query_maxlen",
    "item_tokens": "doc_maxlen",
    "query_marker": "query_token_id",
    "item_marker": "doc_token_id",
    "skip_punctuation": "mask_punctuation",
}
QUERY_TOKENS, ITEM_TOKENS = 32, 180
Side = Literal["query", "item"]
_LOG = logging.getLogger(__name__)


@checked()
@dataclass(frozen=True, kw_only=True)
class TokenReading:
    """How texts become token vectors.

    query_tokens, item_tokens: special ones with them; of longer texts the end is not read, and a warning says so once
    (32 and 180, or what the model takes). query_marker, item_marker: a token of the vocabulary behind the first special
    one, "" for none. augment: whether queries are filled up with [MASK]. skip_punctuation: whether items have no
    vectors of it. title: whether an item's title stands before its text. batch_size and precision change speed, and the
    vectors only in the last digits.
    """

    query_tokens: Count | None = None
    item_tokens: Count | None = None
    query_marker: str = "[unused0]"
    item_marker: str = "[unused1]"
    augment: bool = True
    skip_punctuation: bool = True
    title: bool = True
    batch_size: Count = 32
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name, given in (("query_tokens", self.query_tokens), ("item_tokens", self.item_tokens)):
            if given is not None and given < 4:
                raise ValueError(f"{name} is 4 or more, special tokens with them, not {given}.")


@final
class TokenEncoder:
    """A `TrainableEncoder` of several vectors a text, of length 1, on whatever device and in whatever mode it is.

    projection: of hidden states, none to take them as they are. `ModelError` for a tokeniser without what `reading`
    asks for, or more tokens than the model takes.
    """

    similarity: Similarity = "maxsim"

    def __init__(self, loaded: Loaded, reading: TokenReading, projection: nn.Linear | None = None) -> None:
        self.model: PreTrainedModel = loaded.model
        self.tokeniser: PreTrainedTokenizerBase = loaded.tokeniser
        self.projection, self._name, self._said = projection, loaded.folder.name, set[Side]()
        if self.tokeniser.pad_token_id is None:
            raise ModelError(f"the tokeniser of {self._name!r} has no padding token: name the model of an encoder.")
        if reading.augment and self.tokeniser.mask_token_id is None:
            raise ModelError(f"the tokeniser of {self._name!r} has no mask token: set `augment: false`.")
        self.reading = replace(
            reading,
            query_tokens=self._tokens(reading.query_tokens, QUERY_TOKENS, loaded.limit, "query_tokens"),
            item_tokens=self._tokens(reading.item_tokens, ITEM_TOKENS, loaded.limit, "item_tokens"),
        )
        self._markers = {"query": self._marker(reading.query_marker), "item": self._marker(reading.item_marker)}
        parts = {"transformer": self.model, "projection": projection}
        self._whole = nn.ModuleDict({name: part for name, part in parts.items() if part is not None})

    @classmethod
    def load(
        cls,
        model: str,
        reading: TokenReading | None = None,
        *,
        new_projection: int | None = None,
        trust_remote_code: bool = False,
    ) -> Self:
        """Load a hub id, a folder or `package:NAME/PATH`, on the GPU if there is one, ready to encode.

        reading: as the folder says that `save` or the authors' program wrote, unless given. new_projection: the width
        of a projection that a folder without one gets, at random. trust_remote_code: whether code in the folder is run.
        """
        loaded = load_encoder(model, trust_remote_code=trust_remote_code, beside=rf"^{re.escape(LINEAR)}$").loaded
        record = read_record(loaded.folder.root, KIND) or _published(loaded.folder)
        known = {name: record[name] for name in asdict(TokenReading()) if name in record}
        projection = _projection(loaded.folder, int(loaded.model.config.hidden_size), new_projection)
        for part in (loaded.model, projection):
            if part is not None:
                nn.Module.to(part, default_device())
                nn.Module.eval(part)
        return cls(loaded, reading or TokenReading(**known), projection)  # type: ignore[arg-type]

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a transformers folder, with the projection beside it, that `load` reads."""
        with atomic_folder(folder) as draft:
            self.model.save_pretrained(draft)
            self.tokeniser.save_pretrained(draft)
            if self.projection is not None:
                save_file({"weight": self.projection.weight.detach().cpu().contiguous()}, draft / PROJECTION)
            write_record(draft, KIND, asdict(self.reading))

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self._whole

    @property
    def width(self) -> int:
        """The number of dimensions D."""
        return int(self.model.config.hidden_size if self.projection is None else self.projection.out_features)

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the tokeniser and how texts are read; reads all weights."""
        config = {name: value for name, value in self.model.config.to_dict().items() if name not in UNRELATED}
        settings = asdict(replace(self.reading, batch_size=1, precision="auto"))
        return digest_with_weights(self._whole, KIND, config, settings, sorted(self.tokeniser.get_vocab().items()))

    def encode_queries(self, contents: Sequence[str | Media]) -> MultiVectors:
        """Give the vectors of each text, in order, without gradient or dropout."""
        with evaluating(self.module):
            return _ragged(self.query_vectors(contents))

    def encode_items(self, items: Sequence[Item]) -> MultiVectors:
        """Give the vectors of each item, in order, without gradient or dropout."""
        with evaluating(self.module):
            return _ragged(self.item_vectors(items))

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient, float32 [B, Q, D], zeros where a text has no further token."""
        ids = self._ids(texts_of(contents, self), "query")
        if not self.reading.augment:
            return self._vectors(ids, ids)
        mask = int(self.tokeniser.mask_token_id)
        return self._vectors(
            ids, [[*text, *[mask] * (int(self.reading.query_tokens or 0) - len(text))] for text in ids]
        )

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, float32 [N, L, D], zeros where an item has punctuation or no further token."""
        ids = self._ids([self.text_of(item) for item in items], "item")
        return self._vectors(ids, ids, self._skipped)

    def text_of(self, item: Item) -> str:
        """Give what is read of an item."""
        return item.full_text(title=self.reading.title)

    def _vectors(
        self, read: Sequence[Sequence[int]], shown: Sequence[Sequence[int]], skipped: Tensor | None = None
    ) -> Tensor:
        """Encode token ids. shown: the same with [MASK] behind them, which no token attends to."""
        if not shown:
            return torch.zeros(0, 1, self.width, device=self.model.device)
        order, size, padding = longest_first(shown), self.reading.batch_size, int(self.tokeniser.pad_token_id)
        batches = token_batches([shown[place] for place in order], size, padding=padding, device=self.model.device)
        lengths = torch.split(torch.tensor([len(read[place]) for place in order], device=self.model.device), size)
        longest, made = batches[0].ids.shape[1], []
        for batch, attended in tracked(list(zip(batches, lengths, strict=True)), "encode", unit="batches"):
            there = torch.arange(batch.ids.shape[1], device=batch.ids.device) < attended[:, None].clamp_min(1)
            with autocast(self.model.device, self.reading.precision):
                states = self.model(input_ids=batch.ids, attention_mask=there.long()).last_hidden_state
                states = states if self.projection is None else self.projection(states)
            kept = batch.mask if skipped is None else batch.mask & ~torch.isin(batch.ids, skipped)
            vectors = nn.functional.normalize(states.float(), dim=-1) * kept[..., None]
            made.append(nn.functional.pad(vectors, (0, 0, 0, longest - vectors.shape[1])))
        return torch.cat(made)[torch.tensor(order).argsort().to(self.model.device)]

    def _ids(self, texts: Sequence[str], side: Side) -> list[list[int]]:
        """Give the token ids of texts, with special ones and the marker."""
        if not texts:
            return []
        limit = int((self.reading.query_tokens if side == "query" else self.reading.item_tokens) or 0)
        marker, first = self._markers[side], self.tokeniser.cls_token_id
        room = limit - len(marker)
        ids: list[list[int]] = self.tokeniser(list(texts), truncation=True, max_length=room)["input_ids"]
        self._notice_cuts(texts, ids, room, side)
        begun = [1 if text and text[0] == first else 0 for text in ids]
        return [[*text[:at], *marker, *text[at:]] for text, at in zip(ids, begun, strict=True)]

    def _notice_cuts(self, texts: Sequence[str], ids: Sequence[Sequence[int]], room: int, side: Side) -> None:
        """Look at texts that fill the room, until one was found that is longer."""
        for text, read in zip(texts, ids, strict=True):
            if side in self._said or len(read) < room:
                continue
            whole = len(self.tokeniser(text, verbose=False)["input_ids"])
            if whole > room:
                self._said.add(side)
                _LOG.warning(
                    "%r reads %d tokens of each %s. Of %r, which has %d, and of others that are too long, the end is "
                    "not read. Set `%s_tokens` to have more read (this is said once).",
                    *(self._name, room, side, text[:60], whole, side),
                )

    @functools.cached_property
    def _skipped(self) -> Tensor | None:
        if not self.reading.skip_punctuation:
            return None
        ids = self.tokeniser(list(string.punctuation), add_special_tokens=False)["input_ids"]
        found = {text[0] for text in ids if len(text) == 1} - {self.tokeniser.unk_token_id}
        return torch.tensor(sorted(found), dtype=torch.long, device=self.model.device)

    def _marker(self, token: str) -> list[int]:
        known = self.tokeniser.get_vocab()
        if token and token not in known:
            raise ModelError(
                f"the tokeniser of {self._name!r} has no token {token!r} to mark queries or items with: name one "
                'that it has as `query_marker` and `item_marker`, or "" for none.'
            )
        return [known[token]] if token else []

    def _tokens(self, asked: int | None, default: int, limit: int, setting: str) -> int:
        return allowed(asked, default, limit, model=self._name, setting=setting)


def _ragged(vectors: Tensor) -> MultiVectors:
    """Leave the zeros of padding out."""
    there = (vectors != 0).any(dim=2)
    ends = np.cumsum([0, *there.sum(dim=1).tolist()], dtype=np.int64)
    return MultiVectors(ends, vectors[there].cpu().numpy())


def _published(folder: ModelFolder) -> dict[str, Json]:
    """Say how the authors' program read texts, if it wrote the folder."""
    said = folder.read(METADATA)
    if said is None:
        return {}
    if not isinstance(said, dict) or said.get("attend_to_mask_tokens"):
        raise ModelError(
            f"{folder.root / METADATA} lets tokens attend to [MASK], or is no object: only a model whose tokens do not "
            "is known here."
        )
    return {name: said[key] for name, key in PUBLISHED.items() if key in said}


def _projection(folder: ModelFolder, width: int, new: int | None) -> nn.Linear | None:
    ours, theirs = folder.root / PROJECTION, folder.weights / WEIGHTS
    path, weight = (ours, _tensor(ours, "weight")) if ours.is_file() else (theirs, _tensor(theirs, LINEAR))
    if weight is None:
        return None if new is None else nn.Linear(width, new, bias=False)
    if weight.ndim != 2 or weight.shape[1] != width or new not in (None, len(weight)):
        wanted = "" if new is None else f", and new_projection is {new}"
        raise ModelError(
            f"{path} projects by {list(weight.shape)}; hidden states have {width} dimensions{wanted}: leave "
            "`new_projection` out, or name another model."
        )
    made = nn.Linear(width, len(weight), bias=False)
    made.weight.data.copy_(weight)
    return made


def _tensor(path: Path, name: str) -> Tensor | None:
    if not path.is_file():
        return None
    with reading_of(path, AGAIN), safe_open(path, "pt") as weights:
        found: Tensor | None = weights.get_tensor(name).float() if name in weights.keys() else None  # noqa: SIM118
    return found
