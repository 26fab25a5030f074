"""Networks that score pairs of a query and an item word by word: their scores in batches, and their folders."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from reml.contract.examples import Item, Json
from reml.contract.vectors import Int64Array
from reml.devices.precision import autocast
from reml.devices.progress import tracked
from reml.files.atomic import MANIFEST, CorruptError, atomic_folder, read_manifest, write_manifest
from reml.files.integrity.checked import of_system
from reml.files.integrity.owned import Made
from reml.files.integrity.sealed import FILES, check_sealed, sealed
from reml.files.model_location import ModelError, located
from reml.files.weight_digest import digest_with_weights
from reml.files.weights import load_weights, save_weights
from reml.retrievers.encoders.token_batches import TokenBatch, token_batches
from reml.retrievers.rankers.word_pieces import WordPieces
from reml.text.models.model_folder import refuse_cut

WEIGHTS, PIECES = "network.safetensors", "word_pieces.json"


class Cut(NamedTuple):
    """How much is read: the pieces of a query, those of an item, and whether its title stands before its text."""

    query_tokens: int
    item_tokens: int
    title: bool


class PairNetwork(nn.Module, abc.ABC):
    """Scores pairs of a query and an item from their word pieces. kind: of its folder's manifest."""

    kind: str
    pieces: WordPieces

    @property
    @abc.abstractmethod
    def cut(self) -> Cut:
        """How much of a text is read; what is longer is cut."""

    @property
    @abc.abstractmethod
    def settings(self) -> dict[str, Json]:
        """What it is made of, but for weights and pieces, in JSON."""

    @abc.abstractmethod
    def forward(self, asked: TokenBatch, shown: TokenBatch, pairs: Tensor) -> Tensor:
        """Score pairs of a query and an item by their places in the batches, int64 [P, 2], float32 [P]."""

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the pieces and the settings."""
        return digest_with_weights(self, self.kind, self.settings, self.pieces.fingerprint)


def score_pairs(
    network: PairNetwork, texts: Sequence[str], items: Sequence[Item], positions: Int64Array, size: int
) -> Tensor:
    """Score Q texts at these positions [Q, K] among N items, `size` pairs at a time, float32 [Q, K]; -inf at -1.

    Pairs go by the length of their items, and an item that several queries in a batch have is read once. In float32
    whatever the precision: kernels tell cosines apart that bfloat16 does not.
    """
    device = next(network.parameters()).device
    rows, places = np.nonzero(positions >= 0)
    numbers = positions[rows, places]
    cut = network.cut
    named = np.unique(numbers)
    shown = network.pieces.number([items[number].full_text(title=cut.title) for number in named], cut.item_tokens)
    at = np.searchsorted(named, numbers)
    lengths = np.array([len(shown[place]) for place in at], dtype=np.int64)
    order = np.lexsort((at, -lengths))
    asked = network.pieces.number(texts, cut.query_tokens)
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    whole = torch.full(positions.shape, -torch.inf, device=device)
    if not parts:
        return whole
    pairs = np.stack([rows, at], axis=1)
    with autocast(device, "float32"):
        tracks = tracked(parts, "score", unit="pairs", size=len)
        scores = torch.cat([network(*_batch(asked, shown, pairs[part], device)) for part in tracks])
    where = tuple(torch.from_numpy(index[order]).to(device) for index in (rows, places))
    return whole.index_put(where, scores)


def _batch(
    asked: Sequence[Sequence[int]], shown: Sequence[Sequence[int]], pairs: Int64Array, device: torch.device
) -> tuple[TokenBatch, TokenBatch, Tensor]:
    """Give the distinct queries and items of some pairs, and the pairs by their places among these."""
    sides, places = [], []
    for texts, side in ((asked, pairs[:, 0]), (shown, pairs[:, 1])):
        distinct, inverse = np.unique(side, return_inverse=True)
        sides += token_batches([texts[one] for one in distinct], len(distinct), padding=0, device=device)
        places.append(torch.from_numpy(inverse).to(device))
    return sides[0], sides[1], torch.stack(places, dim=1)


NetworkT = TypeVar("NetworkT", bound=PairNetwork)


def save_network(network: PairNetwork, folder: Path) -> None:
    """Write weights, word pieces and settings into a folder that `load_network` reads."""
    with atomic_folder(folder, Made((MANIFEST, WEIGHTS, PIECES), network.kind)) as draft:
        save_weights(network, draft / WEIGHTS)
        network.pieces.write(draft / PIECES)
        write_manifest(draft, network.kind, {**network.settings, FILES: sealed(draft)})


def load_network(model: str, kind: str, make: Callable[[WordPieces, Mapping[str, Any]], NetworkT]) -> NetworkT:
    """Read what `save_network` wrote, from a folder or `package:NAME/PATH`; `make` makes it of pieces and settings.

    `ModelError` if there is no such folder, or weights are cut or a pointer; `CorruptError` if it is not what was
    written.
    """
    folder = Path(located(model)).expanduser()
    if not (folder / MANIFEST).is_file():
        raise ModelError(
            f"{model!r} is no folder of a {kind}: name one that `save` wrote, or give `new`, the form of a new one, "
            "which begins with the word pieces of a transformers model, and train it."
        )
    manifest = read_manifest(folder, kind)
    if (folder / WEIGHTS).is_file():
        refuse_cut(model, folder / WEIGHTS)
    check_sealed(folder, manifest, again="Take it again from where it came, or make and train it again.")
    pieces = WordPieces.read(folder / PIECES)
    try:
        network = make(pieces, manifest)
    except (KeyError, TypeError, OSError, ValueError) as error:
        if of_system(error):
            raise
        raise CorruptError(f"{folder / MANIFEST} cannot be read: {error}.") from error
    load_weights(network, folder / WEIGHTS)
    return network
