"""SPLADE: a text as weights of the words that a masked language model expects in it.

Formal, Lassance, Piwowarski and Clinchant, "SPLADE v2: Sparse Lexical and Expansion Model for Information Retrieval",
2021, https://arxiv.org/abs/2109.10086, equation 6: the weight of word j is the largest, over the tokens i of a text, of
log(1 + ReLU(w_ij)), w being the logits of the masked language model; [CLS] and [SEP] are tokens like others. Trained
with the FLOPS regulariser (`reml.training.regimes.sparsity`). Padding has no part in the maximum. Deviations:

- the weights are those of any masked language model, by its id, folder or package, trained by whatever objective is
  chosen;
- the regulariser's weight is the same at every step, where SPLADE lets it rise as the square of the step for the first
  50,000: over runs of thousands of steps, as here, the warm-up of the rate is the only start.

Published: MS MARCO dev MRR@10 0.340 (max pooling, without distillation). Here: not run on MS MARCO.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import torch
from torch import Tensor
from transformers import AutoModelForMaskedLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.indexing import index_encoded
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import IndexMaker, Retriever
from reml.files.atomic import atomic_folder, digest
from reml.files.model_location import located
from reml.files.weight_digest import UNRELATED
from reml.index.impact import Impact
from reml.retrievers.encoders.sparse_encoder import SparseEncoder, SparseNetwork, TextCut


@final
class SpladeNetwork(SparseNetwork):
    """A masked language model and its tokeniser, as sparse vectors over its vocabulary."""

    def __init__(self, masked_lm: PreTrainedModel, tokeniser: PreTrainedTokenizerBase) -> None:
        super().__init__()
        if tokeniser.pad_token_id is None:
            raise ValueError(f"{type(tokeniser).__name__} has no padding token: name a masked language model.")
        self.masked_lm = masked_lm
        self._tokeniser = tokeniser

    @property
    def width(self) -> int:
        """The number of dimensions V: words of the vocabulary."""
        return int(self.masked_lm.config.vocab_size)

    @property
    def padding(self) -> int:
        """The id that pads."""
        return int(self._tokeniser.pad_token_id)

    @property
    def fingerprint(self) -> str:
        """A digest of the tokeniser and of the model's configuration."""
        config = {name: value for name, value in self.masked_lm.config.to_dict().items() if name not in UNRELATED}
        return digest("splade", config, sorted(self._tokeniser.get_vocab().items()))

    def tokenise(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """Give the ids of each text, at most `limit`, or as many as the model takes; special tokens count."""
        if not texts:
            return []
        limit = min(limit, self._tokeniser.model_max_length)
        ids: list[list[int]] = self._tokeniser(list(texts), truncation=True, max_length=limit)["input_ids"]
        return ids

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Encode ids [B, L] where the mask [B, L] is true, float32 [B, V]."""
        logits = self.masked_lm(input_ids=ids, attention_mask=mask.long()).logits
        # log(1 + ReLU) grows with its argument, so it may come after the maximum: [B, L, V] -> [B, V]
        largest = logits.masked_fill(~mask[:, :, None], 0.0).amax(dim=1)
        return torch.log1p(torch.relu(largest.float()))

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a transformers folder that `Splade` (or transformers itself) reads."""
        with atomic_folder(folder) as draft:
            self.masked_lm.save_pretrained(draft)
            self._tokeniser.save_pretrained(draft)


@dataclass(frozen=True, kw_only=True)
class Splade:
    """Settings of a SPLADE-like retriever over a collection.

    model: a hub id, a folder or `package:NAME/PATH` of a masked language model. cut: how much of a text is read.
    index_maker: what finds the vectors, an impact index unless given. progress: show how far encoding is.
    """

    model: str
    cut: TextCut = field(default_factory=lambda: TextCut(query_tokens=64, item_tokens=256))
    index_maker: IndexMaker | None = None
    progress: bool = False

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Index a collection with the model as it is, or open the index if it is there and fits.

        A killed call leaves what it encoded to the next. `StaleError` if the folder was built from something else.
        """
        return self.index_with(self.encoder(collection, folder), collection, folder)

    @takes_paths
    def encoder(self, collection: Collection, folder: Path) -> SparseEncoder:  # noqa: ARG002
        """Give the encoder before its training; `FileNotFoundError` if there is no such model with safetensors."""
        path = located(self.model)
        try:
            module = AutoModelForMaskedLM.from_pretrained(path, dtype=torch.float32, use_safetensors=True)
            tokeniser = AutoTokenizer.from_pretrained(path)
        except OSError as error:
            raise FileNotFoundError(
                f"{self.model!r} cannot be loaded: give a hub id, a folder of a masked language model with "
                f"safetensors, or package:NAME/PATH. transformers says: {error}"
            ) from error
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return SparseEncoder(SpladeNetwork(module, tokeniser).to(device).eval(), self.cut)

    @takes_paths
    def index_with(
        self, encoder: SparseEncoder, collection: Collection, folder: Path
    ) -> EncodedRetriever[SparseEncoder]:
        """Do as `index` does with an encoder at hand, one that was just trained, say; `model` does not count."""
        return index_encoded(encoder, self.index_maker or Impact(), collection, folder, progress=self.progress)
