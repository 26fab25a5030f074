"""Token states of items and questions by a frozen encoder, made once and kept in a folder that runs share.

What of an item does not depend on the question is computed once, whichever question, access model or task reads it
(LUMEN, de Jong et al., ICML 2023, https://arxiv.org/abs/2301.10448, which keeps a live part behind it). Only what is
read is encoded, so that the cost does not grow with the collection; what a dense index encoded (`Dense.keep_states`) is
not encoded again.

Folders: `states-KIND-DIGEST` with keys, bounds, token ids and states (float16). States are read each time they are
asked for: mapped into memory, all that was ever read would count as the process's. A killed run loses at most the texts
of one folder, and makes them again as they were: texts of one length are encoded together, without padding, so that no
text's states depend on its company.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from reml.devices.precision import autocast
from reml.devices.work import Work
from reml.files.atomic import CorruptError, atomic_folder, digest, read_manifest, write_manifest
from reml.files.integrity.checked import reading
from reml.files.integrity.sealed import FILES, check_sealed, sealed
from reml.files.replacing.unlinked import make_folder
from reml.files.shared_folder import shared_folder
from reml.files.weight_digest import digest_with_weights, weight_changes
from reml.text.models.transformers_types import PreTrainedModel, PreTrainedTokenizerFast
from reml.text.token_table import Ids, tokeniser_fingerprint

KIND, ROOM = "token states", "states"
AGAIN = "Its texts are encoded again."
_LOG = logging.getLogger(__name__)
# Texts of one pass through the encoder, and of one folder.
CHUNK, FOLDER_TEXTS = 16, 512
# Texts that are kept in memory where there is no folder: the oldest go first.
MEMORY_TEXTS = 20_000
Key = bytes
_SHELVES: dict[str, _Shelf] = {}


@dataclass(frozen=True, eq=False, slots=True)
class States:
    """A text's token ids, int64 [T], and its states between those of special tokens, float16 [T + 2, D]."""

    ids: npt.NDArray[np.int64]
    framed: npt.NDArray[np.float16]

    @property
    def values(self) -> npt.NDArray[np.float16]:
        """The states of the text's own tokens, [T, D]."""
        return self.framed[1:-1]


@dataclass(frozen=True, eq=False, slots=True)
class _Stored:
    """States in a file, from byte `offset` on, of `width` dimensions."""

    ids: npt.NDArray[np.int64]
    file: Path
    offset: int
    width: int

    def read(self) -> States:
        """Read them."""
        count = (len(self.ids) + 2) * self.width
        values = np.fromfile(self.file, np.float16, count, offset=self.offset)
        return States(self.ids, values.reshape(-1, self.width))


