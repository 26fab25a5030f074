"""monoT5: an encoder-decoder reads query and item, and its first word, "true" or "false", says whether they fit.

Nogueira, Jiang, Pradeep and Lin, "Document Ranking with a Pretrained Sequence-to-Sequence Model", Findings of EMNLP
2020, https://arxiv.org/abs/2003.06713: the encoder reads "Query: q Document: d Relevant:", and relevance is the
probability of "true" against "false" at the first step of the decoder. Deviations:

- a score is the log odds of these two words, whose sigmoid is the paper's probability: the order is the same;
- what is too long is cut at the end of the item, never in "Relevant:", or is read in windows;
- trained by whatever objective is chosen (`reml.training.regimes.ranking`), where the paper has the cross-entropy of
  the word over the whole vocabulary.

Published: MS MARCO dev MRR@10 0.381 (T5 base), 0.393 (large), 0.398 (3B), over BM25's first thousand. Here: not run on
MS MARCO.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import final

import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Item, Json
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.devices.device import default_device
from reml.devices.precision import Precision, autocast
from reml.devices.progress import tracked
from reml.files.model_location import ModelError
from reml.files.weight_digest import UNRELATED, digest_with_weights
from reml.retrievers.encoders.token_batches import longest_first, token_batches
from reml.retrievers.rankers.pairs import CutNotice, Pair, score_read
from reml.retrievers.rankers.windows import Windows
from reml.text.models.kinds import ENCODER_DECODER
from reml.text.models.loading import Loaded, config_of, load
from reml.text.models.model_folder import opened
from reml.text.models.record import read_record, save_model
from reml.text.models.token_limit import allowed
from reml.text.models.transformers_types import PreTrainedModel, PreTrainedTokenizerBase

KIND = "monot5"
TOKENS, FEWEST = 512, 16
HEAD, TAIL = "Query: {} Document: {}", "Relevant:"


@final
@checked()
@dataclass(frozen=True, eq=False)
class MonoT5:
    """A `Scorer`, loaded when it is first needed, on the GPU if there is one.

    model: a hub id, a folder or `package:NAME/PATH` of a T5 or mT5 with safetensors; one that was trained to rank, or
    is to be. max_tokens: of the whole text that is read, 512 unless given, or what the model takes. Of what is longer
    the end of the item is cut, and a warning says so once. windows: how items are read in several parts instead. title:
    whether an item's title stands before its text, and before each window. true, false: the two words, each one token
    of the model ("yes" and "no" in mT5s). trust_remote_code: whether code in the model's folder is run. batch_size and
    precision change speed, and scores only in the last digits.
    """

    model: str
    _: KW_ONLY
    max_tokens: int | None = None
    windows: Windows | None = None
    title: bool = True
    true: str = "true"
    false: str = "false"
    trust_remote_code: bool = False
    batch_size: Count = 32
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        if self.max_tokens is not None and self.max_tokens < FEWEST:
            raise ValueError(f"max_tokens is {self.max_tokens}: the prompt needs {FEWEST} or more.")
        if self.true == self.false:
            raise ValueError(f"true and false are both {self.true!r}: name two words.")

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
        windows = None if self.windows is None else asdict(self.windows)
        settings: list[Json] = [self._limit, self.title, self.true, self.false, windows]
        return digest_with_weights(self._network, "mono-t5", config, vocabulary, settings)

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a transformers folder that a `MonoT5` (or transformers itself) reads."""
        save_model(folder, KIND, self._network, self._tokeniser)

    def read(self, pairs: Sequence[Pair]) -> Tensor:
        """Score pairs of a query and a text, float32 [P], with gradient, in batches of like length."""
        if not pairs:
            return torch.zeros(0, device=self._network.device)
        ids = self._prompts(pairs)
        order = longest_first(ids)
        scores = torch.cat(list(self._batches([ids[place] for place in order])))
        return scores[torch.tensor(order).argsort().to(scores.device)]

    def _prompts(self, pairs: Sequence[Pair]) -> list[list[int]]:
        """Give the ids of each prompt, cut in the item where it is too long."""
        heads = self._tokeniser([HEAD.format(*pair) for pair in pairs], add_special_tokens=False, verbose=False)
        tail = self._tokeniser(TAIL)["input_ids"]
        room = self._limit - len(tail)
        for pair, head in zip(pairs, heads["input_ids"], strict=True):
            self._notice.say(pair[0], len(head) + len(tail), self._limit, "the end is not read")
        return [head[:room] + tail for head in heads["input_ids"]]

    def _batches(self, ids: Sequence[Sequence[int]]) -> Iterator[Tensor]:
        device = self._network.device
        batches = token_batches(ids, self.batch_size, padding=int(self._tokeniser.pad_token_id), device=device)
        start = self._network.config.decoder_start_token_id
        for batch in tracked(batches, "score", unit="pairs", size=len):
            first = torch.full((len(batch), 1), start, device=device)
            with autocast(device, self.precision):
                outputs = self._network(input_ids=batch.ids, attention_mask=batch.mask, decoder_input_ids=first)
            logits = outputs.logits[:, 0].float()  # [B, V]
            yes, no = self._words
            yield logits[:, yes] - logits[:, no]

    @functools.cached_property
    def _words(self) -> tuple[int, int]:
        return self._word(self.true), self._word(self.false)

    def _word(self, word: str) -> int:
        ids = self._tokeniser(word, add_special_tokens=False)["input_ids"]
        if len(ids) != 1 or ids[0] == self._tokeniser.unk_token_id:
            raise ModelError(
                f"{word!r} is not one token of {self.model!r} but {self._tokeniser.convert_ids_to_tokens(ids)}: name "
                "the words that it was trained to answer with under `true` and `false`."
            )
        return int(ids[0])

    @property
    def _limit(self) -> int:
        return allowed(self.max_tokens, TOKENS, self._loaded.limit, model=self.model, setting="max_tokens")

    @functools.cached_property
    def _notice(self) -> CutNotice:
        return CutNotice(self.model, windows=self.windows is not None)

    @property
    def _network(self) -> PreTrainedModel:
        return self._loaded.model

    @property
    def _tokeniser(self) -> PreTrainedTokenizerBase:
        return self._loaded.tokeniser

    @functools.cached_property
    def _loaded(self) -> Loaded:
        folder = opened(self.model)
        read_record(folder.root, KIND)
        config = config_of(folder, ENCODER_DECODER, trust_remote_code=self.trust_remote_code)
        if not config.is_encoder_decoder:
            raise ModelError(f"{self.model!r} ({config.model_type}) has no decoder: {ENCODER_DECODER.advice}.")
        loaded = load(folder, ENCODER_DECODER, config, trust_remote_code=self.trust_remote_code)
        if loaded.tokeniser.pad_token_id is None or loaded.model.config.decoder_start_token_id is None:
            raise ModelError(f"{self.model!r} names no padding, or nothing that its decoder starts with: get it anew.")
        nn.Module.to(loaded.model, default_device())
        nn.Module.eval(loaded.model)
        return loaded
