"""Fusion-in-Decoder over any pretrained encoder-decoder.

Izacard and Grave, "Leveraging Passage Retrieval with Generative Models for Open Domain Question Answering", EACL 2021,
https://arxiv.org/abs/2007.01282.

Implemented: each `question: ... title: ... context: ...` is encoded on its own, the decoder attends to all encoder
states together. T5, BART and their like, by hub id or folder. Attention by item is that of Izacard and Grave,
"Distilling Knowledge from Reader to Retriever", ICLR 2021, https://arxiv.org/abs/2012.04584: the mean over layers and
heads of the cross-attention when the first token is decoded, summed over the item's tokens (the paper takes the mean
over them, so that the length of an item plays a part).

Deviations: the target is the first right answer of the record, not one drawn anew each time; question, title and text
are tokenised apart, so that items are tokenised once; decoding is greedy, as in the paper's code.

Numbers: not run (published, 100 passages: NaturalQuestions 48.2 EM with T5-base, 51.4 with T5-large).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.access.responses import empty
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.refusal import refuse
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Prediction, Signal
from reml.files.model_location import ModelError
from reml.predictors.reading.encoder_decoders import (
    IGNORED,
    INPUT_TOKENS,
    encoder_output,
    padded_targets,
    question_frame,
    target_likelihood,
)
from reml.predictors.reading.leave_one_out import without_each
from reml.predictors.reading.likelihood import with_likelihood
from reml.predictors.reading.lists import drawn_inputs
from reml.predictors.reading.pair_builder import PairBuilder, Reading
from reml.predictors.reading.pairs import Pairs
from reml.predictors.reading.pointers import evidence_places, parsed, pointing
from reml.predictors.reading.right_answers import right_answers
from reml.predictors.reading.sampling import DRAWN, Output, Round, with_samples
from reml.text.models.kinds import ENCODER_DECODER
from reml.text.models.loading import config_of, load
from reml.text.models.model_folder import opened
from reml.text.models.token_limit import allowed
from reml.text.models.transformers_types import PreTrainedModel, Seq2SeqLMOutput
from reml.text.token_table import token_ids


@dataclass(frozen=True, eq=False, slots=True)
class Encoded:
    """A batch that was read: states of each input [P, L, D], those of each example side by side, targets [B, T]."""

    examples: Sequence[Example]
    reading: Reading
    inputs: Pairs
    states: Tensor
    fused: Tensor
    targets: Tensor


@checked("FiD")
class FiD(nn.Module):
    """Reads each item with the question on its own and fuses them in the decoder.

    model: a hub id, a folder, or `package:NAME/PATH` of an encoder-decoder. input_tokens: of a question with one item,
    250 unless given, or what the model takes; what is over is cut from the item's end. answer_tokens: of the longest
    answer, with what points to its sources. vectors: of each input, how many encoder states the decoder reads, all if
    left out. pointers: whether inputs are numbered and outputs say which of them they come from
    (`reml.predictors.fid_light`). trust_remote_code: whether code in the model's folder is run.
    """

    signals = (
        Signal.ITEM_LIKELIHOOD | Signal.TOKEN_LIKELIHOOD | Signal.LEAVE_ONE_OUT | Signal.ATTENTION | Signal.SAMPLES
    )

    def __init__(
        self,
        model: str = "google-t5/t5-base",
        *,
        input_tokens: Count | None = None,
        answer_tokens: Count = 50,
        vectors: Count | None = None,
        pointers: bool = False,
        trust_remote_code: bool = False,
    ) -> None:
        super().__init__()
        folder = opened(model, ENCODER_DECODER.wanted)
        config = config_of(folder, ENCODER_DECODER, trust_remote_code=trust_remote_code)
        # Only eager attention hands out its weights.
        loaded = load(folder, ENCODER_DECODER, config, attention="eager", trust_remote_code=trust_remote_code)
        self.model: PreTrainedModel = loaded.model
        self.tokeniser = loaded.fast
        if self.tokeniser.eos_token_id is None:
            raise ModelError(f"the tokeniser of {model!r} has no token that ends a text: {ENCODER_DECODER.advice}.")
        limit = allowed(input_tokens, INPUT_TOKENS, loaded.limit, model=model, setting="input_tokens")
        self.answer_tokens, self.vectors, self.pointers = answer_tokens, vectors, pointers
        self._end = int(self.tokeniser.eos_token_id)
        frame = question_frame(self.tokeniser, self._end)
        self._read = PairBuilder(self.tokeniser, frame, limit, indexed=pointers)

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Tokenise the collections once, into `folder`."""
        self._read.prepare(collections.values(), folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p(y given x and all items), [B], summed over the tokens of the answer and its end."""
        responses = batch.read
        refuse(signals, self.signals, "FiD")
        read = self.encoded(batch.examples, responses)
        wants_attention = Signal.ATTENTION in signals
        output = self._decode(read.fused, read.inputs.gather(read.inputs.mask), read.targets, attention=wants_attention)
        attention = _attention(output, read.inputs, responses.mask) if wants_attention else None
        credit = Credit(attention=attention)
        spread = partial(read.inputs.by_position, responses.k)
        if signals & (Signal.ITEM_LIKELIHOOD | Signal.TOKEN_LIKELIHOOD):
            alone, said = self._alone(read, read.targets), read.targets != IGNORED
            credit = with_likelihood(credit, alone, target_mask=said, spread=spread, signals=signals)
        if Signal.LEAVE_ONE_OUT in signals:
            credit = replace(credit, leave_one_out=self._without_each(read, responses.k))
        if Signal.SAMPLES in signals:
            credit = with_samples(credit, self._rounds(read, responses.k))
        return Prediction(-target_likelihood(output, read.targets).sum(1), (credit,))

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Decode greedily; the provenance are the items pointed to, then the others as they were retrieved."""
        reading = self._read(batch.examples, batch.read)
        inputs, states = self._states(reading)
        return reading.answers(self._outputs(reading, self._generated(inputs, inputs.gather(states), draw=False)))

    def encoded(self, examples: Sequence[Example], responses: Responses) -> Encoded:
        """Read a batch: the first of what `reml.predictors.reading.lists.ReadsLists` asks for."""
        reading = self._read(examples, responses)
        inputs, states = self._states(reading)
        targets = self._targets(examples, reading).to(self.model.device)
        return Encoded(examples, reading, inputs, states, inputs.gather(states), targets)

    def right(self, read: Encoded) -> list[Output]:
        """Give the right output of each example, with the tokens that the loss is of."""
        texts = [example.answers[0] for example in read.examples]
        return [
            Output(text, self._sources(read, number), _tokens(row))
            for number, (text, row) in enumerate(zip(texts, read.targets, strict=True))
        ]

    @torch.no_grad()
    def draw(self, read: Encoded) -> list[Output]:
        """Draw an output for each example."""
        return self._outputs(read.reading, self._generated(read.inputs, read.fused, draw=True))

    def list_log_likelihood(self, read: Encoded, rounds: Sequence[Sequence[Output]], drawn: Tensor) -> Tensor:
        """Give log p(output | x, the drawn list) of S outputs for each example, [B, S]."""
        inputs, states = drawn_inputs(read.inputs, read.states, drawn)
        fused, mask = inputs.gather(states), inputs.gather(inputs.mask)
        return torch.stack([self._seen(fused, self._as_targets(outputs), mask) for outputs in rounds], dim=1)

    def _generated(self, inputs: Pairs, fused: Tensor, *, draw: bool) -> Tensor:
        """Decode greedily, or draw from the model as it is; token ids [B, 1 + T], the first being the start."""
        ids: Tensor = self.model.generate(  # type: ignore[operator]
            encoder_outputs=encoder_output(fused),
            attention_mask=inputs.gather(inputs.mask.long()),
            max_new_tokens=self.answer_tokens,
            do_sample=draw,
            num_beams=1,
            **({"top_k": 0, "top_p": 1.0, "temperature": 1.0} if draw else {}),
        )
        return ids

    def _outputs(self, reading: Reading, ids: Tensor) -> list[Output]:
        """Take generated token ids [B, 1 + T] for outputs, each up to its end."""
        end = (ids[:, 1:] == self._end).long()
        rows = ids[:, 1:].masked_fill(end.cumsum(1) > end, IGNORED)
        said = self.tokeniser.batch_decode(ids, skip_special_tokens=True)
        parts = [
            parsed(one, items) if self.pointers else ((), one.strip())
            for one, items in zip(said, reading.items, strict=True)
        ]
        return [Output(text, first, _tokens(row)) for (first, text), row in zip(parts, rows, strict=True)]

    def _as_targets(self, outputs: Sequence[Output]) -> Tensor:
        rows = [[token for (token,) in output.tokens] for output in outputs]
        return padded_targets(rows).to(self.model.device)

    def _alone(self, read: Encoded, targets: Tensor) -> Tensor:
        """Give log p of each target token given each input alone, [P, T]."""
        repeated = targets[read.inputs.owners]
        return target_likelihood(self._decode(read.states, read.inputs.mask, repeated, attention=False), repeated)

    def _seen(self, fused: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Give log p of each target given what a mask [B, K*L] shows, [B]."""
        return target_likelihood(self._decode(fused, mask, targets, attention=False), targets).sum(1)

    def _without_each(self, read: Encoded, k: int) -> Tensor:
        def closed_book(positions: Tensor) -> Tensor:
            asked = [read.examples[position] for position in positions.tolist()]
            inputs, states = self._states(self._read(asked, empty(len(asked))))
            return self._seen(states, read.targets[positions], inputs.mask)

        seen = partial(self._seen, read.fused, read.targets)
        return without_each(read.inputs, k, seen=seen, closed_book=closed_book)

    def _rounds(self, read: Encoded, k: int) -> list[Round]:
        rounds = [self.right(read), *(self.draw(read) for _ in range(DRAWN))]
        alone = [self._alone(read, self._as_targets(outputs)).sum(1) for outputs in rounds]
        return [
            Round(read.reading.answers(outputs), read.inputs.by_position(k, likelihood, -torch.inf))
            for outputs, likelihood in zip(rounds, alone, strict=True)
        ]

    def _sources(self, read: Encoded, number: int) -> tuple[int, ...]:
        return evidence_places(read.examples[number], read.reading.items[number]) if self.pointers else ()

    def _targets(self, examples: Sequence[Example], reading: Reading) -> Tensor:
        texts = [right_answers(example)[0] for example in examples]
        if self.pointers:
            sources = map(evidence_places, examples, reading.items)
            texts = [f"{pointing(places)} {text}" for places, text in zip(sources, texts, strict=True)]
        ids = token_ids(self.tokeniser, texts)
        return padded_targets([[*answer[: self.answer_tokens - 1], self._end] for answer in ids])

    def _states(self, reading: Reading) -> tuple[Pairs, Tensor]:
        """Encode each input; give what the decoder reads of it and the states of that, [P, L, D]."""
        inputs = reading.pairs.to(self.model.device)
        encoder = self.model.get_encoder()
        states: Tensor = encoder(input_ids=inputs.ids, attention_mask=inputs.mask.long()).last_hidden_state
        return inputs.first(self.vectors), states[:, : self.vectors]

    def _decode(self, states: Tensor, mask: Tensor, targets: Tensor, *, attention: bool) -> Seq2SeqLMOutput:
        output: Seq2SeqLMOutput = self.model(
            encoder_outputs=encoder_output(states),
            attention_mask=mask.long(),
            labels=targets,
            output_attentions=attention,
        )
        return output


def _tokens(row: Tensor) -> tuple[tuple[int, ...], ...]:
    return tuple((token,) for token in row.tolist() if token != IGNORED)


def _attention(output: Seq2SeqLMOutput, inputs: Pairs, mask: Tensor) -> Tensor:
    # layers of [B, H, T, K*L] -> [B, K*L] at the first token
    layers = output.cross_attentions or ()
    first = torch.stack([layer[:, :, 0].float().mean(1) for layer in layers]).mean(0).detach()
    by_position = first.reshape(len(first), -1, inputs.ids.shape[1]).sum(2)  # [B, K*L] -> [B, K]
    padded = functional.pad(by_position, (0, mask.shape[1] - by_position.shape[1]))
    return padded * mask.to(padded.device)
