"""A cross-encoder: a transformer reads the query and the item together and says how relevant the item is.

Nogueira and Cho, "Passage Re-ranking with BERT", 2019, https://arxiv.org/abs/1901.04085: [CLS] query [SEP] item [SEP],
and the score from the vector of [CLS]. Deviations:

- any sequence classifier of transformers, with one logit, which is the score, or with two as in the paper (not
  relevant, relevant), whose difference is: it ranks as the paper's probability does;
- trained by whatever objective is chosen (`reml.training.regimes.ranking`), where the paper has cross-entropy over
  pairs; a model without a classifier gets one of a single logit, at random;
- the longer of query and item is cut first, where the paper cuts queries at 64 tokens.

Published: MS MARCO dev MRR@10 0.365 (BERT large over BM25's first thousand). Here: not run on MS MARCO.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import final, get_args

import numpy as np
import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Item, texts_of
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.devices.device import default_device
from reml.devices.precision import Precision, autocast
from reml.files.atomic import atomic_folder
from reml.files.model_location import located
from reml.files.weight_digest import UNRELATED, digest_with_weights

CLASSIFIER = "ForSequenceClassification"
Pair = tuple[str, str]


@final
@dataclass(frozen=True, eq=False)
class CrossEncoder:
    """A `Scorer`, loaded when it is first needed, on the GPU if there is one.

    model: a hub id, a folder or `package:NAME/PATH` of a transformers model with safetensors. max_tokens: of a query
    and an item together; what is longer is cut, also where the model takes less. title: whether an item's title stands
    before its text. batch_size and precision change speed, and scores only in the last digits.
    """

    model: str
    _: KW_ONLY
    max_tokens: int = 512
    title: bool = True
    batch_size: int = 32
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise ValueError(f"there is no precision {self.precision!r}: choose of {', '.join(get_args(Precision))}.")
        if self.max_tokens < 8 or self.batch_size < 1:
            raise ValueError(
                f"max_tokens is 8 or more and batch_size 1 or more, not {self.max_tokens} and {self.batch_size}."
            )

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self._network

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        """Score Q queries at these positions [Q, K] among N items, float32 [Q, K], with gradient; -inf at -1."""
        rows, places = np.nonzero(positions >= 0)
        shown = [f"{item.title} {item.text}" if self.title else item.text for item in items]
        numbers = positions[rows, places]
        texts = texts_of(queries.said, self)
        scores = self._read([(texts[row], shown[number]) for row, number in zip(rows, numbers, strict=True)])
        whole = torch.full(positions.shape, -torch.inf, device=scores.device)
        at = tuple(torch.from_numpy(index).to(scores.device) for index in (rows, places))
        return whole.index_put(at, scores)

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the tokeniser and the settings that scores depend on."""
        config = {name: value for name, value in self._network.config.to_dict().items() if name not in UNRELATED}
        vocabulary = sorted(self._tokeniser.get_vocab().items())
        return digest_with_weights(self._network, "cross-encoder", config, vocabulary, self.max_tokens, self.title)

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a transformers folder that a `CrossEncoder` (or transformers itself) reads."""
        with atomic_folder(folder) as draft:
            self._network.save_pretrained(draft)
            self._tokeniser.save_pretrained(draft)

    def _read(self, pairs: Sequence[Pair]) -> Tensor:
        """Score pairs, [P], in batches of like length."""
        if not pairs:
            return torch.zeros(0, device=self._network.device)
        order = sorted(range(len(pairs)), key=lambda place: sum(map(len, pairs[place])), reverse=True)
        scores = torch.cat(list(self._batches([pairs[place] for place in order])))
        return scores[torch.tensor(order).argsort().to(scores.device)]

    def _batches(self, pairs: Sequence[Pair]) -> Iterator[Tensor]:
        for start in range(0, len(pairs), self.batch_size):
            asked, shown = zip(*pairs[start : start + self.batch_size], strict=True)
            inputs = self._tokeniser(
                list(asked),
                list(shown),
                padding=True,
                truncation="longest_first",
                max_length=self._limit,
                return_tensors="pt",
            ).to(self._network.device)
            with autocast(self._network.device, self.precision):
                logits = self._network(**inputs).logits
            yield _relevance(logits.float())

    @property
    def _limit(self) -> int:
        of_model = getattr(self._network.config, "max_position_embeddings", self.max_tokens)
        return min(self.max_tokens, self._tokeniser.model_max_length, of_model)

    @functools.cached_property
    def _network(self) -> PreTrainedModel:
        folder = located(self.model)
        try:
            known = AutoConfig.from_pretrained(folder)
            trained = any(name.endswith(CLASSIFIER) for name in known.architectures or ())
            labels = known.num_labels if trained else 1
            if labels not in (1, 2):
                raise ValueError(
                    f"{self.model!r} tells {labels} classes apart: name a model of relevance, 1 or 2 logits."
                )
            network = AutoModelForSequenceClassification.from_pretrained(
                folder, num_labels=labels, dtype=torch.float32, use_safetensors=True
            )
        except OSError as error:
            raise FileNotFoundError(
                f"{self.model!r} cannot be loaded: give a hub id, a folder of a transformers model with safetensors, "
                f"or package:NAME/PATH. transformers says: {error}"
            ) from error
        loaded: PreTrainedModel = network.to(default_device()).eval()
        return loaded

    @functools.cached_property
    def _tokeniser(self) -> PreTrainedTokenizerBase:
        tokeniser: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(located(self.model))
        if tokeniser.pad_token_id is None:
            raise ValueError(f"the tokeniser of {self.model!r} has no padding token: name the model of an encoder.")
        return tokeniser


def _relevance(logits: Tensor) -> Tensor:
    """Give the scores [P] of logits [P, 1], or [P, 2]: the log odds of the second class."""
    return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
