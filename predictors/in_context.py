"""A causal language model that is given the retrieved items in its prompt.

Ram et al., "In-Context Retrieval-Augmented Language Models", TACL 2023, https://arxiv.org/abs/2302.00083; the
likelihood of the answer given each item alone is that of Shi et al., "REPLUG", NAACL 2024,
https://arxiv.org/abs/2301.12652.

Implemented: one prompt with all items, best first; greedy decoding up to the end of the line; log p(y given x, item) by
scoring the answer after a prompt with that item alone. It can be used as it comes or be fine-tuned by its loss, whole
or by low-rank adapters (Hu et al., "LoRA", ICLR 2022, https://arxiv.org/abs/2106.09685).

Deviations: retrieval once for each example, not every few tokens; an instruction and a question stand in the prompt.

Numbers: not run on the data of the papers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Batch
from reml.contract.refusal import refuse
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Prediction, Signal
from reml.predictors.reading.likelihood import with_likelihood
from reml.predictors.reading.pairs import readable
from reml.predictors.reading.prompts import INPUT_TOKENS, PASSAGE, PROMPT, Prompts
from reml.predictors.reading.right_answers import right_answers
from reml.text.language_model import SMOLLM2, load_language_model, padded
from reml.text.models.lora import Lora, add_adapters
from reml.text.models.token_limit import allowed
from reml.text.models.transformers_types import PreTrainedModel
from reml.text.token_table import token_ids


@checked("InContext")
class InContext(nn.Module):
    """Puts the items before the question and lets a language model go on.

    model: a hub id, a folder, or `package:NAME/PATH`; a GGUF file is converted once into the cache. prompt: holds
    `{passages}` and `{question}`. passage: one item, holds `{text}` and may hold `{title}`. input_tokens: of a prompt,
    1536 unless given, or what the model takes before an answer; items that do not fit any more are left out, the worst
    first. answer_tokens: of the longest answer. trust_remote_code: whether code in the model's folder is run. lora:
    train adapters alone; only they are saved (the extra `lora`).
    """

    signals = Signal.ITEM_LIKELIHOOD | Signal.TOKEN_LIKELIHOOD

    def __init__(
        self,
        model: str = SMOLLM2,
        *,
        prompt: str = PROMPT,
        passage: str = PASSAGE,
        input_tokens: Count | None = None,
        answer_tokens: Count = 32,
        trust_remote_code: bool = False,
        lora: Lora | None = None,
    ) -> None:
        super().__init__()
        loaded = load_language_model(model, trust_remote_code=trust_remote_code)
        self.model: PreTrainedModel = loaded.model
        if lora is not None:
            add_adapters(self.model, lora)
        self.lora = lora
        self.tokeniser = loaded.fast
        room = loaded.limit - answer_tokens - 1  # the answer's end is a token too
        self.input_tokens = allowed(input_tokens, INPUT_TOKENS, room, model=model, setting="input_tokens")
        self._prompts = Prompts(self.tokeniser, prompt, passage, self.input_tokens)
        self.answer_tokens = answer_tokens
        self._newline = token_ids(self.tokeniser, ["\n"])[0]

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Do nothing: the items stand in prompts as text."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p(y given x and all items), [B], summed over the tokens of the answer and the end of its line."""
        examples, responses = batch.examples, batch.read
        refuse(signals, self.signals, "InContext")
        items = readable(responses)
        answers = [self._target(example) for example in examples]
        likelihood, mask = self._likelihood(self._prompts(examples, [list(given.values()) for given in items]), answers)
        loss = -likelihood.sum(1)
        if not signals:
            return Prediction(loss)
        owners = [owner for owner, given in enumerate(items) for _ in given]
        lone = [[item] for given in items for item in given.values()]
        places = [place for given in items for place in given]
        spread = partial(_spread, responses, owners, places)
        alone = likelihood.new_zeros((0, mask.shape[1]))
        if lone:
            prompts = self._prompts([examples[owner] for owner in owners], lone)
            alone = self._likelihood(prompts, [answers[owner] for owner in owners])[0]
            alone = functional.pad(alone, (0, mask.shape[1] - alone.shape[1]))
        credit = with_likelihood(Credit(), alone, target_mask=mask, spread=spread, signals=signals)
        return Prediction(loss, (credit,))

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Go on greedily to the end of the line; the provenance are the items in the order they were retrieved."""
        examples, responses = batch.examples, batch.read
        items = [list(given.values()) for given in readable(responses)]
        ids, mask = self._left_padded(self._prompts(examples, items))
        said = self.model.generate(  # type: ignore[operator]
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=self.answer_tokens,
            do_sample=False,
            stop_strings=["\n"],
            tokenizer=self.tokeniser,
            pad_token_id=self._pad,
        )
        texts = self.tokeniser.batch_decode(said[:, ids.shape[1] :], skip_special_tokens=True)
        return [
            Answer(text.partition("\n")[0].strip(), tuple(Provenance.of(item) for item in given))
            for text, given in zip(texts, items, strict=True)
        ]

    @property
    def _pad(self) -> int:
        # Masked, so that any token does.
        return int(self.tokeniser.pad_token_id or 0)

    def _target(self, example: Example) -> list[int]:
        return token_ids(self.tokeniser, [f" {right_answers(example)[0]}"])[0][: self.answer_tokens] + self._newline

    def _left_padded(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        return padded(rows, self._pad, self.model.device, "left")

    def _likelihood(self, prompts: list[list[int]], answers: list[list[int]]) -> tuple[Tensor, Tensor]:
        """Give log p of each answer token after its prompt, [B, T], 0 past the end, and where there is one, [B, T]."""
        ids, mask = self._left_padded([prompt + answer for prompt, answer in zip(prompts, answers, strict=True)])
        steps = max(len(answer) for answer in answers)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        output = self.model(input_ids=ids, attention_mask=mask, position_ids=positions, logits_to_keep=steps + 1)
        logits = torch.log_softmax(output.logits[:, :-1].float(), dim=2)
        said = logits.gather(2, ids[:, -steps:, None]).squeeze(2)
        lengths = torch.tensor([len(answer) for answer in answers], device=ids.device)[:, None]
        here = torch.arange(steps, device=ids.device).expand(len(ids), -1)
        # Answers end together at the right: turn each so that they start together at the left.
        turned = said.gather(1, (here - lengths) % steps)
        return torch.where(here < lengths, turned, 0.0), here < lengths


def _spread(responses: Responses, owners: list[int], places: list[int], values: Tensor, fill: float) -> Tensor:
    laid = values.new_full((len(responses), responses.k, *values.shape[1:]), fill)
    return laid.index_put((torch.tensor(owners, dtype=torch.int64), torch.tensor(places, dtype=torch.int64)), values)
