"""SNRM's network: n-grams of word embeddings through shared layers to sparse vectors, averaged over the n-grams."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, final

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Json
from reml.files.atomic import MANIFEST, CorruptError, atomic_folder, digest, read_manifest, write_manifest
from reml.files.weights import load_weights, save_weights
from reml.retrievers.encoders.sparse_encoder import SparseNetwork
from reml.text.analysis import Analyser
from reml.text.models.model_folder import refuse_cut

KIND, WEIGHTS = "snrm network", "network.safetensors"
PADDING = 0
# When training starts: how loud the other words of an n-gram are beside the one in the middle, and by how many standard
# deviations the inputs of the output's ReLU lie below zero, so that one in six passes.
NEIGHBOURS, ZEROS = 0.3, 1.0


@checked()
@dataclass(frozen=True, kw_only=True)
class Layers:
    """Sizes of the network.

    window: words of an n-gram. hidden: widths of the layers between embeddings and output, the first one on the whole
    n-gram. width: dimensions of the output. dropout: after each hidden layer.
    """

    window: int = 5
    hidden: Sequence[int] = (300, 100)
    width: int = 5_000
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if self.window < 1 or self.width < 1 or any(size < 1 for size in self.hidden):
            raise ValueError(f"window, hidden and width are sizes of 1 or more, not {self!r}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is a share, 0 or more and below 1, not {self.dropout}.")


@final
class NgramNetwork(SparseNetwork):
    """The mean over a text's n-grams of ReLU layers without bias over the embeddings of their words.

    analyser: makes the terms of a text. terms: those that have embeddings [len(terms), D]; others are left out of
    texts, as stop words are.
    """

    def __init__(self, analyser: Analyser, terms: Sequence[str], embeddings: Tensor, layers: Layers) -> None:
        super().__init__()
        self._analyser, self._layers, self._terms = analyser, layers, tuple(terms)
        self._numbers = {term: number for number, term in enumerate(terms, start=PADDING + 1)}
        padded = torch.cat([embeddings.new_zeros(1, embeddings.shape[1]), embeddings])
        self.embedding = nn.Embedding(len(padded), padded.shape[1], padding_idx=PADDING, _weight=padded)
        first, *further = (*layers.hidden, layers.width)
        # SAME padding: a text has as many n-grams as words.
        self.borders = nn.ZeroPad1d(((layers.window - 1) // 2, layers.window // 2))
        self.ngrams = nn.Conv1d(embeddings.shape[1], first, layers.window, bias=False)
        sizes = zip((first, *further), further, strict=False)
        self.layers = nn.ModuleList(nn.Linear(size, following, bias=False) for size, following in sizes)
        self.dropout = nn.Dropout(layers.dropout)
        self._start()

    @property
    def width(self) -> int:
        """The number of dimensions V."""
        return self._layers.width

    @property
    def padding(self) -> int:
        """The id that pads, whose embedding is and stays zero."""
        return PADDING

    @property
    def fingerprint(self) -> str:
        """A digest of the analyser, the terms and the layers."""
        return digest(self._analyser.fingerprint, self._terms, asdict(self._layers))

    def tokenise(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """Give the numbers of the known terms among the first ones of each text."""
        known = self._numbers
        return [[known[term] for term in self._analyser(text) if term in known][:limit] for text in texts]

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Encode ids [B, L] where the mask [B, L] is true, float32 [B, V]; a text without tokens is zero."""
        words = self.borders(self.embedding(ids).transpose(1, 2))  # [B, L, D] -> [B, D, L + window - 1]
        ngrams: Tensor = self.ngrams(words).transpose(1, 2)  # [B, L, H]
        states = torch.relu(ngrams) * mask[:, :, None]  # without biases, what is zero here stays so
        for layer in self.layers:
            states = torch.relu(layer(self.dropout(states)))  # [B, L, H] -> [B, L, V]
        return states.sum(dim=1, dtype=torch.float32) / mask.sum(dim=1, keepdim=True).clamp(min=1)

    @torch.no_grad()
    def _start(self) -> None:
        """Draw first weights: signals keep their size, the middle word leads its n-gram, most outputs are zero."""
        for weight in (self.ngrams.weight, *self.layers.parameters()):
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
        middle = (self._layers.window - 1) // 2
        self.ngrams.weight[:, :, torch.arange(self._layers.window) != middle] *= NEIGHBOURS
        for last in list(self.layers.parameters())[-1:]:
            # Hidden values are halves of normal ones: a shift of all weights of an output moves what it adds up to.
            last.sub_(ZEROS * math.sqrt(math.pi / last.shape[1]) * last.std())

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write weights, terms and settings into a folder that `load` reads."""
        with atomic_folder(folder) as draft:
            save_weights(self, draft / WEIGHTS)
            settings: Mapping[str, Json] = {"analyser": asdict(self._analyser), "layers": asdict(self._layers)}
            write_manifest(draft, KIND, {**settings, "terms": self._terms})

    @classmethod
    @takes_paths
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; `CorruptError` if it is not that, `ModelError` if weights are cut or a pointer."""
        manifest = read_manifest(folder, KIND)
        if (folder / WEIGHTS).is_file():
            refuse_cut(str(folder), folder / WEIGHTS)
        try:
            embeddings = load_file(folder / WEIGHTS)["embedding.weight"][PADDING + 1 :]
            analyser, layers, terms = (manifest[name] for name in ("analyser", "layers", "terms"))
            network = cls(Analyser(**analyser), terms, embeddings, Layers(**layers))  # type: ignore[arg-type]
        except (KeyError, TypeError, OSError, ValueError) as error:
            raise CorruptError(f"{folder / MANIFEST} or {WEIGHTS} beside it cannot be read: {error}.") from error
        load_weights(network, folder / WEIGHTS)
        return network