class _Shelf:
    """The states of one kind, in memory and in a folder. All that have such states in a process add to it."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._folder: Path | None = None
        self._read = set[Path]()
        self._known: dict[Key, States] = {}
        self._stored: dict[Key, _Stored] = {}
        self._new: list[Key] = []

    def keep_in(self, folder: Path) -> None:
        if folder != self._folder:
            self._folder, self._stored, self._read = folder, {}, set()
        for one in sorted(set(folder.glob(f"states-{self._kind}-*")) - self._read):
            try:
                self._stored |= _stored(one)
            except CorruptError as error:
                _LOG.warning("%s is not used: %s", one, error)
            self._read.add(one)

    def __contains__(self, key: Key) -> bool:
        return key in self._known or key in self._stored

    def get(self, key: Key) -> States:
        return self._known[key] if key in self._known else self._stored[key].read()

    def add(self, key: Key, states: States) -> None:
        self._known[key] = states
        self._new.append(key)

    def save(self) -> None:
        if self._folder is not None and self._new:
            self._read.add(folder := _written(self._folder, self._kind, {key: self._known[key] for key in self._new}))
            self._stored |= _stored(folder)
            self._known, self._new = {}, []

    def tidy(self) -> None:
        """Write what is new once it is enough for a folder; without a folder, forget the oldest of too many."""
        if len(self._new) >= FOLDER_TEXTS:
            self.save()
        if self._folder is None and len(self._known) > MEMORY_TEXTS:
            for key in self._new[: len(self._known) - MEMORY_TEXTS]:
                del self._known[key]
            self._new = list(self._known)


class FrozenStates:
    """Gives the states of texts, from memory, from its folder, or made now.

    model: encodes as it is now, in whatever mode it is; what is known is that of the weights which it has by now. All
    of a process that have the same kind of states share what is known. frame: ids of the special tokens around a text.
    width: the number of dimensions D. made: how many texts were encoded here.
    """

    def __init__(self, model: PreTrainedModel, tokeniser: PreTrainedTokenizerFast) -> None:
        self._encoder: nn.Module = model
        self._tokeniser = tokeniser
        self.width = int(model.config.hidden_size)
        self.frame = (int(tokeniser.cls_token_id), int(tokeniser.sep_token_id))
        self.made = 0
        self._folder: Path | None = None
        self._changes = -1
        self._follow()

    def keep_in(self, folder: Path) -> None:
        """Read what is kept beside `folder`, for all that shares its home, and write there what is made from now on."""
        self._folder = shared_folder(folder, ROOM)
        self._shelf.keep_in(self._folder)

    def of(self, texts: Sequence[Ids], device: torch.device, work: Work | None = None) -> list[States]:
        """Give the states of texts, each token ids without special ones, in order. work: counts what is made now."""
        self._follow()
        keys = [_key(text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._shelf}
        for key, text, values in self._made(missing, device):
            self._shelf.add(key, States(np.array(text, dtype=np.int64), values))
            self.made += 1
            if work is not None:
                work.advance()
        found = [self._shelf.get(key) for key in keys]
        self._shelf.tidy()
        return found

    def save(self) -> None:
        """Write what is new to a folder of its own, if there is where to."""
        self._shelf.save()

    def _follow(self) -> None:
        """Take the shelf of the weights as they are, if they were changed since: each weight counts its changes."""
        changes = weight_changes(self._encoder)
        if changes != self._changes:
            self._changes = changes
            self._shelf = _shelf(digest(digest_with_weights(self._encoder, tokeniser_fingerprint(self._tokeniser))))
            if self._folder is not None:
                self._shelf.keep_in(self._folder)

    def _made(self, texts: Mapping[Key, Ids], device: torch.device) -> Iterator[tuple[Key, Ids, npt.NDArray[Any]]]:
        if texts:
            self._encoder.to(device)
        by_length = sorted(texts.items(), key=lambda one: (len(one[1]), one[0]))
        for _, group in groupby(by_length, key=lambda one: len(one[1])):
            alike = list(group)
            for start in range(0, len(alike), CHUNK):
                chunk = alike[start : start + CHUNK]
                for (key, ids), values in zip(chunk, self._encoded([ids for _, ids in chunk], device), strict=True):
                    yield key, ids, values

    @torch.no_grad()
    def _encoded(self, texts: Sequence[Ids], device: torch.device) -> npt.NDArray[np.float16]:
        first, last = self.frame
        ids = torch.tensor([[first, *np.asarray(text).tolist(), last] for text in texts], device=device)
        with autocast(device):
            states: Tensor = self._encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        return states.half().cpu().numpy()


def _shelf(kind: str) -> _Shelf:
    """Give the shelf of a kind; that which was asked for last is kept, with what one stage leaves to the next."""
    shelf = _SHELVES.get(kind) or _Shelf(kind)
    _SHELVES.clear()
    _SHELVES[kind] = shelf
    return shelf


def _key(ids: Ids) -> Key:
    return blake2b(np.asarray(ids, dtype=np.int64).tobytes(), digest_size=16).digest()


def _written(folder: Path, kind: str, states: Mapping[Key, States]) -> Path:
    final = folder / f"states-{kind}-{digest(b''.join(sorted(states)))}"
    if not _is_whole(final):
        make_folder(folder)
        with atomic_folder(final) as draft:
            keys = np.frombuffer(b"".join(states), dtype=np.uint8).reshape(-1, 16)
            # Bounds are of the tokens' ids; each text has two states more, of special ones.
            bounds = np.cumsum([0, *(len(one.ids) for one in states.values())], dtype=np.int64)
            np.save(draft / "keys.npy", keys)
            np.save(draft / "bounds.npy", bounds)
            np.save(draft / "ids.npy", np.concatenate([one.ids for one in states.values()]))
            np.save(draft / "values.npy", np.concatenate([one.framed for one in states.values()]))
            write_manifest(draft, KIND, {"texts": len(keys), FILES: sealed(draft)})
    return final


def _is_whole(folder: Path) -> bool:
    """Tell whether states are kept there, as they were written."""
    try:
        return folder.exists() and bool(_stored(folder))
    except CorruptError:
        return False


def _stored(folder: Path) -> dict[Key, _Stored]:
    check_sealed(folder, read_manifest(folder, KIND), again=AGAIN)
    file = folder / "values.npy"
    with reading(folder, AGAIN):
        keys, bounds, ids = (np.load(folder / f"{name}.npy") for name in ("keys", "bounds", "ids"))
        values = np.load(file, mmap_mode="r")
    width, row = values.shape[1], values.shape[1] * values.itemsize
    return {
        key.tobytes(): _Stored(ids[start:stop], file, values.offset + (start + 2 * place) * row, width)
        for place, (key, start, stop) in enumerate(zip(keys, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
    }
