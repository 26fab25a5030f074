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
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.indexing import index_encoded
from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrievers import IndexMaker, Retriever
from reml.devices.device import default_device
from reml.files.atomic import digest
from reml.files.model_location import ModelError
from reml.files.weight_digest import UNRELATED
from reml.index.impact import Impact
from reml.retrievers.encoders.sparse_encoder import SparseEncoder, SparseNetwork, TextCut
from reml.text.models.declared import WIDTHS, check_width, modules_of, settings_of, unknown_module, width_said
from reml.text.models.kinds import MASKED
from reml.text.models.loading import config_of, load
from reml.text.models.model_folder import ModelFolder, opened
from reml.text.models.record import read_record, save_model
from reml.text.models.token_limit import allowed, token_limit
from reml.text.models.transformers_types import PreTrainedModel, PreTrainedTokenizerBase

KIND = "splade network"
QUERY_TOKENS, ITEM_TOKENS = 64, 256
# How SpladePooling of sentence-transformers says what is computed here.
POOLED = {"pooling_strategy": "max", "activation_function": "relu"}


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
        limit = min(limit, token_limit(self.masked_lm, self._tokeniser))
        ids: list[list[int]] = self._tokeniser(list(texts), truncation=True, max_length=limit)["input_ids"]
        return ids

    def forward(self, ids: Tensor, mask: Tensor, *, asked: bool = False) -> Tensor:  # noqa: ARG002
        """Encode ids [B, L] where the mask [B, L] is true, float32 [B, V]; queries as items."""
        logits = self.masked_lm(input_ids=ids, attention_mask=mask.long()).logits
        # log(1 + ReLU) grows with its argument, so it may come after the maximum: [B, L, V] -> [B, V]
        largest = logits.masked_fill(~mask[:, :, None], 0.0).amax(dim=1)
        return torch.log1p(torch.relu(largest.float()))

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a transformers folder that `Splade` (or transformers itself) reads."""
        save_model(folder, KIND, self.masked_lm, self._tokeniser)


@checked()
@dataclass(frozen=True, kw_only=True)
class Splade:
    """Settings of a SPLADE-like retriever over a collection.

    model: a hub id, a folder or `package:NAME/PATH` of a masked language model. cut: how much of a text is read, 64
    tokens of a query and 256 of an item unless given, or what the model takes. index_maker: what finds the vectors, an
    impact index unless given. trust_remote_code: whether code in the model's folder is run.
    """

    model: str
    cut: TextCut | None = None
    index_maker: IndexMaker | None = None
    trust_remote_code: bool = False

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Index a collection with the model as it is, or open the index if it is there and fits.

        A killed call leaves what it encoded to the next. `StaleError` if the folder was built from something else.
        """
        return self.index_with(self.encoder(collection, folder), collection, folder)

    @takes_paths
    def encoder(self, collection: Collection, folder: Path) -> SparseEncoder:  # noqa: ARG002
        """Give the encoder before its training; `ModelError` names what the model lacks or takes no more of."""
        model = opened(self.model, MASKED.wanted)
        read_record(model.root, KIND)
        config = config_of(model, MASKED, trust_remote_code=self.trust_remote_code)
        _refuse_other_modules(model, config.vocab_size)
        loaded = load(model, MASKED, config, trust_remote_code=self.trust_remote_code)
        network = SpladeNetwork(loaded.model, loaded.tokeniser).to(default_device()).eval()
        return SparseEncoder(network, self._cut(loaded.limit))

    def _cut(self, limit: int) -> TextCut:
        asked = (self.cut.query_tokens, self.cut.item_tokens) if self.cut else (None, None)
        query, item = (
            allowed(tokens, usual, limit, model=self.model, setting=f"cut.{name}")
            for tokens, usual, name in zip(
                asked, (QUERY_TOKENS, ITEM_TOKENS), ("query_tokens", "item_tokens"), strict=True
            )
        )
        return self.cut or TextCut(query_tokens=query, item_tokens=item)

    @takes_paths
    def index_with(
        self, encoder: SparseEncoder, collection: Collection, folder: Path
    ) -> EncodedRetriever[SparseEncoder]:
        """Do as `index` does with an encoder at hand, one that was just trained, say; `model` does not count."""
        return index_encoded(encoder, self.index_maker or Impact(), collection, folder)


def _refuse_other_modules(folder: ModelFolder, width: int) -> None:
    """Refuse a folder of sentence-transformers whose vectors are made in another way, or of another width."""
    for place, module in enumerate(modules_of(folder)):
        if module.kind not in (("SpladePooling",) if place else ("Transformer", "MLMTransformer")):
            raise unknown_module(folder, module, "Transformer or MLMTransformer, then SpladePooling")
        if not place:
            continue
        settings = settings_of(folder, module, (*POOLED, *WIDTHS))
        check_width(folder, f"{module.path}/config.json", width_said(settings), width)
        for name, wanted in POOLED.items():
            if settings.get(name) not in (None, wanted):
                raise ModelError(
                    f"{folder.name!r}: {module.path}/config.json has {name} {settings[name]!r}, and {wanted} alone is "
                    "computed here: name another model."
                )
