"""A cross-encoder: a transformer reads the query and the item together and says how relevant the item is.

Nogueira and Cho, "Passage Re-ranking with BERT", 2019, https://arxiv.org/abs/1901.04085: [CLS] query [SEP] item [SEP],
and the score from the vector of [CLS]. Deviations:

- any sequence classifier of transformers, with one logit, which is the score, or with two as in the paper (not
  relevant, relevant), whose difference is: it ranks as the paper's probability does;
- an item that is too long is cut at its end, or read in windows (`reml.retrievers.rankers.windows`: FirstP, MaxP);
- trained by whatever objective is chosen (`reml.training.regimes.ranking`), where the paper has cross-entropy over
  pairs; a model without a classifier gets one of a single logit, at random, if `new_classifier` says so;
- the longer of query and item is cut first, at its end, where the paper cuts queries at 64 tokens.

Published: MS MARCO dev MRR@10 0.365 (BERT large over BM25's first thousand). Here: not run on MS MARCO.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, replace
from pathlib import Path
from typing import Literal, final

import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Item, Json
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.devices.device import default_device
from reml.devices.precision import Precision, autocast
from reml.devices.progress import tracked
from reml.files.model_location import ModelError
from reml.files.weight_digest import UNRELATED, digest_with_weights
from reml.retrievers.rankers.declared_scores import declared_activation, declared_length, note_activation
from reml.retrievers.rankers.pairs import CutNotice, Pair, score_read
from reml.retrievers.rankers.windows import Windows
from reml.text.models.declared import modules_of, unknown_module
from reml.text.models.kinds import CLASSIFIER, NEW_CLASSIFIER
from reml.text.models.loading import Loaded, config_of, load
from reml.text.models.model_folder import opened
from reml.text.models.record import read_record, save_model
from reml.text.models.token_limit import allowed
from reml.text.models.transformers_types import PreTrainedModel, PreTrainedTokenizerBase

KIND = "cross-encoder"
TRAINED = "ForSequenceClassification"
# What may be new in a model without a classifier.
HEAD = r"(^|\.)(classifier|score|pooler|pre_classifier|logits_proj|summary|sequence_summary)\."
TOKENS = 512
Activation = Literal["none", "declared"]


@final
@checked()
@dataclass(frozen=True, eq=False)
class CrossEncoder:
    """A `Scorer`, loaded when it is first needed, on the GPU if there is one.

    model: a hub id, a folder or `package:NAME/PATH` of a transformers model with safetensors. max_tokens: of a query
    and an item together, 512 unless given, or what the model takes. Of what is longer, the longer of query and item is
    cut at its end, and a warning says so once. windows: how items are read in several parts instead, none being cut
    that fits. title: whether an item's title stands before its text, and before each window. new_classifier: whether a
    model without a classifier gets one at random, which ranks at random until it is trained. trust_remote_code: whether
    code in the model's folder is run. batch_size and precision change speed, and scores only in the last digits.

    activation: by `none` a score is the logit, which objectives are made for and which keeps far scores apart; by
    `declared` it is what `CrossEncoder.predict` of sentence-transformers gives: the activation that the folder names, a
    sigmoid where it names none. All but a few activations are monotone: the order stays, ties beside, where a sigmoid
    is 1 to the last digit. Train with `none`.
    """

    model: str
    _: KW_ONLY
    max_tokens: int | None = None
    windows: Windows | None = None
    title: bool = True
    activation: Activation = "none"
    new_classifier: bool = False
    trust_remote_code: bool = False
    batch_size: int = 32
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        tokens = TOKENS if self.max_tokens is None else self.max_tokens
        if tokens < 8 or self.batch_size < 1:
            raise ValueError(f"max_tokens is 8 or more and batch_size 1 or more, not {tokens} and {self.batch_size}.")

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self._network

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        """Score Q queries at these positions [Q, K] among N items, float32 [Q, K], with gradient; -inf at -1."""
        return score_read(self, queries, items, positions)

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the tokeniser and the settings that scores depend on."""
        config = {name: value for name, value in self._network.config.to_dict().items() if name not in UNRELATED}
        vocabulary = sorted(self._tokeniser.get_vocab().items())
        further: list[Json] = [] if self.windows is None else [asdict(self.windows)]
        further += [] if self.activation == "none" else [repr(self._activate)]
        return digest_with_weights(
            self._network, "cross-encoder", config, vocabulary, self._limit, self.title, *further
        )

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a transformers folder that a `CrossEncoder` (or transformers itself) reads."""
        save_model(folder, KIND, self._network, self._tokeniser)

    def read(self, pairs: Sequence[Pair]) -> Tensor:
        """Score pairs of a query and a text, float32 [P], with gradient, in batches of like length."""
        if not pairs:
            return torch.zeros(0, device=self._network.device)
        order = sorted(range(len(pairs)), key=lambda place: sum(map(len, pairs[place])), reverse=True)
        scores = torch.cat(list(self._batches([pairs[place] for place in order])))
        return scores[torch.tensor(order).argsort().to(scores.device)]

    def _batches(self, pairs: Sequence[Pair]) -> Iterator[Tensor]:
        parts = [pairs[start : start + self.batch_size] for start in range(0, len(pairs), self.batch_size)]
        for part in tracked(parts, "score", unit="pairs", size=len):
            asked, shown = zip(*part, strict=True)
            inputs = self._tokeniser(
                list(asked),
                list(shown),
                padding=True,
                truncation="longest_first",
                max_length=self._limit,
                return_tensors="pt",
            ).to(self._network.device)
            self._notice_cuts(part, inputs["attention_mask"].sum(dim=1).tolist())
            with autocast(self._network.device, self.precision):
                logits = self._network(**inputs).logits
            yield self._activate(_relevance(logits.float()))

    def _notice_cuts(self, pairs: Sequence[Pair], lengths: Sequence[int]) -> None:
        """Look at pairs that fill the limit, until one was found that is longer."""
        for pair, length in zip(pairs, lengths, strict=True):
            if length >= self._limit and not self._notice.said:
                whole, own = (len(self._tokeniser(*texts, verbose=False)["input_ids"]) for texts in (pair, pair[:1]))
                both = "the ends of query and item are not read" if 2 * own > self._limit else "the end is not read"
                self._notice.say(pair[0], whole, self._limit, both)

    @property
    def _limit(self) -> int:
        return allowed(self.max_tokens, TOKENS, self.loaded.limit, model=self.model, setting="max_tokens")

    @functools.cached_property
    def _notice(self) -> CutNotice:
        return CutNotice(self.model, windows=self.windows is not None)

    @functools.cached_property
    def _activate(self) -> nn.Module:
        if self.activation == "none":
            return nn.Identity()
        return declared_activation(self.loaded.folder, self._network.config)

    @property
    def _network(self) -> PreTrainedModel:
        return self.loaded.model

    @property
    def _tokeniser(self) -> PreTrainedTokenizerBase:
        return self.loaded.tokeniser

    @functools.cached_property
    def loaded(self) -> Loaded:
        """The model with its tokeniser, loaded on first use; `ModelError` says what is wrong with its folder."""
        folder = opened(self.model)
        read_record(folder.root, KIND)
        config = config_of(folder, CLASSIFIER, trust_remote_code=self.trust_remote_code)
        trained = any(name.endswith(TRAINED) for name in config.architectures or ())
        if not trained and not self.new_classifier:
            raise ModelError(
                f"{self.model!r} has no classifier, so that it would rank at random: {CLASSIFIER.advice}, or set "
                "`new_classifier: true` and train it."
            )
        for module in modules_of(folder)[trained:] if trained else []:
            raise unknown_module(folder, module, "a Transformer alone")
        if not trained:
            config.num_labels = 1
        if config.num_labels not in (1, 2):
            raise ModelError(
                f"{self.model!r} tells {config.num_labels} classes apart: name a model of relevance, 1 or 2 logits."
            )
        kind, new = (CLASSIFIER, "(?!)") if trained else (NEW_CLASSIFIER, HEAD)
        loaded = load(folder, kind, config, trust_remote_code=self.trust_remote_code, new=new)
        if loaded.tokeniser.pad_token_id is None:
            raise ModelError(f"the tokeniser of {self.model!r} has no padding token: name the model of an encoder.")
        if trained:
            note_activation(folder, loaded.model.config)
            loaded = replace(loaded, limit=min(loaded.limit, declared_length(folder) or loaded.limit))
        allowed(self.max_tokens, TOKENS, loaded.limit, model=self.model, setting="max_tokens")
        nn.Module.to(loaded.model, default_device())
        nn.Module.eval(loaded.model)
        return loaded


def _relevance(logits: Tensor) -> Tensor:
    """Give the scores [P] of logits [P, 1], or [P, 2]: the log odds of the second class."""
    return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
