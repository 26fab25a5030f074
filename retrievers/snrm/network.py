"""SNRM's network: n-grams of word embeddings through shared layers to sparse vectors, pooled over a text's n-grams."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Bounds, Count
from reml.contract.arguments.paths import takes_paths
from reml.devices.precision import autocast
from reml.files.atomic import MANIFEST, CorruptError, atomic_folder, digest, read_manifest, write_manifest
from reml.files.integrity.checked import of_system
from reml.files.integrity.owned import Made
from reml.files.integrity.sealed import FILES, check_sealed, sealed
from reml.files.weight_digest import weight_changes
from reml.files.weights import load_weights, save_weights
from reml.retrievers.encoders.sparse_encoder import SparseNetwork
from reml.retrievers.snrm.candidates import Candidates
from reml.retrievers.snrm.codes import THRESHOLD, Codes
from reml.retrievers.snrm.lexicon import PADDING, Lexicon
from reml.retrievers.snrm.ngrams import Ngrams, Outputs
from reml.retrievers.snrm.related import RelatedWords
from reml.text.analysis import Analyser
from reml.text.models.model_folder import refuse_cut

KIND, WEIGHTS = "snrm network", "network.safetensors"
MADE = Made((MANIFEST, WEIGHTS), KIND)
# When training starts at random: how loud the other words of an n-gram are beside the one in the middle, and by how
# many standard deviations the inputs of the output's ReLU lie below zero, so that one in six passes.
NEIGHBOURS, ZEROS = 0.3, 1.0
# In training, outputs above 0 alone are computed with gradient where at most one in so many is.
SPARSE = 16
Start = Literal["codes", "random"]
Pooling = Literal["mean", "sum", "log"]


@checked()
@dataclass(frozen=True, kw_only=True)
class Layers:
    """Form of the network.

    window: words of an n-gram. hidden: widths of the layers between embeddings and output, the first one on the whole
    n-gram; if left out, what the start takes (`SNRM.start`). width: dimensions of the output. dropout: of hidden
    layers. pooling: how an item's n-grams become one vector, their mean (the paper's), their sum, or log(1 + sum);
    those of a query always by their mean. length: how an item is normalised after `sum` or `log`: times (1 + length) m
    / (n + length m), for n words and m of the mean item; not at all if none. (BM25 with b = 1/9 has length 8.)
    """

    window: Count = 3
    hidden: Sequence[int] | None = None
    width: Count = 20_000
    dropout: Annotated[float, Bounds(least=0, below=1)] = 0.0
    pooling: Pooling = "log"
    length: Annotated[float, Bounds(least=0)] | None = 8.0

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.hidden or ()):
            raise ValueError(f"hidden has sizes of 1 or more, not {self.hidden!r}.")

    def of_hidden(self, sizes: Sequence[int]) -> Layers:
        """Give these with hidden layers of these sizes, unless they have their own."""
        return replace(self, hidden=tuple(sizes if self.hidden is None else self.hidden))


@final
class NgramNetwork(SparseNetwork):
    """Pools over a text's n-grams the outputs of ReLU layers without bias over the embeddings of their words.

    lexicon: numbers the words of a text. embeddings: of all of its numbers but padding, [len(lexicon) - 1, E]. start:
    what is noted of it; from codes, each word has a factor exp(g) of its embedding that is trained as well, g = 0 at
    first. related: how many of the last outputs related words share; if any, each output has a weight in queries, which
    is trained, too.
    """

    def __init__(
        self, lexicon: Lexicon, embeddings: Tensor, layers: Layers, start: Start = "random", related: int = 0
    ) -> None:
        super().__init__()
        self.lexicon, self.form, self.start, self.related = lexicon, layers, start, related
        padded = torch.cat([embeddings.new_zeros(1, embeddings.shape[1]), embeddings])
        self.embedding = nn.Embedding(len(padded), padded.shape[1], padding_idx=PADDING, _weight=padded)
        self.gains = nn.Embedding(len(padded), 1, _weight=torch.zeros(len(padded), 1)) if start == "codes" else None
        first, *further = (*(layers.hidden or ()), layers.width)
        self.ngrams = nn.Conv1d(embeddings.shape[1], first, layers.window, bias=False)
        sizes = zip((first, *further), further, strict=False)
        self.layers = nn.ModuleList(nn.Linear(size, following, bias=False) for size, following in sizes)
        # Logarithms of what outputs count in a query, where some are related.
        self.weights = nn.Parameter(torch.zeros(layers.width)) if related else None
        self.dropout = nn.Dropout(layers.dropout)
        self.register_buffer("words_of_item", torch.ones(()))
        self._candidates: Candidates | None = None
        self._start()

    words_of_item: Tensor

    @property
    def width(self) -> int:
        """The number of dimensions V."""
        return self.form.width

    @property
    def words(self) -> int:
        """The number of word ids, padding among them."""
        return len(self.lexicon)

    @property
    def window(self) -> int:
        """Words of an n-gram."""
        return self.form.window

    @property
    def hidden(self) -> int:
        """The number of hidden layers."""
        return len(self.layers)

    @property
    def padding(self) -> int:
        """The id that pads, whose embedding is and stays zero."""
        return PADDING

    @property
    def fingerprint(self) -> str:
        """A digest of the lexicon, the form and the start."""
        return digest(self.lexicon.settings, asdict(self.form), self.start, self.related)

    @property
    def last(self) -> Tensor:
        """The weights of the output layer, [V, H]."""
        layer = self.layers[-1]
        assert isinstance(layer, nn.Linear)  # noqa: S101
        return layer.weight

    def tokenise(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """Give the numbers of the known words of each text, the first `limit`."""
        return [self.lexicon.number(text, limit) for text in texts]

    def forward(self, ids: Tensor, mask: Tensor, *, asked: bool = False) -> Tensor:
        """Encode ids [B, L] where the mask [B, L] is true, float32 [B, V]; a text without words is zero.

        In float32 whatever the precision, which has too few digits for the bounds by which outputs are left out.
        """
        with autocast(ids.device, "float32"):
            ngrams = Ngrams.of(ids, mask, self.form.window, len(self.lexicon))
            return self._pooled(self._sums(ngrams), mask.sum(dim=1, keepdim=True), asked=asked)

    def seen(self, words: Tensor, *, others: bool) -> Tensor:
        """Give what the first ReLU sees of the middle words of n-grams [U, window], or of the `others`, [U, H].

        Each distinct word goes once through each place of the window.
        """
        middle = (self.form.window - 1) // 2
        taps = [place for place in range(self.form.window) if (place != middle) == others]
        distinct, places = torch.unique(words[:, taps], return_inverse=True)
        embeddings = self.embedding(distinct)
        if self.gains is not None:
            embeddings = embeddings * self.gains(distinct).exp()
        seen: Tensor = embeddings.new_zeros(len(words), self.ngrams.out_channels)
        for column, tap in enumerate(taps):
            weight = self.ngrams.weight[:, :, tap]
            if torch.is_grad_enabled() or weight.any():
                seen = seen + (embeddings @ weight.T)[places[:, column]]
        return seen

    def states(self, words: Tensor) -> Tensor:
        """Give what the output layer sees of n-grams [U, window], [U, H]; the outputs where there is no hidden one."""
        return self.further(self.seen(words, others=False) + self.seen(words, others=True))

    def further(self, seen: Tensor) -> Tensor:
        """Give what the output layer sees where the first ReLU sees this, [U, H]."""
        states = torch.relu(seen)
        for layer in self.layers[:-1]:
            states = torch.relu(layer(self.dropout(states)))
        inputs: Tensor = self.dropout(states) if len(self.layers) else states
        return inputs

    def outputs(self, words: Tensor) -> Tensor:
        """Give all outputs of n-grams [U, window], [U, V]."""
        states = self.states(words)
        return torch.relu(states @ self.last.T) if len(self.layers) else states

    def set_codes(self, codes: Codes, related: RelatedWords | None = None) -> None:
        """Let each word alone switch on the outputs of its code, and those that it shares with related words."""
        size, (coded, width) = self.embedding.weight.shape[1], codes.directions.shape
        seen = torch.zeros(self.width, size)
        seen[:coded, :width] = torch.from_numpy(codes.directions)
        seen[:coded, width] = -THRESHOLD
        seen /= (1 - THRESHOLD) * math.sqrt(codes.outputs.shape[1])
        if related is not None and self.weights is not None:
            seen[coded:, width + 1 : -1] = torch.from_numpy(related.directions)
            seen[coded:, -1] = -1
            with torch.no_grad():
                self.weights[coded:] = math.log(related.weight)
        both = torch.eye(size)
        with torch.no_grad():
            self.ngrams.weight.zero_()
            # ReLU of x and of -x keeps x.
            self.ngrams.weight[:, :, (self.form.window - 1) // 2] = torch.cat([both, -both])
            self.last.copy_(torch.cat([seen, -seen], dim=1))

    def _sums(self, ngrams: Ngrams) -> Tensor:
        """Add up the outputs of each text's n-grams, [B, V]."""
        learning = torch.is_grad_enabled()
        if self.hidden and not learning and (candidates := self._newest_candidates()).enough:
            return ngrams.sums(candidates.outputs(ngrams.words))
        if not self.hidden or not learning:
            return ngrams.dense_sums(self.outputs(ngrams.words))
        states, last = self.states(ngrams.words), self.last
        with torch.no_grad():
            rows, dimensions = (states @ last.T > 0).nonzero(as_tuple=True)
        if len(rows) * SPARSE > len(states) * self.width:
            return ngrams.dense_sums(torch.relu(states @ last.T))
        values = torch.relu((states[rows] * last[dimensions]).sum(dim=1))
        return ngrams.sums(Outputs.of(rows, dimensions, values, (len(states), self.width)))

    def _pooled(self, sums: Tensor, words: Tensor, *, asked: bool) -> Tensor:
        """Pool sums [B, V] of texts of so many words [B, 1]."""
        if asked or self.form.pooling == "mean":
            mean = sums / words.clamp(min=1)
            return mean * self.weights.exp() if asked and self.weights is not None else mean
        pooled = torch.log1p(sums) if self.form.pooling == "log" else sums
        if self.form.length is None:
            return pooled
        steady = self.form.length * self.words_of_item
        return pooled * (self.words_of_item + steady) / (words + steady)

    def _newest_candidates(self) -> Candidates:
        made_of = weight_changes(self), self.last.device
        if self._candidates is None or self._candidates.made_of != made_of:
            self._candidates = Candidates(self, made_of)
        return self._candidates

    @torch.no_grad()
    def _start(self) -> None:
        """Draw first weights: signals keep their size, the middle word leads its n-gram, most outputs are zero."""
        for weight in (self.ngrams.weight, *self.layers.parameters()):
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
        middle = (self.form.window - 1) // 2
        self.ngrams.weight[:, :, torch.arange(self.form.window) != middle] *= NEIGHBOURS
        for last in list(self.layers.parameters())[-1:]:
            # Hidden values are halves of normal ones: a shift of all weights of an output moves what it adds up to.
            last.sub_(ZEROS * math.sqrt(math.pi / last.shape[1]) * last.std())

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write weights, words and settings into a folder that `load` reads."""
        with atomic_folder(folder, MADE) as draft:
            save_weights(self, draft / WEIGHTS)
            settings: Mapping[str, Any] = {"lexicon": self.lexicon.settings, "layers": asdict(self.form)}
            write_manifest(
                draft, KIND, {**settings, "start": self.start, "related": self.related, FILES: sealed(draft)}
            )

    @classmethod
    @takes_paths
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; `CorruptError` if it is not that, `ModelError` if weights are cut or a pointer."""
        manifest = read_manifest(folder, KIND)
        if (folder / WEIGHTS).is_file():
            refuse_cut(str(folder), folder / WEIGHTS)
        check_sealed(folder, manifest, again="Take it again from where it came, or make and train it again.")
        try:
            embeddings = load_file(folder / WEIGHTS)["embedding.weight"][PADDING + 1 :]
            network = cls(*_made(manifest, embeddings))
        except (KeyError, TypeError, OSError, ValueError) as error:
            if of_system(error):
                raise
            raise CorruptError(f"{folder / MANIFEST} or {WEIGHTS} beside it cannot be read: {error}.") from error
        load_weights(network, folder / WEIGHTS)
        return network


def _made(manifest: Mapping[str, Any], embeddings: Tensor) -> tuple[Lexicon, Tensor, Layers, Start, int]:
    said = manifest["lexicon"]
    lexicon = Lexicon(Analyser(**said["analyser"]), said["terms"], said["rare"])
    return lexicon, embeddings, Layers(**manifest["layers"]), manifest["start"], manifest.get("related", 0)
