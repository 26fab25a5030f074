"""An encoder-decoder that reads each question with one item: encoded once, whatever is said after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.collections import Collection
from reml.contract.examples import Example
from reml.contract.retrieved import Responses
from reml.files.model_location import ModelError
from reml.predictors.marginal.cached import CachedPrefixes
from reml.predictors.marginal.generator import Generator
from reml.predictors.reading.encoder_decoders import INPUT_TOKENS, encoder_output, question_frame, target_likelihood
from reml.predictors.reading.pair_builder import PairBuilder
from reml.predictors.reading.places import Places
from reml.predictors.reading.right_answers import right_answers
from reml.text.models.kinds import ENCODER_DECODER
from reml.text.models.loading import config_of, load
from reml.text.models.model_folder import opened
from reml.text.models.token_limit import allowed
from reml.text.models.transformers_types import Cache, PreTrainedModel
from reml.text.token_table import token_ids


@final
@checked()
class EncoderDecoder(Generator):
    """Encodes `question: ... title: ... context: ...` and decodes what its end token ends: a BART, a T5 and their like.

    model: a hub id, a folder, or `package:NAME/PATH`. input_tokens: of a question with one item, 250 unless given, or
    what the model takes; what is over is cut from the item's end. answer_tokens: of the longest answer, its end not
    counted. trust_remote_code: whether code in the model's folder is run.
    """

    def __init__(
        self,
        model: str = "facebook/bart-large",
        *,
        input_tokens: Count | None = None,
        answer_tokens: Count = 50,
        trust_remote_code: bool = False,
    ) -> None:
        super().__init__()
        folder = opened(model, ENCODER_DECODER.wanted)
        config = config_of(folder, ENCODER_DECODER, trust_remote_code=trust_remote_code)
        loaded = load(folder, ENCODER_DECODER, config, trust_remote_code=trust_remote_code)
        self.model: PreTrainedModel = loaded.model
        self.tokeniser, self.answer_tokens = loaded.fast, answer_tokens
        if self.tokeniser.eos_token_id is None:
            raise ModelError(f"the tokeniser of {model!r} has no token that ends a text: {ENCODER_DECODER.advice}.")
        self.end = int(self.tokeniser.eos_token_id)
        limit = allowed(input_tokens, INPUT_TOKENS, loaded.limit, model=model, setting="input_tokens")
        self._read = PairBuilder(self.tokeniser, question_frame(self.tokeniser, self.end), limit)

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Tokenise the collections once, into `folder`."""
        self._read.prepare(collections.values(), folder)

    def read(self, examples: Sequence[Example], responses: Responses) -> EncodedPairs:
        """Encode each pair."""
        inputs = self._read(examples, responses).pairs.to(self.model.device)
        mask = inputs.mask.long()
        states = self.model.get_encoder()(input_ids=inputs.ids, attention_mask=mask).last_hidden_state
        return EncodedPairs(self.model, states, mask, inputs.places)

    def targets(self, examples: Sequence[Example]) -> list[list[int]]:
        """Give the tokens of the first right answer and the end."""
        said = token_ids(self.tokeniser, [right_answers(example)[0] for example in examples])
        return [[*tokens[: self.answer_tokens], self.end] for tokens in said]

    def text(self, tokens: Sequence[int]) -> str:
        """Give the text of an answer."""
        return str(self.tokeniser.decode(list(tokens), skip_special_tokens=True)).strip()


@final
@dataclass(frozen=True, eq=False, slots=True)
class EncodedPairs:
    """P inputs that were encoded: states [P, L, D] and mask int64 [P, L]."""

    model: PreTrainedModel
    states: Tensor
    mask: Tensor
    places: Places

    def begin(self) -> CachedPrefixes:
        """Give the empty answers after all inputs."""
        pairs = torch.arange(len(self.states), device=self.states.device)
        start = torch.full_like(pairs, int(self.model.config.decoder_start_token_id))
        log_next, cache = self._step(pairs, start, None, 0)
        return CachedPrefixes(log_next, pairs, cache, self._step)

    def log_likelihood(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Give log p of each target token, [R, T]."""
        states = encoder_output(self.states[rows])
        output = self.model(encoder_outputs=states, attention_mask=self.mask[rows], labels=targets)
        return target_likelihood(output, targets)

    def _step(self, rows: Tensor, tokens: Tensor, cache: Cache | None, length: int) -> tuple[Tensor, Cache]:  # noqa: ARG002
        output = self.model(
            encoder_outputs=encoder_output(self.states[rows]),
            attention_mask=self.mask[rows],
            decoder_input_ids=tokens[:, None],
            past_key_values=cache,
            use_cache=True,
        )
        return torch.log_softmax(output.logits[:, -1].float(), dim=1), output.past_key_values
